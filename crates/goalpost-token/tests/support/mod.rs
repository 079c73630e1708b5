//! Keys, tokens and a provider for the tests. The keys are made at run time and known to nobody else.

#![expect(dead_code, reason = "each test binary uses a part of this")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair,
};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost_token::{Authenticator, Issuer, Settings};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The tests' present: 2026-09-21T14:13:20Z.
pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const TENANT: Uuid = Uuid::from_u128(0x1f0c5d1e_0000_4000_8000_000000000001);
pub(crate) const OTHER_TENANT: Uuid = Uuid::from_u128(0x1f0c5d1e_0000_4000_8000_000000000002);
pub(crate) const PERSON: Uuid = Uuid::from_u128(0x0a7e5d1e_0000_4000_8000_00000000000a);
pub(crate) const AUDIENCE: &str = "api://goalpost";
/// Shaped like Entra's v2 tokens: the issuer's URL names the tenant.
pub(crate) const V2: &str = "https://login.example.com/1f0c5d1e-0000-4000-8000-000000000001/v2.0";
/// Shaped like Entra's v1 tokens.
pub(crate) const V1: &str = "https://sts.example.com/1f0c5d1e-0000-4000-8000-000000000001/";
/// A provider whose URL says nothing about tenants; strict about clients, open to guests.
pub(crate) const PLAIN: &str = "https://id.example.net";

pub(crate) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
pub(crate) static EC: LazyLock<EcdsaKeyPair> = LazyLock::new(new_ec);

pub(crate) fn new_ec() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header and claims as they are, not even valid JSON if the test wants so, with their dot.
pub(crate) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", encode(header), encode(claims))
}

pub(crate) fn sign_rsa_as(signed: &str, encoding: &'static dyn RsaEncoding) -> String {
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", encode(signature))
}

pub(crate) fn sign_rsa(signed: &str) -> String {
    sign_rsa_as(signed, &RSA_PKCS1_SHA256)
}

pub(crate) fn sign_ec(key: &EcdsaKeyPair, signed: &str) -> String {
    format!("{signed}.{}", encode(key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap()))
}

pub(crate) fn rsa_header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa" })
}

/// An ES256 token of [`V2`] that should pass, signed by `key` under the name `kid`.
pub(crate) fn ec_token(key: &EcdsaKeyPair, kid: &str) -> String {
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
    sign_ec(key, &unsigned(&header.to_string(), &claims().to_string()))
}

/// Claims of an access token that should pass.
pub(crate) fn claims() -> Value {
    json!({
        "iss": V2, "aud": AUDIENCE, "tid": TENANT, "oid": PERSON, "sub": "pairwise-subject",
        "azp": "client-1", "scp": "Goals-Export.Read.All Goals-Export.ReadWrite.All", "ver": "2.0",
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3600,
    })
}

/// `base` with these members set, or removed where the value is null.
pub(crate) fn with(mut base: Value, changes: &Value) -> Value {
    let object: &mut Map<String, Value> = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    base
}

pub(crate) fn rsa_jwk(kid: &str) -> Value {
    let public = RSA.public_key();
    let n = encode(public.modulus().big_endian_without_leading_zero());
    let e = encode(public.exponent().big_endian_without_leading_zero());
    json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": e })
}

pub(crate) fn rsa_public_der() -> Vec<u8> {
    RSA.public_key().as_der().unwrap().as_ref().to_vec()
}

pub(crate) fn ec_jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": encode(x), "y": encode(y) })
}

pub(crate) fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// What a provider answers with.
#[derive(Clone)]
pub(crate) enum Answer {
    /// This body, whatever the path.
    Keys(String),
    /// A body by path; everything else is 404.
    Pages(Vec<(&'static str, String)>),
    Status(u16),
    Redirect(String),
    Never,
}

/// A local identity provider that counts requests and answers as told.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) fetches: Arc<AtomicUsize>,
    answer: Arc<Mutex<Answer>>,
    pub(crate) origin: String,
}

impl Provider {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            fetches: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
            origin: format!("http://{}", listener.local_addr().unwrap()),
        };
        let router = Router::new().fallback(respond).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn now_answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn issuer(&self) -> Issuer {
        issuer(V2, &self.origin)
    }

    pub(crate) fn authenticator(&self) -> Authenticator {
        Authenticator::new(vec![self.issuer()], None, Settings::default()).unwrap()
    }
}

async fn respond(State(provider): State<Provider>, uri: axum::http::Uri) -> Response {
    provider.fetches.fetch_add(1, Ordering::SeqCst);
    let answer = provider.answer.lock().unwrap().clone();
    match answer {
        Answer::Keys(body) => body.into_response(),
        Answer::Pages(pages) => match pages.into_iter().find(|(path, _)| *path == uri.path()) {
            Some((_, body)) => body.into_response(),
            None => axum::http::StatusCode::NOT_FOUND.into_response(),
        },
        Answer::Status(status) => axum::http::StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Redirect(to) => axum::response::Redirect::temporary(&to).into_response(),
        Answer::Never => std::future::pending().await,
    }
}

/// An issuer whose keys are fetched from `origin`, a local server.
pub(crate) fn issuer(iss: &str, origin: &str) -> Issuer {
    Issuer {
        issuer: iss.into(),
        audiences: vec![AUDIENCE.into(), "https://goals.example.com".into()],
        tenants: vec![TENANT],
        jwks_url: Some(format!("{origin}/keys")),
        insecure: true,
        ..Issuer::default()
    }
}
