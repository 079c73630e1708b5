//! A client that is interrupted all the time, and keeps what it has.

use axum::http::HeaderMap;
use goalpost_testing::Client;
use sha2::{Digest as _, Sha256};

/// A download that is begun again and again, as a client does that keeps what it has.
pub(crate) struct Download {
    client: Client,
    path: String,
    etag: Option<String>,
    size: Option<usize>,
    pub(crate) got: Vec<u8>,
}

impl Download {
    pub(crate) fn new(client: Client, path: &str) -> Self {
        Self { client, path: path.to_owned(), etag: None, size: None, got: Vec::new() }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.size == Some(self.got.len())
    }

    /// Read so many bytes more at most, and drop the connection.
    pub(crate) async fn go_on(&mut self, most: usize) {
        let mut request = self.client.request("GET", &self.path);
        if let Some(etag) = &self.etag {
            request = request.header("range", format!("bytes={}-", self.got.len())).header("if-range", etag);
        }
        // A server that is being restarted is asked again.
        let Ok(mut answer) = request.send().await else { return };
        let header =
            |headers: &HeaderMap, name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let etag = header(answer.headers(), "etag");
        let (status, range) = (answer.status().as_u16(), header(answer.headers(), "content-range"));
        match (&self.etag, status) {
            (None, 200) => self.size = answer.content_length().map(|size| size as usize),
            (Some(_), 206) => {
                let (first, size) = (self.got.len(), self.size.unwrap());
                assert_eq!(range, Some(format!("bytes {first}-{}/{size}", size - 1)));
                assert_eq!(self.etag, etag);
            }
            (_, 503) => return,
            (known, _) => panic!("{status} for a client that knows {known:?}"),
        }
        self.etag = etag;
        let end = self.got.len() + most;
        while self.got.len() < end {
            let Ok(Some(piece)) = answer.chunk().await else { return };
            let room = end - self.got.len();
            self.got.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }
}

/// Random numbers, the same each time (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
