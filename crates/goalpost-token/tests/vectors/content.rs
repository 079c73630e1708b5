//! Tokens that are authentic, and what their claims make of them.

use goalpost_token::Refusal;
use serde_json::json;

use crate::support::{AUDIENCE, NOW, OTHER_TENANT, PERSON, PLAIN, TENANT, V1, V2, encode, with};
use crate::{Bench, claimed, refused_claims};

#[tokio::test]
async fn other_issuers_tenants_and_audiences_are_refused() {
    let slashless = V1.trim_end_matches('/');
    let mut vectors = refused_claims(
        Refusal::UnknownIssuer,
        vec![
            ("iss-wrong", json!({ "iss": "https://login.example.org" })),
            ("iss-template", json!({ "iss": "https://login.example.com/{tenantid}/v2.0" })),
            ("iss-slash", json!({ "iss": format!("{V2}/") })),
            ("iss-no-slash", json!({ "iss": slashless })),
            ("iss-upper-case", json!({ "iss": V2.to_uppercase() })),
            ("iss-prefix", json!({ "iss": "https://login.example.com/" })),
            ("iss-foreign-tenant", json!({ "iss": V2.replace("000001/", "000002/"), "tid": OTHER_TENANT })),
        ],
    );
    vectors.extend(refused_claims(
        Refusal::Claim("iss"),
        vec![("iss-missing", json!({ "iss": null })), ("iss-array", json!({ "iss": [V2] }))],
    ));
    vectors.extend(refused_claims(
        Refusal::Tenant,
        vec![
            ("iss-tid-mismatch", json!({ "tid": OTHER_TENANT })),
            ("tid-foreign-plain-issuer", json!({ "iss": PLAIN, "tid": OTHER_TENANT })),
        ],
    ));
    vectors.extend(refused_claims(
        Refusal::Claim("tid"),
        vec![
            ("tid-missing", json!({ "tid": null })),
            ("tid-text", json!({ "tid": "contoso.example.com" })),
            ("tid-braces", json!({ "tid": format!("{{{TENANT}}}") })),
            ("tid-zeros", json!({ "tid": "00000000-0000-0000-0000-000000000000" })),
        ],
    ));
    vectors.extend(refused_claims(
        Refusal::Audience,
        vec![
            ("aud-wrong", json!({ "aud": "https://graph.example.com" })),
            ("aud-prefix", json!({ "aud": "api://goal" })),
            ("aud-longer", json!({ "aud": "api://goalpost/x" })),
            ("aud-case", json!({ "aud": "API://GOALPOST" })),
            ("aud-array-without", json!({ "aud": ["api://other"] })),
            ("aud-array-empty", json!({ "aud": [] })),
            ("aud-joined", json!({ "aud": "api://goalpost api://other" })),
        ],
    ));
    vectors.extend(refused_claims(
        Refusal::Claim("aud"),
        vec![
            ("aud-missing", json!({ "aud": null })),
            ("aud-object", json!({ "aud": { "api://goalpost": true } })),
            ("aud-number", json!({ "aud": 1 })),
            ("aud-array-mixed", json!({ "aud": [AUDIENCE, 1] })),
        ],
    ));
    vectors.push((
        "personal-account",
        claimed(&json!({ "iss": PLAIN, "tid": "9188040d-6c67-4c5b-b112-36a304b66dad" })),
        Refusal::PersonalAccount,
    ));
    Bench::start().await.refuses(vectors).await;
}

#[tokio::test]
async fn people_and_clients_that_are_not_named_or_not_listed_are_refused() {
    let mut vectors = refused_claims(
        Refusal::Claim("oid"),
        vec![
            ("oid-missing", json!({ "oid": null, "sub": null })),
            ("oid-only-in-sub", json!({ "oid": null, "sub": PERSON })),
            ("oid-text", json!({ "oid": "dana@contoso.example.com" })),
            ("oid-number", json!({ "oid": 7 })),
        ],
    );
    vectors.extend(refused_claims(
        Refusal::Guest,
        vec![
            ("guest-acct-1", json!({ "acct": 1 })),
            ("guest-acct-text", json!({ "acct": "1" })),
            ("guest-acct-odd", json!({ "acct": true })),
            ("guest-idp", json!({ "idp": format!("https://sts.windows.net/{OTHER_TENANT}/") })),
        ],
    ));
    vectors.extend(refused_claims(
        Refusal::Client,
        vec![
            ("client-not-listed", json!({ "iss": PLAIN, "azp": "client-2" })),
            ("client-missing", json!({ "iss": PLAIN, "azp": null })),
            ("client-case", json!({ "iss": PLAIN, "azp": "CLIENT-1" })),
            ("client-two-names", json!({ "azp": "client-1", "appid": "client-2" })),
        ],
    ));
    vectors.push(("client-array", claimed(&json!({ "azp": ["client-1"] })), Refusal::Claim("azp")));
    let bench = Bench::start().await;
    bench.refuses(vectors).await;
    bench.accepts("a guest where guests are allowed", json!({ "iss": PLAIN, "acct": 1 })).await;
}

#[tokio::test]
async fn tokens_of_another_kind_are_refused() {
    let logout = json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
    let vectors = vec![
        ("id-token-nonce", claimed(&json!({ "nonce": "n" })), Refusal::IdToken),
        ("id-token-at-hash", claimed(&json!({ "at_hash": "h" })), Refusal::IdToken),
        ("id-token-c-hash", claimed(&json!({ "c_hash": "h" })), Refusal::IdToken),
        ("logout-token", claimed(&logout), Refusal::EventToken),
        ("bound-token", claimed(&json!({ "cnf": { "jkt": "thumbprint" } })), Refusal::BoundToken),
    ];
    Bench::start().await.refuses(vectors).await;
}

