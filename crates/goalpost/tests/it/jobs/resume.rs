//! A download goes on although the server is killed again and again while it runs.

use std::time::Duration;

use super::process::{Folder, create, try_get, until_status};
use crate::store::download::{Dice, Download, hex};

/// Kills of the server; between two of them the client is interrupted a few times, too.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_download_is_resumed_to_the_same_whole_across_restarts_of_the_server() {
    let folder = Folder::new(6_000, "");
    let mut server = folder.serve(&[]);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", Duration::from_mins(1)).await;
    let whole = try_get(&server.client, &id, "/content").await.unwrap();
    let path = format!("/beta/employeeExperience/goals/exportJobs/{id}/content");
    let mut dice = Dice(0xbad_5eed);
    let mut download = Download::new(server.client.clone(), &path);
    for _ in 0..KILLS {
        for _ in 0..4 {
            let most = dice.below(whole.bytes.len() / 80) + 1;
            download.go_on(most).await;
        }
        // Killed in the middle of an answer.
        let most = whole.bytes.len() / 40;
        let ((), next) = tokio::join!(download.go_on(most), async {
            tokio::time::sleep(Duration::from_micros(dice.below(3_000) as u64)).await;
            server.kill();
            folder.serve_again(&server)
        });
        server = next;
    }
    assert!(!download.is_whole(), "the last kill came too late");
    while !download.is_whole() {
        download.go_on(usize::MAX / 2).await;
    }
    assert_eq!(hex(&download.got), hex(&whole.bytes));
}
