//! One export over HTTP, as any client of Microsoft Graph would run it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use goalpost::demo::{ORGANIZATION, VIEW};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::failure::Failure;

const SHOWN_LINES: usize = 4;
const SHOWN_SIGNS: usize = 110;

/// A finished export.
#[derive(Debug)]
pub(super) struct Exported {
    /// The job's id.
    pub(super) job: String,
    /// The size of its file.
    pub(super) bytes: u64,
    /// How the file begins, cut to a width that a terminal shows.
    pub(super) first_lines: Vec<String>,
}

/// Export the demo's view from the server that listens there into `file`; `say` hears what is being done.
pub(super) async fn run(
    listen: SocketAddr,
    token: &str,
    file: &Path,
    say: impl Fn(&str),
) -> Result<Exported, Failure> {
    let jobs = format!("http://{}/beta/employeeExperience/goals/exportJobs", reachable(listen));
    // The server is this very process: a proxy of the environment has no business in between.
    let client = Client::builder().no_proxy().build()?;
    let body = json!({ "goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW });
    say("asking for an export");
    let answer = client.post(&jobs).bearer_auth(token).json(&body).send().await?;
    let job = job_id(answer).await?;
    let url = format!("{jobs}/{job}");
    loop {
        let answer = client.get(&url).bearer_auth(token).send().await?;
        let wait = retry_after(&answer);
        let state: Value = accept(answer).await?.json().await?;
        match state["status"].as_str() {
            Some("succeeded") => break,
            Some(pending @ ("notStarted" | "running")) => say(&format!("the export is {pending}")),
            _ => return Err(Failure::new(format!("the export failed: {state}"))),
        }
        tokio::time::sleep(wait).await;
    }
    say("fetching the file");
    let mut content = accept(client.get(format!("{url}/content")).bearer_auth(token).send().await?).await?;
    let failed = |error| Failure::file("write", file, &error);
    let mut out = File::create(file).map_err(failed)?;
    let mut bytes = 0;
    while let Some(chunk) = content.chunk().await? {
        out.write_all(&chunk).map_err(failed)?;
        bytes += chunk.len() as u64;
    }
    Ok(Exported { job, bytes, first_lines: first_lines(file)? })
}

/// The new job's id, or that of the one that is already on its way for the same view.
async fn job_id(answer: Response) -> Result<String, Failure> {
    let is_pending = answer.status() == StatusCode::CONFLICT;
    let answer = if is_pending { answer } else { accept(answer).await? };
    let body: Value = answer.json().await?;
    let id = if is_pending { &body["error"]["target"] } else { &body["id"] };
    id.as_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("the server named no export job: {body}")))
}

/// The answer if it is a good one; else what the server said about it.
async fn accept(answer: Response) -> Result<Response, Failure> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    Err(Failure::new(format!("the server answered {status}: {}", answer.text().await?)))
}

fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

/// The address of a server that listens there, from the same machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn first_lines(file: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::file("read", file, &error);
    let lines = BufReader::new(File::open(file).map_err(failed)?).lines().take(SHOWN_LINES);
    lines.map(|line| line.map(|line| cut(&line)).map_err(failed)).collect()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(SHOWN_SIGNS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_reached_on_this_machine() {
        let reached = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("[::]:8080"), "[::1]:8080");
        assert_eq!(reached("127.0.0.2:1"), "127.0.0.2:1");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(cut(&"ü".repeat(200)).chars().count(), SHOWN_SIGNS + 1);
        assert_eq!(cut("short"), "short");
    }
}
