//! Tokens that must pass and tokens that must not, by group. Each group first asserts that its plain token
//! passes, so that a vector cannot be refused for a reason of no interest.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod content;
mod form;
mod keys;
#[path = "../support/mod.rs"]
mod support;

use std::sync::LazyLock;

use goalpost_token::{Authenticator, Claims, Refusal, Settings};
use serde_json::{Value, json};
use support::{
    AUDIENCE, Answer, EC, NOW, PERSON, PLAIN, Provider, TENANT, V1, V2, claims, ec_jwk, ec_token, encode,
    issuer, key_set, rsa_header, rsa_jwk, sign_rsa, unsigned, with,
};

/// A token by name, and why it must be refused.
type Vector = (&'static str, String, Refusal);

struct Bench {
    authenticator: Authenticator,
}

impl Bench {
    async fn start() -> Self {
        let weak: Value = serde_json::from_str(include_str!("../data/rsa_1024.json")).unwrap();
        let provider = Provider::start(Answer::Keys(key_set(&[
            rsa_jwk("rsa"),
            ec_jwk(&EC, "ec"),
            weak["jwk"].clone(),
            with(rsa_jwk("rsa-enc"), &json!({ "use": "enc" })),
            with(rsa_jwk("rsa-wrap"), &json!({ "use": null, "key_ops": ["encrypt", "wrapKey"] })),
            with(rsa_jwk("rsa-rs512"), &json!({ "alg": "RS512" })),
            with(
                rsa_jwk("rsa-consumer"),
                &json!({ "issuer": "https://login.example.com/{tenantid}/consumers" }),
            ),
            with(rsa_jwk("rsa-tenants"), &json!({ "issuer": "https://login.example.com/{tenantid}/v2.0" })),
            with(rsa_jwk("rsa-e1"), &json!({ "e": "AQ" })),
            with(ec_jwk(&EC, "ec-p384"), &json!({ "crv": "P-384" })),
            with(ec_jwk(&EC, "ec-off-curve"), &json!({ "x": encode([7; 32]) })),
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode([7; 32]) }),
        ])))
        .await;
        let mut plain = issuer(PLAIN, &provider.origin);
        plain.clients = vec!["client-1".into()];
        plain.guests = true;
        plain.link_by_email = true;
        let issuers = vec![issuer(V2, &provider.origin), issuer(V1, &provider.origin), plain];
        Self { authenticator: Authenticator::new(issuers, None, Settings::default()).unwrap() }
    }

    async fn try_token(&self, token: &str) -> Result<Claims, Refusal> {
        self.authenticator.authenticate(token, NOW).await
    }

    /// The claims of a token that passes with these changes to the plain one.
    async fn accepts(&self, name: &str, changes: Value) -> Claims {
        self.try_token(&claimed(&changes)).await.unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
    }

    async fn refuses(&self, vectors: Vec<Vector>) {
        self.accepts("the plain token", json!({})).await;
        let mut wrong = Vec::new();
        for (name, token, expected) in vectors {
            let answer = self.try_token(&token).await;
            if answer != Err(expected) {
                wrong.push(format!("{name}: expected {expected:?}, got {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The plain token, its claims changed.
fn claimed(changes: &Value) -> String {
    sign_rsa(&unsigned(&rsa_header().to_string(), &with(claims(), changes).to_string()))
}

/// The plain token, its header changed.
fn headed(changes: &Value) -> String {
    sign_rsa(&unsigned(&with(rsa_header(), changes).to_string(), &claims().to_string()))
}

fn refused_claims(expected: Refusal, list: Vec<(&'static str, Value)>) -> Vec<Vector> {
    list.into_iter().map(|(name, changes)| (name, claimed(&changes), expected)).collect()
}

fn refused_headers(expected: Refusal, list: Vec<(&'static str, Value)>) -> Vec<Vector> {
    list.into_iter().map(|(name, changes)| (name, headed(&changes), expected)).collect()
}

/// The plain token's claims as text, with one member written by hand.
fn raw_claim(member: &str) -> String {
    let text = claims().to_string();
    sign_rsa(&unsigned(&rsa_header().to_string(), &format!("{{{member},{}", &text[1..])))
}

#[tokio::test]
async fn good_tokens_pass() {
    let bench = Bench::start().await;
    let plain = bench.accepts("RS256, v2", json!({})).await;
    assert_eq!(
        plain,
        Claims {
            issuer: V2.into(),
            tenant: TENANT,
            object: PERSON,
            scopes: vec!["Goals-Export.Read.All".into(), "Goals-Export.ReadWrite.All".into()],
            app_only: false,
            email: None,
            link_by_email: false,
            client: Some("client-1".into()),
            own: false,
            expires_at: NOW + 3600,
        }
    );
    assert_eq!(bench.try_token(&ec_token(&EC, "ec")).await, Ok(plain.clone()), "ES256");
    bench.accepts("aud array", json!({ "aud": ["api://other", AUDIENCE] })).await;
    bench.accepts("second audience", json!({ "aud": "https://goals.example.com" })).await;
    bench.accepts("without iat and nbf", json!({ "iat": null, "nbf": null })).await;
    bench.accepts("plain issuer", json!({ "iss": PLAIN })).await;
    let v1 =
        json!({ "iss": V1, "ver": "1.0", "azp": null, "appid": "client-2", "acct": "0", "idtyp": "user" });
    assert_eq!(bench.accepts("v1", v1).await.client.as_deref(), Some("client-2"));
    let home = json!({ "idp": format!("https://sts.windows.net/{TENANT}/"), "acct": 0 });
    bench.accepts("member with idp of the tenant", home).await;
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "jwt"] {
        assert!(bench.try_token(&headed(&json!({ "typ": typ }))).await.is_ok(), "{typ}");
    }
    let thumbprints = json!({ "x5t": "dGh1bWI", "x5t#S256": "dGh1bWI" });
    assert!(bench.try_token(&headed(&thumbprints)).await.is_ok(), "thumbprints");
    assert!(bench.try_token(&headed(&json!({ "kid": "rsa-tenants" }))).await.is_ok(), "key of all tenants");
}

#[tokio::test]
async fn tokens_of_an_independent_library_pass() {
    let header = jsonwebtoken::Header { typ: Some("JWT".into()), kid: Some("ec".into()), ..es256() };
    let pkcs8 = EC.to_pkcs8v1().unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_der(pkcs8.as_ref());
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    assert!(Bench::start().await.try_token(&token).await.is_ok());
}

fn es256() -> jsonwebtoken::Header {
    jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256)
}

#[test]
fn refusals_speak_as_graph_does() {
    assert_eq!(Refusal::Empty.graph_message(), "Access token is empty.");
    assert_eq!(Refusal::Expired.graph_message(), "Lifetime validation failed, the token is expired.");
    assert_eq!(Refusal::Audience.graph_message(), "Access token validation failure. Invalid audience.");
    assert_eq!(Refusal::Signature.graph_message(), "Access token validation failure.");
    assert!(
        Refusal::NoDots
            .graph_message()
            .starts_with("IDX14100: JWT is not well formed, there are no dots (.).\n")
    );
}

proptest::proptest! {
    /// The fuzz entry point: any text is answered, and what passes has a listed header.
    #[test]
    fn any_text_is_parsed_or_refused(token in "[A-Za-z0-9_.=-]{0,200}|.{0,80}") {
        if let Ok(jwt) = goalpost_token::parse(&token) {
            proptest::prop_assert!(!jwt.header.kid.is_empty());
        }
    }

    /// A good token with one character changed anywhere never verifies.
    #[test]
    fn one_changed_character_spoils_a_token(at in 0_usize..10_000, to in "[A-Za-z0-9_.=-]") {
        static GOOD: LazyLock<(tokio::runtime::Runtime, Bench, String)> = LazyLock::new(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let bench = runtime.block_on(Bench::start());
            (runtime, bench, ec_token(&EC, "ec"))
        });
        let (runtime, bench, good) = &*GOOD;
        let at = at % good.len();
        let changed = format!("{}{to}{}", &good[..at], &good[at + 1..]);
        let answer = runtime.block_on(bench.try_token(&changed));
        proptest::prop_assert_eq!(answer.is_ok(), &changed == good);
    }
}
