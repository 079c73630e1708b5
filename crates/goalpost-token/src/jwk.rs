//! Public keys of an issuer: a JSON Web Key Set (RFC 7517) reduced to the keys that may verify an access
//! token.

use std::collections::{HashMap, HashSet};
use std::fmt;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::strict_json;

/// More keys than this are not a key set of any provider in use.
const MAX_KEYS: usize = 50;

/// The names of private or secret key parts (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const SECRET_PARTS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A signature algorithm we accept (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256; keys of 2,048 to 8,192 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of this `alg` value, which is case-sensitive.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// A public key, for one algorithm only.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    public: ParsedPublicKey,
}

impl Key {
    /// Whether `signature` over `signed` was made with this key.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(signed, signature).is_ok()
    }
}

/// The usable keys of one issuer by `kid`. May be empty: a provider that withdraws all its keys is believed.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: HashMap<String, Key>,
}

/// Why a key set is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the key set is not strict JSON with an array `keys` of objects")]
    Json,
    #[error("the key set has {0} keys; the limit is {MAX_KEYS}")]
    TooManyKeys(usize),
    #[error("the key set has two keys with the same `kid`")]
    DuplicateKid,
    #[error("the key set shows private or symmetric keys: whoever can read it can sign")]
    SecretKey,
}

impl KeySet {
    /// Read a key set of at most 50 keys for the issuer `iss`.
    ///
    /// Keys that do not fit (other kinds, sizes, uses, algorithms, or another issuer's) are left out; a set
    /// that is ambiguous or shows secrets is refused.
    pub(crate) fn parse(json: &[u8], iss: &str) -> Result<Self, KeySetError> {
        let document = strict_json::object(json).map_err(|_| KeySetError::Json)?;
        let listed = document.get("keys").and_then(Value::as_array).ok_or(KeySetError::Json)?;
        if listed.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys(listed.len()));
        }
        let mut seen = HashSet::new();
        let mut keys = HashMap::new();
        for jwk in listed {
            let jwk = jwk.as_object().ok_or(KeySetError::Json)?;
            if SECRET_PARTS.iter().any(|part| jwk.contains_key(*part)) {
                return Err(KeySetError::SecretKey);
            }
            let Some(kid) = jwk.get("kid").and_then(Value::as_str) else { continue };
            if !seen.insert(kid) {
                return Err(KeySetError::DuplicateKid);
            }
            if let Some(key) = usable(jwk, iss) {
                keys.insert(kid.to_owned(), key);
            }
        }
        Ok(Self { keys })
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

/// The key, if it is one for signatures, of an accepted kind and size, and meant for this issuer.
fn usable(jwk: &Map<String, Value>, iss: &str) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let key = match text("kty")? {
        "RSA" => rsa(text("n")?, text("e")?)?,
        "EC" if text("crv")? == "P-256" => p256(text("x")?, text("y")?)?,
        _ => return None,
    };
    let for_signatures = jwk.get("use").is_none_or(|r#use| r#use == "sig");
    let may_verify = jwk
        .get("key_ops")
        .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
    let same_algorithm = jwk.get("alg").is_none_or(|alg| alg == key.algorithm.name());
    let same_issuer =
        jwk.get("issuer").is_none_or(|issuer| issuer.as_str().is_some_and(|of| is_for(of, iss)));
    (for_signatures && may_verify && same_algorithm && same_issuer).then_some(key)
}

/// Whether a key that names its issuer is one of `iss`. Entra's shared key sets do, with `{tenantid}` for the
/// keys of all tenants and the personal accounts' tenant for theirs: without this check those could sign for
/// a company (Entra claims validation, "Validate the signing key issuer").
fn is_for(key_issuer: &str, iss: &str) -> bool {
    match key_issuer.split_once("{tenantid}") {
        None => key_issuer == iss,
        Some((before, after)) => iss
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/')),
    }
}

/// RSA with a modulus of 2,048 to 8,192 bits and an odd exponent between 2^16 and 2^33 (FIPS 186-5 §5.4).
fn rsa(n: &str, e: &str) -> Option<Key> {
    let (n, e) = (unsigned(n)?, unsigned(e)?);
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    if !(2048..=8192).contains(&bits) || e.len() > 5 {
        return None;
    }
    let exponent = e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if !(1 << 16..1 << 33).contains(&exponent) || exponent % 2 == 0 {
        return None;
    }
    let public = PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
    Some(Key { algorithm: Algorithm::Rs256, public })
}

/// A point of P-256; one that is not on the curve is no key.
fn p256(x: &str, y: &str) -> Option<Key> {
    let (x, y) = (URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?);
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    let uncompressed = [&[4], x.as_slice(), &y].concat();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed).ok()?;
    Some(Key { algorithm: Algorithm::Es256, public })
}

/// A big-endian number in base64url, without the leading zero bytes that some providers write.
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::is_for;

    #[test]
    fn a_key_of_the_personal_accounts_is_not_one_of_a_company() {
        let company = "https://login.example.com/1f0c5d1e-0000-4000-8000-000000000001/v2.0";
        assert!(is_for("https://login.example.com/{tenantid}/v2.0", company));
        assert!(is_for(company, company));
        assert!(!is_for("https://login.example.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", company));
        assert!(!is_for("https://login.example.net/{tenantid}/v2.0", company));
        assert!(!is_for("https://login.example.com/{tenantid}/v2.0", "https://login.example.com/a/b/v2.0"));
    }
}
