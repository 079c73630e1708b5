//! Who may do what: scopes, membership, the export policy, and whose content a file is.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goalpost::exports::ExportId;
use goalpost_testing::{
    Answer, ORGANIZATION, OTHER_ORGANIZATION, PRIVATE_VIEW, READ, READ_WRITE, TestApp, VIEW,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{JOBS, Refusal, assert_refused, body, finished_export, insert_goal, sql, sql_in};

const NO_JOB: Refusal<'_> = (404, "notFound", "Specified export job not found", Some("exportJobNotFound"));
const NO_ORGANIZATION: Refusal<'_> =
    (404, "notFound", "Goals organization not found", Some("goalsOrganizationIdNotFound"));
const NO_VIEW: Refusal<'_> = (404, "notFound", "Explorer view not found", Some("explorerViewIdNotFound"));
const NOT_PERMITTED: Refusal<'_> = (
    403,
    "forbidden",
    "Your organization does not allow you to export. Ask an organization owner.",
    Some("exportNotPermitted"),
);
const ANOTHERS: Refusal<'_> = (
    403,
    "forbidden",
    "This export holds what its creator may see. Create your own export of this view.",
    Some("exportBelongsToAnother"),
);

fn listed(answer: &Answer) -> usize {
    answer.json()["value"].as_array().unwrap_or_else(|| panic!("{}", answer.text())).len()
}

