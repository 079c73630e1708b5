//! A large import holds the database's only write lock for long: who reads goes on, and who writes is told when to
//! try again.

use std::collections::BTreeMap;
use std::time::Duration;

use goalpost::demo;

use super::process::{Folder, create, try_create, try_get, until_status};

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_and_writes_are_put_off_while_an_import_runs() {
    let folder = Folder::new(200, "[limits]\ncreates_per_10_secs = 100000");
    let zip = folder.path().join("large.zip");
    let written =
        folder.command("demo").args(["--goals", "20000", "--write-zip"]).arg(&zip).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let server = folder.serve(&[]);
    let finished = create(&server).await;
    until_status(&server, &finished, "succeeded", Duration::from_secs(20)).await;
    let reference = try_get(&server.client, &finished, "/content").await.unwrap().bytes;

    let mut import = folder.command("import");
    import.arg(&zip).args(["--organization", "Fabrikam"]);
    import.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut importing = import.spawn().unwrap();
    let mut answers: BTreeMap<u16, u32> = BTreeMap::new();
    let client = &server.client;
    let (mut reads, mut pending) = (0, Vec::new());
    let ended = super::eventually(Duration::from_mins(3), "the import's end", async || {
        let post = async {
            let answer = try_create(client, demo::VIEW).await.unwrap();
            match answer.status {
                201 => pending.push(answer.id()),
                409 => assert!(answer.header("location").is_some()),
                503 => assert_eq!(answer.header("retry-after"), Some("2")),
                status => panic!("{status}: {}", answer.text()),
            }
            *answers.entry(answer.status).or_default() += 1;
        };
        let read = async {
            assert_eq!(try_get(client, &finished, "").await.unwrap().status, 200);
            let content = try_get(client, &finished, "/content").await.unwrap();
            assert_eq!((content.status, content.bytes == reference), (200, true));
            reads += 1;
        };
        tokio::join!(post, read);
        importing.try_wait().unwrap()
    })
    .await;
    assert!(ended.success());
    assert!(reads > 1 && answers.values().sum::<u32>() > 1, "{reads} reads, {answers:?}");
    // What was promised meanwhile is kept.
    for id in &pending {
        until_status(&server, id, "succeeded", Duration::from_mins(1)).await;
    }
    assert!(!folder.log().contains("panicked"), "{}", folder.log());
}
