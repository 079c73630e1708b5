//! `GET exportJobs/{id}/content`: the file, parts of it, its name, and why there is none.

use goalpost_testing::{Answer, Client, ORGANIZATION, TestApp, VIEW};
use insta::assert_snapshot;

use super::{JOBS, assert_refused, body, finished_export, finished_export_of, insert_goal, save_view, wire};

async fn get_with(client: &Client, method: &str, id: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(method, &format!("{JOBS}/{id}/content"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

/// A server with three goals and a finished export of them.
async fn server_with_a_file() -> (TestApp, String) {
    let t = TestApp::start().await;
    for (id, title) in [(1, "Grow, \"fast\""), (2, "=SUM(1;2)"), (3, "Wider\nlines")] {
        insert_goal(&t, id, title, None);
    }
    let id = finished_export(&t).await;
    (t, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_csv_with_a_name_a_tag_and_its_length() {
    let (t, id) = server_with_a_file().await;
    let fetched = t.ann().get_content(&id).await;
    let sent = wire(&t, &fetched);
    let head = sent.split("\r\n").next().unwrap();
    let tag = fetched.header("etag").unwrap();
    let second = fetched.header("content-disposition").unwrap().rsplit_once('_').unwrap().1;
    assert_snapshot!(
        head.replace(tag, "<sha-256>").replace(second, "<second>.csv\"").replace(&day(&fetched), "<day>"),
        @r#"
    200
    accept-ranges: bytes
    cache-control: no-store
    client-request-id: <request-id>
    content-disposition: attachment; filename="VivaGoals_15229_new_view_<day>_<second>.csv"
    content-type: text/csv; charset=utf-8
    etag: <sha-256>
    request-id: <request-id>
    x-content-type-options: nosniff

    Id,Title,Team,Creator,Owner,Period,Start Date,End Date,Description,"Aligned To (weight, Objective ID)",Metric Name,Unit,Target,Object Type,Goal Type,Start,Created At,Last Check-in,Progress %,Actual Progress,Status,Last Check-in Note,Score,Checkins
    "#
    );
    assert_eq!(fetched.header("content-length"), Some(fetched.bytes.len().to_string().as_str()));
    assert_eq!(tag.len(), 66, "{tag}");
}

/// The day in the file's name.
fn day(answer: &Answer) -> String {
    let name = answer.header("content-disposition").unwrap();
    let before_second = name.rsplit_once('_').unwrap().0;
    before_second[before_second.len() - 10..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_served_whatever_accept_says_and_its_bytes_never_change() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let first = ann.get_content(&id).await;
    insert_goal(&t, 4, "Too late", None);
    for accept in [
        "*/*",
        "application/json",
        "application/octet-stream, application/json",
        "image/png",
        "text/html;q=0",
        "nonsense",
    ] {
        let again = get_with(&ann, "GET", &id, &[("accept", accept)]).await;
        assert_eq!((again.status, &again.bytes), (200, &first.bytes), "{accept}");
        assert_eq!(again.header("content-type"), Some("text/csv; charset=utf-8"), "{accept}");
        assert_eq!(again.header("etag"), first.header("etag"), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_not_there_yet_is_a_conflict_that_says_when_to_come_back() {
    let t = TestApp::start().await;
    let id = t.ann().create_export(ORGANIZATION, VIEW).await.id();
    assert_snapshot!(wire(&t, &t.ann().get_content(&id).await), @r#"
    409
    client-request-id: <request-id>
    content-type: application/json
    request-id: <request-id>
    retry-after: 1
    x-content-type-options: nosniff

    {"error":{"code":"notAllowed","message":"The export job is not completed. Its content can be read once its status is succeeded.","target":"<job>","innerError":{"code":"exportJobNotCompleted","date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
    t.claim_and_die().await;
    let running = t.ann().get_content(&id).await;
    assert_eq!((running.status, running.error().2.as_deref()), (409, Some("exportJobNotCompleted")));
    assert_eq!(running.json()["error"]["target"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_will_never_be_there_is_a_conflict_without_a_time() {
    let t = TestApp::start_with(|config| config.sandbox.fail_views.push(VIEW)).await;
    let id = finished_export(&t).await;
    assert_snapshot!(wire(&t, &t.ann().get_content(&id).await), @r#"
    409
    client-request-id: <request-id>
    content-type: application/json
    request-id: <request-id>
    x-content-type-options: nosniff

    {"error":{"code":"notAllowed","message":"The export job failed and has no content. Create a new export job.","target":"<job>","innerError":{"code":"exportJobFailed","date":"<date>","request-id":"<request-id>","client-request-id":"<request-id>"}}}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_file_is_not_sent_again() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let whole = ann.get_content(&id).await;
    let tag = whole.header("etag").unwrap();
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".to_owned()] {
        let answer = get_with(&ann, "GET", &id, &[("if-none-match", &known)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(tag), "{known}");
        assert!(answer.header("request-id").is_some(), "{known}");
    }
    for other in ["\"a\"", "", &tag[1..65]] {
        assert_eq!(get_with(&ann, "GET", &id, &[("if-none-match", other)]).await.status, 200, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_sent_as_it_is_asked_for() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let whole = ann.get_content(&id).await.bytes;
    let size = whole.len();
    let last = size - 1;
    for (range, first, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=3-9".to_owned(), 3, 10),
        ("bytes=10-".to_owned(), 10, size),
        ("bytes=-5".to_owned(), size - 5, size),
        ("bytes=-99999999".to_owned(), 0, size),
        (format!("bytes={last}-{last}"), last, size),
        ("bytes=5-99999999999999999999999".to_owned(), 5, size),
    ] {
        let part = get_with(&ann, "GET", &id, &[("range", &range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.bytes, whole[first..end], "{range}");
        assert_eq!(
            part.header("content-range"),
            Some(format!("bytes {first}-{}/{size}", end - 1).as_str()),
            "{range}"
        );
        assert_eq!(part.header("content-length"), Some((end - first).to_string().as_str()), "{range}");
    }
    for ignored in ["bytes=5-3", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes", "bytes=-", "bytes=1.0-2"]
    {
        let answer = get_with(&ann, "GET", &id, &[("range", ignored)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, size), "{ignored}");
        assert_eq!(answer.header("content-range"), None, "{ignored}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_behind_the_end_is_refused_with_the_size() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let size = ann.get_content(&id).await.bytes.len();
    for range in [format!("bytes={size}-"), format!("bytes={size}-{size}"), "bytes=-0".to_owned()] {
        let answer = get_with(&ann, "GET", &id, &[("range", &range)]).await;
        let refusal = (416, "rangeNotSatisfiable", "The requested range lies outside of the content.", None);
        assert_refused(&t, &answer, refusal, &range);
        assert_eq!(answer.header("content-range"), Some(format!("bytes */{size}").as_str()), "{range}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_another_version_is_answered_with_the_whole() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let whole = ann.get_content(&id).await;
    let tag = whole.header("etag").unwrap();
    for (known, status) in
        [(tag, 206), ("\"other\"", 200), (&format!("W/{tag}"), 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)]
    {
        let answer = get_with(&ann, "GET", &id, &[("range", "bytes=0-4"), ("if-range", known)]).await;
        assert_eq!(answer.status, status, "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_what_get_would_send() {
    let (t, id) = server_with_a_file().await;
    let ann = t.ann();
    let whole = ann.get_content(&id).await;
    for headers in [&[][..], &[("range", "bytes=0-4")]] {
        let head = get_with(&ann, "HEAD", &id, headers).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{headers:?}");
        for name in ["content-length", "content-type", "etag", "content-disposition", "accept-ranges"] {
            assert_eq!(head.header(name), whole.header(name), "{name} {headers:?}");
        }
    }
    let job = ann.send(ann.request("HEAD", &format!("{JOBS}/{id}"))).await;
    assert_eq!((job.status, job.bytes.len()), (200, 0));
    assert_eq!(
        job.header("content-length"),
        Some(ann.get_export(&id).await.bytes.len().to_string().as_str())
    );
    let unknown = ann.send(ann.request("HEAD", &format!("{JOBS}/nonsense/content"))).await;
    assert_eq!((unknown.status, unknown.bytes.len()), (400, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_may_have_any_name_and_the_file_has_a_harmless_one() {
    let t = TestApp::start().await;
    let rows = [
        ("New view", "new_view", None),
        ("Q3 \"stretch\" goals", "q3_stretch_goals", None),
        ("O'Neil; filename=evil.exe", "o_neil_filename_evil_exe", None),
        ("../../etc/passwd", "etc_passwd", None),
        ("C:\\temp\\x", "c_temp_x", None),
        ("Åre & Ødegård", "_re__deg_rd", Some("%C3%A5re_%C3%B8deg%C3%A5rd")),
        ("目標 2026", "___2026", Some("%E7%9B%AE%E6%A8%99_2026")),
        ("יעדים\u{202e}gnp.exe", "______gnp_exe", Some("%D7%99%D7%A2%D7%93%D7%99%D7%9D_gnp_exe")),
        ("Rocket 🚀 goals", "rocket_goals", None),
        ("%0d%0aX-Evil: 1", "0d_0ax_evil_1", None),
    ];
    for (name, plain, extended) in rows {
        let id = finished_export_of(&t, save_view(&t, name)).await;
        let fetched = t.ann().get_content(&id).await;
        let value = fetched.header("content-disposition").unwrap();
        let (day, second) = (day_of_first(value), second_of_first(value));
        let plain = format!("attachment; filename=\"VivaGoals_15229_{plain}_{day}_{second}.csv\"");
        let expected = match extended {
            None => plain,
            Some(name) => format!("{plain}; filename*=UTF-8''VivaGoals_15229_{name}_{day}_{second}.csv"),
        };
        assert_eq!(value, expected, "{name}");
    }
    let longest = finished_export_of(&t, save_view(&t, &"w".repeat(200))).await;
    let value = t.ann().get_content(&longest).await.header("content-disposition").unwrap().to_owned();
    assert!(value.len() < 200, "{value}");
}

/// `2026_11_23` of `…_2026_11_23_1763665314.csv"`.
fn day_of_first(value: &str) -> &str {
    let before = value.split(".csv\"").next().unwrap().rsplit_once('_').unwrap().0;
    &before[before.len() - 10..]
}

fn second_of_first(value: &str) -> &str {
    value.split(".csv\"").next().unwrap().rsplit_once('_').unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_named_for_the_day_and_second_of_its_creation() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let created: jiff::Timestamp =
        t.ann().get_export(&id).await.json()["createdDateTime"].as_str().unwrap().parse().unwrap();
    let fetched = t.ann().get_content(&id).await;
    let value = fetched.header("content-disposition").unwrap();
    assert_eq!(second_of_first(value), created.as_second().to_string());
    assert_eq!(day_of_first(value), created.strftime("%Y_%m_%d").to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_without_a_dollar_are_ignored_by_content() {
    let (t, id) = server_with_a_file().await;
    let answer = t.ann().get(&format!("{JOBS}/{id}/content?colour=green&download")).await;
    assert_eq!(answer.status, 200, "{}", body(&t, &answer));
}
