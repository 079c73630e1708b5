-- The rows and columns of a Viva Goals CSV, as one query: what `sqlite3` is measured with.
-- Owners, teams, parents and check-ins are ordered lists in one column each. Numbers are printed as SQLite prints them.
select
  g.id as "Id",
  g.title as "Title",
  (select group_concat(name, '; ')
     from (select t.name
             from goal_team l join team t on t.organization = l.organization and t.id = l.team
            where l.organization = g.organization and l.goal = g.id
            order by l.position)) as "Team",
  creator.name as "Creator",
  (select group_concat(name, ', ')
     from (select p.name
             from goal_owner l join person p on p.organization = l.organization and p.id = l.person
            where l.organization = g.organization and l.goal = g.id
            order by l.position)) as "Owner",
  period.name as "Period",
  g.start_date as "Start Date",
  g.end_date as "End Date",
  g.description as "Description",
  (select group_concat(
            title || '(weight: ' || printf('%.15g', round(ifnull(weight, 0) * 100) / 100) || '%, Id: ' || id || ')',
            ' / ')
     from (select p.title, p.id, l.weight
             from goal_parent l join goal p on p.organization = l.organization and p.id = l.parent
            where l.organization = g.organization and l.goal = g.id
              and (not p.restricted or p.creator = :me or p.delegate = :me
                   or exists (select 1 from goal_owner where organization = p.organization and goal = p.id and person = :me)
                   or exists (select 1 from goal_checkin_owner where organization = p.organization and goal = p.id and person = :me)
                   or exists (select 1 from goal_viewer where organization = p.organization and goal = p.id and person = :me))
            order by l.position)) as "Aligned To (weight, Objective ID)",
  case when g.outcome_type = 'Percentage' then 'Progress' else ifnull(g.metric_name, 'Progress') end as "Metric Name",
  case when g.outcome_type = 'Percentage' or g.metric_unit = 'Percentage' then '%'
       when g.metric_unit = 'Dollar' then '$'
       when g.metric_unit = 'Number' then ''
       else g.metric_unit end as "Unit",
  case when g.outcome_type = 'Percentage' then 100 else g.metric_target end as "Target",
  g.type_label as "Object Type",
  g.goal_type || ' Goal' as "Goal Type",
  case when g.outcome_type = 'Percentage' then 0 else g.metric_start end as "Start",
  strftime('%Y-%m-%d %H:%M:%S UTC', g.created_at / 1000000, 'unixepoch') as "Created At",
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
where g.organization = :organization and g.origin <> 'reference'
  and (not g.restricted or g.creator = :me or g.delegate = :me
       or exists (select 1 from goal_owner where organization = g.organization and goal = g.id and person = :me)
       or exists (select 1 from goal_checkin_owner where organization = g.organization and goal = g.id and person = :me)
       or exists (select 1 from goal_viewer where organization = g.organization and goal = g.id and person = :me))
order by g.id;
