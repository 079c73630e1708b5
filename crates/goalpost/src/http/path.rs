//! Paths of the Graph door in one form, however a client spelt them.
//!
//! Graph's segments match without regard to case and after percent-decoding; job ids match to the letter. Clients
//! write `employeeexperience` and `employeeExperience`, `j%21…` and `j!…`, `exportJobs/j!…` and `exportJobs('j!…')`
//! (docs/API.md, "Paths").

use axum::http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What is encoded again in the canonical path: whatever could end or split a segment.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|')
    .add(b'[')
    .add(b']');

/// The segments whose case does not matter, as the router spells them.
const FIXED: [&str; 9] =
    ["beta", "v1.0", "employeeexperience", "goals", "exportjobs", "content", "$count", "$metadata", "$batch"];

/// Put a path of one of the doors into the router's form; every other path stays as it is.
pub fn canonical(uri: &Uri) -> Uri {
    let path = canonical_path(uri.path()).or_else(|| with_keys_as_segments(uri.path()));
    let Some(path) = path else { return uri.clone() };
    let full = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = full.parse().ok();
    if parts.path_and_query.is_none() {
        return uri.clone();
    }
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

fn canonical_path(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    let mut out = String::with_capacity(path.len() + 2);
    for (position, raw) in path.strip_suffix('/').unwrap_or(path).split('/').enumerate() {
        // Decoded once, after splitting: an encoded slash stays inside its segment. Bytes that are no UTF-8 become
        // U+FFFD, which is in no name and no id.
        let segment =
            if raw.contains('%') { percent_decode_str(raw).decode_utf8_lossy() } else { raw.into() };
        let door = ["beta", "v1.0"].iter().any(|door| segment.eq_ignore_ascii_case(door));
        if position == 0 && !door {
            return None;
        }
        let keyed = key_in_parentheses(&segment);
        let (name, key) = keyed.map_or((&*segment, None), |(name, key)| (name, Some(key)));
        for part in std::iter::once(name).chain(key) {
            out.push('/');
            match FIXED.iter().find(|known| part.eq_ignore_ascii_case(known)) {
                Some(known) => out.push_str(known),
                None => out.extend(utf8_percent_encode(part, SEGMENT)),
            }
        }
    }
    Some(out)
}

/// A path of `/api/v1` with its keys as segments, one spelling of two that OData has: `goals(17)` is `goals/17`. A slash at
/// the end goes away.
fn with_keys_as_segments(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api/v1/")?;
    let mut out = "/api/v1".to_owned();
    for raw in rest.strip_suffix('/').unwrap_or(rest).split('/') {
        // Clients may encode brackets and quotes; an encoded slash stays inside its segment.
        let segment = percent_decode_str(raw).decode_utf8_lossy();
        let keyed = segment.split_once('(').and_then(|(name, key)| Some((name, key.strip_suffix(')')?)));
        let (name, key) = keyed.map_or((&*segment, None), |(name, key)| (name, Some(key.trim_matches('\''))));
        for part in std::iter::once(name).chain(key) {
            out.push('/');
            out.extend(utf8_percent_encode(part, SEGMENT));
        }
    }
    Some(out)
}

/// `exportJobs('j!…')` is `exportJobs/j!…`.
fn key_in_parentheses(segment: &str) -> Option<(&str, &str)> {
    let (name, rest) = segment.split_once("('")?;
    name.eq_ignore_ascii_case("exportjobs").then_some(())?;
    Some((name, rest.strip_suffix("')")?))
}

/// The first segment of a canonical path that no resource of the Graph door has, as the client wrote it.
pub fn unknown_segment(path: &str) -> String {
    let segments: Vec<_> =
        path.split('/').skip(1).map(|raw| percent_decode_str(raw).decode_utf8_lossy().into_owned()).collect();
    let known: &[&[&str]] = &[
        &["beta"],
        &["employeeexperience"],
        &["goals"],
        &["exportjobs"],
        &[], // any job id
        &["content"],
    ];
    for (position, segment) in segments.iter().enumerate() {
        let fits = match known.get(position) {
            Some([]) => true,
            Some(words) => words.contains(&segment.as_str()),
            None => false,
        };
        // The API was never in v1.0: there the first resource that is missing is `goals`.
        let fits = fits || (position == 0 && segment == "v1.0");
        let missing = position == 2 && segments[0] == "v1.0";
        if !fits || missing {
            return segment.clone();
        }
    }
    segments.last().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_comes_to_one_form() {
        let job = "j!uJJZyGd87hGFgvZV8bl-GlCBmj39kL1Cl3clung9SgU";
        let canon = format!("/beta/employeeexperience/goals/exportjobs/{job}");
        for path in [
            format!("/beta/employeeExperience/goals/exportJobs/{job}"),
            format!("/BETA/EmployeeExperience/Goals/ExportJobs/{}/", job.replace('!', "%21")),
            format!("/beta/employeeExperience/goals/exportJobs('{job}')"),
            format!("/beta/employeeExperience/goals/exportJobs(%27{job}%27)"),
        ] {
            assert_eq!(canonical(&path.parse().unwrap()).path(), canon, "{path}");
        }
        assert_eq!(
            canonical(
                &format!("/beta/employeeexperience/goals/exportjobs('{job}')/CONTENT?a=B").parse().unwrap()
            )
            .to_string(),
            format!("{canon}/content?a=B")
        );
    }

    #[test]
    fn encoded_slashes_and_foreign_paths_stay_as_they_are() {
        let tricky = "/beta/employeeexperience/goals/exportjobs/..%2F..%2Fetc";
        assert_eq!(canonical(&tricky.parse().unwrap()).path(), tricky);
        assert_eq!(canonical(&"/Org_UUID/X".parse().unwrap()).path(), "/Org_UUID/X");
        assert_eq!(canonical(&"/".parse().unwrap()).path(), "/");
    }

    #[test]
    fn the_first_unknown_segment_is_named() {
        for (path, segment) in [
            ("/beta/nope", "nope"),
            ("/beta/employeeexperience/nope/goals", "nope"),
            ("/beta/employeeexperience/goals/exportjobs/j!x/nope", "nope"),
            ("/v1.0/employeeexperience/goals/exportjobs", "goals"),
            ("/v1.0/me", "me"),
        ] {
            assert_eq!(unknown_segment(path), segment, "{path}");
        }
    }
}
