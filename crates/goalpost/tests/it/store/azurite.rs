//! Azure's emulator: whose it is, and a container in it, which `object_store` cannot make.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The account, which its documentation names.
pub(super) const ACCOUNT: &str = "devstoreaccount1";
/// Its key, likewise.
pub(super) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Make a container.
pub(super) async fn make_container(endpoint: &str, name: &str) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let at = jiff::Timestamp::from_second(now as i64).unwrap();
    let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let headers = format!("x-ms-date:{date}\nx-ms-version:2021-08-06\n");
    let resource = format!("/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container");
    let to_sign = format!("PUT\n\n\n\n\n\n\n\n\n\n\n\n{headers}{resource}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).unwrap());
    let signature = STANDARD.encode(hmac::sign(&key, to_sign.as_bytes()));
    let request = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = request.put(format!("{endpoint}/{name}?restype=container"));
    let request = request.header("x-ms-date", date).header("x-ms-version", "2021-08-06");
    let request = request.header("content-length", "0");
    let answer = request.header("authorization", format!("SharedKey {ACCOUNT}:{signature}")).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}
