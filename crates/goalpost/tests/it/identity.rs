//! People who sign in elsewhere: tokens of a configured issuer, and how its identities become people.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost::identity::{Subject, queries};
use goalpost_db::{Error, Scope, params};
use goalpost_testing::{Client, ORGANIZATION, OTHER_ORGANIZATION, READ_WRITE, TestApp, VIEW};
use goalpost_token::{Issuer, OwnIssuer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

const AUDIENCE: &str = "api://goals";

/// A sign-in service on a port of its own, whose keys the server fetches over HTTP.
struct SignIn {
    url: String,
    keys: OwnIssuer,
    folder: TempDir,
}

impl SignIn {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/sign-in", listener.local_addr().expect("a bound address"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = OwnIssuer::load_or_create(folder.path(), &url, AUDIENCE, 3600).expect("a key is made");
        let jwks = keys.jwks().clone();
        let routes = Router::new().route("/keys", get(move || async move { Json(jwks) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, keys, folder }
    }

    fn issuer(&self, link_by_email: bool) -> Issuer {
        let jwks_url = self.url.replace("/sign-in", "/keys");
        serde_json::from_value(json!({
            "issuer": self.url, "audiences": [AUDIENCE], "tenants": [self.keys.tenant()], "jwks_url": jwks_url,
            "link_by_email": link_by_email, "insecure": true,
        }))
        .expect("an issuer's settings")
    }

    /// A token for somebody, with claims of their own.
    fn token(&self, t: &TestApp, object: Uuid, more: &Value) -> String {
        let usual = self.keys.issue(object, READ_WRITE, t.app.clock.now_secs(), 600).expect("a token");
        let mut parts = usual.split('.');
        let (header, claims) = (parts.next().expect("a header"), parts.next().expect("claims"));
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
        for (name, value) in more.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let key = std::fs::read(self.folder.path().join("signing-key.pk8")).expect("the key's file");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key).expect("a key");
        let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn client(&self, t: &TestApp, object: Uuid, more: &Value) -> Client {
        t.client_with_token(Some(&self.token(t, object, more)))
    }
}

async fn start(link_by_email: bool) -> (TestApp, SignIn) {
    let sign_in = SignIn::start().await;
    let issuer = sign_in.issuer(link_by_email);
    (TestApp::start_with(|config| config.issuers = vec![issuer]).await, sign_in)
}

async fn asks(client: &Client) -> u16 {
    client.create_export(ORGANIZATION, VIEW).await.status
}

fn verified(email: &str) -> Value {
    json!({ "email": email, "email_verified": true })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_of_a_known_issuer_is_nobody_until_somebody_links_them() {
    let (t, sign_in) = start(false).await;
    let object = Uuid::from_u128(7);
    let client = sign_in.client(&t, object, &verified("ann@wren.example"));
    assert_eq!(asks(&client).await, 404, "the issuer may not vouch for e-mails");
    let subject = Subject { issuer: sign_in.url.clone(), tenant: sign_in.keys.tenant(), object };
    t.app
        .db
        .write_alone(Scope::Global, Duration::from_secs(5), |tx| {
            let ann = queries::find_people_by_email(tx, "ANN@wren.example")?;
            queries::link(tx, &subject, ann[0].organization, ann[0].person)
        })
        .expect("the link is written");
    assert_eq!(asks(&client).await, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_e_mail_links_once_and_only_the_person_who_has_it() {
    let (t, sign_in) = start(true).await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for unverified in [
        json!({ "email": "ann@wren.example" }),
        json!({ "email": "ann@wren.example", "email_verified": false }),
        json!({ "upn": "ann@wren.example", "preferred_username": "ann@wren.example" }),
        verified("nobody@wren.example"),
    ] {
        assert_eq!(asks(&sign_in.client(&t, first, &unverified)).await, 404, "{unverified}");
    }
    assert_eq!(asks(&sign_in.client(&t, first, &verified("Ann@Wren.example"))).await, 201);
    assert_eq!(asks(&sign_in.client(&t, first, &json!({}))).await, 409, "from now on the identity is known");
    assert_eq!(
        asks(&sign_in.client(&t, second, &verified("ann@wren.example"))).await,
        404,
        "nobody takes over a person who is linked"
    );
    let elsewhere = sign_in.client(&t, second, &verified("ann@wren.example"));
    assert_eq!(
        elsewhere.create_export(OTHER_ORGANIZATION, VIEW).await.status,
        403,
        "in each organization for itself: there Ann is a member who may not export"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_that_two_people_have_links_nobody() {
    let (t, sign_in) = start(true).await;
    t.app
        .db
        .write_alone(Scope::Organization(15_229), Duration::from_secs(5), |tx| {
            tx.execute(
                "update person set email_fold = 'ann@wren.example' where organization = 15229 and id = 2 and name = 'Ben Ødegård'",
                params![],
            )?;
            Ok::<_, Error>(())
        })
        .expect("the e-mail is changed");
    assert_eq!(asks(&sign_in.client(&t, Uuid::from_u128(1), &verified("ann@wren.example"))).await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_other_issuers_audiences_and_tenants_are_refused() {
    let (t, sign_in) = start(true).await;
    let object = Uuid::from_u128(1);
    let mut foreign = verified("ann@wren.example");
    for (claim, value, message) in [
        ("iss", json!("https://elsewhere.example/"), "Access token validation failure."),
        ("aud", json!("api://other"), "Access token validation failure. Invalid audience."),
        ("tid", json!(Uuid::from_u128(9)), "Access token validation failure."),
        ("exp", json!(1_000_000_000), "Lifetime validation failed, the token is expired."),
    ] {
        foreign[claim] = value;
        let refused = sign_in.client(&t, object, &foreign).create_export(ORGANIZATION, VIEW).await;
        assert_eq!(refused.status, 401, "{claim}");
        let (code, told, _) = refused.error();
        assert_eq!((code.as_str(), told.as_str()), ("InvalidAuthenticationToken", message), "{claim}");
        foreign.as_object_mut().expect("an object").remove(claim);
    }
    let unknown = SignIn::start().await;
    let forged = unknown.token(&t, object, &json!({ "iss": sign_in.url, "tid": sign_in.keys.tenant() }));
    assert_eq!(
        asks(&t.client_with_token(Some(&forged))).await,
        401,
        "signed by a key that the issuer does not have"
    );
}
