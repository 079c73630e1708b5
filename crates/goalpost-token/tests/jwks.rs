//! How a foreign issuer's keys are fetched, kept and given up, against a local provider that counts requests.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aws_lc_rs::signature::EcdsaKeyPair;
use goalpost_token::{Authenticator, ConfigError, Issuer, Refusal, Settings};
use serde_json::{Value, json};
use support::{
    Answer, NOW, Provider, TENANT, claims, ec_jwk, ec_token, encode, issuer, key_set, new_ec, unsigned, with,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A provider with one key, named `a`, already fetched at [`NOW`].
async fn warm() -> (Provider, Authenticator, EcdsaKeyPair) {
    let key = new_ec();
    let provider = Provider::start(Answer::Keys(key_set(&[ec_jwk(&key, "a")]))).await;
    let authenticator = provider.authenticator();
    authenticator.authenticate(&ec_token(&key, "a"), NOW).await.expect("the provider's key is accepted");
    assert_eq!(provider.fetches(), 1);
    (provider, authenticator, key)
}

/// A token that names this key and is otherwise of the right form.
fn naming(kid: &str) -> String {
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid }).to_string();
    format!("{}.{}", unsigned(&header, &claims().to_string()), encode([7; 64]))
}

#[tokio::test]
async fn ten_thousand_random_kids_cause_one_fetch_a_minute() {
    let (provider, authenticator, _) = warm().await;
    for minute in 1..=3 {
        for n in 0..10_000 {
            let answer = authenticator
                .authenticate(&naming(&format!("{minute}-{n}")), NOW + minute * MINUTE + n / 200)
                .await;
            assert_eq!(answer, Err(Refusal::UnknownKey));
        }
        assert_eq!(provider.fetches(), 1 + minute as usize);
    }
}

#[tokio::test]
async fn a_crowd_at_the_start_shares_one_fetch() {
    let key = new_ec();
    let provider = Provider::start(Answer::Keys(key_set(&[ec_jwk(&key, "a")]))).await;
    let authenticator = Arc::new(provider.authenticator());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (authenticator, token) = (Arc::clone(&authenticator), ec_token(&key, "a"));
        crowd.spawn(async move { authenticator.authenticate(&token, NOW).await });
    }
    for answer in crowd.join_all().await {
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test]
async fn keys_outlive_a_provider_that_is_down_for_24_hours_at_most() {
    let (provider, authenticator, key) = warm().await;
    provider.now_answers(Answer::Status(503));
    for later in [10 * MINUTE, 3 * HOUR, 24 * HOUR - 1] {
        let now = NOW + later;
        let token = token_at(&key, "a", now);
        assert!(authenticator.authenticate(&token, now).await.is_ok(), "{later} s later");
        assert_eq!(authenticator.authenticate(&naming("b"), now).await, Err(Refusal::UnknownKey));
    }
    let now = NOW + 24 * HOUR;
    let token = token_at(&key, "a", now);
    assert_eq!(authenticator.authenticate(&token, now).await, Err(Refusal::KeysUnavailable));
    provider.now_answers(Answer::Keys(key_set(&[ec_jwk(&key, "a")])));
    // The last attempt was one second before.
    assert_eq!(authenticator.authenticate(&token, now + 58).await, Err(Refusal::KeysUnavailable));
    assert!(authenticator.authenticate(&token, now + 59).await.is_ok());
}

/// A token that is valid at `now`.
fn token_at(key: &EcdsaKeyPair, kid: &str, now: i64) -> String {
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid }).to_string();
    let claims = with(claims(), &json!({ "iat": now, "nbf": now, "exp": now + HOUR }));
    support::sign_ec(key, &unsigned(&header, &claims.to_string()))
}

