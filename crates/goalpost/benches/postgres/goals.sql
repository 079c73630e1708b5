-- The rows and columns of a Viva Goals CSV, as one query: what `psql` is measured with.
-- Owners, teams, parents and check-ins are ordered lists in one column each, put together beside the goals and joined
-- once, which costs less than asking for each goal. Numbers are printed as PostgreSQL prints them.
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
  case when g.outcome_type = 'Percentage' then 'Progress' else coalesce(g.metric_name, 'Progress') end as "Metric Name",
  case when g.outcome_type = 'Percentage' or g.metric_unit = 'Percentage' then '%'
       when g.metric_unit = 'Dollar' then '$'
       when g.metric_unit = 'Number' then ''
       else g.metric_unit end as "Unit",
  case when g.outcome_type = 'Percentage' then 100 else g.metric_target end as "Target",
  g.type_label as "Object Type",
  g.goal_type || ' Goal' as "Goal Type",
  case when g.outcome_type = 'Percentage' then 0 else g.metric_start end as "Start",
  (to_timestamp(g.created_at / 1000000) at time zone 'UTC') || ' UTC' as "Created At",
  g.last_checkin_date as "Last Check-in",
  case when g.outcome_type = 'Metric' then round(g.progress_percent * 100) / 100 else g.progress_percent end as "Progress %",
  g.progress as "Actual Progress",
  g.status as "Status",
  {last_note} as "Last Check-in Note",
  case when g.score <> 0 or g.status = 'Closed' then g.score end as "Score",
  {checkins} as "Checkins"
from goal g
left join person creator on creator.organization = g.organization and creator.id = g.creator
left join period on period.organization = g.organization and period.id = g.period
left join (
  select l.goal, string_agg(t.name, '; ' order by l.position) as names
    from goal_team l join team t on t.organization = l.organization and t.id = l.team
   where l.organization = :organization group by l.goal) teams on teams.goal = g.id
left join (
  select l.goal, string_agg(p.name, ', ' order by l.position) as names
    from goal_owner l join person p on p.organization = l.organization and p.id = l.person
   where l.organization = :organization group by l.goal) owners on owners.goal = g.id
left join (
  select l.goal, string_agg(
            p.title || '(weight: ' || round(coalesce(l.weight, 0) * 100) / 100 || '%, Id: ' || p.id || ')',
            ' / ' order by l.position) as names
    from goal_parent l join goal p on p.organization = l.organization and p.id = l.parent
    where l.organization = :organization
      and (not p.restricted or p.creator = :me or p.delegate = :me
           or exists (select 1 from goal_owner where organization = p.organization and goal = p.id and person = :me)
           or exists (select 1 from goal_checkin_owner where organization = p.organization and goal = p.id and person = :me)
           or exists (select 1 from goal_viewer where organization = p.organization and goal = p.id and person = :me))
   group by l.goal) parents on parents.goal = g.id
{joined}where g.organization = :organization and g.origin <> 'reference'
  and (not g.restricted or g.creator = :me or g.delegate = :me
       or exists (select 1 from goal_owner where organization = g.organization and goal = g.id and person = :me)
       or exists (select 1 from goal_checkin_owner where organization = g.organization and goal = g.id and person = :me)
       or exists (select 1 from goal_viewer where organization = g.organization and goal = g.id and person = :me))
order by g.id
