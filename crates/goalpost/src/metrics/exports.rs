//! Files made and fetched.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

const SECONDS: [f64; 15] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// Files made and fetched.
#[derive(Debug)]
pub struct Exports {
    rows: Counter,
    bytes: Counter,
    seconds: Histogram,
    downloads: Family<[(&'static str, &'static str); 1], Counter>,
    downloaded_bytes: Counter,
    open_downloads: Gauge,
}

impl Exports {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            rows: Counter::default(),
            bytes: Counter::default(),
            seconds: Histogram::new(SECONDS),
            downloads: Family::default(),
            downloaded_bytes: Counter::default(),
            open_downloads: Gauge::default(),
        };
        for end in ["whole", "cut"] {
            drop(this.downloads.get_or_create(&[("end", end)]));
        }
        registry.register("exports_rows", "Rows of published files", this.rows.clone());
        registry.register_with_unit(
            "exports_made",
            "Size of published files",
            Unit::Bytes,
            this.bytes.clone(),
        );
        registry.register_with_unit(
            "exports_duration",
            "From the claim to the published file",
            Unit::Seconds,
            this.seconds.clone(),
        );
        registry.register("exports_downloads", "Ended downloads, whole or cut", this.downloads.clone());
        registry.register_with_unit(
            "exports_downloaded",
            "Bytes handed to downloading clients",
            Unit::Bytes,
            this.downloaded_bytes.clone(),
        );
        registry.register("exports_open_downloads", "Downloads under way", this.open_downloads.clone());
        this
    }

    /// A file was published.
    pub fn published(&self, rows: u64, bytes: u64, after: Duration) {
        self.rows.inc_by(rows);
        self.bytes.inc_by(bytes);
        self.seconds.observe(after.as_secs_f64());
    }

    /// A download of so many bytes begins.
    pub fn download(&self, expected: u64) -> Download {
        self.open_downloads.inc();
        Download {
            downloads: self.downloads.clone(),
            bytes: self.downloaded_bytes.clone(),
            open: self.open_downloads.clone(),
            missing: expected,
        }
    }
}

/// A download, counted when this is dropped.
#[derive(Debug)]
pub struct Download {
    downloads: Family<[(&'static str, &'static str); 1], Counter>,
    bytes: Counter,
    open: Gauge,
    missing: u64,
}

impl Download {
    /// So many more bytes were handed over.
    pub fn took(&mut self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
        self.missing = self.missing.saturating_sub(bytes as u64);
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.open.dec();
        let end = if self.missing == 0 { "whole" } else { "cut" };
        self.downloads.get_or_create(&[("end", end)]).inc();
    }
}
