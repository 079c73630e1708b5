//! The command line, as scripts use it: the built program, its output, its errors and its exit codes.

#![expect(clippy::unwrap_used, reason = "the helpers end the test that calls them")]

mod export;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use goalpost::demo::{ORGANIZATION, VIEW};
use goalpost_testing::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;

/// A data folder, and the program on it.
pub(crate) struct Shell {
    database: TestDatabase,
    data: TempDir,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let data = TempDir::new().unwrap();
        Self { database: TestDatabase::new(data.path()), data }
    }

    /// A data folder that holds a small demo organization, and the e-mail of its owner.
    fn with_demo() -> (Self, String) {
        let shell = Self::new();
        let made = shell.json(&["demo", "--no-serve", "--goals", "20"]);
        (shell, made["user"].as_str().unwrap().to_owned())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
        command.args(args).env_clear().env("GOALPOST_DATA", self.data.path());
        command.envs(self.database.url.iter().map(|url| ("GOALPOST_DATABASE", url)));
        command.current_dir(self.data.path());
        command
    }

    /// Where files lie that a command reads or writes by name.
    pub(crate) fn path(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    pub(crate) fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[args, &["--output", "json"]].concat())).unwrap()
    }

    /// Standard error of a command that must fail with this code, and say nothing on standard output.
    pub(crate) fn failure(&self, code: i32, args: &[&str]) -> String {
        fails(code, &self.run(args))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.data.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A server on a free port, stopped when the guard goes.
    fn serve(&self, args: &[&str]) -> Server {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http"), "the server said `{line}`");
        Server { child, url }
    }
}

