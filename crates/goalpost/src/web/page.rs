//! The page's text: a template whose places are filled with escaped values.

use uuid::Uuid;

use super::steps::{Steps, steps};

/// What the page's URL said.
#[derive(Debug)]
pub(super) enum Page {
    /// Nothing: the front page.
    Home,
    /// Which view, and perhaps which goal of it.
    View { organization: Uuid, view: Uuid, goal: Option<u64> },
    /// Something that is not a view.
    Wrong(UrlProblem),
}

/// Why a URL names no view.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlProblem {
    #[error("The part after “/org_uuid/” must be the organization’s GUID, 36 characters such as 9ab0fcab-c1d4-4b26-963b-a3c33155f853, not “{}”.", shorten(.0))]
    Organization(String),
    #[error("The URL must end in “?viewId=” and the view’s GUID.")]
    NoView,
    #[error("The value of “viewId” must be the view’s GUID, 36 characters such as 2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7, not “{}”.", shorten(.0))]
    View(String),
}

/// The page as HTML. `base` is the scheme, host and port before every path in it.
pub(super) fn render(base: &str, page: &Page) -> String {
    let place = ("GOALS-ORGANIZATION-ID".to_owned(), "EXPLORER-VIEW-ID".to_owned());
    let (title, what, (organization, view)) = match page {
        Page::Home => ("Goalpost", "a view", place),
        Page::View { organization, view, goal } => {
            let title = if goal.is_some() { "Goal · Goalpost" } else { "Explorer view · Goalpost" };
            (title, "this view", (organization.to_string(), view.to_string()))
        }
        Page::Wrong(_) => ("Not a view · Goalpost", "a view", place),
    };
    let values = [("organization", organization.as_str()), ("view", view.as_str())];
    let ids = match page {
        Page::Home => String::new(),
        Page::View { goal, .. } => {
            let of_goal = goal.map(|goal| {
                let goal = goal.to_string();
                let more = [("base", base), ("goal", goal.as_str())];
                fill(include_str!("goal.html"), &[], &[&values[..], &more].concat())
            });
            of_goal.unwrap_or_default() + &fill(include_str!("ids.html"), &[], &values)
        }
        Page::Wrong(problem) => fill(include_str!("note.html"), &[], &[("problem", &problem.to_string())]),
    };
    let Steps { create, poll, fetch } = steps(base, &organization, &view);
    let lines = [("create", create.as_str()), ("poll", poll.as_str()), ("fetch", fetch.as_str())];
    let texts = [&[("title", title), ("what", what)], &values[..], &lines[..]].concat();
    fill(include_str!("page.html"), &[("ids", &ids)], &texts)
}

/// Replace each `{{name}}` once: by HTML as it stands, or by text, which is escaped. A value is never looked at again,
/// so nothing in it can open another place.
fn fill(template: &str, html: &[(&str, &str)], text: &[(&str, &str)]) -> String {
    let find = |values: &[(&str, &str)], name| {
        values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    let mut pieces = template.split("{{");
    let mut page = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        let value = find(html, name).or_else(|| find(text, name).map(|value| escape(&value)));
        page.push_str(&value.unwrap_or_default());
        page.push_str(rest);
    }
    page
}

/// Text that means itself anywhere in HTML, inside quoted attributes too (OWASP ASVS 5.0, 1.2.1).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            sign if sign.is_control() && sign != '\n' => escaped.push('\u{fffd}'),
            sign => escaped.push(sign),
        }
    }
    escaped
}

/// At most 60 characters of it.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_page_shows_both_ids_and_the_lines_to_paste() {
        let (organization, view) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let page = render("https://goals.example.com", &Page::View { organization, view, goal: None });
        assert!(page.contains(&format!("<dd><code>{organization}</code></dd>")));
        assert!(page.contains(&format!("<dd><code>{view}</code></dd>")));
        assert!(page.contains(
            "curl -s -X POST &#39;https://goals.example.com/beta/employeeExperience/goals/exportJobs&#39;"
        ));
        assert!(!page.contains("{{") && !page.contains("}}"));
    }

    #[test]
    fn a_link_of_a_workbook_shows_how_its_goal_is_read() {
        let (organization, view) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let page =
            render("https://goals.example.com", &Page::View { organization, view, goal: Some(4_080_012) });
        assert!(page.contains("<h2 id=\"goal-title\">Goal 4080012</h2>"));
        assert!(page.contains(&format!("goalpost goal show --organization {organization} --goal 4080012")));
        let url = format!("https://goals.example.com/api/v1/organizations/{organization}/goals/4080012");
        assert!(page.contains(&url));
        assert!(!page.contains("{{") && !page.contains("}}"));
    }

    #[test]
    fn what_the_url_says_is_never_markup() {
        for hostile in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ids}}' onload='x"]
        {
            let page = render("http://127.0.0.1:8080", &Page::Wrong(UrlProblem::View(hostile.to_owned())));
            assert!(!page.contains(hostile), "{page}");
            assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        let page = render("http://a", &Page::Wrong(UrlProblem::Organization("ü".repeat(10_000))));
        assert!(page.matches('ü').count() == 60 && page.contains('…'));
    }
}
