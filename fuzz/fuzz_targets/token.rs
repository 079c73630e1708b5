//! Bearer tokens before anything in them is believed: what is taken apart is put together again to the same text.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_token::parse;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    check(text);
    // Few inputs find their way through base64 by themselves: the same text as header, then as claims.
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": text}).to_string();
    let [kid_is_text, header, text] = [header.as_str(), r#"{"alg":"ES256","typ":"JWT","kid":"k"}"#, text]
        .map(|part| URL_SAFE_NO_PAD.encode(part));
    check(&format!("{kid_is_text}.e30.AA"));
    check(&format!("{text}.e30.AA"));
    check(&format!("{header}.{text}.AA"));
});

fn check(token: &str) {
    let Ok(jwt) = parse(token) else { return };
    assert_eq!(format!("{}.{}", jwt.signed, URL_SAFE_NO_PAD.encode(&jwt.signature)), token);
    assert!((1..=256).contains(&jwt.header.kid.len()));
    assert_eq!(jwt.signed.matches('.').count(), 1);
}
