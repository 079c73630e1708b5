//! A compact JWT taken apart, strictly, before anything in it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::jwk::Algorithm;
use crate::refusal::Refusal;
use crate::strict_json;

/// Longest `kid` in bytes; real ones have 22 to 64.
const MAX_KID_BYTES: usize = 256;

/// The parts of a token whose form is right. Nothing in it is verified: no decision may rest on it but which
/// key to try.
#[derive(Debug)]
pub struct Jwt<'token> {
    /// What the header says, reduced to what may be used.
    pub header: Header,
    /// The claims, without repeated names and at most 16 levels deep.
    pub claims: Map<String, Value>,
    /// The bytes the signature is over: the first two parts with their dot.
    pub signed: &'token str,
    /// The signature, decoded.
    pub signature: Vec<u8>,
}

/// The header of a token: only parameters that select a key. Keys are never taken from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm the token claims to be signed with; must equal the key's.
    pub algorithm: Algorithm,
    /// The name of the issuer's key, 1 to 256 bytes.
    pub kid: String,
}

/// Take a compact JWT apart (RFC 7515 §3.1, RFC 7519) without believing it. Also the entry point for fuzzing.
///
/// The header is an allow-list: `alg` (RS256 or ES256), `typ` (`JWT`, `at+jwt` or `application/at+jwt` in any
/// case; required, so that no other kind of JWT of the same issuer passes, RFC 8725 §3.11), `kid` (required),
/// and the thumbprints `x5t` and `x5t#S256`, which are ignored. Everything else is refused, above all `crit`,
/// `b64`, `zip` and the parameters that bring their own key (`jwk`, `jku`, `x5u`, `x5c`). Cost: linear in the
/// token; bound its length first.
pub fn parse(token: &str) -> Result<Jwt<'_>, Refusal> {
    if token.is_empty() {
        return Err(Refusal::Empty);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::NoDots)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::PartCount)?;
    if claims.contains('.') {
        return Err(Refusal::PartCount);
    }
    let header = parse_header(&json_part(header)?)?;
    Ok(Jwt { header, claims: json_part(claims)?, signed, signature: base64url(signature)? })
}

/// base64url without padding, line breaks or stray bits in the last character (RFC 7515 §2, RFC 4648 §3.5).
fn base64url(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Encoding)
}

fn json_part(text: &str) -> Result<Map<String, Value>, Refusal> {
    strict_json::object(&base64url(text)?).map_err(|_| Refusal::Json)
}

fn parse_header(header: &Map<String, Value>) -> Result<Header, Refusal> {
    for (name, value) in header {
        match name.as_str() {
            "alg" | "typ" | "kid" => {}
            "x5t" | "x5t#S256" if value.is_string() => {}
            "nonce" => return Err(Refusal::GraphToken),
            _ => return Err(Refusal::HeaderParameter),
        }
    }
    let text = |name| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg").and_then(Algorithm::from_name).ok_or(Refusal::Algorithm)?;
    let typ = text("typ").ok_or(Refusal::Type)?;
    if !["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known)) {
        return Err(Refusal::Type);
    }
    let kid = text("kid").filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len())).ok_or(Refusal::KeyId)?;
    Ok(Header { algorithm, kid: kid.into() })
}
