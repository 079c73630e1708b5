//! A database that cannot be used is told at the start: which, why, and what to do; its password never.

use std::fs;
use std::process::Command;
use std::time::Duration;

use goalpost::demo;
use goalpost_testing::{PgCluster, free_port, services};

use super::{House, program, try_create, until_ended};

const CHECK_SERVER: &str = "hint: check that the database server runs, and host and port of `--database`";
const CHECK_USER: &str = "hint: check user, password, database and certificates of `--database`";

/// What `goalpost serve` says of this database before it gives up.
fn told(database: &str) -> String {
    let data = tempfile::tempdir().unwrap();
    let serve = Command::new(program())
        .arg("serve")
        .env_clear()
        .env("GOALPOST_DATA", data.path())
        .env("GOALPOST_DATABASE", database)
        .output()
        .unwrap();
    assert_eq!(serve.status.code(), Some(1), "{serve:?}");
    assert!(serve.stdout.is_empty(), "it does not say that it serves: {serve:?}");
    String::from_utf8(serve.stderr).unwrap()
}

#[test]
fn a_database_that_cannot_be_used_is_told_at_the_start_with_what_to_do() {
    let server = services::postgres();
    let address = server.rsplit('@').next().unwrap();
    for (database, why, hint) in [
        (
            format!("postgres://goalpost:s3cr3t@127.0.0.1:{}/goalpost", free_port()),
            "Connection refused",
            CHECK_SERVER,
        ),
        (format!("{server}/nowhere"), "database \"nowhere\" does not exist", CHECK_USER),
        (
            format!("postgres://stranger:s3cr3t@{address}/postgres"),
            "role \"stranger\" does not exist",
            CHECK_USER,
        ),
        (format!("{server}/postgres?sslmode=verify-full"), "TLS", CHECK_USER),
        (
            format!("{server}/postgres?sslmode=perhaps"),
            "`sslmode=perhaps`: write disable, prefer or verify-full",
            "",
        ),
        ("mysql://127.0.0.1/goalpost".to_owned(), "`postgres://user:password@host:5432/name`", ""),
    ] {
        let told = told(&database);
        assert!(told.starts_with("error: "), "{told}");
        assert!(told.contains(why), "{database}: {told}");
        assert!(told.contains(hint), "{database}: {told}");
        assert!(!told.contains("s3cr3t") && !told.contains("panicked"), "{told}");
    }
}

/// Makes a key and a certificate for 127.0.0.1 in the server's data folder.
const CERTIFICATE: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=database.example -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout server.key -out server.crt 2>/dev/null && chmod 600 server.key";

/// A server that lets clients in by TLS and a password alone; the file of its certificate.
fn strict(folder: &std::path::Path) -> (PgCluster, String) {
    let mut cluster = PgCluster::start();
    for statement in [
        &*format!("copy (select) to program '{CERTIFICATE}'"),
        "alter system set ssl = on",
        "alter role goalpost password 's3cr3t'",
        "copy (values ('hostssl all goalpost 127.0.0.1/32 scram-sha-256'), ('host all postgres 127.0.0.1/32 trust')) \
         to program 'cat > pg_hba.conf'",
    ] {
        cluster.sql("postgres", statement);
    }
    let certificate = folder.join("database.pem");
    fs::write(&certificate, cluster.sql("postgres", "select pg_read_file('server.crt')")).unwrap();
    cluster.restart_immediate();
    (cluster, certificate.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_tls_and_a_password_gets_both_and_is_not_trusted_without_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, certificate) = tokio::task::block_in_place(|| strict(folder.path()));
    let url = |password: &str, options: &str| {
        format!("postgres://goalpost{password}@127.0.0.1:{}/goalpost?{options}", cluster.port())
    };
    let trusting = format!("sslmode=verify-full&sslrootcert={certificate}");
    for (database, why) in [
        (url(":s3cr3t", "sslmode=verify-full"), "certificate"),
        (url(":s3cr3t", "sslmode=disable"), "no encryption"),
        (url(":wr0ng", &trusting), "password authentication failed"),
    ] {
        let told = told(&database);
        assert!(told.contains(why) && told.contains(CHECK_USER), "{database}: {told}");
        assert!(!told.contains("s3cr3t") && !told.contains("wr0ng"), "{told}");
    }
    let password = folder.path().join("password");
    fs::write(&password, "s3cr3t\n").unwrap();
    let settings = format!("[database]\npassword_file = '{}'\n", password.display());
    let house = House::new(&url("", &trusting), &settings);
    let node = house.node(&[]).start().await;
    let client = house.client(&node.url());
    let made = try_create(&client, demo::VIEW).await.unwrap();
    assert_eq!(until_ended(&client, &made.id(), Duration::from_secs(30)).await, "succeeded");
    let encrypted =
        "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'goalpost'";
    assert_eq!(cluster.sql("postgres", encrypted).trim(), "t");
}
