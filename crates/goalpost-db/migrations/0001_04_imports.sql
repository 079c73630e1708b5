-- Additions for imports that are asked for over HTTP, and for taking imports back: a program that does not know them works
-- on.

-- Imports: those that were asked for over HTTP, and those that changed something. What the operator does on the command
-- line has no job; a job of the same id is forgotten before its import.
create table import (
  organization {int} not null,
  id {blob} not null,
  created_at {int} not null,
  -- Null: the operator.
  creator {int},
  file_name {text} not null,
  size_bytes {int} not null,
  file_sha256 {blob} not null,
  dry_run {bool} not null,
  -- Where the file waits for its worker; null: nobody needs it any more.
  content_key {text},
  finished_at {int},
  -- Elements of the file, and what became of them.
  read_count {int},
  added_count {int},
  changed_count {int},
  removed_count {int},
  -- The revision that it made; null: none, or not yet. The report of one that made a revision is in `import_run`.
  revision {int},
  report {text},
  -- The revision that took it back, when, and for whom.
  undone_revision {int},
  undone_at {int},
  undone_by {int},
  primary key (organization, id)
) {clustered};

create index import_revision on import (organization, revision) where revision is not null;

-- What an import replaced among the rows that have no history, and what it put there, as JSON; null: nothing.
create table import_kept (
  organization {int} not null,
  revision {int} not null,
  kind {text} not null,
  id {int} not null,
  was {text},
  became {text},
  primary key (organization, revision, kind, id)
) {clustered};
