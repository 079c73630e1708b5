-- The file of an export itself, if it is small: the content store has none of its key then.
alter table export add column content {blob};
