-- Additions for rules, history and Explorer: a program that does not know them works on.

-- Of a goal with a control type: between the target and this value it is behind, beyond it at risk.
alter table goal add column risk_threshold {real};
-- The place that people gave it among others; those without one follow, by number.
alter table goal add column priority {int};
-- Whether goals that are aligned to it from now on count in its progress; null: they do.
alter table goal add column new_children_contribute {bool};
-- What was said when it was closed or put off.
alter table goal add column ending_note {text};
-- When it was last changed here; null: never.
alter table goal add column updated_at {int};

alter table goal_history add column risk_threshold {real};
alter table goal_history add column priority {int};
alter table goal_history add column new_children_contribute {bool};
alter table goal_history add column ending_note {text};
alter table goal_history add column updated_at {int};

-- Who is below whom.
create index person_manager on person (organization, manager);

-- People and teams whom a view with an owner is shown to besides; one of the two columns is null.
create table view_share (
  organization {int} not null,
  view {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int},
  team {int},
  primary key (organization, view, position)
) {clustered};

create table view_share_history (
  organization {int} not null,
  view {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int},
  team {int},
  until {int} not null,
  primary key (organization, view, position, until)
) {clustered};

-- The organization's own words, each null where it has none: docs/DATA.md, "Terminology".
alter table organization add column term_okr {text};
alter table organization add column term_objective {text};
alter table organization add column term_key_result {text};
alter table organization add column term_initiative {text};
-- Who may make goals of the whole organization and of teams: docs/SECURITY.md; null: team owners.
alter table organization add column goal_policy {text};
-- The month, from 1, with which its planning years begin; null: periods are not made by themselves.
alter table organization add column planning_year_start {int};
-- The revision that last changed people, teams, periods or tags, which have no history of their own.
alter table organization add column directory_revision {int};

-- The goals of a team, and those of a tag, without a look at all others.
create index goal_team_team on goal_team (organization, team, goal);
create index goal_tag_tag on goal_tag (organization, tag, goal);

-- From an instant to the revision that was in force.
create index revision_made_at on revision (organization, made_at);

-- What changed since a revision. The first one is mostly one large import, and nothing can be asked since before it.
create index goal_changed on goal (organization, revision) where revision > 1;
create index goal_owner_changed on goal_owner (organization, revision) where revision > 1;
create index goal_checkin_owner_changed on goal_checkin_owner (organization, revision) where revision > 1;
create index goal_viewer_changed on goal_viewer (organization, revision) where revision > 1;
create index goal_team_changed on goal_team (organization, revision) where revision > 1;
create index goal_tag_changed on goal_tag (organization, revision) where revision > 1;
create index goal_parent_changed on goal_parent (organization, revision) where revision > 1;
create index goal_phased_target_changed on goal_phased_target (organization, revision) where revision > 1;
create index task_changed on task (organization, revision) where revision > 1;
create index checkin_changed on checkin (organization, revision) where revision > 1;
create index comment_changed on comment (organization, revision) where revision > 1;
create index view_changed on view (organization, revision) where revision > 1;
create index goal_history_until on goal_history (organization, until);
create index goal_owner_history_until on goal_owner_history (organization, until);
create index goal_checkin_owner_history_until on goal_checkin_owner_history (organization, until);
create index goal_viewer_history_until on goal_viewer_history (organization, until);
create index goal_team_history_until on goal_team_history (organization, until);
create index goal_tag_history_until on goal_tag_history (organization, until);
create index goal_parent_history_until on goal_parent_history (organization, until);
create index goal_phased_target_history_until on goal_phased_target_history (organization, until);
create index task_history_until on task_history (organization, until);
create index checkin_history_until on checkin_history (organization, until);
create index comment_history_until on comment_history (organization, until);
create index view_history_until on view_history (organization, until);
