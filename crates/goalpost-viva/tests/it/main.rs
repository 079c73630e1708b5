//! The format from outside: files written, read, surveyed and refused.

mod export;
mod hostile;
mod round_trip;
mod sample;
mod survey;
