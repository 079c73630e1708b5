//! The end of a process, in three steps that everything that runs in it watches.
//!
//! ```text
//! running ──ask──▶ draining ──close──▶ closing ──cut off──▶ over
//! ```
//! Draining: the node is not ready and claims no job, but answers. Closing: it takes no new connection; open requests
//! and running jobs may end. Over: what has not ended is cut off.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

/// How far the end has come. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Steps>);

#[derive(Debug, Default)]
struct Steps {
    asked: CancellationToken,
    closing: CancellationToken,
    over: CancellationToken,
}

impl Stop {
    /// Begin to end: draining.
    pub fn ask(&self) {
        self.0.asked.cancel();
    }

    /// Take no new connection.
    pub fn close(&self) {
        self.ask();
        self.0.closing.cancel();
    }

    /// Cut off what has not ended.
    pub fn cut_off(&self) {
        self.close();
        self.0.over.cancel();
    }

    /// Whether the process is asked to stop.
    pub fn is_asked(&self) -> bool {
        self.0.asked.is_cancelled()
    }

    /// Returns when the process is asked to stop.
    pub async fn asked(&self) {
        self.0.asked.cancelled().await;
    }

    /// Returns when no new connection may be taken.
    pub async fn closing(&self) {
        self.0.closing.cancelled().await;
    }

    /// Returns when everything must end at once.
    pub async fn over(&self) {
        self.0.over.cancelled().await;
    }
}
