//! `goalpost export`: from a data folder, and from a server.

use std::collections::BTreeSet;

use goalpost_testing::Client;
use serde_json::json;
use tokio::task::block_in_place;

use super::*;
use crate::store::download::hex as sha256;
use crate::store::proxy::{Fate, Proxy};

/// A demo, and the organization as an argument.
fn demo() -> (Shell, String, [String; 2]) {
    let (shell, user) = Shell::with_demo();
    (shell, user, ["--organization".to_owned(), organization()])
}

fn args<'a>(organization: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["export", &organization[0], &organization[1]];
    args.extend(more);
    args
}

fn read(shell: &Shell, name: &str) -> Vec<u8> {
    fs::read(shell.data.path().join(name)).unwrap()
}

/// Nothing half is left beside files.
fn leaves_nothing_half(shell: &Shell) {
    let names = fs::read_dir(shell.data.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let half: Vec<_> = names.filter(|name| name.starts_with(".goalpost-")).collect();
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn each_format_is_written_with_its_manifest_beside_it() {
    let (shell, _, organization) = demo();
    for (name, more, magic) in [
        ("goals.csv", &[][..], &b"Id,Title,"[..]),
        ("goals.xlsx", &[], b"PK"),
        ("goals.jsonl", &[], b"{\"Id\":"),
        ("goals", &["--format", "jsonl", "--columns", "Id,Title"], b"{\"Id\":"),
        ("goals.csv.gz", &["--compression", "gzip"], b"\x1f\x8b"),
    ] {
        let told = shell.json(&args(&organization, &[&["--out", name], more].concat()));
        let bytes = read(&shell, name);
        assert!(bytes.starts_with(magic), "{name}: {:?}", &bytes[..20]);
        assert_eq!(told["bytes"], bytes.len(), "{name}");
        assert_eq!(told["sha256"], sha256(&bytes), "{name}");
        assert_eq!(told["rows"], 20, "{name}");
        let manifest = read(&shell, &format!("{name}.manifest.json"));
        assert_eq!(serde_json::from_slice::<Value>(&manifest).unwrap(), told, "{name}");
    }
    let rows = String::from_utf8(read(&shell, "goals")).unwrap();
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), ["Id", "Title"]);
    let text = shell.text(&args(&organization, &["--out", "again.csv"]));
    assert!(
        text.contains("File      again.csv\nManifest  again.csv.manifest.json\nRows      20\n"),
        "{text}"
    );
    assert_eq!(read(&shell, "again.csv"), read(&shell, "goals.csv"));
    leaves_nothing_half(&shell);
}

#[test]
fn the_only_organization_need_not_be_named() {
    let (shell, _, organization) = demo();
    let named = shell.json(&args(&organization, &["--out", "goals.csv"]));
    let unnamed = shell.json(&["export", "--out", "only.csv"]);
    assert_eq!(unnamed["sha256"], named["sha256"]);
    shell.text(&["org", "create", "--name", "Another"]);
    let told = shell.failure(1, &["export", "--out", "which.csv"]);
    assert!(told.contains("there are 2 organizations") && told.contains("--organization"), "{told}");
    leaves_nothing_half(&shell);
}

#[test]
fn what_changed_since_a_file_is_in_the_next_one() {
    let (shell, _, organization) = demo();
    let first = shell.json(&args(&organization, &["--out", "goals.csv"]));
    let since = first["asOf"].as_str().unwrap();
    let rows: Vec<String> =
        String::from_utf8(read(&shell, "goals.csv")).unwrap().lines().map(str::to_owned).collect();
    let goal = rows[1].split(',').next().unwrap();
    let changed =
        ["goal", "change", &organization[0], &organization[1], "--goal", goal, "--title", "Another"];
    shell.text(&changed);
    let more = ["--out", "changes.csv", "--columns", "Id,Title", "--since", since];
    let told = shell.json(&args(&organization, &more));
    assert_eq!(
        told["rows"].as_u64(),
        Some(String::from_utf8(read(&shell, "changes.csv")).unwrap().lines().count() as u64 - 1)
    );
    let changes = String::from_utf8(read(&shell, "changes.csv")).unwrap();
    assert!(changes.contains(&format!("changed,{goal},Another\r\n")), "{changes}");
    assert!(changes.lines().count() < rows.len(), "{changes}");
}

