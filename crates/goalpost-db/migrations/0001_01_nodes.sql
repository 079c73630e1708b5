-- Additions for many nodes: a program that does not know them works on.

create table schema_addition (
  version {int} not null,
  addition {int} not null,
  sha256 {blob} not null,
  applied_at {int} not null,
  primary key (version, addition)
) {table};

-- The processes that serve or work on this database; each tells now and again that it is there.
create table node (
  id {blob} not null primary key,
  version {text} not null,
  started_at {int} not null,
  seen_at {int} not null,
  -- What all nodes must agree on, as JSON: where contents lie, the figures of leases, the key of own tokens.
  agreed {text} not null
) {table};

-- The trace (W3C `traceparent`) of the request that made the job.
alter table job add column traceparent {text};

-- The first claimable job of each organization, found without reading the others.
create index job_turn on job (organization, created_at, id) where state in ('notStarted', 'running');

-- How many jobs of an organization run now.
create index job_running on job (organization, lease_until) where state = 'running';
