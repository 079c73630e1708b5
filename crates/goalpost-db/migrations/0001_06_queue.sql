-- Fewer entries in indexes for each job that is made and claimed.

-- What is pending is found by `job_turn`.
drop index job_pending;

-- Pending jobs do not expire.
create index job_ended on job (expires_at) where state in ('succeeded', 'failed');
drop index job_expires;
