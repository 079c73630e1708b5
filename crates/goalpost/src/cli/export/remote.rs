//! `goalpost export --server`: asked for at a server, waited for, and fetched whole or not at all.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use goalpost::exports::manifest::hex;
use goalpost::exports::options::Options;
use goalpost::views::Preset;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::failure::Failure;
use super::super::lookup;
use super::super::printer::{Progress, plain, remark};
use super::ExportArgs;
use super::client::{LONGEST, Server, pause};

/// How long is waited between two looks at an export, unless the server wishes otherwise.
const LOOK: Duration = Duration::from_secs(1);
/// How often in a row a download may break off without a byte more.
const TRIES: u32 = 6;

/// Make the export at the server and fetch it to `out`; its manifest.
pub(super) async fn run(args: &ExportArgs, options: &Options, out: &Path) -> Result<Value, Failure> {
    let server = Server::new(args.server.as_deref().unwrap_or_default(), token(args.token_file.as_deref())?)?;
    let organization = match args.organization {
        Some(organization) => organization,
        None => only_organization(&server).await?,
    };
    let exports = format!("api/v1/organizations/{organization}/exports");
    let view = args.view.unwrap_or_else(|| Preset::AllObjectives.guid(organization));
    let mut body = json!(options);
    body["viewId"] = view.to_string().into();
    if let Some(at) = args.as_of {
        body["asOf"] = at.to_string().into();
    }
    if let Some(at) = args.since {
        body["since"] = at.to_string().into();
    }
    let progress = Progress::bar();
    progress.say("asking for the export");
    let id = loop {
        let refusal = match server.json(&Method::POST, &exports, Some(&body)).await? {
            Ok((made, _)) => break id_of(made["id"].as_str())?,
            Err(refusal) => refusal,
        };
        let Some(pending) = refusal.pending() else { return Err(refusal.into()) };
        let pending = id_of(Some(pending))?;
        match server.json(&Method::GET, &format!("{exports}/{pending}"), None).await? {
            Ok(_) => {
                remark("note", "the same export is on its way already: this waits for that one");
                break pending;
            }
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND => {
                progress.say("waiting for the same export of somebody else");
                tokio::time::sleep(LOOK).await;
            }
            Err(refusal) => return Err(refusal.into()),
        }
    };
    let export = format!("{exports}/{id}");
    until_made(&server, &export, &progress).await?;
    let (manifest, _) = server.json(&Method::GET, &format!("{export}/manifest"), None).await??;
    let download = Download::new(out, id, &manifest)?;
    download.fetch(&server, &format!("{export}/content"), &progress).await?;
    Ok(manifest)
}

/// The organization of the token's person, where there is one.
async fn only_organization(server: &Server) -> Result<Uuid, Failure> {
    let (found, _) = server.json(&Method::GET, "api/v1/organizations?$select=id", None).await??;
    let ids = found["value"].as_array().into_iter().flatten().map(|one| id_of(one["id"].as_str()));
    match ids.collect::<Result<Vec<_>, _>>()?[..] {
        [] => Err(Failure::new("the person of the token is in no organization")),
        ref some => lookup::only(some),
    }
}

/// The token of a file, or of the environment; never of the command line, which everybody on the machine may read.
fn token(file: Option<&Path>) -> Result<String, Failure> {
    let text = match file {
        Some(path) => fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?,
        None => std::env::var("GOALPOST_TOKEN").unwrap_or_default(),
    };
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage("an export from a server needs a token")
            .hint("name a file that holds it by `--token-file`, or set GOALPOST_TOKEN"));
    }
    Ok(token.to_owned())
}

fn id_of(text: Option<&str>) -> Result<Uuid, Failure> {
    let id = text.and_then(|text| Uuid::try_parse(text).ok());
    id.ok_or_else(|| Failure::new("the server's answer names nothing by its id"))
}

/// Wait until the file is there.
async fn until_made(server: &Server, export: &str, progress: &Progress) -> Result<(), Failure> {
    loop {
        let (seen, wish) = server.json(&Method::GET, export, None).await??;
        match seen["status"].as_str() {
            Some("succeeded") => return Ok(()),
            Some("failed") => {
                let why = seen["statusDetail"].as_str().map_or_else(String::new, plain);
                return Err(Failure::new(format!("the export failed: {why}")));
            }
            Some("running") => match (seen["rowsDone"].as_u64(), seen["rowsExpected"].as_u64()) {
                (Some(done), Some(all)) => progress.at("making the file", done, all),
                _ => progress.say("making the file"),
            },
            Some("notStarted") => progress.say("waiting for a worker"),
            _ => return Err(Failure::new("the server's answer about the export is not understood")),
        }
        tokio::time::sleep(wish.unwrap_or(LOOK).min(LONGEST)).await;
    }
}

