-- Additions for files of other kinds than the one of Viva Goals: a program that does not know them works on.

-- What the file is, as JSON: its columns and what they mean, what was chosen, how much of it there is.
alter table export add column manifest {text};

-- The view that an export is about, where its pair says more than that.
alter table job add column view {blob};

-- How far a running job has come, and how far it has to go; told with each renewal of its lease.
alter table job add column rows_done {int};
alter table job add column rows_all {int};
