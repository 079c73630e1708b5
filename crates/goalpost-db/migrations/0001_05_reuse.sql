-- Additions for exports of what has not changed since an earlier one: they point to its file.

-- What the file was made of: two exports with the same basis have the same bytes, for the same people.
alter table export add column basis {blob};

create index export_basis on export (organization, basis);

-- Which exports point to a file: it goes with the last of them.
create index export_content on export (organization, content_key);
