//! Memory stays small, however large a file is and however many fetch it at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

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

    let downloads = crate::setting("GOALPOST_DOWNLOADS", 50);
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
    assert!(most <= 512 * MIB, "{downloads} downloads at once took {} MiB", most / MIB);
}
