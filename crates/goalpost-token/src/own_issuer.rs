//! Goalpost's own issuer: access tokens for people who sign in without an identity provider, and for the
//! command line.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::issuer::{Issuer, guid};
use crate::jwk::KeySet;
use crate::key_file::{self, KeyFileError, random_guid};

/// The private key, PKCS#8 version 1 or 2 in DER.
const KEY_FILE: &str = "signing-key.pk8";

/// The `tid` of the tokens, a GUID as text.
const TENANT_FILE: &str = "tenant-id";

/// The client (`azp`) of the tokens that Goalpost issues.
const CLIENT: &str = "goalpost";

/// Why the own issuer could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnIssuerError {
    /// A file of the issuer, or its folder, cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The key file holds something else than a P-256 private key in PKCS#8.
    #[error(
        "`{KEY_FILE}` is not a P-256 key in PKCS#8: restore it, or remove it and so end every token it signed"
    )]
    Key,
    /// The tenant file holds something else than a GUID.
    #[error("`{TENANT_FILE}` is not a GUID: restore it, since every sign-in identity is linked under it")]
    Tenant,
}

/// Why a token was not issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Control characters in the scopes.
    #[error("the scopes contain control characters: separate them by single spaces")]
    Scopes,
    /// Longer than the longest lifetime, or nothing.
    #[error("a token may live 1 to {0} seconds: ask for less, or raise `max_lifetime_secs`")]
    Lifetime(u32),
    /// The time or the randomness of the system cannot be used.
    #[error("the token could not be signed: the system gave no randomness or no sensible time")]
    Signing,
}

/// Signs access tokens with an ES256 key that never leaves its folder. Its tokens are checked like anybody
/// else's.
pub struct OwnIssuer {
    iss: String,
    audience: String,
    tenant: Uuid,
    max_lifetime_secs: u32,
    key: EcdsaKeyPair,
    kid: String,
    jwks: Value,
    keys: Arc<KeySet>,
}

impl OwnIssuer {
    /// The issuer whose key and tenant id lie in `folder`; both are made at the first start.
    ///
    /// `iss` is the issuer's name, `audience` becomes `aud`, and no token may live longer than
    /// `max_lifetime_secs` (use the value of [`Settings`](crate::Settings)). The folder is made with mode
    /// 0700 and its files with 0600; files that others can reach are refused. Several processes may start at
    /// once: all end up with the same key.
    pub fn load_or_create(
        folder: &Path,
        iss: &str,
        audience: &str,
        max_lifetime_secs: u32,
    ) -> Result<Self, OwnIssuerError> {
        key_file::prepare_folder(folder)?;
        let pkcs8 = key_file::read_or_create(folder, KEY_FILE, || {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map(|document| document.as_ref().to_vec())
                .map_err(|_| io::Error::other("the system gave no randomness"))
        })?;
        let tenant = key_file::read_or_create(folder, TENANT_FILE, || {
            Ok(format!("{}\n", random_guid()?).into_bytes())
        })?;
        let tenant = std::str::from_utf8(&tenant).ok().and_then(|text| guid(text.trim_end()));
        let tenant = tenant.ok_or(OwnIssuerError::Tenant)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8);
        let key = key.map_err(|_| OwnIssuerError::Key)?;
        let (kid, jwks) = public_keys(&key);
        let keys = KeySet::parse(jwks.to_string().as_bytes(), iss).map_err(|_| OwnIssuerError::Key)?;
        Ok(Self {
            iss: iss.into(),
            audience: audience.into(),
            tenant,
            max_lifetime_secs,
            key,
            kid,
            jwks,
            keys: Arc::new(keys),
        })
    }

    /// An access token (RFC 9068) for the person `oid`, valid from `now_secs` for `ttl_secs`.
    ///
    /// `scopes` becomes `scp` as it stands: scopes separated by spaces. What they allow is decided where they
    /// are used.
    pub fn issue(&self, oid: Uuid, scopes: &str, now_secs: i64, ttl_secs: u32) -> Result<String, IssueError> {
        if scopes.contains(char::is_control) {
            return Err(IssueError::Scopes);
        }
        if !(1..=self.max_lifetime_secs).contains(&ttl_secs) {
            return Err(IssueError::Lifetime(self.max_lifetime_secs));
        }
        let exp = now_secs.checked_add(i64::from(ttl_secs)).ok_or(IssueError::Signing)?;
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.kid });
        let claims = json!({
            "iss": self.iss,
            "aud": self.audience,
            "tid": self.tenant,
            "oid": oid,
            "sub": oid,
            "azp": CLIENT,
            "scp": scopes,
            "ver": "2.0",
            "jti": random_guid().map_err(|_| IssueError::Signing)?,
            "iat": now_secs,
            "nbf": now_secs,
            "exp": exp,
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature =
            self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| IssueError::Signing)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The tenant (`tid`) of its tokens, made together with the folder.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// Its public key as a JSON Web Key Set (RFC 7517), for other services that check its tokens.
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// What is believed of its tokens, in the terms of a foreign issuer's configuration.
    pub(crate) fn as_issuer(&self) -> Issuer {
        Issuer {
            issuer: self.iss.clone(),
            audiences: vec![self.audience.clone()],
            tenants: vec![self.tenant],
            clients: vec![CLIENT.into()],
            ..Issuer::default()
        }
    }

    pub(crate) fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys)
    }
}

impl fmt::Debug for OwnIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnIssuer").field("iss", &self.iss).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The key's name, which is its SHA-256 thumbprint (RFC 7638), and the key set that holds its public half.
fn public_keys(key: &EcdsaKeyPair) -> (String, Value) {
    let point = key.public_key().as_ref();
    // An uncompressed point: the byte 4, then two coordinates of 32 bytes.
    let (x, y) = point[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256" });
    (kid, json!({ "keys": [jwk] }))
}
