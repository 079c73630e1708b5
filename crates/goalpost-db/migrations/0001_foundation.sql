-- Times are microseconds since 1970 (UTC), days are texts `YYYY-MM-DD`, GUIDs 16 bytes.
-- Every table but the few global ones begins its key with the organization, so that a cluster can be spread by it.
-- A `revision` column holds the organization's revision that wrote the present row; what a later revision replaces
-- moves to the table's `_history` twin, which has the same columns and `until`, the revision that replaced it.

-- Global tables -----------------------------------------------------------------------------------------------

create table schema_migration (
  version {int} not null primary key,
  sha256 {blob} not null,
  applied_at {int} not null
) {table};

create table organization (
  number {int} not null primary key,
  guid {blob} not null unique,
  name {text} not null,
  -- The number that the organization's files carry; `number` itself unless that was taken.
  file_number {int},
  export_policy {text} not null,
  -- Raised by every transaction that changes the organization's data.
  revision {int} not null,
  -- The next number for an object that no file brought.
  next_number {int} not null,
  created_at {int} not null
) {table};

create index organization_file_number on organization (file_number);

-- A sign-in identity and the person that it is in one organization.
create table identity (
  issuer {text} not null,
  tenant {blob} not null,
  object {blob} not null,
  organization {int} not null,
  person {int} not null,
  linked_at {int} not null,
  primary key (issuer, tenant, object, organization)
) {clustered};

create index identity_person on identity (organization, person);

-- Organizations: people and the short lists -------------------------------------------------------------------

-- When each revision was made, by whom, and what for.
create table revision (
  organization {int} not null,
  revision {int} not null,
  made_at {int} not null,
  actor {int},
  cause {text} not null,
  primary key (organization, revision)
) {clustered};

-- `origin`: `file`, `reference` (no file held the row, only a mention of it), or `local` (made here).
create table person (
  organization {int} not null,
  id {int} not null,
  guid {blob} not null,
  name {text} not null,
  name_fold {text} not null,
  email {text} not null,
  email_fold {text} not null,
  role {text} not null,
  source {text} not null,
  member_type {text} not null,
  status {text} not null,
  manager {int},
  last_active_at {int},
  origin {text} not null,
  primary key (organization, id)
) {clustered};

create unique index person_guid on person (organization, guid);
create index person_email on person (organization, email_fold);

-- Who may export when the organization's policy names people.
create table export_permit (
  organization {int} not null,
  person {int} not null,
  primary key (organization, person)
) {clustered};

create table team (
  organization {int} not null,
  id {int} not null,
  name {text} not null,
  name_fold {text} not null,
  -- As printed; `parent` is the team of that name where exactly one has it.
  parent_name {text},
  parent {int},
  team_type {text} not null,
  status {text} not null,
  description {text},
  origin {text} not null,
  primary key (organization, id)
) {clustered};

create table team_owner (
  organization {int} not null,
  team {int} not null,
  position {int} not null,
  person {int} not null,
  primary key (organization, team, position)
) {clustered};

create table team_member (
  organization {int} not null,
  person {int} not null,
  position {int} not null,
  team {int} not null,
  primary key (organization, person, position)
) {clustered};

create table period (
  organization {int} not null,
  id {int} not null,
  name {text} not null,
  name_fold {text} not null,
  start_date {text},
  end_date {text},
  origin {text} not null,
  primary key (organization, id)
) {clustered};

create table tag (
  organization {int} not null,
  id {int} not null,
  name {text} not null,
  name_fold {text} not null,
  origin {text} not null,
  primary key (organization, id)
) {clustered};

-- Goals: objectives, key results and initiatives --------------------------------------------------------------

