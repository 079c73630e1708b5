//! What an operator sees of a server: metrics, logs, health, and how it treats clients that are slow.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod alerts;
mod health;
mod logs;
mod metrics;
#[cfg(feature = "otel")]
mod otel;
mod slow;
mod trace;

use std::time::Duration;

use goalpost_testing::TestApp;

const SOON: Duration = Duration::from_secs(20);

/// The value of a metric that counts, written with its labels as Prometheus writes them; 0 for one that is not there.
fn value(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

/// The metrics of an app.
async fn metrics(t: &TestApp) -> String {
    let answer = t.client_with_token(None).get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}
