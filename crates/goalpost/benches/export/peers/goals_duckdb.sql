-- The rows and columns of ../goals.sql in DuckDB's own words. Owners, teams, parents and check-ins are put together
-- beside the goals and joined once, which is what DuckDB makes of a question for each goal anyway.
with mine as (
  select goal from goal_owner where organization = :organization and person = :me
  union select goal from goal_checkin_owner where organization = :organization and person = :me
  union select goal from goal_viewer where organization = :organization and person = :me
),
seen as (
  select g.*
    from goal g
   where g.organization = :organization
     and (g.restricted = 0 or g.creator = :me or g.delegate = :me or g.id in (select goal from mine))
),
teams as (
  select l.goal, string_agg(t.name, '; ' order by l.position) as names
    from goal_team l join team t on t.organization = l.organization and t.id = l.team
   where l.organization = :organization
   group by l.goal
),
owners as (
  select l.goal, string_agg(p.name, ', ' order by l.position) as names
    from goal_owner l join person p on p.organization = l.organization and p.id = l.person
   where l.organization = :organization
   group by l.goal
),
parents as (
  select l.goal,
         string_agg(p.title || '(weight: ' || printf('%.15g', round(ifnull(l.weight, 0) * 100) / 100) || '%, Id: '
                            || p.id || ')', ' / ' order by l.position) as names
    from goal_parent l join seen p on p.organization = l.organization and p.id = l.parent
   where l.organization = :organization
   group by l.goal
),
checkins as (
  select c.goal,
         arg_max_null(c.note, (c.as_of_at, c.id)) as last_note,
         string_agg('Checkin Date: ' || strftime(make_timestamp(c.as_of_at), '%Y-%m-%d')
               || '; User: ' || ifnull(p.name, '')
               || '; Note: ' || ifnull(c.note, '')
               || '; Metric Name: ' || ifnull(c.metric_name, 'Progress')
               || '; Status: ' || c.status
               || '; Current Value: ' || ifnull(printf('%.15g', c.value) ||
                    case when g.outcome_type = 'Percentage' or g.metric_unit = 'Percentage' then '%' else '' end, '')
               || '; Activity Date: '
               || ifnull(strftime(make_timestamp(c.recorded_at), '%Y-%m-%d %H:%M:%S UTC'), '') || ';',
             chr(30) order by c.as_of_at, c.id) as cells
    from checkin c
    join seen g on g.organization = c.organization and g.id = c.goal
    left join person p on p.organization = c.organization and p.id = c.owner
   where c.organization = :organization
   group by c.goal
)
select
  g.id as "Id",
  g.title as "Title",
  teams.names as "Team",
  creator.name as "Creator",
  owners.names as "Owner",
  period.name as "Period",
  g.start_date as "Start Date",
  g.end_date as "End Date",
  g.description as "Description",
  parents.names as "Aligned To (weight, Objective ID)",
  case when g.outcome_type = 'Percentage' then 'Progress' else ifnull(g.metric_name, 'Progress') end as "Metric Name",
  case when g.outcome_type = 'Percentage' or g.metric_unit = 'Percentage' then '%'
       when g.metric_unit = 'Dollar' then '$'
       when g.metric_unit = 'Number' then ''
       else g.metric_unit end as "Unit",
  case when g.outcome_type = 'Percentage' then 100 else g.metric_target end as "Target",
  g.type_label as "Object Type",
  g.goal_type || ' Goal' as "Goal Type",
  case when g.outcome_type = 'Percentage' then 0 else g.metric_start end as "Start",
  strftime(make_timestamp(g.created_at), '%Y-%m-%d %H:%M:%S UTC') as "Created At",
  g.last_checkin_date as "Last Check-in",
  case when g.outcome_type = 'Metric' then round(g.progress_percent * 100) / 100 else g.progress_percent end as "Progress %",
  g.progress as "Actual Progress",
  g.status as "Status",
  checkins.last_note as "Last Check-in Note",
  case when g.score <> 0 or g.status = 'Closed' then g.score end as "Score",
  checkins.cells as "Checkins"
from seen g
left join person creator on creator.organization = g.organization and creator.id = g.creator
left join period on period.organization = g.organization and period.id = g.period
left join teams on teams.goal = g.id
left join owners on owners.goal = g.id
left join parents on parents.goal = g.id
left join checkins on checkins.goal = g.id
where g.origin <> 'reference'
order by g.id