create table goal (
  organization {int} not null,
  id {int} not null,
  revision {int} not null,
  origin {text} not null,
  -- `objective`, `keyResult` or `initiative`; the label is the organization's own word for it.
  object_type {text} not null,
  type_label {text} not null,
  status {text} not null,
  period {int},
  creator {int},
  delegate {int},
  start_date {text},
  end_date {text},
  created_at {int},
  last_checkin_date {text},
  checkin_count {int} not null,
  -- Visible only to the people around it; see docs/DATA.md.
  restricted {bool} not null,
  goal_type {text} not null,
  outcome_type {text} not null,
  metric_name {text},
  metric_unit {text},
  metric_start {real},
  metric_target {real},
  target_type {text},
  -- The metric's value, or the percentage where there is no metric; null if never updated.
  progress {real},
  -- The same on the scale from start (0) to target (100), not clamped.
  progress_percent {real},
  score {real},
  progress_mode {text},
  status_mode {text},
  data_source {text},
  phased_interval {text},
  phased {bool} not null,
  -- The file's Permissions object as it stood.
  permissions {text},
  title {text} not null,
  title_fold {text} not null,
  description {text},
  primary key (organization, id)
) {table};

create index goal_status on goal (organization, status, id);
create index goal_period on goal (organization, period, id);
-- The widest row of a file is known before its first line is written.
create index goal_checkin_count on goal (organization, checkin_count);
create index goal_restricted on goal (organization, id) where restricted;

create table goal_owner (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  primary key (organization, goal, position)
) {clustered};

create index goal_owner_person on goal_owner (organization, person, goal);

create table goal_checkin_owner (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  primary key (organization, goal, position)
) {clustered};

-- People whom a restricted goal names.
create table goal_viewer (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  primary key (organization, goal, position)
) {clustered};

create table goal_team (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  team {int} not null,
  primary key (organization, goal, position)
) {clustered};

create table goal_tag (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  tag {int} not null,
  primary key (organization, goal, position)
) {clustered};

-- `weight` is a percentage; null where no file stated one. `fixed`: set by a person, not a share of the rest.
create table goal_parent (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  parent {int} not null,
  weight {real},
  fixed {bool} not null,
  primary key (organization, goal, position)
) {clustered};

create index goal_parent_parent on goal_parent (organization, parent, goal);

create table goal_phased_target (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  value {real},
  due_date {text},
  primary key (organization, goal, position)
) {clustered};

create table task (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  id {int} not null,
  name {text} not null,
  due_date {text},
  status {text} not null,
  owner {int},
  primary key (organization, goal, position)
) {clustered};

create table checkin (
  organization {int} not null,
  goal {int} not null,
  id {int} not null,
  revision {int} not null,
  -- The moment that the check-in speaks about, and the moment when it was written down.
  as_of_at {int} not null,
  recorded_at {int},
  owner {int},
  status {text} not null,
  value {real},
  metric_name {text},
  note {text},
  note_html {text},
  primary key (organization, goal, id)
) {clustered};

create unique index checkin_id on checkin (organization, id);

create table comment (
  organization {int} not null,
  goal {int} not null,
  id {int} not null,
  revision {int} not null,
  author {int},
  created_at {int},
  text {text} not null,
  primary key (organization, goal, id)
) {clustered};

create unique index comment_id on comment (organization, id);

-- The value that the last import brought for a field that has since been changed here.
create table goal_imported_value (
  organization {int} not null,
  goal {int} not null,
  field {text} not null,
  value {text},
  primary key (organization, goal, field)
) {clustered};

-- Views -------------------------------------------------------------------------------------------------------

create table view (
  organization {int} not null,
  id {int} not null,
  revision {int} not null,
  guid {blob} not null,
  name {text} not null,
  -- Null: the view belongs to the organization.
  owner {int},
  is_public {bool} not null,
  preset {text},
  top_level {bool} not null,
  flat {bool} not null,
  filter {text} not null,
  sort {text} not null,
  api_settings {text},
  created_at {int} not null,
  primary key (organization, id)
) {clustered};

create unique index view_guid on view (organization, guid);

-- Jobs and exports --------------------------------------------------------------------------------------------

create table job (
  organization {int} not null,
  id {blob} not null,
  kind {text} not null,
  -- What the job is about: two pending jobs of a kind never share it. For an export, the view's GUID.
  pair {blob} not null,
  state {text} not null,
  creator {int},
  attempt {int} not null,
  lease_token {blob},
  lease_until {int},
  created_at {int} not null,
  -- Counted from the first claim; bounds all attempts together.
  deadline_at {int},
  started_at {int},
  finished_at {int},
  expires_at {int} not null,
  failure {text},
  status_detail {text},
  -- Frozen when the job is made: later edits of the view change nothing.
  spec {text} not null,
  primary key (organization, id)
) {clustered};

