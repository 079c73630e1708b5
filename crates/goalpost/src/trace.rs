//! Traces across processes, as W3C Trace Context has them: the `traceparent` of a request goes with the job that it
//! makes, so that whoever asked and whoever worked are found under one id.

use axum::http::HeaderMap;
use tracing::Span;

/// Where a trace is continued: the 55 characters of a `traceparent` of version 00.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// The one valid `traceparent` of a request.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all("traceparent").iter();
        match (given.next(), given.next()) {
            (Some(value), None) => Self::parse(value.to_str().ok()?),
            _ => None,
        }
    }

    /// From a text, if it is valid. Of a later version, the part that version 00 knows.
    pub fn parse(text: &str) -> Option<Self> {
        let known = text.get(..55)?;
        let parts: Vec<_> = known.split('-').collect();
        let [version, trace, span, flags] = parts[..] else { return None };
        let is_hex = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_valid = is_hex(version, 2)
            && version != "ff"
            && is_hex(trace, 32)
            && trace.bytes().any(|byte| byte != b'0')
            && is_hex(span, 16)
            && span.bytes().any(|byte| byte != b'0')
            && is_hex(flags, 2);
        let ends = text.len() == 55 || (version != "00" && text[55..].starts_with('-'));
        (is_valid && ends).then(|| Self(format!("00-{trace}-{span}-{flags}")))
    }

    /// As it stands in a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that everything in the trace shares.
    pub fn trace_id(&self) -> &str {
        &self.0[3..35]
    }
}

/// Make a new span a part of the trace, and give it a name for those who look at traces. The span has the empty fields
/// `trace.id`, `otel.name` and `otel.kind`; the latter two stay empty in a build that exports no spans.
pub fn join(span: &Span, parent: Option<&TraceParent>, name: impl FnOnce() -> String, kind: &'static str) {
    #[cfg(feature = "otel")]
    otel::begin(span, parent, &name(), kind);
    #[cfg(not(feature = "otel"))]
    let _ = (name, kind);
    let own = exported(span);
    if let Some(trace) = own.as_ref().or(parent) {
        span.record("trace.id", trace.trace_id());
    }
}

/// Where what comes of this request is to be continued: at its span, if spans are exported, else where the client said.
pub fn continuation(span: &Span, incoming: Option<&TraceParent>) -> Option<TraceParent> {
    exported(span).or_else(|| incoming.cloned())
}

#[cfg(feature = "otel")]
fn exported(span: &Span) -> Option<TraceParent> {
    otel::of(span)
}

#[cfg(not(feature = "otel"))]
fn exported(_span: &Span) -> Option<TraceParent> {
    None
}

#[cfg(feature = "otel")]
mod otel {
    use opentelemetry::Context;
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    use super::TraceParent;

    /// Before anybody asks for its context, which begins the exported span as it then is.
    pub(super) fn begin(span: &Span, parent: Option<&TraceParent>, name: &str, kind: &str) {
        span.record("otel.name", name);
        span.record("otel.kind", kind);
        if let Some(parent) = parent {
            set_parent(span, parent);
        }
    }

    fn set_parent(span: &Span, parent: &TraceParent) {
        let text = parent.as_str();
        let (Ok(trace), Ok(id), Ok(flags)) = (
            TraceId::from_hex(&text[3..35]),
            SpanId::from_hex(&text[36..52]),
            u8::from_str_radix(&text[53..55], 16),
        ) else {
            return;
        };
        let remote = SpanContext::new(trace, id, TraceFlags::new(flags), true, TraceState::NONE);
        // It fails where no span is exported: then there is nothing to join.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote));
    }

    pub(super) fn of(span: &Span) -> Option<TraceParent> {
        let context = span.context();
        let own = context.span().span_context().clone();
        own.is_valid().then(|| {
            TraceParent(format!("00-{}-{}-{:02x}", own.trace_id(), own.span_id(), own.trace_flags().to_u8()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_traceparent_is_taken_as_it_is() {
        let parent = TraceParent::parse(VALID).unwrap();
        assert_eq!((parent.as_str(), parent.trace_id()), (VALID, "4bf92f3577b34da6a3ce929d0e0e4736"));
    }

    #[test]
    fn of_a_later_version_the_known_part_is_taken() {
        let later = format!("01{}-what-comes", &VALID[2..]);
        assert_eq!(TraceParent::parse(&later).unwrap().as_str(), VALID);
    }

    #[test]
    fn anything_else_is_taken_for_none() {
        for text in [
            "",
            &VALID[..54],
            &format!("{VALID}0"),
            &format!("{VALID}-more"),
            &VALID.to_uppercase(),
            &VALID.replace("00-4", "ff-4"),
            &VALID.replace("01", "0g"),
            &VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &VALID.replace('-', "_"),
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
        let twice = HeaderMap::from_iter([("traceparent".parse().unwrap(), VALID.parse().unwrap())]);
        assert!(TraceParent::from_headers(&twice).is_some());
        let mut twice = twice;
        twice.append("traceparent", VALID.parse().unwrap());
        assert!(TraceParent::from_headers(&twice).is_none());
    }
}
