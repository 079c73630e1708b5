//! `GET exportJobs` and its `$count`: filter, order, pages, and options that are refused rather than ignored.

use std::time::Duration;

use goalpost::views::Preset;
use goalpost_testing::{Answer, Client, ORGANIZATION, OTHER_ORGANIZATION, TestApp, VIEW};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{JOBS, Refusal, assert_refused, body, sql, wire};

const BAD_FILTER: Refusal<'_> = (400, "BadRequest", "Invalid filter clause", None);

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let items = json["value"].as_array().unwrap_or_else(|| panic!("no list: {}", answer.text()));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Five pending exports of Ann's in one organization and one in another; their ids, newest first.
async fn six_exports(t: &TestApp) -> Vec<String> {
    sql(t, "update organization set export_policy = 'members'");
    let mut ids = Vec::new();
    let mut pairs: Vec<_> =
        Preset::ALL[..5].iter().map(|preset| (ORGANIZATION, preset.guid(ORGANIZATION))).collect();
    pairs.insert(2, (OTHER_ORGANIZATION, Preset::Overdue.guid(OTHER_ORGANIZATION)));
    for (organization, view) in pairs {
        let made = t.ann().create_export(organization, view).await;
        assert_eq!(made.status, 201, "{}", made.text());
        ids.insert(0, made.id());
        t.advance(Duration::from_millis(1500));
    }
    ids
}