#[test]
fn a_file_that_is_there_is_written_over_only_if_that_is_said() {
    let (shell, _, organization) = demo();
    shell.write("goals.csv", "mine");
    let told = shell.failure(1, &args(&organization, &["--out", "goals.csv"]));
    assert!(told.contains("`goals.csv` is there already") && told.contains("--force"), "{told}");
    assert_eq!(read(&shell, "goals.csv"), b"mine");
    assert!(!shell.data.path().join("goals.csv.manifest.json").exists());
    shell.text(&args(&organization, &["--out", "goals.csv", "--force"]));
    assert!(read(&shell, "goals.csv").starts_with(b"Id,"));
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let (shell, user, organization) = demo();
    let view = "00000000-0000-0000-0000-00000000000f";
    for (code, more, words) in [
        (
            1,
            &["--view", view][..],
            format!("there is no view `{view}` that {user} may see\nhint: `goalpost view list"),
        ),
        (1, &["--columns", "Id,Titel"], "there is no column `Titel`".to_owned()),
        (1, &["--columns", "Id,Id"], "named twice".to_owned()),
        (1, &["--as", "nobody@contoso.example"], "nobody@contoso.example".to_owned()),
        (1, &["--as-of", "1999-01-01"], String::new()),
        (1, &["--since", "1999-01-01"], String::new()),
        (2, &["--since", "2026-01-01", "--as-of", "2026-01-01"], "cannot be used with".to_owned()),
        (2, &["--as-of", "soon"], "write a day such as 2026-01-31".to_owned()),
        (2, &["--format", "pdf"], "possible values".to_owned()),
        (2, &["--token-file", "x"], "--server".to_owned()),
    ] {
        let told = shell.failure(code, &args(&organization, &[&["--out", "goals.csv"], more].concat()));
        assert!(told.contains(&words), "expected `{words}`: {told}");
        assert!(!shell.data.path().join("goals.csv").exists(), "{more:?}");
    }
    leaves_nothing_half(&shell);
}

#[test]
fn the_columns_are_listed_without_any_data() {
    let shell = Shell::new();
    let columns = shell.json(&["export", "--list-columns"]);
    let names: BTreeSet<&str> =
        columns.as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert!(["Id", "Title", "ownerEmails", "parentIds"].iter().all(|name| names.contains(name)), "{names:?}");
    let text = shell.text(&["export", "--list-columns"]);
    assert!(text.starts_with("Column ") && text.contains("What it says"), "{text}");
}

/// A demo that a server serves, and a file with its owner's token.
struct Remote {
    shell: Shell,
    organization: [String; 2],
    user: String,
    server: Server,
}

impl Remote {
    fn new(serve: &[&str]) -> Self {
        Self::with(&[], serve)
    }

    /// A server after a command on its organization.
    fn with(command: &[&str], serve: &[&str]) -> Self {
        let (shell, user, organization) = demo();
        if let [first, second, rest @ ..] = command {
            shell.text(&[&[*first, *second, &organization[0], &organization[1]], rest].concat());
        }
        let server = shell.serve(serve);
        let this = Self { shell, organization, user, server };
        this.shell.write("token", &this.token());
        this
    }

    fn token(&self) -> String {
        self.shell.text(&["token", "--user", &self.user])
    }