/// A token that the server's own key signs, with these claims instead of the usual ones.
fn signed(t: &TestApp, change: impl FnOnce(&mut Value)) -> String {
    let usual = t.token("ann@wren.example", READ_WRITE);
    let (header, claims) = usual.split_once('.').unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims.split_once('.').unwrap().0).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    let key = std::fs::read(t.app.config.data.join("keys/signing-key.pk8")).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key).unwrap();
    let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_counts_whole_and_writing_includes_reading() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    let reading =
        [JOBS.to_owned(), format!("{JOBS}/$count"), format!("{JOBS}/{id}"), format!("{JOBS}/{id}/content")];
    let wanted = "Goals-Export.Read.All, Goals-Export.ReadWrite.All";
    for (scopes, reads, writes) in [
        (READ, true, false),
        (READ_WRITE, true, true),
        ("User.Read Goals-Export.Read.All", true, false),
        ("Goals-Export.Read.All Goals-Export.ReadWrite.All", true, true),
        ("", false, false),
        ("Goals-Export.Read", false, false),
        ("Goals-Export.Read.All.X", false, false),
        ("XGoals-Export.ReadWrite.All", false, false),
        ("goals-export.readwrite.all", false, false),
        ("Goals-Export.Read.All,Goals-Export.ReadWrite.All", false, false),
        ("User.Read Directory.ReadWrite.All", false, false),
    ] {
        let client = t.client_with_scopes("ann@wren.example", scopes);
        let named = scopes.replace(' ', ", ");
        let refusal = |wanted: &str| {
            format!(
                "Missing scope permissions on the request. API requires one of '{wanted}'. Scopes on the request '{named}'"
            )
        };
        for path in &reading {
            let answer = client.get(path).await;
            if reads {
                assert_eq!(answer.status, 200, "{scopes}: {path}");
            } else {
                let message = refusal(wanted);
                assert_refused(&t, &answer, (403, "forbidden", &message, Some("missingScope")), path);
            }
        }
        let created = client.create_export(ORGANIZATION, VIEW).await;
        if writes {
            assert_eq!(created.status, 201, "{scopes}");
            assert!(t.run_one().await);
        } else {
            let message = refusal(READ_WRITE);
            assert_refused(&t, &created, (403, "forbidden", &message, Some("missingScope")), scopes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_a_person_is_refused_whatever_its_roles() {
    let t = TestApp::start().await;
    let message = |wanted: &str| {
        format!(
            "Application tokens are not supported. Sign in as a person: the API requires one of the delegated scopes '{wanted}'."
        )
    };
    let only_app = |claims: &mut Value| {
        claims.as_object_mut().unwrap().remove("scp");
        claims["roles"] = json!([READ_WRITE]);
    };
    let typed = |claims: &mut Value| claims["idtyp"] = json!("app");
    for token in [signed(&t, only_app), signed(&t, typed)] {
        let app = t.client_with_token(Some(&token));
        let wanted = message("Goals-Export.Read.All, Goals-Export.ReadWrite.All");
        assert_refused(&t, &app.get(JOBS).await, (403, "forbidden", &wanted, Some("missingScope")), "list");
        let created = app.create_export(ORGANIZATION, VIEW).await;
        assert_refused(
            &t,
            &created,
            (403, "forbidden", &message(READ_WRITE), Some("missingScope")),
            "create",
        );
    }
    let same = t.client_with_token(Some(&signed(&t, |claims| claims["idtyp"] = json!("user"))));
    assert_eq!(same.get(JOBS).await.status, 200, "the signature itself is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_reads_gets_the_same_refusal_for_every_body() {
    let t = TestApp::start().await;
    let reader = t.client_with_scopes("ann@wren.example", READ);
    let good = reader.create_export(ORGANIZATION, VIEW).await;
    for text in ["", "{", "[]", "{\"goalsOrganizationId\":7}"] {
        let answer = reader.send(reader.request("POST", JOBS).body(text)).await;
        assert_eq!((answer.status, body(&t, &answer)), (403, body(&t, &good)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organization_looks_like_one_that_does_not_exist() {
    let t = TestApp::start().await;
    let cleo = t.client("cleo@lark.example");
    let ben = t.client("ben@wren.example");
    let view = goalpost::views::Preset::AllObjectives.guid(OTHER_ORGANIZATION);
    let pending = cleo.create_export(OTHER_ORGANIZATION, view).await.id();
    let nowhere = Uuid::from_u128(7);
    let unknown = ExportId { job: nowhere, organization: OTHER_ORGANIZATION }.to_string();
    let stranger = ExportId { job: nowhere, organization: nowhere }.to_string();
    for finished in [false, true] {
        if finished {
            assert!(t.run_one().await);
            assert_eq!(cleo.get_content(&pending).await.status, 200);
        }
        for path in ["", "/content", "?$select=status"] {
            let mut seen = Vec::new();
            for id in [&pending, &unknown, &stranger] {
                let answer = ben.get(&format!("{JOBS}/{id}{path}")).await;
                assert_refused(&t, &answer, NO_JOB, id);
                let names: Vec<_> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
                seen.push((names, answer.bytes.len()));
            }
            assert_eq!(seen[0], seen[1], "{path}");
            assert_eq!(seen[0], seen[2], "{path}");
        }
        assert_refused(&t, &ben.create_export(OTHER_ORGANIZATION, view).await, NO_ORGANIZATION, "theirs");
        assert_refused(&t, &ben.create_export(nowhere, view).await, NO_ORGANIZATION, "nobody's");
        let filter = format!("$count=true&$filter=goalsOrganizationId eq '{OTHER_ORGANIZATION}'");
        let (theirs, nobodys) = (
            ben.list_exports(&filter).await,
            ben.list_exports(&filter.replace(&OTHER_ORGANIZATION.to_string(), &nowhere.to_string())).await,
        );
        assert_eq!((theirs.status, listed(&theirs), &theirs.json()["@odata.count"]), (200, 0, &json!(0)));
        assert_eq!(theirs.bytes, nobodys.bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_decides_who_exports() {
    let everybody = ["ann", "ben", "olga", "everyone", "dan"];
    for (policy, permitted) in [
        ("owners", &["ann"][..]),
        ("members", &["ann", "ben"]),
        ("people", &["ann", "ben"]),
        ("unheard of", &["ann"]),
    ] {
        let t = TestApp::start().await;
        sql(&t, &format!("update organization set export_policy = '{policy}' where number = 15229"));
        sql(
            &t,
            "insert into export_permit (organization, person) values (15229, 2), (15229, 3), (15229, 4), (15229, 5)",
        );
        sql_in(&t, 15_230, "insert into export_permit (organization, person) values (15230, 1)");
        for name in everybody {
            let created = t.client(&format!("{name}@wren.example")).create_export(ORGANIZATION, VIEW).await;
            if permitted.contains(&name) {
                assert_eq!(created.status, 201, "{policy}: {name}: {}", created.text());
                assert!(t.run_one().await);
            } else {
                let refusal = if name == "dan" { NO_ORGANIZATION } else { NOT_PERMITTED };
                assert_refused(&t, &created, refusal, &format!("{policy}: {name}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_may_not_export_sees_no_job_of_others() {
    let t = TestApp::start().await;
    let id = finished_export(&t).await;
    for name in ["ben", "olga", "everyone", "dan"] {
        let client = t.client(&format!("{name}@wren.example"));
        assert_refused(&t, &client.get_export(&id).await, NO_JOB, name);
        assert_refused(&t, &client.get_content(&id).await, NO_JOB, name);
        assert_eq!(listed(&client.list_exports("").await), 0, "{name}");
        assert_eq!(client.get(&format!("{JOBS}/$count")).await.text(), "0", "{name}");
    }
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    let ben = t.client("ben@wren.example");
    assert_eq!(ben.get_export(&id).await.status, 200, "the policy of now counts");
    assert_eq!(listed(&ben.list_exports("").await), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_export_any_more_keeps_their_job_and_loses_its_content() {
    let t = TestApp::start().await;
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    let ben = t.client("ben@wren.example");
    let id = ben.create_export(ORGANIZATION, VIEW).await.id();
    assert!(t.run_one().await);
    sql(&t, "update organization set export_policy = 'owners' where number = 15229");
    assert_eq!((ben.get_export(&id).await.status, listed(&ben.list_exports("").await)), (200, 1));
    assert_refused(&t, &ben.get_content(&id).await, NOT_PERMITTED, "content");
    assert_eq!(t.ann().get_content(&id).await.status, 200, "others are not concerned");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_sees_nothing_any_more() {
    let t = TestApp::start().await;
    let ann = t.ann();
    let id = finished_export(&t).await;
    sql(&t, "update person set status = 'deactivated' where organization = 15229 and id = 1");
    assert_refused(&t, &ann.get_export(&id).await, NO_JOB, "job");
    assert_refused(&t, &ann.get_content(&id).await, NO_JOB, "content");
    assert_eq!(listed(&ann.list_exports("").await), 0);
    assert_eq!(ann.get(&format!("{JOBS}/$count")).await.text(), "0");
    assert_refused(&t, &ann.create_export(ORGANIZATION, VIEW).await, NO_ORGANIZATION, "create");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_pair_is_a_conflict_whoever_created_it() {
    let t = TestApp::start().await;
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    let pending = t.client("ben@wren.example").create_export(ORGANIZATION, VIEW).await.id();
    assert_eq!(t.ann().create_export(ORGANIZATION, VIEW).await.json()["error"]["target"], pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_view_is_there_for_its_owner_alone() {
    let t = TestApp::start().await;
    assert_refused(&t, &t.ann().create_export(ORGANIZATION, PRIVATE_VIEW).await, NO_VIEW, "another's");
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    let ben = t.client("ben@wren.example");
    assert_eq!(ben.create_export(ORGANIZATION, PRIVATE_VIEW).await.status, 201);
    assert_refused(
        &t,
        &t.ann().create_export(ORGANIZATION, PRIVATE_VIEW).await,
        NO_VIEW,
        "pending, and still not told",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_with_restricted_goals_in_its_view_is_its_creators_alone() {
    for restricted_to in [1, 2] {
        let t = TestApp::start().await;
        sql(&t, "update organization set export_policy = 'members' where number = 15229");
        insert_goal(&t, 1, "Open to all", None);
        insert_goal(&t, 2, "A secret", Some(restricted_to));
        let id = finished_export(&t).await;
        let (ann, ben) = (t.ann(), t.client("ben@wren.example"));
        let own = ann.get_content(&id).await;
        assert_eq!(own.status, 200);
        assert_eq!(own.text().contains("A secret"), restricted_to == 1, "{}", own.text());
        assert!(ann.get_export(&id).await.json()["resourceLocation"].is_string());
        assert_refused(&t, &ben.get_content(&id).await, ANOTHERS, "neither what it shows nor what it hides");
        let seen = ben.get_export(&id).await.json();
        assert_eq!((&seen["status"], seen.get("resourceLocation")), (&json!("succeeded"), None));
        let listed = ben.list_exports("").await.json();
        assert_eq!(listed["value"][0].get("resourceLocation"), None);
        let tag = own.header("etag").unwrap();
        for (name, value) in [("if-none-match", tag), ("range", "bytes=0-4"), ("range", "bytes=99999999-")] {
            let request = ben.request("GET", &format!("{JOBS}/{id}/content")).header(name, value);
            assert_refused(&t, &ben.send(request).await, ANOTHERS, name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_without_restricted_goals_is_for_everybody_who_may_export() {
    let t = TestApp::start().await;
    sql(&t, "update organization set export_policy = 'members' where number = 15229");
    insert_goal(&t, 1, "Open to all", None);
    let id = finished_export(&t).await;
    let ben = t.client("ben@wren.example");
    assert_eq!(ben.get_content(&id).await.bytes, t.ann().get_content(&id).await.bytes);
    assert!(ben.get_export(&id).await.json()["resourceLocation"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_belongs_to_two_organizations_lists_both_and_a_stranger_none() {
    let t = TestApp::start().await;
    sql(&t, "update organization set export_policy = 'members'");
    let view = goalpost::views::Preset::AllObjectives.guid(OTHER_ORGANIZATION);
    t.client("cleo@lark.example").create_export(OTHER_ORGANIZATION, view).await.id();
    t.advance(Duration::from_millis(5));
    t.ann().create_export(ORGANIZATION, VIEW).await.id();
    assert_eq!(listed(&t.ann().list_exports("").await), 2);
    assert_eq!(listed(&t.client("ben@wren.example").list_exports("").await), 1);
    let stranger = signed(&t, |claims| claims["oid"] = json!(Uuid::from_u128(99)));
    let stranger = t.client_with_token(Some(&stranger));
    assert_eq!(body(&t, &stranger.get(&format!("{JOBS}/$count")).await), "0");
    assert_refused(&t, &stranger.create_export(ORGANIZATION, VIEW).await, NO_ORGANIZATION, "create");
}
