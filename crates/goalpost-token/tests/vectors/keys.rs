//! Tokens signed with a key, or naming one, that may not sign for this issuer.

use base64::Engine as _;
use goalpost_token::Refusal;
use serde_json::{Value, json};

use crate::support::{EC, claims, sign_ec, unsigned};
use crate::{Bench, headed, refused_headers};

#[tokio::test]
async fn keys_that_do_not_fit_are_refused() {
    let weak: Value = serde_json::from_str(include_str!("../data/rsa_1024.json")).unwrap();
    let weak_token = weak["token"].as_str().unwrap().to_owned();
    assert_correctly_signed(&weak_token, &weak["jwk"]);
    let es256 = |kid: &str| json!({ "alg": "ES256", "typ": "JWT", "kid": kid }).to_string();
    let mut vectors = refused_headers(
        Refusal::UnknownKey,
        vec![
            ("key-use-enc", json!({ "kid": "rsa-enc" })),
            ("key-ops-without-verify", json!({ "kid": "rsa-wrap" })),
            ("key-alg-rs512", json!({ "kid": "rsa-rs512" })),
            ("key-of-other-issuer", json!({ "kid": "rsa-consumer" })),
            ("key-exponent-1", json!({ "kid": "rsa-e1" })),
            ("key-ed25519", json!({ "kid": "ed" })),
            ("kid-path", json!({ "kid": "../../../../dev/null" })),
            ("kid-sql", json!({ "kid": "x' union select 'key' --" })),
            ("kid-nul", json!({ "kid": "rsa\u{0}" })),
            ("kid-crlf", json!({ "kid": "rsa\r\nx: y" })),
            ("kid-unknown", json!({ "kid": "rsa2" })),
            ("kid-case", json!({ "kid": "RSA" })),
        ],
    );
    vectors.extend(refused_headers(
        Refusal::KeyId,
        vec![
            ("kid-absent", json!({ "kid": null })),
            ("kid-empty", json!({ "kid": "" })),
            ("kid-number", json!({ "kid": 7 })),
            ("kid-object", json!({ "kid": { "a": 1 } })),
            ("kid-257-bytes", json!({ "kid": "k".repeat(257) })),
        ],
    ));
    vectors.extend([
        ("kid-64-kib", headed(&json!({ "kid": "k".repeat(65_536) })), Refusal::TooLong),
        ("key-1024", weak_token, Refusal::UnknownKey),
        ("key-p384", sign_ec(&EC, &unsigned(&es256("ec-p384"), &claims().to_string())), Refusal::UnknownKey),
        (
            "key-off-curve",
            sign_ec(&EC, &unsigned(&es256("ec-off-curve"), &claims().to_string())),
            Refusal::UnknownKey,
        ),
        (
            "alg-es256-key-rsa",
            sign_ec(&EC, &unsigned(&es256("rsa"), &claims().to_string())),
            Refusal::KeyAlgorithm,
        ),
        ("alg-rs256-key-ec", headed(&json!({ "kid": "ec" })), Refusal::KeyAlgorithm),
    ]);
    Bench::start().await.refuses(vectors).await;
}

/// Else the vector with the short key would be refused for its signature.
fn assert_correctly_signed(token: &str, jwk: &Value) {
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let components = aws_lc_rs::signature::RsaPublicKeyComponents {
        n: part(jwk["n"].as_str().unwrap()),
        e: part(jwk["e"].as_str().unwrap()),
    };
    let lax = &aws_lc_rs::signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
    components.verify(lax, signed.as_bytes(), &part(signature)).expect("the fixture is correctly signed");
}
