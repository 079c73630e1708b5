//! A server as `goalpost export --server` talks to it: what is asked again, and what a refusal means.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::super::failure::Failure;
use super::super::printer::{plain, remark};

/// How often in a row a request is tried that may do better the next time.
const TRIES: u32 = 6;
/// The longest that is waited between two tries, whatever the server wishes.
pub(super) const LONGEST: Duration = Duration::from_mins(2);
/// Bytes of an answer that are read to learn what is wrong, or what became of an export.
const MOST_BYTES: usize = 1 << 20;
/// A server that says nothing for so long is asked again.
const SILENCE: Duration = Duration::from_mins(1);

/// A server, and the token that it is asked with.
pub(super) struct Server {
    client: Client,
    base: Url,
    token: String,
}

/// What a server said that is no success.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    body: Value,
}

impl Server {
    pub(super) fn new(base: &str, token: String) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(format!("`{}` is no address of a server: {why}", plain(base)))
                .hint("write it as https://goals.example.com")
        };
        let mut base: Url = base.parse().map_err(|_| wrong("it is no URL"))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong("it begins with neither https:// nor http://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("it holds a user name or a password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("it ends with more than a path"));
        }
        if base.scheme() == "http" && !is_this_machine(&base) {
            remark(
                "warning",
                "the token and the goals go over the network for everybody to read: use https://",
            );
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = Client::builder()
            // A token is for one server, wherever that would like to lead it.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            .user_agent(concat!("goalpost/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, base, token })
    }

    /// A request for what lies there, with the token.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|error| Failure::new(error.to_string()))?;
        Ok(self.client.request(method, url).bearer_auth(&self.token))
    }

    /// Send until there is an answer that another try would not better.
    pub(super) async fn send(
        &self,
        request: impl Fn() -> Result<RequestBuilder, Failure>,
    ) -> Result<Result<Response, Refusal>, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let wait = match request()?.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(Ok(answer)),
                Ok(answer) => {
                    let wait = retry_after(&answer);
                    let refusal = Refusal::of(answer).await;
                    if tries == TRIES || !refusal.may_pass() {
                        return Ok(Err(refusal));
                    }
                    wait
                }
                Err(error) if tries == TRIES || error.is_builder() => {
                    return Err(unreachable(&error, &self.base));
                }
                Err(_) => None,
            };
            pause(tries, wait).await;
        }
    }

    /// The same for an answer in JSON, with how long the server wishes that is waited before it is asked again.
    pub(super) async fn json(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Result<(Value, Option<Duration>), Refusal>, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let sent = self.send(|| {
                let request = self.request(method.clone(), path)?;
                Ok(match body {
                    Some(body) => request.json(body),
                    None => request,
                })
            });
            let answer = match sent.await? {
                Ok(answer) => answer,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let wait = retry_after(&answer);
            match read(answer).await {
                Some(json) => return Ok(Ok((json, wait))),
                None if tries == TRIES => {
                    return Err(Failure::new(format!("the answer of `{}` is no JSON", self.base))
                        .hint("check that `--server` names a Goalpost server, and no page in front of it"));
                }
                None => pause(tries, None).await,
            }
        }
    }
}

/// Wait as long as the server wishes, or longer each time.
pub(super) async fn pause(tries: u32, wish: Option<Duration>) {
    let own = Duration::from_millis(100) * 2_u32.pow(tries.min(8));
    tokio::time::sleep(wish.unwrap_or(own).min(LONGEST)).await;
}

/// How long the server wishes that is waited.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || literal.is_ok_and(|ip| ip.is_loopback())
}

/// A short answer; `None` if it breaks off, is too long or no JSON.
async fn read(mut answer: Response) -> Option<Value> {
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.ok()? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST_BYTES {
            return None;
        }
    }
    serde_json::from_slice(&bytes).ok()
}

fn unreachable(error: &reqwest::Error, base: &Url) -> Failure {
    let mut message = format!("`{base}` cannot be reached");
    let mut cause = error.source();
    while let Some(present) = cause {
        let told = present.to_string();
        if !message.contains(&told) {
            message = format!("{message}: {told}");
        }
        cause = present.source();
    }
    Failure::new(message).hint(
        "check the address, the network and, for https://, that this machine trusts the server's certificate; \
         SSL_CERT_FILE names certificates of your own",
    )
}

impl Refusal {
    async fn of(answer: Response) -> Self {
        let status = answer.status();
        Self { status, body: read(answer).await.unwrap_or_default() }
    }

    /// Whether the same may be answered otherwise after a while.
    fn may_pass(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
            || self.status == StatusCode::REQUEST_TIMEOUT
            || self.status.is_server_error()
    }

    /// The export that is pending already, if that is what it says.
    pub(super) fn pending(&self) -> Option<&str> {
        let error = &self.body["error"];
        // As in the answer that Graph documents: no other error spells it so.
        let is_pending =
            self.status == StatusCode::CONFLICT && error["innererror"]["code"] == "exportJobAlreadyExists";
        error["target"].as_str().filter(|_| is_pending)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.status;
        let said = refusal.body["error"]["message"].as_str().map(plain);
        let said = said.map_or_else(|| "and says no more".to_owned(), |said| format!("and says: {said}"));
        let failure = Self::new(format!("the server answers {status} {said}"));
        match status {
            StatusCode::UNAUTHORIZED => failure.hint(
                "the token is missing, expired or not for this server: get a new one from your identity provider, or on \
                 the server by `goalpost token --user E-MAIL`",
            ),
            StatusCode::FORBIDDEN => failure.hint(
                "the token needs the scope Goals-Export.ReadWrite.All, and the person the right to export: on the server, \
                 `goalpost org set --export-policy` says who has it",
            ),
            StatusCode::NOT_FOUND => failure
                .hint("check `--organization`, and that the token's person is a member; an export may also have expired"),
            StatusCode::TOO_MANY_REQUESTS => failure.hint("run this again later"),
            status if status.is_redirection() => {
                failure.hint("name the server's own address: a token is not sent on to another one")
            }
            status if status.is_server_error() => {
                failure.hint("the server, or a proxy before it, is in trouble: run this again later")
            }
            _ => failure,
        }
    }
}
