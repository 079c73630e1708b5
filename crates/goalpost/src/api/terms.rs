//! On which terms an answer is written: the version of OData, and the kind of JSON. Excel, Power BI and OData libraries name
//! theirs in `OData-MaxVersion`, `Accept` and `$format`.

use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use goalpost_odata::QueryString;
use serde_json::{Map, Value as Json};

use super::sets::{PropertyKind, Set};
use crate::http::GraphError;

const VERSION: HeaderName = HeaderName::from_static("odata-version");
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
/// What stays of OData's own members in an answer without them, since a list cannot be read to its end otherwise.
const NEEDED: [&str; 2] = ["@odata.count", "@odata.nextLink"];

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// The kind of JSON; none if the client takes no JSON at all.
    json: Option<Kind>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kind {
    /// `odata.metadata=none`: without what OData says of the rows.
    is_bare: bool,
    /// `IEEE754Compatible=true`: whole numbers as texts, for readers whose numbers have 53 bits.
    as_texts: bool,
}

/// Settle the terms of a request, and say the version in its answer, whatever that is.
pub(super) async fn settle(mut request: Request, next: Next) -> Response {
    let version = match version(request.headers()) {
        Ok(version) => version,
        Err(error) => return error.into_response(),
    };
    let terms = Terms::of(request.headers(), request.uri().query());
    request.extensions_mut().insert(terms);
    let mut response = next.run(request).await;
    response.headers_mut().insert(VERSION, HeaderValue::from_static(version));
    response
}

/// The version of the answer: the later of the two that the client understands.
///
/// # Errors
/// 400 for a client of an earlier version than 4.0, and for a request in a version that is not read.
fn version(headers: &HeaderMap) -> Result<&'static str, GraphError> {
    let said = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let spoken = said(VERSION);
    let most = said(MAX_VERSION).map(|text| text.parse().unwrap_or(0.0));
    if spoken.is_some_and(|spoken| spoken != "4.0" && spoken != "4.01") || most.is_some_and(|most| most < 4.0)
    {
        return Err(GraphError::bad_request(
            "OData-Version is 4.0 or 4.01 here, and OData-MaxVersion must admit one of them.",
        ));
    }
    let is_first = most.map_or(spoken == Some("4.0"), |most| most < 4.01);
    Ok(if is_first { "4.0" } else { "4.01" })
}

impl Terms {
    fn of(headers: &HeaderMap, query: Option<&str>) -> Self {
        let query = query.and_then(|query| QueryString::parse(query).ok());
        let format = query.as_ref().and_then(|query| query.pairs().find(|(name, _)| *name == "$format"));
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut accepted =
            accepted.flat_map(|value| value.split(',')).filter(|kind| !kind.trim().is_empty()).peekable();
        let json = match format {
            Some((_, "json")) => Some(Kind::default()),
            Some((_, format)) => Kind::of(format).map(|(kind, _)| kind),
            None if accepted.peek().is_none() => Some(Kind::default()),
            None => {
                let kinds: Vec<_> = accepted.filter_map(Kind::of).collect();
                // The first of the best.
                kinds
                    .into_iter()
                    .rev()
                    .max_by(|(_, one), (_, other)| one.total_cmp(other))
                    .map(|(kind, _)| kind)
            }
        };
        Self { json }
    }

    /// # Errors
    /// 406 if the client takes no JSON.
    pub(super) fn require_json(self) -> Result<(), GraphError> {
        match self.json {
            Some(_) => Ok(()),
            None => Err(GraphError::gateway(
                StatusCode::NOT_ACCEPTABLE,
                "notAcceptable",
                "The answer is JSON. Send Accept: application/json, or leave it out.",
            )),
        }
    }

    /// A thing of the set, or a page of them, as an answer.
    pub(super) fn answer(self, set: &Set, json: Map<String, Json>) -> Response {
        let Kind { is_bare, as_texts } = self.json.unwrap_or_default();
        let mut json = Json::Object(json);
        if is_bare {
            without_notes(&mut json);
        }
        if as_texts {
            with_texts(set, &mut json);
        }
        let kind = match (is_bare, as_texts) {
            (false, false) => "application/json;odata.metadata=minimal",
            (false, true) => "application/json;odata.metadata=minimal;IEEE754Compatible=true",
            (true, false) => "application/json;odata.metadata=none",
            (true, true) => "application/json;odata.metadata=none;IEEE754Compatible=true",
        };
        ([(CONTENT_TYPE, kind)], axum::Json(json)).into_response()
    }
}

impl Kind {
    /// What a media type says of JSON, and how much it is wanted; none for one that is no JSON, or is not wanted.
    fn of(media: &str) -> Option<(Self, f32)> {
        let mut parts = media.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let (mut kind, mut wanted) = (Self::default(), 1.0);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "odata.metadata" | "metadata" => kind.is_bare = value.eq_ignore_ascii_case("none"),
                "ieee754compatible" => kind.as_texts = value.eq_ignore_ascii_case("true"),
                "q" => wanted = value.parse().unwrap_or(1.0),
                _ => {}
            }
        }
        let is_json = matches!(&*name, "application/json" | "application/*" | "*/*");
        (is_json && wanted > 0.0).then_some((kind, wanted))
    }
}

fn without_notes(json: &mut Json) {
    match json {
        Json::Object(members) => {
            members.retain(|name, _| !name.starts_with('@') || NEEDED.contains(&name.as_str()));
            members.values_mut().for_each(without_notes);
        }
        Json::Array(items) => items.iter_mut().for_each(without_notes),
        _ => {}
    }
}

fn with_texts(set: &Set, json: &mut Json) {
    let is_untyped =
        |name: &str| set.property(name).is_some_and(|property| property.kind == PropertyKind::Json);
    match json {
        Json::Number(number) if !number.is_f64() => *json = number.to_string().into(),
        Json::Object(members) => {
            members
                .iter_mut()
                .filter(|(name, _)| !is_untyped(name))
                .for_each(|(_, json)| with_texts(set, json));
        }
        Json::Array(items) => items.iter_mut().for_each(|json| with_texts(set, json)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(accept: &str) -> Option<Kind> {
        let accept = HeaderValue::from_str(accept).expect("a header");
        Terms::of(&HeaderMap::from_iter([(ACCEPT, accept)]), None).json
    }

    #[test]
    fn the_json_is_what_is_wanted_most() {
        let (plain, bare) = (Kind::default(), Kind { is_bare: true, as_texts: false });
        for (accept, expected) in [
            ("", Some(plain)),
            ("*/*", Some(plain)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(plain)),
            ("application/json;odata.metadata=none", Some(bare)),
            ("application/json;q=0.5;odata.metadata=none, application/json", Some(plain)),
            ("application/json;odata.metadata=none, application/json", Some(bare)),
            ("application/json; IEEE754Compatible=\"true\"", Some(Kind { is_bare: false, as_texts: true })),
            ("application/json;q=0, text/html", None),
            ("application/atom+xml,application/xml", None),
        ] {
            assert_eq!(kind(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_version_is_one_that_both_know() {
        for (spoken, most, expected) in [
            (None, None, Some("4.01")),
            (Some("4.0"), None, Some("4.0")),
            (None, Some("4.0"), Some("4.0")),
            (Some("4.0"), Some("4.01"), Some("4.01")),
            (None, Some("5.0"), Some("4.01")),
            (None, Some("3.0"), None),
            (None, Some("new"), None),
            (Some("3.0"), None, None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(VERSION, spoken), (MAX_VERSION, most)] {
                headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
            }
            assert_eq!(version(&headers).ok(), expected, "{spoken:?} {most:?}");
        }
    }
}
