//! A server tries its store before it serves, and says what is wrong with it.

use std::process::{Command, Stdio};
use std::time::Duration;

use goalpost_testing::services;
use insta::assert_snapshot;

use super::download::hex;
use super::proxy::{Fate, Proxy};
use super::{azurite, name};
use crate::jobs::process::{Folder, create, until_status};

/// Start a server with these variables; what it says on standard error, once it has given up.
async fn refusal(content: &str, variables: &[(&str, &str)]) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_goalpost"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--content", content]).env_clear();
    command.env("GOALPOST_DATA", data.path()).env("GOALPOST_LOG", "off").envs(variables.iter().copied());
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while server.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > deadline {
            server.kill().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "nothing is served");
    String::from_utf8(output.stderr).unwrap()
}

/// The variables of an S3 at this address.
fn of_s3<'a>(endpoint: &'a str, key: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_from_a_missing_bucket() {
    let (endpoint, key) = (services::s3().endpoint, services::s3().key);
    let bucket = services::s3().bucket;
    let there = format!("s3://{bucket}/start");
    let wrong = refusal(&there, &of_s3(&endpoint, &key, "nonsense")).await;
    assert_snapshot!(wrong.replace(&bucket, "<bucket>"), @r#"
    error: the files of exports cannot lie in `s3://<bucket>/start`: it does not accept the credentials: it answered 403 Forbidden, SignatureDoesNotMatch
    hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SECRET_ACCESS_KEY_FILE, and check this machine's clock
    "#);
    let told = refusal_behind(|_| Fate::Answer(404, "<Error><Code>NoSuchBucket</Code></Error>")).await;
    assert_snapshot!(told, @r#"
    error: the files of exports cannot lie in `s3://bucket`: there is no such bucket or container: it answered 404 Not Found, NoSuchBucket
    hint: make it, or name another by `--content`
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_nobody_is_is_told() {
    let refused = refusal("s3://bucket", &of_s3("http://127.0.0.1:1", "key", "secret")).await;
    assert_snapshot!(refused, @r#"
    error: the files of exports cannot lie in `s3://bucket`: it cannot be reached: no answer (Connection refused (os error 111))
    hint: check its address (`content.options.endpoint`, `content.options.region`), that this machine reaches it, and that credentials are set
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_s_refusals_are_told_too() {
    let endpoint = services::azure();
    let variables = |key| {
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", azurite::ACCOUNT);
        vec![
            ("AZURE_ENDPOINT", endpoint.as_str()),
            ("AZURE_ALLOW_HTTP", "true"),
            account,
            ("AZURE_STORAGE_ACCOUNT_KEY", key),
        ]
    };
    let wrong = refusal("az://there", &variables("bm9uc2Vuc2U=")).await;
    assert_snapshot!(wrong, @r#"
    error: the files of exports cannot lie in `az://there`: the credentials do not allow to write objects there: it answered 403 Forbidden, AuthorizationFailure
    hint: allow these credentials to read, write, list and delete objects there
    "#);
    let missing = refusal("az://no-such-container", &variables(azurite::KEY)).await;
    assert_snapshot!(missing, @r#"
    error: the files of exports cannot lie in `az://no-such-container`: there is no such bucket or container: it answered 404 Not Found, ContainerNotFound
    hint: make it, or name another by `--content`
    "#);
}

/// A server whose S3 does this to requests.
async fn refusal_behind(decide: impl Fn(&super::proxy::Asked) -> Fate + Send + 'static) -> String {
    let proxy = Proxy::before(&services::s3().endpoint).await;
    proxy.decide(decide);
    let (key, secret) = (services::s3().key, services::s3().secret);
    let bucket = services::s3().bucket;
    let told = refusal(&format!("s3://{bucket}/{}", name()), &of_s3(&proxy.url, &key, &secret)).await;
    let at = told.find("s3://").unwrap();
    let end = at + told[at..].find('`').unwrap();
    told.replace(&told[at..end].to_owned(), "s3://bucket")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_loses_the_condition_of_a_write_is_refused() {
    let told = refusal_behind(|asked| {
        let second = asked.method == "PUT" && asked.number > 0;
        if second { Fate::Answer(200, "") } else { Fate::Pass }
    });
    assert_snapshot!(told.await, @r#"
    error: the files of exports cannot lie in `s3://bucket`: it is refused because it lets a second object replace the first of the same name, whatever is asked of it
    hint: name a store that honours conditional writes (`If-None-Match: *`), or a folder, by `--content`
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_permission_is_named() {
    for (method, verb) in [("PUT", "write"), ("GET", "read"), ("DELETE", "delete")] {
        let told = refusal_behind(move |asked| {
            let denied = "<Error><Code>AccessDenied</Code></Error>";
            if asked.method == method { Fate::Answer(403, denied) } else { Fate::Pass }
        });
        let told = told.await;
        assert!(told.contains(&format!("do not allow to {verb} objects")), "{told}");
        assert!(told.contains("hint: allow these credentials"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_never_answers_is_given_up() {
    assert_snapshot!(refusal_behind(|_| Fate::Hang).await, @r#"
    error: the files of exports cannot lie in `s3://bucket`: it has not done what it should within 10 seconds
    hint: check its address (`content.options.endpoint`, `content.options.region`), that this machine reaches it, and that credentials are set
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_told() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let told = refusal(file.to_str().unwrap(), &[]).await;
    let told = told.replace(file.to_str().unwrap(), "<file>");
    assert_snapshot!(told, @"error: cannot open the place for the files of exports: `<file>`: File exists (os error 17)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_its_files_on_s3_loses_no_export_when_it_is_killed() {
    let (endpoint, key) = (services::s3().endpoint, services::s3().key);
    let folder = Folder::new(20_000, "[exports]\nlease_secs = 3\n");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, services::s3().secret + "\n").unwrap();
    let url = format!("s3://{}/{}", services::s3().bucket, name());
    let serve = || {
        let server = Folder::server().args(["--content", &url]);
        let of_s3 =
            of_s3(&endpoint, &key, "").into_iter().filter(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY");
        let server = of_s3.fold(server, |server, (name, value)| server.env(name, value));
        folder.start(server.env("AWS_SECRET_ACCESS_KEY_FILE", &secret))
    };
    let mut server = serve();
    let id = create(&server).await;
    until_status(&server, &id, "running", Duration::from_secs(20)).await;
    server.kill();
    let server = serve();
    until_status(&server, &id, "succeeded", Duration::from_mins(1)).await;
    let content = server.client.get_content(&id).await;
    assert_eq!(content.header("etag").unwrap().trim_matches('"'), hex(&content.bytes));
    assert!(content.text().lines().count() > 20_000);
    assert_eq!(
        std::fs::read_dir(folder.path().join("content")).unwrap().count(),
        0,
        "the folder is not used"
    );
}