fn fails(code: i32, output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(output.stdout, b"", "{told}");
    assert!(told.starts_with("error: "), "{told}");
    told
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    async fn get(&self, path: &str) -> reqwest::Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn organization() -> String {
    ORGANIZATION.to_string()
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let shell = Shell::new();
    for command in [
        "",
        "demo",
        "serve",
        "worker",
        "migrate",
        "backup",
        "restore",
        "import",
        "export",
        "token",
        "view",
        "view list",
        "view show",
        "view create",
        "view update",
        "view delete",
        "org",
        "org list",
        "org show",
        "org set",
        "user",
        "user list",
        "user link",
    ] {
        let mut args: Vec<_> = command.split_whitespace().collect();
        args.push("--help");
        let help = shell.text(&args);
        assert!(help.contains("Example"), "`{command}` has no example");
        assert!(help.contains(&format!("\n  goalpost {command}").trim_end().to_owned()), "{help}");
    }
}

#[test]
fn the_demo_prints_the_ids_of_graphs_documentation_and_an_owner() {
    let shell = Shell::new();
    let made =
        shell.json(&["demo", "--no-serve", "--goals", "20", "--public-url", "https://goals.example.com/"]);
    assert_eq!(made["id"], "9ab0fcab-c1d4-4b26-963b-a3c33155f853");
    assert_eq!(made["viewId"], "2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7");
    let path = format!("/org_uuid/{ORGANIZATION}/objective-explorer?viewId={VIEW}");
    assert_eq!(made["url"], format!("https://goals.example.com{path}"));
    let people = shell.json(&["user", "list", "--organization", &organization()]);
    let owner = people.as_array().unwrap().iter().find(|person| person["email"] == made["user"]).unwrap();
    assert_eq!(owner["role"], "Organization Owner");
}

#[test]
fn the_demo_shows_an_export_and_serves_until_it_is_told_to_stop() {
    let shell = Shell::new();
    let mut demo = shell.command(&["demo", "--goals", "20", "--listen", "127.0.0.1:0"]);
    let mut child = demo.stdout(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !told.contains("\nGoalpost serves http://127.0.0.1:") && out.read_line(&mut told).unwrap() > 0 {}
    let file = fs::read_to_string(shell.data.path().join("demo-export.csv")).unwrap();
    let heads: String = file.lines().next().unwrap().chars().take(50).collect();
    for shown in [&heads, "\nTOKEN=eyJ", "curl -s -X POST 'http://127.0.0.1:", "demo-export.csv"] {
        assert!(told.contains(shown), "{shown} is missing in {told}");
    }
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_second_demo_on_the_same_data_changes_nothing() {
    let (shell, user) = Shell::with_demo();
    let before = shell.json(&["org", "show", "--organization", &organization()]);
    let again = shell.json(&["demo", "--no-serve", "--goals", "20"]);
    assert_eq!(again["user"], user.as_str());
    assert_eq!(shell.json(&["org", "show", "--organization", &organization()]), before);
}

#[test]
fn a_sample_zip_is_the_same_for_the_same_seed_and_makes_no_data_folder() {
    let shell = Shell::new();
    let zip = |name: &str, seed: &str| {
        let made =
            shell.json(&["demo", "--goals", "10", "--seed", seed, "--write-zip", name, "--data", "./none"]);
        assert_eq!(made["goals"], 10);
        fs::read(shell.data.path().join(name)).unwrap()
    };
    let first = zip("a.zip", "7");
    assert!(first == zip("b.zip", "7") && first != zip("c.zip", "8"));
    assert!(!shell.data.path().join("none").exists());
}

#[test]
fn an_import_prints_its_report_and_a_dry_run_writes_nothing() {
    let shell = Shell::new();
    shell.text(&["demo", "--goals", "10", "--write-zip", "a.zip"]);
    let import = ["import", "a.zip", "--organization", "Contoso", "--label", "Big rock=objective"];
    let report = shell.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(report["organization"]["created"], true);
    assert_eq!(shell.json(&["org", "list"]), Value::Array(vec![]));
    let report = shell.json(&import);
    let organizations = shell.json(&["org", "list"]);
    assert_eq!(organizations[0]["id"], report["organization"]["id"]);
    assert_eq!(organizations[0]["name"], "Contoso");
}

#[test]
fn a_template_is_written_once_and_what_is_left_out_of_it_is_too() {
    let shell = Shell::new();
    let out = shell.data.path().join("goals.xlsx").to_string_lossy().into_owned();
    shell.text(&["import", "template", "--out", &out]);
    assert!(fs::read(&out).unwrap().starts_with(b"PK"));
    assert!(shell.failure(1, &["import", "template", "--out", &out]).contains("goals.xlsx"));

    shell.text(&["demo", "--goals", "10", "--write-zip", "a.zip"]);
    shell.json(&["import", "a.zip", "--organization", "Contoso"]);
    let rows = "OKR Reference,Parent OKR,Object Type,Title,Owner,Type,Team,Time period\nA,,Objective,Dig,Nobody here,,,Q1\n";
    let rows = shell.write("rows.csv", rows);
    let left_out = shell.data.path().join("left-out.csv").to_string_lossy().into_owned();
    let report = shell.json(&["import", &rows, "--organization", "Contoso", "--left-out", &left_out]);
    assert_eq!(report["leftOut"]["total"], 1);
    let told = fs::read_to_string(&left_out).unwrap();
    assert!(
        told.ends_with(
            "Owner: `Nobody here` is nobody who is here; Time period: `Q1` is no time period that is here\r\n"
        ),
        "{told}"
    );
}

#[test]
fn names_of_a_table_are_mapped_by_a_file() {
    let shell = Shell::new();
    let table = shell.write("view.csv", "Titel,Owner\nDig,Ada Q.\n");
    let import = ["import", &table, "--organization", "Contoso"];
    assert!(shell.failure(1, &import).contains("no column `Title`"));
    let map = shell.write(
        "map.toml",
        "[people]\n\"Ada Q.\" = \"ada.quill@contoso.example\"\n[headers]\n\"Titel\" = \"Title\"\n",
    );
    let report = shell.json(&[&import[..], &["--map", &map]].concat());
    assert_eq!(report["entities"][4]["added"], 1);
    assert_eq!(report["mapping"], Value::Null);
    let unmapped = shell.write("none.toml", "[headers]\n\"Titel\" = \"Title\"\n");
    let other = ["import", &table, "--organization", "Fabrikam", "--map", &unmapped];
    assert_eq!(shell.json(&other)["mapping"], "[people]\n\"Ada Q.\" = \"\"\n");
    let wrong = shell.write("wrong.toml", "[peple]\n");
    assert!(shell.failure(1, &[&import[..], &["--map", &wrong]].concat()).contains("wrong.toml"));
}

#[test]
fn an_unreadable_file_and_a_wrong_label_are_told_apart() {
    let shell = Shell::new();
    let told = shell.failure(1, &["import", "missing.zip", "--organization", "Contoso"]);
    assert!(told.contains("missing.zip") && told.contains("\nhint: "), "{told}");
    let broken = shell.write("broken.zip", "not a ZIP");
    assert!(shell.failure(1, &["import", &broken, "--organization", "Contoso"]).contains("broken.zip"));
    let told = shell.failure(2, &["import", &broken, "--label", "Big rock"]);
    assert!(told.contains("Big rock=objective"), "{told}");
}

#[test]
fn a_created_view_has_the_asked_id_and_is_listed_until_it_is_deleted() {
    let (shell, user) = Shell::with_demo();
    let (org, id) = (organization(), "5f0d0a52-7f0b-4f57-9d0c-3f1c6a1d2e01");
    let create = ["view", "create", "--organization", &org, "--name", "Late", "--id", id];
    let filter = shell.write("late.json", r#"{"due":"overdue"}"#);
    let view = shell.json(&[&create[..], &["--owner", &user, "--filter", &filter]].concat());
    assert_eq!(
        (&view["id"], &view["owner"], &view["isPublic"]),
        (&id.into(), &user.as_str().into(), &false.into())
    );
    assert_eq!(view["url"], format!("http://127.0.0.1:8080/org_uuid/{org}/objective-explorer?viewId={id}"));
    assert_eq!(view["filter"]["due"], "overdue");

    let listed = |shell: &Shell| {
        let views = shell.json(&["view", "list", "--organization", &org]);
        views.as_array().unwrap().iter().filter(|view| view["id"] == id).count()
    };
    assert_eq!(listed(&shell), 1);
    assert!(shell.text(&["view", "list", "--organization", &org]).contains(&format!("viewId={id}")));
    let told = shell.failure(1, &create);
    assert!(told.contains(id) && told.contains("hint: `goalpost view list"), "{told}");

    let update = ["view", "update", "--organization", &org, "--id", id];
    let changes =
        ["--filter", "!status=Closed&progress=lt:50", "--sort", "Status, due desc", "--share", &user];
    let changed = shell.json(&[&update[..], &changes].concat());
    assert_eq!(changed["filter"]["and"][0]["not"]["status"]["in"][0], "Closed");
    assert_eq!(changed["sharedWith"][0], user.as_str());
    assert_eq!(changed["sort"], "status, due desc");
    assert_eq!(shell.json(&["view", "show", "--organization", &org, "--id", id]), changed);
    let told = shell.failure(1, &[&update[..], &["--filter", "status=Late"]].concat());
    assert!(told.contains("`status` cannot be `Late`") && told.contains("`Not Started`"), "{told}");
    assert_eq!(shell.json(&["view", "delete", "--organization", &org, "--id", id])["id"], id);
    assert_eq!(listed(&shell), 0);
    shell.failure(1, &["view", "delete", "--organization", &org, "--id", id]);
}

#[test]
fn a_filter_that_is_not_understood_says_where_and_how_to_write_one() {
    let (shell, _) = Shell::with_demo();
    let told = shell.failure(
        1,
        &[
            "view",
            "create",
            "--organization",
            &organization(),
            "--name",
            "X",
            "--filter",
            r#"{"statu":{"in":["Behind"]}}"#,
        ],
    );
    assert!(told.contains("statu") && told.contains("\nhint: a filter is JSON such as"), "{told}");
}

#[test]
fn who_may_export_is_set_and_shown() {
    let (shell, user) = Shell::with_demo();
    let org = organization();
    let shown = shell.json(&["org", "show", "--organization", &org]);
    assert_eq!((&shown["exportPolicy"], &shown["exportPeople"]), (&"owners".into(), &Value::Array(vec![])));
    let set = ["org", "set", "--organization", &org, "--export-policy", "people"];
    let shown =
        shell.json(&[&set[..], &["--export-people", &user.to_uppercase(), "--name", "Contoso Ltd"]].concat());
    assert_eq!((&shown["exportPolicy"], &shown["name"]), (&"people".into(), &"Contoso Ltd".into()));
    assert_eq!(shown["exportPeople"], Value::Array(vec![user.as_str().into()]));
    let told = shell.failure(1, &[&set[..], &["--export-people", &user.replace('@', "@wrong.")]].concat());
    assert!(told.contains(&format!("did you mean `{user}`?")), "{told}");
    shell.failure(2, &["org", "set", "--organization", &org]);
    shell.failure(2, &["org", "set", "--organization", &org, "--export-policy", "everyone"]);
}

#[test]
fn a_linked_sign_in_is_listed_with_its_person() {
    let (shell, user) = Shell::with_demo();
    let org = organization();
    let (tenant, object) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    let issuer = "https://login.example.com/v2.0";
    let output = shell.run(&[
        "user",
        "link",
        "--organization",
        &org,
        "--user",
        &user,
        "--issuer",
        issuer,
        "--tenant",
        tenant,
        "--object",
        object,
    ]);
    assert!(output.status.success());
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.starts_with("warning: ") && warned.contains(issuer), "{warned}");
    let people = shell.json(&["user", "list", "--organization", &org]);
    let linked: Vec<_> = people
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| person["identities"] != Value::Array(vec![]))
        .collect();
    assert_eq!(linked.len(), 1);
    assert_eq!(
        (&linked[0]["email"], &linked[0]["identities"][0]["object"]),
        (&user.as_str().into(), &object.into())
    );
}

#[test]
fn a_token_is_all_that_is_printed_and_strangers_get_none() {
    let (shell, user) = Shell::with_demo();
    let output =
        shell.run(&["token", "--user", &user, "--scope", "Goals-Export.ReadWrite.All", "--ttl", "1h"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let token = String::from_utf8(output.stdout).unwrap();
    assert_eq!(token.trim_end().split('.').count(), 3);
    assert!(token.ends_with('\n') && token.lines().count() == 1);
    let told = shell.failure(1, &["token", "--user", "nobody@contoso.example"]);
    assert!(told.contains("nobody@contoso.example") && told.contains("\nhint: "), "{told}");
    assert!(shell.failure(1, &["token", "--user", &user, "--ttl", "48h"]).contains("86400"));
    shell.failure(2, &["token", "--user", &user, "--ttl", "soon"]);
}

#[test]
fn an_unknown_organization_and_an_empty_folder_are_errors_with_hints() {
    let (shell, _) = Shell::with_demo();
    let other = "33333333-3333-4333-8333-333333333333";
    let told = shell.failure(1, &["view", "list", "--organization", other]);
    assert!(told.contains(other) && told.contains("hint: `goalpost org list`"), "{told}");
    // Of a server one learns only by asking it whether there are data.
    if shell.database.url.is_none() {
        let told = shell.failure(1, &["org", "list", "--data", "./none"]);
        assert!(told.contains("`./none`") && told.contains("--data"), "{told}");
        assert!(!shell.data.path().join("none").exists());
    }
}

#[test]
fn a_goals_history_says_who_changed_what() {
    let (shell, owner) = Shell::with_demo();
    let open = "-- (all organizations)
        select organization, id from goal where origin = 'file' and status <> 'Closed' order by id limit 1";
    let find = |tx: &goalpost_db::Tx<'_>| {
        tx.query("select number from organization", &[], |row| row.int(0))?
            .into_iter()
            .for_each(|n| tx.enter(n));
        tx.query_one(open, &[], |row| row.int(1))
    };
    let goal: i64 = shell.database.open().snapshot(goalpost_db::Scope::Global, find).unwrap();
    let (house, goal) = (organization(), goal.to_string());
    let which = ["--organization", house.as_str(), "--goal", goal.as_str()];
    let close = ["goal", "close", "--score", "0.5", "--by", owner.as_str()];
    shell.text(&[&close[..], &which].concat());
    let history = shell.json(&[&["goal", "history"][..], &which].concat());
    let [first, last] = history.as_array().unwrap().as_slice() else { panic!("{history}") };
    assert_eq!((&first["cause"], &first["created"]), (&"import".into(), &true.into()));
    assert_eq!((&last["cause"], &last["created"]), (&"close".into(), &false.into()));
    let status = last["fields"].as_array().unwrap().iter().find(|field| field["field"] == "status").unwrap();
    assert_eq!(status["new"], "Closed");
    assert_ne!(status["old"], "Closed");
    let table = shell.text(&[&["goal", "history"][..], &which].concat());
    assert!(table.starts_with("REVISION  AT") && table.contains("Closed"), "{table}");
    let told = shell.failure(1, &["goal", "history", "--organization", house.as_str(), "--goal", "7"]);
    assert!(told.contains("there is no goal 7") && told.contains("hint:"), "{told}");
}

#[test]
fn data_of_a_newer_version_are_refused() {
    let (shell, _) = Shell::with_demo();
    let db = shell.database.open();
    let newer = goalpost_db::SCHEMA_VERSION.major + 1;
    db.write_alone(goalpost_db::Scope::Global, std::time::Duration::from_secs(5), |tx| {
        tx.execute(
            "insert into schema_migration (version, sha256, applied_at) values (?1, ?2, 0)",
            goalpost_db::params![newer, [0u8; 32]],
        )
    })
    .unwrap();
    let told = shell.failure(1, &["org", "list"]);
    assert!(told.contains("newer Goalpost") && told.contains("hint: use the newer `goalpost`"), "{told}");
}

#[test]
fn a_port_in_use_is_an_error_with_a_hint() {
    let shell = Shell::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["serve", "demo"] {
        let told = shell.failure(1, &[command, "--listen", &address]);
        assert!(told.contains(&address) && told.contains("choose another address by `--listen`"), "{told}");
    }
}

#[test]
fn the_command_line_beats_the_environment_and_the_environment_beats_the_file() {
    let (shell, _) = Shell::with_demo();
    let url = |command: &mut Command| {
        let output = command.output().unwrap();
        let views: Value = serde_json::from_slice(&output.stdout).unwrap();
        views[0]["url"].as_str().unwrap().split("/org_uuid").next().unwrap().to_owned()
    };
    let org = organization();
    let list = ["view", "list", "--organization", &org, "--output", "json"];
    assert_eq!(url(&mut shell.command(&list)), "http://127.0.0.1:8080");
    shell.write("goalpost.toml", "public_url = 'https://file.example'");
    assert_eq!(url(&mut shell.command(&list)), "https://file.example");
    let other = shell.write("other.toml", "public_url = 'https://other.example'");
    assert_eq!(url(shell.command(&list).env("GOALPOST_CONFIG", other)), "https://other.example");
    let mut by_environment = shell.command(&list);
    assert_eq!(url(by_environment.env("GOALPOST_PUBLIC_URL", "https://env.example")), "https://env.example");
    let mut by_both = shell.command(&[&list[..], &["--public-url", "https://arg.example"]].concat());
    assert_eq!(url(by_both.env("GOALPOST_PUBLIC_URL", "https://env.example")), "https://arg.example");
}

#[test]
fn settings_that_are_not_understood_name_their_file_and_line() {
    let shell = Shell::new();
    let file = shell.write("goalpost.toml", "listen = '127.0.0.1:9000'\nlisten_on = 1\n");
    let told = shell.failure(1, &["serve"]);
    assert!(told.contains(Path::new(&file).file_name().unwrap().to_str().unwrap()), "{told}");
    assert!(told.contains("line 2") && told.contains("listen_on"), "{told}");
    let shell = Shell::new();
    assert!(shell.failure(2, &["serve", "--listen", "everywhere"]).contains("127.0.0.1:8080"));
    let told = shell.failure(2, &["serve", "--sandbox", "runing=2s"]);
    assert!(told.contains("not-started, running"), "{told}");
}

#[test]
fn a_sandbox_is_announced_loudly() {
    let shell = Shell::new();
    let mut command = shell.command(&["serve", "--listen", "127.0.0.1:0", "--sandbox", "running=2s"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(told.starts_with("SANDBOX: ") && told.contains("running=2s"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_while_a_server_runs_on_the_data() {
    let (shell, user) = Shell::with_demo();
    let server = shell.serve(&[]);
    let view = shell.json(&["view", "create", "--organization", &organization(), "--name", "Made meanwhile"]);
    assert!(view["id"].is_string());
    shell.text(&["token", "--user", &user]);
    assert_eq!(shell.json(&["demo", "--no-serve", "--goals", "20"])["goals"], 20);
    assert_eq!(server.get("/").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_both_ids_of_its_url_and_needs_no_sign_in() {
    let shell = Shell::new();
    let server = shell.serve(&[]);
    let answer = server.get(&format!("/org_uuid/{ORGANIZATION}/objective-explorer?viewId={VIEW}")).await;
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = answer.text().await.unwrap();
    for shown in
        [ORGANIZATION.to_string(), VIEW.to_string(), format!("{}/beta", server.url), "<html lang".to_owned()]
    {
        assert!(page.contains(&shown), "{shown} is missing");
    }
    assert_eq!(server.get("/").await.status(), 200);
    assert_eq!(server.get("/page.css").await.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_the_url_stays_text() {
    let shell = Shell::new();
    let server = shell.serve(&[]);
    let script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        format!("/org_uuid/{script}/objective-explorer?viewId={VIEW}"),
        format!("/org_uuid/{ORGANIZATION}/objective-explorer?viewId={script}"),
        format!("/org_uuid/{ORGANIZATION}/objective-explorer?viewId=%22%3E%3Cscript%3E"),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status(), 400);
        let page = answer.text().await.unwrap();
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    }
}

#[test]
fn a_file_is_what_its_name_says() {
    let (shell, _) = Shell::with_demo();
    let organization = ORGANIZATION.to_string();
    let words =
        |name: &'static str| ["export", "--organization", &organization, "--out", name].map(str::to_owned);
    let export = |name: &'static str, more: &[&str]| {
        let words = words(name);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let manifest = shell.json(&words);
        let bytes = fs::read(shell.data.path().join(name)).unwrap();
        assert_eq!(manifest["bytes"], bytes.len());
        (manifest, bytes)
    };
    let (_, csv) = export("goals.csv", &[]);
    assert!(csv.starts_with(b"Id,Title,"));
    let (manifest, packed) = export("goals.csv.zst", &[]);
    assert_eq!(manifest["mediaType"], "application/zstd");
    assert_eq!(zstd::decode_all(&*packed).unwrap(), csv);
    let (manifest, _) = export("goals.jsonl.gz", &["--children", "3", "--labels", "neutral"]);
    let options = &manifest["options"];
    assert_eq!((&options["format"], &options["compression"]), (&"jsonl".into(), &"gzip".into()));
    assert_eq!((&options["children"], &options["labels"]), (&3.into(), &"neutral".into()));
    let (manifest, parquet) = export("goals.parquet", &["--columns", "all"]);
    assert_eq!(manifest["mediaType"], "application/vnd.apache.parquet");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    export("goals.xlsx", &["--links", "id", "--public-url", "https://goals.contoso.example"]);

    let refused = |name: &'static str, more: &[&str]| {
        let words = words(name);
        shell.failure(1, &words.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let told = refused("other.xlsx", &["--links", "id"]);
    assert!(
        told.contains("`public_url`") && told.contains("hint: ") && told.contains("--public-url"),
        "{told}"
    );
    let told = refused("other.csv", &["--time-zone", "Europe/Atlantis"]);
    assert!(told.contains("no time zone `Europe/Atlantis`; name one such as `Europe/Berlin`"), "{told}");
    let told = refused("other.parquet", &["--compression", "zstd"]);
    assert!(told.contains("packed already"), "{told}");
    assert!(!shell.data.path().join("other.csv").exists());
}