/// All pages from this one on, by following `@odata.nextLink`.
async fn follow(client: &Client, first: Answer) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page = first;
    loop {
        assert_eq!(page.status, 200, "{}", page.text());
        pages.push(ids(&page));
        let json = page.json();
        match json.get("@odata.nextLink") {
            None => return pages,
            Some(Value::String(link)) => page = client.get(link).await,
            Some(other) => panic!("a next link is a text or not there: {other}"),
        }
        assert!(pages.len() < 50, "the pages never end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_holds_jobs_as_they_are_read_alone_but_for_the_context() {
    let t = TestApp::start().await;
    super::finished_export(&t).await;
    t.advance(Duration::from_millis(5));
    let pending = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    let listed = t.ann().list_exports("$count=true").await;
    assert_snapshot!(wire(&t, &listed), @r#"
    200
    client-request-id: <request-id>
    content-type: application/json
    odata-version: 4.0
    request-id: <request-id>
    x-content-type-options: nosniff

    {"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs","@odata.count":2,"value":[{"id":"<job>","createdDateTime":"<date-time>","status":"notStarted","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"},{"id":"<job>","createdDateTime":"<date-time>","resourceLocation":"<server>/beta/employeeexperience/goals/exportJobs/<job>/content","status":"succeeded","goalsOrganizationId":"9ab0fcab-c1d4-4b26-963b-a3c33155f853","explorerViewId":"2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7","expirationDateTime":"<date-time>"}]}
    "#);
    for item in listed.json()["value"].as_array().unwrap() {
        let mut alone = t.ann().get_export(item["id"].as_str().unwrap()).await.json();
        alone.as_object_mut().unwrap().shift_remove("@odata.context");
        assert_eq!(alone.to_string(), item.to_string());
    }
    assert_eq!(ids(&listed)[0], pending, "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_jobs_is_an_empty_array() {
    let t = TestApp::start().await;
    assert_snapshot!(body(&t, &t.ann().list_exports("").await), @r#"{"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs","value":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_names_organizations_in_any_documented_spelling() {
    let t = TestApp::start().await;
    let all = six_exports(&t).await;
    let of_lark = vec![all[3].clone()];
    let of_wren: Vec<_> = all.iter().filter(|id| **id != all[3]).cloned().collect();
    let (wren, lark) = (ORGANIZATION.to_string(), OTHER_ORGANIZATION.to_string());
    let rows = [
        (format!("$filter=goalsOrganizationId eq '{wren}'"), &of_wren),
        (format!("$filter= goalsOrganizationId eq '{wren}'"), &of_wren),
        (format!("$filter=+goalsOrganizationId+eq+'{lark}'+"), &of_lark),
        (format!("%24filter=goalsOrganizationId%20eq%20%27{lark}%27"), &of_lark),
        (format!("filter=goalsOrganizationId eq '{lark}'"), &of_lark),
        (format!("$filter=goalsOrganizationId eq \u{2018}{lark}\u{2019}"), &of_lark),
        (format!("$filter=goalsOrganizationId eq \u{2019}{lark}\u{2019}"), &of_lark),
        (format!("$filter=goalsOrganizationId eq '{}'", wren.to_uppercase()), &of_wren),
        (format!("$filter=goalsOrganizationId EQ '{wren}'"), &of_wren),
        (format!("$filter='{lark}' eq goalsOrganizationId"), &of_lark),
        (format!("$filter=(goalsOrganizationId eq '{lark}')"), &of_lark),
        (format!("$filter=goalsOrganizationId eq '{lark}' or goalsOrganizationId eq '{wren}'"), &all),
        (format!("$filter=goalsOrganizationId in ('{wren}','{lark}')"), &all),
        (format!("$filter=goalsOrganizationId in ('{lark}')"), &of_lark),
        (format!("$filter=goalsOrganizationId eq '{VIEW}'"), &vec![]),
        ("$filter=goalsOrganizationId eq 'it''s none'".to_owned(), &vec![]),
        ("$filter=goalsOrganizationId eq ''".to_owned(), &vec![]),
    ];
    for (query, expected) in rows {
        let listed = t.ann().list_exports(&query).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.text());
        assert_eq!(ids(&listed), *expected, "{query}");
        let counted = t.ann().get(&format!("{JOBS}/$count?{query}")).await;
        assert_eq!(counted.text(), expected.len().to_string(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_not_understood_is_refused_and_never_ignored() {
    let t = TestApp::start().await;
    let wren = ORGANIZATION;
    let keys = |message| (400, "badRequest", message, Some("unknown"));
    let rows: Vec<(String, Refusal<'_>)> = vec![
        (format!("explorerViewId eq '{wren}'"), keys("Invalid filter keys found: explorerViewId")),
        (
            format!("explorerViewId eq \u{201c}{wren}\u{201d}"),
            keys("Invalid filter keys found: explorerViewId"),
        ),
        (
            format!("explorerViewId eq \u{2018}{wren}\u{2019}"),
            keys("Invalid filter keys found: explorerViewId"),
        ),
        (
            format!("goalsOrganizationId eq '{wren}' and status eq 'running'"),
            keys("Invalid filter keys found: status"),
        ),
        (
            "status eq 'x' or explorerViewId eq 7 or status eq 'y'".into(),
            keys("Invalid filter keys found: status, explorerViewId"),
        ),
        (format!("GoalsOrganizationId eq '{wren}'"), keys("Invalid filter keys found: GoalsOrganizationId")),
        (String::new(), BAD_FILTER),
        ("   ".into(), BAD_FILTER),
        ("goalsOrganizationId".into(), BAD_FILTER),
        ("goalsOrganizationId eq".into(), BAD_FILTER),
        (format!("goalsOrganizationId eq {wren}"), BAD_FILTER),
        (format!("goalsOrganizationId eq \"{wren}\""), BAD_FILTER),
        (format!("goalsOrganizationId eq '{wren}"), BAD_FILTER),
        (format!("goalsOrganizationId ne '{wren}'"), BAD_FILTER),
        (format!("goalsOrganizationId gt '{wren}'"), BAD_FILTER),
        (format!("not (goalsOrganizationId eq '{wren}')"), BAD_FILTER),
        (format!("goalsOrganizationId eq '{wren}' and goalsOrganizationId eq '{wren}'"), BAD_FILTER),
        (format!("goalsOrganizationId eq '{wren}' or true"), BAD_FILTER),
        (format!("startswith(goalsOrganizationId,'{wren}')"), BAD_FILTER),
        (format!("goalsOrganizationId in '{wren}'"), BAD_FILTER),
        ("goalsOrganizationId eq null".into(), BAD_FILTER),
        ("goalsOrganizationId eq goalsOrganizationId".into(), BAD_FILTER),
        ("'a' eq 'a'".into(), BAD_FILTER),
        (format!("{}goalsOrganizationId eq 'a'{}", "(".repeat(5000), ")".repeat(5000)), BAD_FILTER),
    ];
    for (filter, refusal) in rows {
        for path in [JOBS.to_owned(), format!("{JOBS}/$count")] {
            let answer = t.ann().get(&format!("{path}?$filter={filter}")).await;
            assert_refused(&t, &answer, refusal, &filter);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_job_once_in_order_and_never_none() {
    let t = TestApp::start().await;
    let all = six_exports(&t).await;
    let ann = t.ann();
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    for top in 1..=7 {
        for (order, expected) in
            [("", &all), ("&$orderby=createdDateTime desc", &all), ("&$orderby=createdDateTime", &reversed)]
        {
            let pages = follow(&ann, ann.list_exports(&format!("$top={top}{order}")).await).await;
            assert_eq!(pages.concat(), *expected, "$top={top}{order}");
            assert!(pages.iter().all(|page| (1..=top).contains(&page.len())), "$top={top}: {pages:?}");
        }
    }
    let skipped = follow(&ann, ann.list_exports("$skip=1&$top=2").await).await;
    assert_eq!(skipped.concat(), all[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_made_between_two_pages_do_not_disturb_the_later_ones() {
    let t = TestApp::start().await;
    let all = six_exports(&t).await;
    let first = t.ann().list_exports("$top=2").await;
    t.ann().create_export(ORGANIZATION, VIEW).await.id();
    assert_eq!(follow(&t.ann(), first).await.concat(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_link_is_absolute_and_repeats_the_options_of_the_request() {
    let t = TestApp::start().await;
    six_exports(&t).await;
    let query =
        format!("$top=2&$count=true&$select=id&x={{y}}&$filter=goalsOrganizationId+eq+%27{ORGANIZATION}%27");
    let mut page = t.ann().list_exports(&query).await;
    // Clients run the link through a URI template, where braces would be taken for variables.
    let query = query.replace('{', "%7B").replace('}', "%7D");
    for rest in [3, 1] {
        let json = page.json();
        let link = json["@odata.nextLink"].as_str().unwrap_or_else(|| panic!("{rest} are left: {json}"));
        let (repeated, token) = link.rsplit_once("&$skiptoken=").unwrap();
        assert_eq!(repeated, format!("{}/beta/employeeExperience/goals/exportJobs?{query}", t.url));
        assert!(
            !token.is_empty()
                && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(json["@odata.count"], 5, "the count is that of all pages");
        assert_eq!(json["value"][0].as_object().unwrap().len(), 1, "{json}");
        page = t.ann().get(link).await;
    }
    assert_eq!(page.json().get("@odata.nextLink"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn top_and_skip_and_count_mean_what_odata_says() {
    let t = TestApp::start().await;
    let all = six_exports(&t).await;
    let rows: [(&str, &[String], Value); 9] = [
        ("$top=0&$count=true", &[], json!(6)),
        ("$top=1000", &all, Value::Null),
        ("$top=99999999999999999999", &all, Value::Null),
        ("$skip=0", &all, Value::Null),
        ("$skip=5", &all[5..], Value::Null),
        ("$skip=6&$count=true", &[], json!(6)),
        ("$skip=4294967296", &[], Value::Null),
        ("top=6&count=true", &all, json!(6)),
        ("$count=false", &all, Value::Null),
    ];
    for (query, expected, count) in rows {
        let listed = t.ann().list_exports(query).await;
        assert_eq!(ids(&listed), expected, "{query}");
        assert_eq!(listed.json()["@odata.count"], count, "{query}");
        assert_eq!(listed.json().get("@odata.nextLink"), None, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_holds_a_hundred_jobs_at_most() {
    let t = TestApp::start().await;
    let random = match t.app.db.engine() {
        "postgresql" => "decode(md5(random()::text), 'hex')",
        _ => "randomblob(16)",
    };
    sql(
        &t,
        &format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 205)
             insert into job (organization, id, kind, pair, state, creator, attempt, created_at, expires_at, spec)
             select 15229, {random}, 'export', {random}, 'notStarted', 1, 0, 1700000000000000 + i % 7 * 1000, 0, '{{}}'
               from n"
        ),
    );
    for query in ["", "$top=1000", "$top=101"] {
        let pages = follow(&t.ann(), t.ann().list_exports(query).await).await;
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 5], "{query}");
        let mut all = pages.concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 205, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn select_shortens_each_job_of_a_list() {
    let t = TestApp::start().await;
    t.ann().create_export(ORGANIZATION, VIEW).await.id();
    assert_snapshot!(body(&t, &t.ann().list_exports("$select=status,id,content").await), @r#"{"@odata.context":"<server>/beta/$metadata#employeeExperience/goals/exportJobs(status,id,content)","value":[{"id":"<job>","status":"notStarted"}]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_a_list_has_not_or_a_value_that_none_has_is_refused() {
    let t = TestApp::start().await;
    let integer = |name: &str, value: &str| {
        format!(
            "Invalid value '{value}' for ${name} query option found. The ${name} query option requires a non-negative \
             integer value."
        )
    };
    let foreign = |name: &str| format!("The query option '{name}' is not supported on this resource.");
    let rows = [
        ("$top=abc", integer("top", "abc")),
        ("$top=-1", integer("top", "-1")),
        ("$top=1.5", integer("top", "1.5")),
        ("$top=", integer("top", "")),
        ("$top=+1", integer("top", " 1")),
        ("$skip=x", integer("skip", "x")),
        ("$skip=-0", integer("skip", "-0")),
        ("$expand=goals", foreign("$expand")),
        ("$search=x", foreign("$search")),
        ("$apply=x", foreign("$apply")),
        ("$compute=x", foreign("$compute")),
        ("$x", foreign("$x")),
        ("$select=colour", "Parsing OData Select and Expand failed: Could not find a property named 'colour' on type 'microsoft.graph.goalsExportJob'.".into()),
        ("$orderby=status", "$orderby is supported for 'createdDateTime' alone, asc or desc.".into()),
        ("$orderby=createdDateTime,id", "$orderby is supported for 'createdDateTime' alone, asc or desc.".into()),
        ("$skiptoken=garbage", "The $skiptoken is not one of this list.".into()),
        ("$skiptoken=", "The $skiptoken is not one of this list.".into()),
        ("$skiptoken=AAAA", "The $skiptoken is not one of this list.".into()),
    ];
    for (query, message) in rows {
        let answer = t.ann().list_exports(query).await;
        assert_refused(&t, &answer, (400, "BadRequest", &message, None), query);
    }
    for query in [
        "$count=yes",
        "$orderby=createdDateTime sideways",
        "$orderby=",
        "$top=1&$top=1",
        "$top=1&top=2",
        "$filter=%zz",
    ] {
        let answer = t.ann().list_exports(query).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "BadRequest"), "{query}");
        assert!(!answer.error().1.is_empty(), "{query}");
    }
    for query in
        ["colour=green", "x", "&&", "odata.maxversion=4.0", "$format=json", "orderby=createdDateTime%20asc"]
    {
        assert_eq!(t.ann().list_exports(query).await.status, 200, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_is_digits_in_plain_text() {
    let t = TestApp::start().await;
    six_exports(&t).await;
    let ann = t.ann();
    for path in ["$count", "%24count", "$COUNT", "$count/"] {
        let request = ann.request("GET", &format!("{JOBS}/{path}")).header("accept", "text/plain;q=0.9");
        let counted = ann.send(request).await;
        assert_eq!((counted.status, counted.text().as_str()), (200, "6"), "{path}");
        assert_eq!(counted.header("content-type"), Some("text/plain"), "{path}");
    }
}