#[tokio::test]
async fn times_are_compared_by_our_clock_with_leeway() {
    let mut vectors = refused_claims(
        Refusal::Expired,
        vec![
            ("exp-past", json!({ "exp": NOW - 3600 })),
            ("exp-edge", json!({ "exp": NOW - 120 })),
            ("exp-zero", json!({ "exp": 0 })),
            ("exp-negative", json!({ "exp": i64::MIN })),
        ],
    );
    vectors.extend(refused_claims(
        Refusal::Claim("exp"),
        vec![
            ("exp-missing", json!({ "exp": null })),
            ("exp-text", json!({ "exp": (NOW + 60).to_string() })),
            ("exp-fraction", json!({ "exp": NOW as f64 + 60.5 })),
            ("exp-u64", json!({ "exp": u64::MAX })),
            ("exp-array", json!({ "exp": [NOW + 60] })),
            ("exp-1e300", json!({ "exp": 1e300 })),
        ],
    ));
    vectors.extend(refused_claims(
        Refusal::LifetimeTooLong,
        vec![("exp-huge", json!({ "exp": i64::MAX })), ("exp-edge-far", json!({ "exp": NOW + 86_401 }))],
    ));
    vectors.extend([
        ("nbf-ahead", claimed(&json!({ "nbf": NOW + 121 })), Refusal::NotYetValid),
        ("nbf-huge", claimed(&json!({ "nbf": i64::MAX })), Refusal::NotYetValid),
        ("nbf-text", claimed(&json!({ "nbf": "now" })), Refusal::Claim("nbf")),
        ("iat-future", claimed(&json!({ "iat": NOW + 121 })), Refusal::IssuedInFuture),
        ("iat-text", claimed(&json!({ "iat": "now" })), Refusal::Claim("iat")),
    ]);
    let bench = Bench::start().await;
    bench.refuses(vectors).await;
    let edges = json!({ "exp": NOW - 119, "nbf": NOW + 120, "iat": NOW + 120 });
    bench.accepts("within leeway on every side", edges).await;
    bench.accepts("longest lifetime", json!({ "exp": NOW + 86_400 })).await;
}

#[tokio::test]
async fn a_forged_expired_token_is_not_told_that_it_is_expired() {
    let expired = claimed(&json!({ "exp": NOW - 3600 }));
    let (signed, _) = expired.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", encode([7; 256]));
    let bench = Bench::start().await;
    assert_eq!(bench.try_token(&expired).await, Err(Refusal::Expired));
    assert_eq!(bench.try_token(&forged).await, Err(Refusal::Signature));
}

#[tokio::test]
async fn only_delegated_scopes_become_scopes() {
    let bench = Bench::start().await;
    for (name, changes) in [
        ("scp-missing", json!({ "scp": null })),
        ("roles-without-scp", json!({ "scp": null, "roles": ["Goals-Export.ReadWrite.All"] })),
        ("idtyp-app", json!({ "scp": null, "idtyp": "app", "roles": ["Goals-Export.ReadWrite.All"] })),
        ("idtyp-app-with-scp", json!({ "idtyp": "app" })),
        ("idtyp-device", json!({ "idtyp": "device" })),
        ("scope-is-not-scp", json!({ "scp": null, "scope": "Goals-Export.ReadWrite.All" })),
    ] {
        let claims = bench.accepts(name, changes).await;
        assert!(claims.app_only && claims.scopes.is_empty(), "{name}: {claims:?}");
    }
    for (name, scp, scopes) in [
        ("scp-read-only", "Goals-Export.Read.All", vec!["Goals-Export.Read.All"]),
        ("scp-longer-word", "Goals-Export.Read.AllX", vec!["Goals-Export.Read.AllX"]),
        ("scp-case", "goals-export.read.all", vec!["goals-export.read.all"]),
        ("scp-comma", "Goals-Export.Read.All,x", vec!["Goals-Export.Read.All,x"]),
        ("scp-spaces", "  a  b ", vec!["a", "b"]),
        ("scp-empty", "", vec![]),
    ] {
        let claims = bench.accepts(name, json!({ "scp": scp, "roles": ["Admin"] })).await;
        assert!(!claims.app_only, "{name}");
        assert_eq!(claims.scopes, scopes, "{name}");
    }
    bench
        .refuses(refused_claims(
            Refusal::Claim("scp"),
            vec![
                ("scp-array", json!({ "scp": ["Goals-Export.ReadWrite.All"] })),
                ("scp-number", json!({ "scp": 1 })),
                ("scp-control", json!({ "scp": "a\nb" })),
            ],
        ))
        .await;
}

#[tokio::test]
async fn an_address_counts_only_if_the_issuer_says_it_is_verified() {
    let bench = Bench::start().await;
    let dana = "dana@contoso.example.com";
    for (verified, changes) in [
        (true, json!({ "email_verified": true })),
        (true, json!({ "xms_edov": true })),
        (true, json!({ "xms_edov": 1 })),
        (true, json!({ "xms_edov": "1" })),
        (false, json!({})),
        (false, json!({ "email_verified": false })),
        (false, json!({ "email_verified": "true" })),
        (false, json!({ "email_verified": 1 })),
        (false, json!({ "xms_edov": 0 })),
        (false, json!({ "xms_edov": false })),
        (false, json!({ "preferred_username": dana, "upn": dana })),
    ] {
        let claims =
            bench.accepts("e-mail", with(changes.clone(), &json!({ "email": dana, "iss": PLAIN }))).await;
        assert_eq!(claims.email.is_some(), verified, "{changes}");
        assert!(claims.link_by_email);
    }
    let named = json!({ "upn": dana, "preferred_username": dana, "email_verified": true });
    assert_eq!(bench.accepts("no e-mail claim", named).await.email, None);
}
