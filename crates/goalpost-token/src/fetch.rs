//! Fetching an issuer's documents from the one place the configuration names, and from nowhere else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address;

/// Largest document read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How long one request may take, from the first packet to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why a URL may not be fetched from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlProblem {
    /// Not an absolute URL.
    #[error("is not an absolute URL")]
    Syntax,
    /// Neither `https` nor, for an issuer marked as insecure, `http`.
    #[error("must begin with https:// (http:// needs `insecure = true`)")]
    Scheme,
    /// A user name, a password or a fragment, which have no place in it.
    #[error("must have neither user name, password nor fragment")]
    Extras,
    /// An IP address that is not public.
    #[error("leads to an address that is not public (allowed with `insecure = true`)")]
    PrivateAddress,
}

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the URL {0}")]
    Url(#[from] UrlProblem),
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer has status {0}, not 200 (redirects are not followed)")]
    Status(u16),
    #[error("the answer is longer than {MAX_BYTES} bytes")]
    TooLong,
}

/// Parse a URL that may be fetched from: HTTPS and, where it names an IP address, a public one.
pub(crate) fn check_url(text: &str, insecure: bool) -> Result<Url, UrlProblem> {
    let url = Url::parse(text).map_err(|_| UrlProblem::Syntax)?;
    if url.scheme() != "https" && !(insecure && url.scheme() == "http") {
        return Err(UrlProblem::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(UrlProblem::Extras);
    }
    // The parser has already turned every spelling of an address (0x7f.1, 2130706433) into the usual one.
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if !insecure && literal.is_ok_and(|ip| !address::is_public(ip)) {
        return Err(UrlProblem::PrivateAddress);
    }
    Ok(url)
}

/// An HTTP client for one issuer: no proxy, no redirects, no waiting beyond five seconds.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: reqwest::Client,
    insecure: bool,
}

impl Fetcher {
    /// Errors when the platform's trusted certificates cannot be loaded.
    pub(crate) fn new(insecure: bool) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!insecure)
            .timeout(TIMEOUT)
            .user_agent("goalpost");
        let builder = if insecure { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
        Ok(Self { client: builder.build()?, insecure })
    }

    /// The body of a 200 answer, at most 64 KiB.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let url = check_url(url, self.insecure)?;
        let mut answer = self.client.get(url).header("accept", "application/json").send().await?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Resolves names to their public addresses only. The client connects to what this returns, so there is no
/// second look-up that could answer differently (DNS rebinding).
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| address::is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(UrlProblem::PrivateAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fetcher, UrlProblem, check_url};

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f000001",
            "0",
            "10.0.0.5",
            "169.254.169.254",
            "0xa9fea9fe",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[fd00::1]",
            "[0:0:0:0:0:0:0:1]",
        ] {
            assert_eq!(
                check_url(&format!("https://{host}/keys"), false),
                Err(UrlProblem::PrivateAddress),
                "{host}"
            );
        }
    }

    #[test]
    fn schemes_and_extras_are_refused_by_name() {
        assert_eq!(check_url("http://login.example.com/keys", false), Err(UrlProblem::Scheme));
        assert_eq!(check_url("file:///etc/passwd", true), Err(UrlProblem::Scheme));
        assert_eq!(check_url("https://login.example.com@198.18.0.1/keys", true), Err(UrlProblem::Extras));
        assert_eq!(check_url("https://login.example.com/keys#a", false), Err(UrlProblem::Extras));
        assert_eq!(check_url("/keys", false), Err(UrlProblem::Syntax));
        assert!(check_url("http://127.0.0.1:8080/keys", true).is_ok());
        assert!(check_url("https://login.example.com/keys", false).is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_name_that_resolves_to_a_private_address_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Fetcher::new(false).unwrap().get(&format!("https://localhost:{port}/keys")).await;
        assert!(answer.is_err());
        listener.into_std().unwrap().accept().expect_err("nobody connected");
    }
}
