//! Bearer tokens: checked, and issued by Goalpost's own issuer.
//!
//! ```text
//! token ─ jwt: three parts, strict base64 and JSON, header allow-list
//!       ─ authenticator: the issuer that `iss` names, and nobody else
//!       ─ jwks: that issuer's key of this `kid`; a remote set is cached and fetched with care
//!       ─ jwk: the signature, by the one algorithm the key is for
//!       ─ claims: token kind, time, audience, tenant, object, client   ──▶ Claims or Refusal
//! ```
//! Read in this order: `jwt`, `authenticator`, `jwk`, `jwks`, `claims`, `own_issuer`.
//!
//! Nothing here knows a database, a person or a web framework, and nothing reads a clock: the caller passes
//! the time, in seconds since 1970-01-01 UTC. A token of Goalpost's own issuer takes the very same path as
//! any other.
//!
//! Signatures are verified with `aws-lc-rs` directly. A JWT library would parse the token a second time, by
//! laxer rules than ours, and two parsers that disagree are how forged tokens pass (OWASP ASVS 5.0, 1.5.3).

mod address;
mod authenticator;
mod claims;
mod fetch;
mod issuer;
mod jwk;
mod jwks;
mod jwt;
mod key_file;
mod own_issuer;
mod refusal;
mod strict_json;

pub use authenticator::{Authenticator, ConfigError, Settings};
pub use claims::Claims;
pub use fetch::UrlProblem;
pub use issuer::{Issuer, Problem};
pub use jwk::Algorithm;
pub use jwt::{Header, Jwt, parse};
pub use key_file::KeyFileError;
pub use own_issuer::{IssueError, OwnIssuer, OwnIssuerError};
pub use refusal::Refusal;
