//! The program before this one and this one, at the same time on one data folder.

use std::time::{Duration, Instant};

use goalpost::demo;
use goalpost_db::{Db, Location, SCHEMA_VERSION};
use goalpost_testing::{Answer, Client, Node};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{FIRST, GOLDEN, OWNER, first};
use crate::jobs::process::{Folder, try_create, try_get};

/// Exports that are under way at the same time.
const CLIENTS: u128 = 6;
const PAUSE: Duration = Duration::from_millis(20);
/// How long one export may take, restarts included.
const SOON: Duration = Duration::from_mins(1);

/// Asks one node for an export, then either for its status, and for its file.
struct Traffic {
    nodes: [Client; 2],
    view: Uuid,
    finished: u64,
    /// The hash of the view's file.
    known: Option<[u8; 32]>,
}

impl Traffic {
    /// Until `stop`, and until what was promised has ended.
    async fn run(mut self, stop: CancellationToken) -> u64 {
        for turn in 0.. {
            if stop.is_cancelled() {
                return self.finished;
            }
            let node = &self.nodes[turn % 2];
            // A node that is away is asked again; an answer must be one that clients are told of.
            let Ok(made) = try_create(node, self.view).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match made.status {
                201 => self.follow(&made.id(), turn).await,
                status => assert!(matches!(status, 409 | 429 | 503), "{status}: {}", made.text()),
            }
        }
        self.finished
    }

    async fn follow(&mut self, id: &str, turn: usize) {
        let begun = Instant::now();
        for turn in turn.. {
            assert!(begun.elapsed() < SOON, "{id} does not end");
            let node = &self.nodes[turn % 2];
            let seen = try_get(node, id, "").await.ok().filter(|seen| seen.status != 503);
            let Some(seen) = seen else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            assert_eq!(seen.status, 200, "{id}: {}", seen.text());
            match seen.json()["status"].as_str() {
                Some("succeeded") => break,
                Some("failed") => panic!("{id}: {}", seen.text()),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        let content = self.content(id, turn + 1).await;
        assert!(self.view != demo::VIEW || content.bytes == GOLDEN, "{id} differs from the golden file");
        let hash = <[u8; 32]>::from(Sha256::digest(&content.bytes));
        assert_eq!(*self.known.get_or_insert(hash), hash, "{id}: the two versions differ");
        self.finished += 1;
    }

    async fn content(&self, id: &str, turn: usize) -> Answer {
        let begun = Instant::now();
        for turn in turn.. {
            assert!(begun.elapsed() < SOON, "{id} cannot be fetched");
            match try_get(&self.nodes[turn % 2], id, "/content").await {
                Ok(answer) if answer.status == 200 => return answer,
                Ok(answer) => assert_eq!(answer.status, 503, "{id}: {}", answer.text()),
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        unreachable!("the loop has no end")
    }
}

/// Save views by the earlier program, which knows the schema as it is.
fn save_views(folder: &Folder, earlier: &str) -> Vec<Uuid> {
    let organization = demo::ORGANIZATION.to_string();
    let create = |index| {
        let view = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0000 + index);
        let words = ["view", "create", "--organization", &organization, "--name", "Goals", "--id"];
        folder.run(earlier, &[&words[..], &[&view.to_string()]].concat());
        view
    };
    (1..CLIENTS).map(create).collect()
}

/// A server of this program on the folder.
async fn start(folder: &Folder, program: &str) -> Node {
    let node = Node::of(program).args(["serve"]).env("GOALPOST_DATA", folder.path());
    node.env("GOALPOST_LOG", "warn").start().await
}

/// `cargo xtask soak` builds the earlier program.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the program before this one, as GOALPOST_EARLIER; `cargo xtask soak` builds it"]
async fn r16_nodes_are_replaced_by_those_of_the_next_version_and_back_without_an_error() {
    let earlier = std::env::var("GOALPOST_EARLIER").expect("the path of the program before this one");
    let seconds = std::env::var("GOALPOST_SECONDS").map_or(60, |text| text.parse().expect("a number"));
    let now = env!("CARGO_BIN_EXE_goalpost");
    let mut folder = first();
    let database = Location::file(&folder.path().join("goalpost.db"));
    let views = save_views(&folder, &earlier);
    folder.sign_in_by(&earlier, OWNER);
    let mut one = start(&folder, &earlier).await;
    let mut two = start(&folder, &earlier).await;
    assert_eq!(Db::version_of(&database).unwrap(), Some(FIRST));
    let stop = CancellationToken::new();
    let traffic: Vec<_> = std::iter::once(demo::VIEW)
        .chain(views)
        .map(|view| {
            let nodes = [folder.client(&one.url()), folder.client(&two.url())];
            tokio::spawn(Traffic { nodes, view, finished: 0, known: None }.run(stop.clone()))
        })
        .collect();
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        // One node after the other goes on to the new program; every second round goes back.
        let program = if round % 2 == 0 { now } else { &*earlier };
        for node in [&mut one, &mut two] {
            let port = node.port();
            assert!(node.terminate(Duration::from_mins(1)).await.success(), "{}", node.log());
            let next = Node::of(program).args(["serve"]).env("GOALPOST_DATA", folder.path());
            *node = next.env("GOALPOST_LOG", "warn").on_port(port).start().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        round += 1;
    }
    stop.cancel();
    let mut finished = 0;
    for client in traffic {
        finished += client.await.unwrap();
    }
    assert_eq!(Db::version_of(&database).unwrap(), Some(SCHEMA_VERSION));
    println!("soak: {round} rounds, {finished} exports");
    assert!(finished > 20 * round, "{finished} exports in {round} rounds");
}
