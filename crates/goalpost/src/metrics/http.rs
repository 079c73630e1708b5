//! Requests and connections.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Requests and connections.
#[derive(Debug)]
pub struct Http {
    requests: Family<Answered, Counter>,
    seconds: Family<Answered, Histogram, fn() -> Histogram>,
    open_connections: Gauge,
    cut: Family<[(&'static str, &'static str); 1], Counter>,
    faults: Family<[(&'static str, &'static str); 1], Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    slice: &'static str,
    route: String,
    method: &'static str,
    /// A whole status for the counter; a class of them, such as `2xx`, for the histogram.
    status: String,
}

impl Http {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            open_connections: Gauge::default(),
            cut: Family::default(),
            faults: Family::default(),
        };
        for late in ["head", "body", "answer", "idle", "stop"] {
            drop(this.cut.get_or_create(&[("late", late)]));
        }
        for (_, slice) in SLICES {
            drop(this.faults.get_or_create(&[("slice", slice)]));
        }
        registry.register(
            "http_faults",
            "Answers of 5xx but 503, by the part of the server",
            this.faults.clone(),
        );
        registry.register("http_requests", "Answered requests", this.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to that of its answer",
            Unit::Seconds,
            this.seconds.clone(),
        );
        registry.register("http_connections", "Open connections", this.open_connections.clone());
        registry.register(
            "http_connections_cut",
            "Connections that the server ended, by what was late",
            this.cut.clone(),
        );
        this
    }

    /// A request was answered. `route` is the template that it matched.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, after: Duration) {
        let mut labels = Answered {
            slice: slice(route),
            route: route.to_owned(),
            method: self::method(method),
            status: status.as_str().to_owned(),
        };
        self.requests.get_or_create(&labels).inc();
        if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            self.faults.get_or_create(&[("slice", labels.slice)]).inc();
        }
        labels.status = format!("{}xx", status.as_u16() / 100);
        self.seconds.get_or_create(&labels).observe(after.as_secs_f64());
    }

    /// A connection is open until what this returns is dropped.
    pub fn connection_opened(&self) -> OpenConnection {
        self.open_connections.inc();
        OpenConnection(self.open_connections.clone())
    }

    /// The server ended a connection, because of what was late.
    pub fn connection_cut(&self, late: &'static str) {
        self.cut.get_or_create(&[("late", late)]).inc();
    }
}

/// A connection, counted while this lives.
#[derive(Debug)]
pub struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The parts of the server, by the beginning of their routes; the first that fits counts.
const SLICES: [(&str, &str); 8] = [
    ("/beta/employeeexperience/goals/exportjobs", "exports"),
    ("/beta/$batch", "batch"),
    ("/beta", "graph"),
    ("/v1.0", "graph"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "health"),
    ("", "web"),
];

/// The part of the server that answers a route.
fn slice(route: &str) -> &'static str {
    SLICES.iter().find(|(prefix, _)| route.starts_with(prefix)).map_or("web", |(_, slice)| slice)
}

/// A client may write any word as its method; only known ones become labels.
pub fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Whether machines ask for it all the time.
pub fn is_routine(route: &str) -> bool {
    matches!(route, "/healthz" | "/readyz" | "/metrics")
}
