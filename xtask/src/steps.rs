//! One step after another, each with its name and the time it took; the first that fails ends the chore.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The steps of a chore so far.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    passed: usize,
}

/// A step that failed, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failed {
    step: &'static str,
    error: anyhow::Error,
    hint: &'static str,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { started: Instant::now(), passed: 0 }
    }

    /// Do a step, and say how it went; `hint` is for whoever has to mend it.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        hint: &'static str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> Result<T, Failed> {
        eprintln!("==> {name}");
        let started = Instant::now();
        let done = step().map_err(|error| Failed { step: name, error, hint })?;
        self.passed += 1;
        eprintln!("==> {name}: done in {}", shown(started.elapsed()));
        Ok(done)
    }

    /// The last line of a chore, and how the process ends.
    pub(crate) fn end(self, done: Result<(), Failed>) -> ExitCode {
        let (passed, elapsed) = (self.passed, shown(self.started.elapsed()));
        match done {
            Ok(()) => {
                eprintln!("==> {passed} steps passed, 0 failed in {elapsed}");
                ExitCode::SUCCESS
            }
            Err(Failed { step, error, hint }) => {
                eprintln!("error: step `{step}` failed: {error:#}\nhint: {hint}");
                eprintln!("==> {passed} steps passed, 1 failed in {elapsed}");
                ExitCode::FAILURE
            }
        }
    }
}

fn shown(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", elapsed.as_secs() / 60, elapsed.as_secs() % 60)
    }
}
