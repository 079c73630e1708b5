//! The door `/api/v1`, over HTTP.

mod changes_file;
mod directory;
mod documents;
mod export_choices;
mod exports;
mod imports;
mod pages;
mod past;
mod read;
mod restricted;
mod rights;
mod tools;
mod write;

use goalpost::config::Config;
use goalpost::imports::{ImportOptions, run};
use goalpost_testing::{Answer, Client, TestApp};
use goalpost_viva::{Objective, Permissions};
use serde_json::Value;
use uuid::Uuid;

use crate::imports::{Company, check_in, goal, person};

const SCOPES: &str = "Goals.ReadWrite.All";

/// A server with a company that came out of a file.
struct Door {
    t: TestApp,
    organization: Uuid,
}

impl Door {
    async fn with(company: &Company) -> Self {
        Self::with_settings(company, |_| {}).await
    }

    async fn with_settings(company: &Company, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(TestApp::start_with(change).await, company)
    }

    /// A company on this server.
    fn on(t: TestApp, company: &Company) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = company.zip(folder.path());
        let options = ImportOptions { organization_name: Some("Contoso".to_owned()), ..Default::default() };
        let report =
            tokio::task::block_in_place(|| run(&t.app.db, &t.app.config.data, &file, &options, &mut |_| {}));
        let organization = report.expect("the file is imported").organization.id;
        Self { t, organization }
    }

    /// A company with a restricted objective, 102, that Ilse sees and Bo does not; 103 is below it and below 100.
    async fn new() -> Self {
        Self::with(&company()).await
    }

    /// Who owns what is restricted.
    fn ilse(&self) -> Client {
        self.t.client_with_scopes("user10@contoso.example", SCOPES)
    }

    /// A member to whom nothing restricted is shown.
    fn bo(&self) -> Client {
        self.t.client_with_scopes("user11@contoso.example", SCOPES)
    }

    /// Whoever has this e-mail owns the organization from now on.
    fn own(&self, email: &str) {
        let number = goalpost::ids::OrganizationNumber(crate::imports::NUMBER);
        let made = self.t.app.db.write_alone(number, std::time::Duration::from_secs(5), |tx| {
            let sql = "update person set role = 'Organization Owner' where organization = ?1 and email = ?2";
            tx.execute(sql, &[number.into(), email.into()])
        });
        assert_eq!(made.expect("the role is written"), 1);
    }

    /// The path of something of the organization.
    fn path(&self, rest: &str) -> String {
        format!("/api/v1/organizations/{}/{rest}", self.organization)
    }

    /// Send a body, or none.
    async fn send(&self, client: &Client, method: &str, rest: &str, body: &Value) -> Answer {
        let request = client.request(method, &self.path(rest));
        let request = match body {
            Value::Null => request,
            body => request.header("content-type", "application/json").body(body.to_string()),
        };
        client.send(request).await
    }

    /// Send what must succeed, with this status.
    async fn done(&self, client: &Client, method: &str, rest: &str, body: &Value, status: u16) -> Answer {
        let answer = self.send(client, method, rest, body).await;
        assert_eq!(answer.status, status, "{method} {rest} {body}: {}", answer.text());
        answer
    }

    async fn get(&self, client: &Client, rest: &str) -> Answer {
        client.get(&self.path(rest)).await
    }

    /// The numbers of the rows of a list.
    async fn ids(&self, client: &Client, rest: &str) -> Vec<i64> {
        let answer = self.get(client, rest).await;
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
        ids(&answer)
    }
}

fn ids(answer: &Answer) -> Vec<i64> {
    let json = answer.json();
    let rows = json["value"].as_array().unwrap_or_else(|| panic!("no list: {json}"));
    rows.iter().map(|row| row["id"].as_i64().expect("a number")).collect()
}

fn company() -> Company {
    let mut company = Company::small();
    company.goals.push(Objective {
        owners: vec![person(10)],
        permissions: Permissions::default(),
        description: Some("Nobody else's".to_owned()),
        ..goal(102, "Big rock", "A secret orchard")
    });
    company.goals.push(Objective { parent_ids: vec![102, 100], ..goal(103, "Kpi", "Graft it") });
    company.check_ins.push(check_in(1001, 102));
    company
}