    /// The command on a server that is reached there.
    fn args<'a>(&'a self, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        args(&self.organization, &[&["--server", url, "--token-file", "token"], more].concat())
    }

    async fn proxy(&self) -> Proxy {
        Proxy::before(&self.server.url).await
    }

    /// What the command must say when it fails; nothing is kept then.
    fn refused(&self, words: &str, args: &[&str]) {
        let told = block_in_place(|| self.shell.failure(1, args));
        assert!(told.contains(words) && told.contains("\nhint: "), "expected `{words}`: {told}");
        assert!(!self.shell.data.path().join("goals.csv").exists(), "{words}");
        assert!(!self.shell.data.path().join("goals.csv.manifest.json").exists(), "{words}");
        leaves_nothing_half(&self.shell);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_makes_the_same_file() {
    let remote = Remote::new(&[]);
    for (name, more) in [("goals.csv", &[][..]), ("goals.jsonl", &["--columns", "all"])] {
        let there = block_in_place(|| {
            remote.shell.json(&remote.args(&remote.server.url, &[&["--out", name], more].concat()))
        });
        let from_server = read(&remote.shell, name);
        assert_eq!(there["sha256"], sha256(&from_server));
        let manifest = read(&remote.shell, &format!("{name}.manifest.json"));
        assert_eq!(serde_json::from_slice::<Value>(&manifest).unwrap(), there);
        let here = block_in_place(|| {
            remote.shell.json(&args(&remote.organization, &[&["--out", name, "--force"], more].concat()))
        });
        assert_eq!((&here["sha256"], &here["rows"]), (&there["sha256"], &there["rows"]));
    }
    // The token may stand in the environment, and the address may have a path and a slash at its end.
    let url = format!("{}/", remote.server.url);
    // … and the organization may be left out, since the person is in no other.
    let mut command = remote.shell.command(&["export", "--server", &url, "--out", "goals.xlsx"]);
    let made = block_in_place(|| command.env("GOALPOST_TOKEN", remote.token()).output().unwrap());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(read(&remote.shell, "goals.xlsx").starts_with(b"PK"));
    leaves_nothing_half(&remote.shell);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let remote = Remote::new(&[]);
    let proxy = remote.proxy().await;
    let (asked, ranges) = std::sync::mpsc::channel();
    proxy.decide(move |request| {
        if !request.uri.path().ends_with("/content") {
            // The first of each kind of request meets trouble.
            return if request.number == 0 { Fate::Answer(503, "{}") } else { Fate::Pass };
        }
        let range = request.headers.get("range").map(|range| range.to_str().unwrap().to_owned());
        let tag = request.headers.contains_key("if-range");
        let first = range.is_none();
        asked.send((range, tag)).unwrap();
        if first { Fate::Cut(1_000) } else { Fate::Cut(usize::MAX) }
    });
    let told = block_in_place(|| remote.shell.json(&remote.args(&proxy.url, &["--out", "goals.csv"])));
    let bytes = read(&remote.shell, "goals.csv");
    assert_eq!((&told["bytes"], &told["sha256"]), (&json!(bytes.len()), &json!(sha256(&bytes))));
    assert!(bytes.len() > 1_000);
    assert_eq!(
        ranges.try_iter().collect::<Vec<_>>(),
        [(None, false), (Some("bytes=1000-".to_owned()), true)]
    );
    leaves_nothing_half(&remote.shell);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_those_of_the_manifest_are_not_kept() {
    let remote = Remote::new(&[]);
    let proxy = remote.proxy().await;
    for (status, words) in [(200, "breaks off after 10 of"), (206, "another part of the file")] {
        proxy.decide(move |request| {
            if request.uri.path().ends_with("/content") {
                Fate::Answer(status, "Id,Title\r\n")
            } else {
                Fate::Pass
            }
        });
        remote.refused(words, &remote.args(&proxy.url, &["--out", "goals.csv"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do() {
    let remote = Remote::new(&[]);
    let url = remote.server.url.clone();
    let out = ["--out", "goals.csv"];
    let wrong = remote.shell.write("wrong", "eyJub3RoaW5nIjoxfQ.e30.e30");
    let with = |token: &str| {
        args(&remote.organization, &["--server", "URL", "--token-file", "TOKEN", "--out", "goals.csv"])
            .into_iter()
            .map(|arg| match arg {
                "URL" => url.clone(),
                "TOKEN" => token.to_owned(),
                arg => arg.to_owned(),
            })
            .collect::<Vec<_>>()
    };
    let refused = |words: &str, args: &[String]| {
        remote.refused(words, &args.iter().map(String::as_str).collect::<Vec<_>>());
    };
    refused("the server answers 401", &with(&wrong));
    let people = remote.shell.json(&["user", "list", "--organization", &remote.organization[1]]);
    let member = people.as_array().unwrap().iter().find(|person| {
        person["role"] == "Member" && person["status"] == "active" && person["memberType"] == "regular"
    });
    let member = member.unwrap()["email"].as_str().unwrap().to_owned();
    let token = remote.shell.text(&["token", "--user", &member]);
    let of_member = remote.shell.write("member", &token);
    refused("the server answers 403", &with(&of_member));

    let mut elsewhere = with("token");
    elsewhere[2] = "00000000-0000-0000-0000-00000000000f".to_owned();
    refused("the server answers 404", &elsewhere);
    let view = [&out[..], &["--view", "00000000-0000-0000-0000-00000000000f"]].concat();
    let told = block_in_place(|| remote.shell.failure(1, &remote.args(&url, &view)));
    assert!(told.contains("the server answers 400") && told.contains("there is no view"), "{told}");

    for (args, words) in [
        (vec!["--server", "goals.example.com"], "is no address of a server"),
        (vec!["--server", "ftp://goals.example.com"], "neither https:// nor http://"),
        (vec!["--server", "https://me:secret@goals.example.com"], "a user name or a password"),
        (vec!["--server", "https://goals.example.com/?a=b"], "more than a path"),
    ] {
        let told = remote.shell.failure(
            2,
            &super::export::args(
                &remote.organization,
                &[&args[..], &["--token-file", "token"], &out[..]].concat(),
            ),
        );
        assert!(told.contains(words), "expected `{words}`: {told}");
    }
    let told =
        remote.shell.failure(2, &args(&remote.organization, &["--server", &url, "--out", "goals.csv"]));
    assert!(told.contains("GOALPOST_TOKEN"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_asked_again_for_a_while() {
    let remote = Remote::new(&[]);
    let proxy = remote.proxy().await;
    let out = ["--out", "goals.csv"];
    proxy.decide(|_| Fate::Answer(429, "{\"error\": {\"message\": \"Too many\"}}"));
    remote.refused(
        "the server answers 429 Too Many Requests and says: Too many",
        &remote.args(&proxy.url, &out),
    );
    let tries = proxy.seen();
    assert!(tries > 3, "{tries}");
    proxy.decide(|_| Fate::Answer(302, ""));
    remote.refused("the server answers 302", &remote.args(&proxy.url, &out));
    assert_eq!(proxy.seen(), tries + 1, "a redirection is not asked again");
    let nobody = "http://127.0.0.1:9";
    remote.refused("cannot be reached", &remote.args(nobody, &out));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_somebody_else_is_waited_for_and_not_taken() {
    let policy = ["org", "set", "--export-policy", "members"];
    let remote = Remote::with(&policy, &["--sandbox", "running=2s"]);
    let people = remote.shell.json(&["user", "list", "--organization", &remote.organization[1]]);
    let other = people.as_array().unwrap().iter().find(|person| {
        person["status"] == "active"
            && person["memberType"] == "regular"
            && person["email"].as_str().is_some_and(|email| email.contains('@') && email != remote.user)
    });
    let other = other.unwrap()["email"].as_str().unwrap().to_owned();
    let client = Client::of(&remote.server.url, remote.shell.text(&["token", "--user", &other]).trim());
    let path = format!("/api/v1/organizations/{}/exports", remote.organization[1]);
    let view = goalpost::views::Preset::AllObjectives.guid(ORGANIZATION);
    let ask = async || {
        let body = json!({ "viewId": view }).to_string();
        let request = client.request("POST", &path).header("content-type", "application/json").body(body);
        let made = client.try_send(request).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
    };
    let mine = block_in_place(|| remote.shell.json(&args(&remote.organization, &["--out", "mine.csv"])));
    let mine = mine["visibleAsPerson"].clone();
    ask().await;
    let told =
        block_in_place(|| remote.shell.json(&remote.args(&remote.server.url, &["--out", "goals.csv"])));
    // From the data folder likewise.
    ask().await;
    let here = block_in_place(|| remote.shell.json(&args(&remote.organization, &["--out", "here.csv"])));
    assert_eq!((&told["visibleAsPerson"], &here["visibleAsPerson"]), (&mine, &mine));
    let listed = client.get(&path).await.json();
    assert_eq!(listed["value"].as_array().unwrap().len(), 2, "{listed}");
    assert!(read(&remote.shell, "goals.csv").starts_with(b"Id,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_on_its_way_is_waited_for() {
    let remote = Remote::new(&["--sandbox", "running=3s"]);
    let client = Client::of(&remote.server.url, remote.token().trim());
    let path = format!("/api/v1/organizations/{}/exports", remote.organization[1]);
    let view = goalpost::views::Preset::AllObjectives.guid(ORGANIZATION);
    let body = json!({ "viewId": view }).to_string();
    let request = client.request("POST", &path).header("content-type", "application/json").body(body);
    let made = client.try_send(request).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let output =
        block_in_place(|| remote.shell.run(&remote.args(&remote.server.url, &["--out", "goals.csv"])));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("note: the same export is on its way already"),
        "{told}"
    );
    let listed = client.get(&path).await.json();
    assert_eq!(listed["value"].as_array().unwrap().len(), 1, "{listed}");
    assert!(read(&remote.shell, "goals.csv").starts_with(b"Id,"));
}
