//! The end of a process, in three steps that everything that runs in it watches.
//!
//! ```text
//! running ──ask──▶ draining ──close──▶ closing ──cut off──▶ over
//! ```
//! Draining: the node is not ready and claims no job, but answers. Closing: it takes no new connection; open requests
//! and running jobs may end. Over: what has not ended is cut off.

use tokio_util::sync::CancellationToken;

/// How far the end has come. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: CancellationToken,
    closing: CancellationToken,
    over: CancellationToken,
}

impl Stop {
    /// Begin to end: draining.
    pub fn ask(&self) {
        self.asked.cancel();
    }

    /// Take no new connection.
    pub fn close(&self) {
        self.ask();
        self.closing.cancel();
    }

    /// Cut off what has not ended.
    pub fn cut_off(&self) {
        self.close();
        self.over.cancel();
    }

    /// Whether the process is asked to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// Returns when the process is asked to stop.
    pub async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Returns when no new connection may be taken.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Returns when everything must end at once.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }
}
