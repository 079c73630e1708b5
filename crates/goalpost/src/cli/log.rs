//! The log: one line an event on standard error, for people or as JSON.
//!
//! Every line carries the fields of the spans that it lies in, so those of one request have its `request.id`, and those
//! of one job its `job.id`. No line can hold a second one: characters that end or disguise lines are written as escapes.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use goalpost::config::LogFormat;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter, layer};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::failure::Failure;
#[cfg(feature = "otel")]
use super::otel;

/// Log by `GOALPOST_LOG` (such as `debug` or `goalpost=debug,warn`), else from `level` on, until the end of what this
/// returns.
#[cfg_attr(
    not(feature = "otel"),
    expect(clippy::unnecessary_wraps, reason = "an exporter of spans can fail to start")
)]
pub(super) fn start(format: LogFormat, level: &str) -> Result<Log, Failure> {
    let filter = EnvFilter::try_from_env("GOALPOST_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = match format {
        LogFormat::Json => json(io::stderr).boxed(),
        LogFormat::Text => layer().compact().with_ansi(false).with_writer(OneLine(io::stderr)).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "otel")]
    {
        let otel = otel::layer().map_err(|error| Failure::new(format!("cannot export spans: {error}")))?;
        let (spans, exporting) = otel.unzip();
        registry.with(spans).init();
        Ok(Log { _exporting: exporting })
    }
    #[cfg(not(feature = "otel"))]
    {
        registry.init();
        Ok(Log {})
    }
}

/// A log that goes on while this lives.
pub(super) struct Log {
    #[cfg(feature = "otel")]
    _exporting: Option<otel::Exporting>,
}

fn json<S, W>(to: W) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    layer().fmt_fields(JsonFields::new()).event_format(Json).with_writer(OneLine(to))
}

/// One flat JSON object for each event: its own fields, over those of its spans.
struct Json;

impl<S> FormatEvent<S, JsonFields> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        line.insert("timestamp".into(), time.into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("target".into(), event.metadata().target().into());
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<JsonFields>>() {
                line.extend(object(&fields.fields));
            }
        }
        let mut fields = String::new();
        context.field_format().format_fields(Writer::new(&mut fields), event)?;
        line.extend(object(&fields));
        // For whoever looks at traces; here the route and the ids say the same.
        line.retain(|name, _| !name.starts_with("otel."));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// What [`JsonFields`] wrote; it writes nothing where there are no fields.
fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Writes each event as exactly one line.
struct OneLine<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for OneLine<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLine(self.0.make_writer())
    }
}

impl<W: Write> Write for OneLine<W> {
    /// `event` is a whole event, as `tracing-subscriber` writes it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // Most are one line of plain letters as they are.
        if let Some((b'\n', line)) = event.split_last()
            && line.iter().all(|byte| matches!(byte, b' '..=b'~'))
        {
            self.0.write_all(event)?;
            return Ok(event.len());
        }
        let text = String::from_utf8_lossy(event);
        let mut line = String::with_capacity(text.len() + 1);
        for c in text.trim_end_matches('\n').chars() {
            if is_harmful(c) {
                // The form is that of JSON, where a character above U+FFFF would need two of them; none is harmful.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Ends a line, moves the cursor, or turns the direction of reading.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log that is kept.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const FORGED: &str =
        "a\r\n{\"level\":\"ERROR\"}\n2026 ERROR \x1b[31mred\x1b[0m \u{9b}2J \u{2028} \u{202e}txt";

    fn log_something() {
        let span = tracing::error_span!("request", request.id = FORGED, trace.id = tracing::field::Empty);
        let _entered = span.enter();
        span.record("trace.id", "4bf9");
        tracing::info!(job.id = %FORGED, cause = ?FORGED, rows = 7, "made {FORGED}");
    }

    #[test]
    fn json_is_one_flat_object_a_line_whatever_an_id_holds() {
        let kept = Kept::default();
        let to = kept.clone();
        let subscriber = tracing_subscriber::registry().with(json(move || to.clone()));
        tracing::subscriber::with_default(subscriber, log_something);
        let text = kept.text();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.trim_end().chars().any(is_harmful), "{text:?}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["request.id"], FORGED);
        assert_eq!(line["job.id"], FORGED);
        assert_eq!((&line["trace.id"], &line["rows"]), (&"4bf9".into(), &7.into()));
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn text_is_one_line_an_event_whatever_an_id_holds() {
        let kept = Kept::default();
        let to = kept.clone();
        let writer = OneLine(move || to.clone());
        let layer = layer().compact().with_ansi(false).with_writer(writer);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log_something);
        let text = kept.text();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.contains("\x1b[31m"), "{text:?}");
        assert!(!text.trim_end().chars().any(is_harmful), "{text:?}");
    }
}
