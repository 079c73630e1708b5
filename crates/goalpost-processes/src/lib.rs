//! Real programs beside the tests, such as a PostgreSQL cluster of a test's own.
//!
//! A program that is started by [`Launch`] ends when its [`Process`] is dropped, and also when the process that
//! started it dies in whatever way: the kernel sees to that. Only Linux can do this, and nothing here pretends that
//! another system could.

mod launch;
mod port;
pub mod postgres;
mod process;
mod user;

pub use launch::Launch;
pub use nix::sys::signal::Signal;
pub use port::free_port;
pub use postgres::PgCluster;
pub use process::{Process, ProcessId};
pub use user::OrdinaryUser;

use std::time::{Duration, Instant};

/// Ask again and again, for so long at most; `None` if the answer was `None` to the last.
pub fn poll<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
