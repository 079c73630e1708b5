//! Spans to a collector, if `OTEL_EXPORTER_OTLP_ENDPOINT` names one. The other variables of OpenTelemetry's
//! specification count as well.

use std::env;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// How long the last spans may take to reach the collector when the process ends.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// Spans are exported while this lives.
pub(super) struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        // A collector that is away must not hold up the end.
        let _ = self.0.shutdown_with_timeout(LAST_SPANS);
    }
}

/// The layer that exports our own spans; `None` if no collector is named, or if the settings for it cannot be used,
/// which is then the text.
pub(super) fn layer<S>() -> Result<Option<(impl Layer<S>, Exporting)>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT") && !is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build().map_err(|error| error.to_string())?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("goalpost").with_attribute(version).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_tracer(provider.tracer("goalpost"));
    // Not those of the HTTP client, which would report its own reports.
    let ours = Targets::new().with_target("goalpost", LevelFilter::INFO);
    Ok(Some((layer.with_filter(ours), Exporting(provider))))
}
