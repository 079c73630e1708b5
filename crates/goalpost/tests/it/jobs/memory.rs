//! Memory stays small, however large a file is and however many fetch it at once.

use std::sync::Arc;
use std::time::Duration;

use goalpost::demo;
use goalpost::orgs::queries::find_by_guid;
use goalpost::views::Preset;
use goalpost_db::{Error, Scope, params};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::eventually;
use super::process::{Folder, Server, create, until_status};

const GOALS: u64 = 2_000;
/// Bytes of a goal's description: the file is far larger than what its making may hold.
const TEXT: usize = 64 * 1024;
const MIB: u64 = 1024 * 1024;

/// The most memory that a server has held so far, bytes.
fn peak(server: &mut Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.node.process().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// `GOALPOST_DOWNLOADS` makes it longer.
#[tokio::test(flavor = "multi_thread")]
async fn r19_memory_stays_small_while_a_large_file_is_made_and_while_many_fetch_it() {
    let folder = Folder::new(GOALS, "");
    folder.change("update goal set description = ?1", &"All of it. ".repeat(TEXT / 11));
    let mut server = folder.serve(&[]);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", Duration::from_mins(2)).await;
    let made = peak(&mut server);
    assert!(made <= 64 * MIB, "making the file took {} MiB", made / MIB);

    let downloads = crate::setting("GOALPOST_DOWNLOADS", 200);
    // None goes on before all are under way.
    let all_begun = Arc::new(Barrier::new(downloads));
    let fetching = (0..downloads).map(|_| {
        let (client, all_begun) = (server.client.clone(), Arc::clone(&all_begun));
        let path = format!("/beta/employeeExperience/goals/exportJobs/{id}/content");
        tokio::spawn(async move {
            let mut answer = client.request("GET", &path).send().await?;
            let promised = answer.content_length();
            let mut got = answer.chunk().await?.map_or(0, |chunk| chunk.len() as u64);
            all_begun.wait().await;
            while let Some(chunk) = answer.chunk().await? {
                got += chunk.len() as u64;
            }
            assert_eq!(promised, Some(got), "the whole file");
            Ok::<_, reqwest::Error>(got)
        })
    });
    for fetching in fetching.collect::<Vec<_>>() {
        let got = fetching.await.unwrap().expect("no download breaks");
        assert!(got > GOALS * TEXT as u64 * 9 / 10, "the file is large: {got}");
    }
    let most = peak(&mut server);
    println!(
        "soak: {} MiB at most making a file of {} MiB, {} MiB at most while all fetch it",
        made / MIB,
        GOALS * TEXT as u64 / MIB,
        most / MIB
    );
    // Of each a piece, another on its connection, and as much again for what is around them; of a thousand less than is
    // promised, and of two hundred less than they took when each thread kept pieces for itself.
    let allowed = 96 * MIB + downloads as u64 * (MIB * 3 / 8);
    assert!(most <= allowed, "{downloads} downloads at once took {} MiB", most / MIB);
}

/// Give each twentieth goal a text of a megabyte that packs badly, and is no other one's.
fn make_large(folder: &Folder) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state % 64) as u8)
    };
    let db = folder.open().db.clone();
    let found = db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION));
    let organization = found.unwrap().unwrap().number;
    let written = db.write_alone(organization, Duration::from_secs(5), |tx| {
        let sql = "select id from goal where organization = ?1 order by id";
        let ids = tx.query(sql, params![organization], |row| row.int(0))?;
        for id in ids.into_iter().step_by(20) {
            let text: String = (0..1_000_000).map(|_| noise()).collect();
            let sql = "update goal set description = ?1 where organization = ?2 and id = ?3";
            tx.execute(sql, params![text, organization, id])?;
        }
        Ok::<_, Error>(())
    });
    written.expect("the texts are written");
}

/// Ask a server for a file in a format, and wait for it; how long it is.
async fn export(server: &Server, options: Value) -> u64 {
    let exports = format!("/api/v1/organizations/{}/exports", demo::ORGANIZATION);
    let mut body = options;
    body["viewId"] = Preset::AllObjectives.guid(demo::ORGANIZATION).to_string().into();
    let made = server.client.post(&exports, &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("{exports}/{}", made.json()["id"].as_str().expect("an id"));
    eventually(Duration::from_mins(10), "the file", async || {
        let told = server.client.get(&path).await.json();
        assert_ne!(told["status"], "failed", "{told}");
        told["sizeBytes"].as_u64()
    })
    .await
}

/// A text of a megabyte on each twentieth goal; `GOALPOST_ROWS` makes it longer.
#[tokio::test(flavor = "multi_thread")]
async fn r19_memory_stays_small_in_every_format() {
    let goals = crate::setting("GOALPOST_ROWS", 2_000) as u64;
    let folder = Folder::new(goals, "");
    make_large(&folder);
    let large = goals / 20 * 1_000_000 * 9 / 10;
    for (options, is_large) in [
        (json!({ "columns": "all" }), true),
        (json!({ "columns": "all", "compression": "zstd" }), false),
        (json!({ "columns": "all", "format": "jsonl" }), true),
        (json!({ "columns": "all", "format": "xlsx", "timeZone": "Europe/Berlin" }), false),
        (json!({ "columns": "all", "format": "parquet" }), false),
    ] {
        let mut server = folder.serve(&[]);
        let bytes = export(&server, options.clone()).await;
        assert!(!is_large || bytes > large, "the file is large: {bytes}");
        let made = peak(&mut server);
        println!("soak: {} MiB at most making {} MiB: {options}", made / MIB, bytes / MIB);
        assert!(made <= 128 * MIB, "making {options} took {} MiB", made / MIB);
    }
}
