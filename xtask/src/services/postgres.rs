//! PostgreSQL for the ordinary suite: quick, and with nothing that a crash would not lose. Tests that break a server
//! start their own (`goalpost_testing::PgCluster`).

use goalpost_processes::Signal;
use goalpost_processes::postgres::{DataFolder, Installation, ROLE, SUPERUSER};

use super::Service;
use super::start::Start;

pub(super) const SERVICE: Service = Service {
    name: "postgres",
    start,
    answers: |env| {
        let installation = Installation::find();
        installation
            .is_some_and(|found| found.sql(&database(env.get("GOALPOST_TEST_POSTGRES")), "select 1").is_ok())
    },
    prepare: |_| Ok(()),
};

const SETTINGS: [(&str, &str); 7] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "300"),
    ("shared_buffers", "128MB"),
    ("jit", "off"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
];

fn start(start: &mut Start) -> anyhow::Result<()> {
    let data = DataFolder::new(&start.data_folder_for_all("postgres")?, &Start::log("postgres"))?;
    data.init()?;
    let server = start.launch("postgres", data.server(&SETTINGS), Signal::SIGQUIT)?;
    data.wait_until_ready(server)?;
    data.make_role()?;
    start.set("GOALPOST_TEST_POSTGRES", data.url(ROLE, ""));
    start.set("GOALPOST_TEST_POSTGRES_ADMIN", data.url(SUPERUSER, ""));
    start.set("GOALPOST_TEST_PG_BIN", data.installation().bin().display().to_string());
    Ok(())
}

/// The database that every cluster has, at a server.
pub(super) fn database(server: &str) -> String {
    format!("{server}/postgres")
}
