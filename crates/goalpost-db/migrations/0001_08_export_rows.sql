-- Rows of exports hold a manifest and perhaps a file, so on SQLite they lie in order of insertion from here on: in a
-- clustered table, a look for one reads all of those that it is compared with.

{sqlite} create table export_rows (
  organization {int} not null,
  job {blob} not null,
  same_for_everyone {bool} not null,
  content_key {text} not null,
  file_name {text} not null,
  row_count {int} not null,
  omitted_count {int} not null,
  size_bytes {int} not null,
  sha256 {blob} not null,
  revision {int} not null,
  as_of_at {int} not null,
  manifest {text},
  basis {blob},
  content {blob},
  primary key (organization, job)
) {table};

{sqlite} insert into export_rows
  select organization, job, same_for_everyone, content_key, file_name, row_count, omitted_count, size_bytes, sha256,
         revision, as_of_at, manifest, basis, content
    from export;

{sqlite} drop table export;

{sqlite} alter table export_rows rename to export;

{sqlite} create index export_basis on export (organization, basis);

{sqlite} create index export_content on export (organization, content_key);
