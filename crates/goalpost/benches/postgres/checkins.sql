left join (
  select c.goal,
         (array_agg(c.note order by c.as_of_at, c.id))[count(*)] as last_note,
         string_agg('Checkin Date: ' || (to_timestamp(c.as_of_at / 1000000) at time zone 'UTC')::date
               || '; User: ' || coalesce(p.name, '')
               || '; Note: ' || coalesce(c.note, '')
               || '; Metric Name: ' || coalesce(c.metric_name, 'Progress')
               || '; Status: ' || c.status
               || '; Current Value: ' || coalesce(c.value ||
                    case when o.outcome_type = 'Percentage' or o.metric_unit = 'Percentage' then '%' else '' end, '')
               || '; Activity Date: '
               || coalesce((to_timestamp(c.recorded_at / 1000000) at time zone 'UTC') || ' UTC', '') || ';',
             chr(30) order by c.as_of_at, c.id) as cells
    from checkin c
    join goal o on o.organization = c.organization and o.id = c.goal
    left join person p on p.organization = c.organization and p.id = c.owner
   where c.organization = :organization group by c.goal) checkins on checkins.goal = g.id
