//! Tokens whose form, header or algorithm is not allowed.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goalpost_token::Refusal;
use serde_json::json;

use crate::support::{self, RSA, claims, encode, rsa_header, rsa_jwk, sign_rsa, sign_rsa_as, unsigned, with};
use crate::{Bench, claimed, headed, raw_claim, refused_headers};

#[tokio::test]
async fn algorithms_outside_the_list_are_refused() {
    let mut vectors = Vec::new();
    for (name, alg) in [
        ("alg-none", "none"),
        ("alg-none-title", "None"),
        ("alg-none-upper", "NONE"),
        ("alg-none-mixed", "nOnE"),
    ] {
        let header = with(rsa_header(), &json!({ "alg": alg })).to_string();
        vectors.push((name, format!("{}.", unsigned(&header, &claims().to_string())), Refusal::Algorithm));
    }
    vectors.extend(refused_headers(
        Refusal::Algorithm,
        vec![
            ("alg-missing", json!({ "alg": null })),
            ("alg-empty", json!({ "alg": "" })),
            ("alg-lower-case", json!({ "alg": "rs256" })),
            ("alg-number", json!({ "alg": 256 })),
            ("alg-array", json!({ "alg": ["RS256"] })),
            ("alg-trailing-space", json!({ "alg": "RS256 " })),
        ],
    ));
    for (name, alg, encoding) in [
        ("alg-rs512", "RS512", &RSA_PKCS1_SHA512 as &'static dyn aws_lc_rs::signature::RsaEncoding),
        ("alg-ps256", "PS256", &RSA_PSS_SHA256),
    ] {
        let header = with(rsa_header(), &json!({ "alg": alg })).to_string();
        let token = sign_rsa_as(&unsigned(&header, &claims().to_string()), encoding);
        vectors.push((name, token, Refusal::Algorithm));
    }
    Bench::start().await.refuses(vectors).await;
}

#[tokio::test]
async fn a_public_key_is_never_taken_for_a_shared_secret() {
    let der = support::rsa_public_der();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let modulus = RSA.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let mut vectors = Vec::new();
    for (name, secret) in [
        ("hs256-pem", pem.as_bytes()),
        ("hs256-pem-trimmed", pem.trim_end().as_bytes()),
        ("hs256-der", &der),
        ("hs256-modulus", &modulus),
        ("hs256-blank", b"".as_slice()),
    ] {
        for (alg, expected) in [("HS256", Refusal::Algorithm), ("RS256", Refusal::Signature)] {
            let header = with(rsa_header(), &json!({ "alg": alg })).to_string();
            let signed = unsigned(&header, &claims().to_string());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            vectors.push((name, format!("{signed}.{}", encode(tag)), expected));
        }
    }
    Bench::start().await.refuses(vectors).await;
}

#[tokio::test]
async fn headers_outside_the_allow_list_are_refused() {
    let mut vectors = refused_headers(
        Refusal::HeaderParameter,
        vec![
            ("crit-unknown", json!({ "crit": ["exp2"], "exp2": 1 })),
            ("crit-empty", json!({ "crit": [] })),
            ("crit-b64", json!({ "crit": ["b64"], "b64": false })),
            ("b64-true", json!({ "b64": true })),
            ("zip-def", json!({ "zip": "DEF" })),
            ("header-jwk", json!({ "jwk": rsa_jwk("rsa") })),
            ("header-jku", json!({ "jku": "https://keys.example.org/keys" })),
            ("header-x5u", json!({ "x5u": "https://keys.example.org/cert" })),
            ("header-x5c", json!({ "x5c": ["MIIB"] })),
            ("header-cty", json!({ "cty": "JWT" })),
            ("header-enc", json!({ "enc": "A256GCM" })),
            ("header-unknown", json!({ "role": "admin" })),
            ("header-x5t-number", json!({ "x5t": 1 })),
        ],
    );
    vectors.extend(refused_headers(
        Refusal::Type,
        vec![
            ("typ-missing", json!({ "typ": null })),
            ("typ-logout", json!({ "typ": "logout+jwt" })),
            ("typ-secevent", json!({ "typ": "secevent+jwt" })),
            ("typ-dpop", json!({ "typ": "dpop+jwt" })),
            ("typ-pop", json!({ "typ": "pop" })),
            ("typ-number", json!({ "typ": 1 })),
            ("typ-prefix", json!({ "typ": "JWTX" })),
        ],
    ));
    vectors.push(("graph-nonce", headed(&json!({ "nonce": "bm9uY2U" })), Refusal::GraphToken));
    Bench::start().await.refuses(vectors).await;
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let good = claimed(&json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let header_text = rsa_header().to_string();
    let claims_text = claims().to_string();
    let nested = format!("{{\"x\":{}1{},{}", "[".repeat(16), "]".repeat(16), &claims_text[1..]);
    let doubled_header = format!("{{\"alg\":\"RS256\",{}", &header_text[1..]);
    // The last character of 256 bytes carries two bits of data and four that must be zero: A, Q, g or w.
    let stray_bits = format!("{header}.{payload}.{}B", &signature[..signature.len() - 1]);
    let vectors = vec![
        ("empty", String::new(), Refusal::Empty),
        ("no-dots", "opaque-secret".into(), Refusal::NoDots),
        ("parts-2", format!("{header}.{payload}"), Refusal::PartCount),
        ("parts-4", format!("{good}."), Refusal::PartCount),
        ("parts-5", format!("{good}.a.b"), Refusal::PartCount),
        ("signature-empty", format!("{header}.{payload}."), Refusal::Signature),
        ("signature-of-other-bytes", format!("{header}.{payload}.{}", encode([7; 256])), Refusal::Signature),
        (
            "signature-cut",
            format!("{header}.{payload}.{}", &signature[..signature.len() - 2]),
            Refusal::Signature,
        ),
        ("base64-stray-bits", stray_bits, Refusal::Encoding),
        ("base64-padding", format!("{good}=="), Refusal::Encoding),
        ("base64-standard-alphabet", format!("{header}.{payload}.+/{signature}"), Refusal::Encoding),
        ("base64-space", format!("{header}.{payload}. {signature}"), Refusal::Encoding),
        ("base64-line-break", format!("{header}.{payload}\n.{signature}"), Refusal::Encoding),
        ("base64-not-ascii", format!("{header}.{payload}.é{signature}"), Refusal::Encoding),
        ("too-long", raw_claim(&format!("\"x\":\"{}\"", "x".repeat(16_384))), Refusal::TooLong),
        ("dup-claim", raw_claim("\"oid\":\"0a7e5d1e-0000-4000-8000-00000000000b\""), Refusal::Json),
        (
            "dup-claim-escaped",
            raw_claim("\"\\u006fid\":\"0a7e5d1e-0000-4000-8000-00000000000b\""),
            Refusal::Json,
        ),
        ("dup-claim-nested", raw_claim("\"x\":{\"a\":1,\"a\":2}"), Refusal::Json),
        ("dup-header", sign_rsa(&unsigned(&doubled_header, &claims_text)), Refusal::Json),
        ("deep-nesting", sign_rsa(&unsigned(&header_text, &nested)), Refusal::Json),
        ("header-array", sign_rsa(&unsigned("[]", &claims_text)), Refusal::Json),
        ("header-empty", sign_rsa(&format!(".{payload}")), Refusal::Json),
        ("claims-array", sign_rsa(&unsigned(&header_text, "[]")), Refusal::Json),
        ("claims-trailing", sign_rsa(&unsigned(&header_text, &format!("{claims_text}{{}}"))), Refusal::Json),
        ("claims-bom", sign_rsa(&unsigned(&header_text, &format!("\u{feff}{claims_text}"))), Refusal::Json),
        ("exp-nan", raw_claim("\"x\":NaN"), Refusal::Json),
        ("exp-1e400", raw_claim("\"x\":1e400"), Refusal::Json),
    ];
    Bench::start().await.refuses(vectors).await;
}
