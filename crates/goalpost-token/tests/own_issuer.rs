//! Goalpost's own issuer: its files, its tokens, and that they are checked like anybody else's.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use goalpost_token::{Authenticator, IssueError, OwnIssuer, OwnIssuerError, Refusal, Settings};
use serde_json::Value;
use support::{AUDIENCE, NOW, PERSON};

const URL: &str = "https://goals.contoso.example.com";
const DAY: u32 = 24 * 60 * 60;

fn load(folder: &Path) -> Result<OwnIssuer, OwnIssuerError> {
    OwnIssuer::load_or_create(folder, URL, AUDIENCE, DAY)
}

fn trusting(own: &OwnIssuer) -> Authenticator {
    Authenticator::new(vec![], Some(own), Settings::default()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn an_issued_token_is_accepted_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let own = load(folder.path()).unwrap();
    let token = own.issue(PERSON, "Goals-Export.Read.All goals.write", NOW, 600).unwrap();
    let claims = trusting(&own).authenticate(&token, NOW).await.unwrap();
    assert!(claims.own && !claims.app_only && !claims.link_by_email);
    assert_eq!((claims.issuer.as_str(), claims.tenant, claims.object), (URL, own.tenant(), PERSON));
    assert_eq!(claims.scopes, ["Goals-Export.Read.All", "goals.write"]);
    assert_eq!(claims.expires_at, NOW + 600);
    assert!(trusting(&own).authenticate(&token, NOW + 719).await.is_ok());
    assert_eq!(trusting(&own).authenticate(&token, NOW + 720).await, Err(Refusal::Expired));
}

#[test]
fn an_issued_token_is_read_by_an_independent_library() {
    let folder = tempfile::tempdir().unwrap();
    let own = load(folder.path()).unwrap();
    let token = own.issue(PERSON, "goals.read", NOW, 600).unwrap();
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(own.jwks().clone()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&[AUDIENCE]);
    rules.set_issuer(&[URL]);
    rules.validate_exp = false; // its clock cannot be set
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(claims["oid"], PERSON.to_string());
    assert_eq!(claims["exp"], NOW + 600);
}

#[tokio::test]
async fn a_restart_keeps_key_and_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let first = load(folder.path()).unwrap();
    let token = first.issue(PERSON, "goals.read", NOW, 600).unwrap();
    let second = load(folder.path()).unwrap();
    assert_eq!((first.tenant(), first.jwks()), (second.tenant(), second.jwks()));
    assert!(trusting(&second).authenticate(&token, NOW).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let token = load(there.path()).unwrap().issue(PERSON, "goals.read", NOW, 600).unwrap();
    let answer = trusting(&load(here.path()).unwrap()).authenticate(&token, NOW).await;
    assert_eq!(answer, Err(Refusal::UnknownKey));
}

#[test]
fn the_files_are_their_owners_alone_and_no_draft_is_left() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data/issuer");
    load(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["signing-key.pk8", "tenant-id"]);
}

#[test]
fn many_that_start_at_once_end_up_with_one_key() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let ids: Vec<(Value, uuid::Uuid)> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let own = load(folder.path()).unwrap();
                        (own.jwks().clone(), own.tenant())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn files_that_others_can_reach_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path()).unwrap();
    for (path, open, closed) in [
        (folder.path().join("signing-key.pk8"), 0o640, 0o600),
        (folder.path().join("tenant-id"), 0o606, 0o600),
        (folder.path().to_owned(), 0o770, 0o700),
    ] {
        set_mode(&path, open);
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("{open:04o}")), "{error}");
        assert!(error.contains(&format!("`chmod {closed:o} {}`", path.display())), "{error}");
        set_mode(&path, closed);
        load(folder.path()).unwrap();
    }
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path()).unwrap();
    let (key, tenant) = (folder.path().join("signing-key.pk8"), folder.path().join("tenant-id"));
    let whole = fs::read(&key).unwrap();
    for damaged in [&b""[..], &whole[..whole.len() / 2], b"-----BEGIN PRIVATE KEY-----"] {
        fs::write(&key, damaged).unwrap();
        assert!(matches!(load(folder.path()), Err(OwnIssuerError::Key)));
    }
    fs::write(&key, whole).unwrap();
    for damaged in [&b""[..], b"00000000-0000-0000-0000-000000000000", b"\xff\xfe"] {
        fs::write(&tenant, damaged).unwrap();
        assert!(matches!(load(folder.path()), Err(OwnIssuerError::Tenant)));
    }
    fs::remove_file(&tenant).unwrap();
    fs::create_dir(&tenant).unwrap();
    assert!(load(folder.path()).unwrap_err().to_string().contains("not a regular file"));
}

#[tokio::test]
async fn scopes_and_lifetime_have_limits() {
    let folder = tempfile::tempdir().unwrap();
    let own = load(folder.path()).unwrap();
    for scopes in ["a\nb", "a\u{0}", "a\u{7f}"] {
        assert_eq!(own.issue(PERSON, scopes, NOW, 600), Err(IssueError::Scopes));
    }
    for ttl in [0, DAY + 1, u32::MAX] {
        assert_eq!(own.issue(PERSON, "a", NOW, ttl), Err(IssueError::Lifetime(DAY)));
    }
    assert_eq!(own.issue(PERSON, "a", i64::MAX, 1), Err(IssueError::Signing));
    let longest = own.issue(PERSON, "quote\" and backslash\\", NOW, DAY).unwrap();
    let claims = trusting(&own).authenticate(&longest, NOW).await.unwrap();
    assert_eq!(claims.scopes, ["quote\"", "and", "backslash\\"]);
}

#[test]
fn the_private_key_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let own = load(folder.path()).unwrap();
    let shown = format!("{own:?}");
    assert!(shown.contains(URL) && !shown.contains("EcdsaKeyPair"), "{shown}");
    assert_eq!(own.jwks()["keys"][0].get("d"), None);
}