#[tokio::test]
async fn a_provider_that_was_never_reached_is_a_refusal_and_tried_once_a_minute() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let unreachable =
        Authenticator::new(vec![issuer(support::V2, &closed)], None, Settings::default()).unwrap();
    assert_eq!(unreachable.authenticate(&naming("a"), NOW).await, Err(Refusal::KeysUnavailable));

    let provider = Provider::start(Answer::Status(500)).await;
    let authenticator = provider.authenticator();
    for second in 0..120 {
        let answer = authenticator.authenticate(&naming("a"), NOW + second).await;
        assert_eq!(answer, Err(Refusal::KeysUnavailable));
    }
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test]
async fn a_provider_that_hangs_costs_five_seconds_and_no_key() {
    let (provider, authenticator, key) = warm().await;
    provider.now_answers(Answer::Never);
    // From here on time jumps to the next timer whenever nothing else can happen.
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let answer = authenticator.authenticate(&naming("b"), NOW + MINUTE).await;
    assert_eq!(answer, Err(Refusal::UnknownKey));
    assert!(before.elapsed() <= Duration::from_secs(6), "{:?}", before.elapsed());
    let later = NOW + 2 * HOUR;
    let before = tokio::time::Instant::now();
    assert!(authenticator.authenticate(&token_at(&key, "a", later), later).await.is_ok());
    assert_eq!(before.elapsed(), Duration::ZERO, "who has a known key never waits for a provider that hangs");
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_cancel_the_fetch() {
    let (provider, authenticator, _) = warm().await;
    let next = new_ec();
    provider.now_answers(Answer::Keys(key_set(&[ec_jwk(&next, "b")])));
    let token = ec_token(&next, "b");
    let mut caller = Box::pin(authenticator.authenticate(&token, NOW + MINUTE));
    let waits = std::future::poll_fn(|context| Poll::Ready(caller.as_mut().poll(context).is_pending())).await;
    assert!(waits, "the caller waits for the fetch");
    drop(caller);
    assert!(authenticator.authenticate(&token, NOW + MINUTE).await.is_ok());
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_within_a_minute_and_the_withdrawn_one_ends_with_it() {
    let (provider, authenticator, old) = warm().await;
    let new = new_ec();
    provider.now_answers(Answer::Keys(key_set(&[ec_jwk(&new, "b")])));
    let (old_token, new_token) = (ec_token(&old, "a"), ec_token(&new, "b"));
    assert_eq!(authenticator.authenticate(&new_token, NOW + 59).await, Err(Refusal::UnknownKey));
    assert!(authenticator.authenticate(&old_token, NOW + 59).await.is_ok());
    assert!(authenticator.authenticate(&new_token, NOW + 60).await.is_ok());
    assert_eq!(authenticator.authenticate(&old_token, NOW + 60).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn a_set_older_than_five_minutes_is_refreshed_behind_the_callers_back() {
    let (provider, authenticator, old) = warm().await;
    let old_token = ec_token(&old, "a");
    assert!(authenticator.authenticate(&old_token, NOW + 299).await.is_ok());
    assert_eq!(provider.fetches(), 1);
    provider.now_answers(Answer::Keys(key_set(&[])));
    assert!(authenticator.authenticate(&old_token, NOW + 300).await.is_ok(), "the old set answers at once");
    // Whoever names an unknown key waits for the fetch that is under way.
    assert_eq!(authenticator.authenticate(&naming("b"), NOW + 300).await, Err(Refusal::UnknownKey));
    assert_eq!(provider.fetches(), 2);
    assert_eq!(authenticator.authenticate(&old_token, NOW + 300).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn a_set_older_than_an_hour_is_refreshed_before_it_is_used() {
    let (provider, authenticator, old) = warm().await;
    provider.now_answers(Answer::Keys(key_set(&[])));
    let answer = authenticator.authenticate(&token_at(&old, "a", NOW + HOUR), NOW + HOUR).await;
    assert_eq!(answer, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn refresh_due_fetches_before_the_first_caller_comes() {
    let key = new_ec();
    let provider = Provider::start(Answer::Keys(key_set(&[ec_jwk(&key, "a")]))).await;
    let authenticator = provider.authenticator();
    authenticator.refresh_due(NOW);
    assert!(authenticator.authenticate(&ec_token(&key, "a"), NOW).await.is_ok());
    authenticator.refresh_due(NOW + 299);
    assert!(authenticator.authenticate(&ec_token(&key, "a"), NOW + 299).await.is_ok());
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test]
async fn a_bad_answer_keeps_the_old_set_and_makes_no_new_one() {
    let elsewhere = Provider::start(Answer::Keys(key_set(&[ec_jwk(&new_ec(), "b")]))).await;
    let good = || ec_jwk(&new_ec(), "b");
    let many: Vec<Value> = (0..51).map(|n| ec_jwk(&support::EC, &format!("k{n}"))).collect();
    let padded = format!("{}{}", key_set(&[good()]), " ".repeat(64 * 1024));
    let private = with(good(), &json!({ "d": encode([7; 32]) }));
    let symmetric = json!({ "kty": "oct", "kid": "c", "k": encode([7; 32]) });
    for (name, bad) in [
        ("oversized", Answer::Keys(padded)),
        ("51 keys", Answer::Keys(key_set(&many))),
        ("two keys of one name", Answer::Keys(key_set(&[good(), good()]))),
        ("a private key", Answer::Keys(key_set(&[private]))),
        ("a symmetric key", Answer::Keys(key_set(&[good(), symmetric]))),
        ("no JSON", Answer::Keys("<html>".into())),
        ("no keys", Answer::Keys("{}".into())),
        ("keys is no array", Answer::Keys(r#"{"keys":{}}"#.into())),
        ("a key is no object", Answer::Keys(r#"{"keys":["b"]}"#.into())),
        ("a repeated name", Answer::Keys(r#"{"keys":[],"keys":[]}"#.into())),
        ("a redirect", Answer::Redirect(format!("{}/keys", elsewhere.origin))),
        ("404", Answer::Status(404)),
        ("204", Answer::Status(204)),
    ] {
        let (provider, authenticator, key) = warm().await;
        provider.now_answers(bad.clone());
        let now = NOW + 2 * HOUR;
        let answer = authenticator.authenticate(&token_at(&key, "a", now), now).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
        assert_eq!(provider.fetches(), 2, "{name}: the set was refreshed first");

        let cold = Provider::start(bad).await;
        let answer = cold.authenticator().authenticate(&naming("b"), NOW).await;
        assert_eq!(answer, Err(Refusal::KeysUnavailable), "{name}");
    }
    assert_eq!(elsewhere.fetches(), 0, "no redirect was followed");
}

#[tokio::test]
async fn fifty_keys_in_64_kib_are_accepted() {
    let key = new_ec();
    let mut keys: Vec<Value> = (0..49).map(|n| ec_jwk(&support::EC, &format!("k{n}"))).collect();
    keys.push(ec_jwk(&key, "a"));
    let body = key_set(&keys);
    let body = format!("{body}{}", " ".repeat(64 * 1024 - body.len()));
    let provider = Provider::start(Answer::Keys(body)).await;
    assert!(provider.authenticator().authenticate(&ec_token(&key, "a"), NOW).await.is_ok());
}

/// An authenticator whose only issuer is found by discovery at `origin`.
fn discovering(origin: &str) -> Authenticator {
    let iss = format!("{origin}/tenant/v2.0");
    let issuer = Issuer { issuer: iss, jwks_url: None, discovery: true, ..issuer("", origin) };
    Authenticator::new(vec![issuer], None, Settings::default()).unwrap()
}

fn discovery(iss: &str, jwks_uri: &str) -> (&'static str, String) {
    let document =
        json!({ "issuer": iss, "jwks_uri": jwks_uri, "token_endpoint": "https://login.example.com/token" });
    ("/tenant/v2.0/.well-known/openid-configuration", document.to_string())
}

#[tokio::test]
async fn discovery_finds_keys_on_the_issuers_own_host_only() {
    let key = new_ec();
    let keys = key_set(&[ec_jwk(&key, "a")]);
    let elsewhere = Provider::start(Answer::Keys(keys.clone())).await;
    let provider = Provider::start(Answer::Status(404)).await;
    let origin = provider.origin.clone();
    let iss = format!("{origin}/tenant/v2.0");
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "a" }).to_string();
    let token =
        support::sign_ec(&key, &unsigned(&header, &with(claims(), &json!({ "iss": iss })).to_string()));

    let own = format!("{origin}/keys");
    provider.now_answers(Answer::Pages(vec![discovery(&iss, &own), ("/keys", keys.clone())]));
    assert!(discovering(&origin).authenticate(&token, NOW).await.is_ok());

    for (name, page) in [
        ("another host", discovery(&iss, &format!("{}/keys", elsewhere.origin))),
        ("another issuer", discovery("https://login.example.org", &own)),
        ("a trailing slash", discovery(&format!("{iss}/"), &own)),
        ("a file", discovery(&iss, "file:///etc/keys")),
    ] {
        provider.now_answers(Answer::Pages(vec![page, ("/keys", keys.clone())]));
        let answer = discovering(&origin).authenticate(&token, NOW).await;
        assert_eq!(answer, Err(Refusal::KeysUnavailable), "{name}");
    }
    assert_eq!(elsewhere.fetches(), 0);
}

#[tokio::test]
async fn http_and_private_addresses_need_insecure() {
    for jwks_url in
        ["http://login.example.com/keys", "https://127.0.0.1/keys", "https://[::1]/keys", "https://0x7f.1/"]
    {
        let entry = Issuer { jwks_url: Some(jwks_url.into()), insecure: false, ..issuer(support::V2, "") };
        let error = Authenticator::new(vec![entry.clone()], None, Settings::default()).unwrap_err();
        assert!(matches!(error, ConfigError::Issuer { .. }), "{error}");
        assert!(error.to_string().contains("insecure = true"), "{error}");
        assert!(
            Authenticator::new(vec![Issuer { insecure: true, ..entry }], None, Settings::default()).is_ok()
        );
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let entry = Issuer {
        jwks_url: Some(format!("https://localhost:{port}/keys")),
        insecure: false,
        ..issuer(support::V2, "")
    };
    let authenticator = Authenticator::new(vec![entry], None, Settings::default()).unwrap();
    assert_eq!(authenticator.authenticate(&naming("a"), NOW).await, Err(Refusal::KeysUnavailable));
    listener.into_std().unwrap().accept().expect_err("nobody connected");
}

#[test]
fn an_issuer_is_configured_once() {
    let entry = issuer(support::V2, "http://127.0.0.1:1");
    assert_eq!(entry.tenants, [TENANT]);
    let error = Authenticator::new(vec![entry.clone(), entry], None, Settings::default()).unwrap_err();
    assert!(matches!(error, ConfigError::Twice(_)), "{error}");
}