/// A file on its way, beside its place; gone with this unless it was placed.
struct Download<'a> {
    out: &'a Path,
    beside: PathBuf,
    file: File,
    sha256: Sha256,
    done: u64,
    bytes: u64,
    wanted: String,
    /// What the server calls this very file.
    etag: Option<HeaderValue>,
}

impl Drop for Download<'_> {
    fn drop(&mut self) {
        // Once it is placed there is nothing of this name.
        let _ = fs::remove_file(&self.beside);
    }
}

impl<'a> Download<'a> {
    fn new(out: &'a Path, id: Uuid, manifest: &Value) -> Result<Self, Failure> {
        let (Some(bytes), Some(wanted)) = (manifest["bytes"].as_u64(), manifest["sha256"].as_str()) else {
            return Err(Failure::new("the manifest of the export is not understood"));
        };
        let beside = super::beside(out, id);
        let file = File::create_new(&beside).map_err(|error| Failure::file("write", &beside, &error))?;
        Ok(Self {
            out,
            beside,
            file,
            sha256: Sha256::new(),
            done: 0,
            bytes,
            wanted: wanted.to_owned(),
            etag: None,
        })
    }

    async fn fetch(mut self, server: &Server, content: &str, progress: &Progress) -> Result<(), Failure> {
        let (mut tries, mut furthest) = (0, 0);
        while self.done < self.bytes || self.etag.is_none() {
            let answer = server.send(|| {
                let request = server.request(Method::GET, content)?;
                Ok(match self.etag.as_ref().filter(|_| self.done > 0) {
                    Some(etag) => {
                        request.header(RANGE, format!("bytes={}-", self.done)).header(IF_RANGE, etag)
                    }
                    None => request,
                })
            });
            let answer = answer.await??;
            self.begin(&answer)?;
            if self.take(answer, progress).await? {
                break;
            }
            // A server may begin anew each time: only what was never reached before is a step.
            tries = if self.done > furthest { 1 } else { tries + 1 };
            furthest = furthest.max(self.done);
            if tries == TRIES {
                return Err(Failure::new(format!(
                    "the download breaks off after {furthest} of {} bytes, again and again",
                    self.bytes
                ))
                .hint("run this again later; a proxy in between may cut long answers"));
            }
            pause(tries, None).await;
        }
        self.place()
    }

    /// Go on where the answer begins: behind what is there, or at the beginning.
    fn begin(&mut self, answer: &Response) -> Result<(), Failure> {
        let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT
            && range.is_some_and(|range| range.starts_with(&format!("bytes {}-", self.done)));
        if !goes_on {
            let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
            emptied.map_err(|error| Failure::file("write", &self.beside, &error))?;
            (self.sha256, self.done) = (Sha256::new(), 0);
        }
        if answer.status() == StatusCode::PARTIAL_CONTENT && !goes_on {
            return Err(Failure::new("the server sends another part of the file than it was asked for")
                .hint("a proxy in between may change requests: ask the server itself"));
        }
        self.etag = answer.headers().get(ETAG).cloned().or_else(|| Some(HeaderValue::from_static("")));
        Ok(())
    }

    /// Write what comes; whether it came to its end.
    async fn take(&mut self, mut answer: Response, progress: &Progress) -> Result<bool, Failure> {
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    self.done += piece.len() as u64;
                    if self.done > self.bytes {
                        return Err(self.wrong());
                    }
                    self.sha256.update(&piece);
                    let written = self.file.write_all(&piece);
                    written.map_err(|error| Failure::file("write", &self.beside, &error))?;
                    progress.at("fetching the file", self.done, self.bytes);
                }
                Ok(None) => return Ok(self.done == self.bytes),
                Err(_) => return Ok(false),
            }
        }
    }

    fn wrong(&self) -> Failure {
        Failure::new("what was fetched is not what the manifest says: nothing was kept").hint(format!(
            "run this again; if it happens again, something between here and the server changes files ({} bytes wanted)",
            self.bytes
        ))
    }

    fn place(mut self) -> Result<(), Failure> {
        let sha256 = hex(&std::mem::take(&mut self.sha256).finalize());
        if self.done != self.bytes || sha256 != self.wanted {
            return Err(self.wrong());
        }
        let placed = self.file.sync_all().and_then(|()| fs::rename(&self.beside, self.out));
        placed.map_err(|error| Failure::file("write", self.out, &error))
    }
}