-- One pending job a pair; this index is the only guard, and it is enough.
create unique index job_one_pending on job (organization, kind, pair) where state in ('notStarted', 'running');
create index job_pending on job (created_at) where state in ('notStarted', 'running');
create index job_expires on job (expires_at);
create index job_listing on job (organization, kind, created_at, id);

create table export (
  organization {int} not null,
  job {blob} not null,
  -- Rows and order that the file holds do not depend on who asked.
  same_for_everyone {bool} not null,
  content_key {text} not null,
  file_name {text} not null,
  row_count {int} not null,
  omitted_count {int} not null,
  size_bytes {int} not null,
  sha256 {blob} not null,
  -- The state of the organization that the file shows.
  revision {int} not null,
  as_of_at {int} not null,
  primary key (organization, job)
) {clustered};

-- Audit and imports -------------------------------------------------------------------------------------------

create table audit (
  organization {int} not null,
  id {int} not null,
  at {int} not null,
  actor {int},
  action {text} not null,
  subject {text} not null,
  detail {text} not null,
  primary key (organization, id)
) {clustered};

create table import_run (
  organization {int} not null,
  id {int} not null,
  made_at {int} not null,
  revision {int} not null,
  file_name {text} not null,
  file_sha256 {blob} not null,
  report {text} not null,
  primary key (organization, id)
) {clustered};

-- Cells and rows of a file that have no place in the model, kept word for word.
create table import_aside (
  organization {int} not null,
  entity {text} not null,
  id {int} not null,
  path {text} not null,
  value {text} not null,
  primary key (organization, entity, id, path)
) {clustered};

-- What was -----------------------------------------------------------------------------------------------------

create table goal_history (
  organization {int} not null,
  id {int} not null,
  revision {int} not null,
  origin {text} not null,
  object_type {text} not null,
  type_label {text} not null,
  status {text} not null,
  period {int},
  creator {int},
  delegate {int},
  start_date {text},
  end_date {text},
  created_at {int},
  last_checkin_date {text},
  checkin_count {int} not null,
  restricted {bool} not null,
  goal_type {text} not null,
  outcome_type {text} not null,
  metric_name {text},
  metric_unit {text},
  metric_start {real},
  metric_target {real},
  target_type {text},
  progress {real},
  progress_percent {real},
  score {real},
  progress_mode {text},
  status_mode {text},
  data_source {text},
  phased_interval {text},
  phased {bool} not null,
  permissions {text},
  title {text} not null,
  title_fold {text} not null,
  description {text},
  until {int} not null,
  primary key (organization, id, until)
) {clustered};

create table goal_owner_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_checkin_owner_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_viewer_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  person {int} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_team_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  team {int} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_tag_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  tag {int} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_parent_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  parent {int} not null,
  weight {real},
  fixed {bool} not null,
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table goal_phased_target_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  value {real},
  due_date {text},
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table task_history (
  organization {int} not null,
  goal {int} not null,
  position {int} not null,
  revision {int} not null,
  id {int} not null,
  name {text} not null,
  due_date {text},
  status {text} not null,
  owner {int},
  until {int} not null,
  primary key (organization, goal, position, until)
) {clustered};

create table checkin_history (
  organization {int} not null,
  goal {int} not null,
  id {int} not null,
  revision {int} not null,
  as_of_at {int} not null,
  recorded_at {int},
  owner {int},
  status {text} not null,
  value {real},
  metric_name {text},
  note {text},
  note_html {text},
  until {int} not null,
  primary key (organization, goal, id, until)
) {clustered};

create table comment_history (
  organization {int} not null,
  goal {int} not null,
  id {int} not null,
  revision {int} not null,
  author {int},
  created_at {int},
  text {text} not null,
  until {int} not null,
  primary key (organization, goal, id, until)
) {clustered};

create table view_history (
  organization {int} not null,
  id {int} not null,
  revision {int} not null,
  guid {blob} not null,
  name {text} not null,
  owner {int},
  is_public {bool} not null,
  preset {text},
  top_level {bool} not null,
  flat {bool} not null,
  filter {text} not null,
  sort {text} not null,
  api_settings {text},
  created_at {int} not null,
  until {int} not null,
  primary key (organization, id, until)
) {clustered};
