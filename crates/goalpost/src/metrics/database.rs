//! What the database's handle has met; it counts by itself, and is asked when the metrics are read.

use std::fmt;

use goalpost_db::{Counters, Db};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

#[derive(Debug)]
pub(super) struct Database(pub(super) Db);

impl Collector for Database {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Counters { writes, write_wait_us, busy, storage_full, unavailable, retries } = self.0.counters();
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)
        };
        counter("database_writes", "Write transactions that were begun.", writes)?;
        counter("database_busy", "Transactions refused because others took too long.", busy)?;
        counter("database_storage_full", "Transactions refused because there was no space.", storage_full)?;
        counter("database_unavailable", "Transactions refused because the database was away.", unavailable)?;
        counter("database_retries", "Transactions that the database asked to repeat.", retries)?;
        let wait = ConstCounter::new(write_wait_us as f64 / 1e6);
        let help = "How long writes waited for their turn, all together.";
        let metric = encoder.encode_descriptor(
            "database_write_wait",
            help,
            Some(&Unit::Seconds),
            wait.metric_type(),
        )?;
        wait.encode(metric)
    }
}
