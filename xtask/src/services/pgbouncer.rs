//! PgBouncer before PostgreSQL: few connections for many clients, another one for each transaction. What works through
//! it works with every pooler that people put between.

use std::fs;

use anyhow::Context as _;
use goalpost_processes::postgres::{Installation, ROLE};
use goalpost_processes::{Launch, OrdinaryUser, Signal, free_port};

use super::Service;
use super::postgres::database;
use super::start::{Start, find_program};

pub(super) const SERVICE: Service = Service {
    name: "pgbouncer",
    start,
    answers: |env| {
        let installation = Installation::find();
        installation
            .is_some_and(|found| found.sql(&database(env.get("GOALPOST_TEST_PGBOUNCER")), "select 1").is_ok())
    },
    prepare: |_| Ok(()),
};

fn start(start: &mut Start) -> anyhow::Result<()> {
    let program = find_program("pgbouncer").context("it is not installed")?;
    let server = start.env();
    let server_port =
        server.get("GOALPOST_TEST_POSTGRES").rsplit(':').next().context("PostgreSQL comes first")?;
    let port = free_port();
    // It does not run as root.
    let user = OrdinaryUser::if_root()?;
    let folder = start.data_folder_for_all("pgbouncer")?;
    let settings = folder.join("pgbouncer.ini");
    fs::write(&settings, ini(server_port, port))?;
    if let Some(user) = &user {
        user.give(&folder)?;
        user.give(&settings)?;
    }
    let launch = Launch::new(program, &Start::log("pgbouncer")).arg(&settings).as_user(user.as_ref());
    start.launch("pgbouncer", launch, Signal::SIGKILL)?;
    start.set("GOALPOST_TEST_PGBOUNCER", format!("postgres://{ROLE}@127.0.0.1:{port}"));
    Ok(())
}

/// Every name of a database is handed on. Connections of databases that are gone, as those of tests soon are, are not
/// kept; until then `drop database` needs `with (force)`.
fn ini(server_port: &str, port: u16) -> String {
    format!(
        "[databases]
* = host=127.0.0.1 port={server_port} user={ROLE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 10
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits, options, search_path
"
    )
}
