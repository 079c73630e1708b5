//! Where the real programs are that `cargo xtask services up` has started, and what it has installed.
//!
//! Each answer panics, with what to do, if they do not run: nothing is skipped.

use std::collections::HashMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const HINT: &str = "run `cargo xtask services up` first, or `cargo xtask test`";

/// S3, and who may use it.
#[derive(Clone, Debug)]
pub struct S3 {
    /// `http://IP:PORT`; the bucket comes first in the path.
    pub endpoint: String,
    /// A bucket that exists.
    pub bucket: String,
    /// The access key's id.
    pub key: String,
    /// The secret access key.
    pub secret: String,
}

/// The PostgreSQL server of the suite, `postgres://ROLE@IP:PORT` without a database. Its role may make databases, and is
/// no superuser. What it has committed does not survive a crash: tests of that start a [`PgCluster`](crate::PgCluster).
pub fn postgres() -> String {
    running("GOALPOST_TEST_POSTGRES")
}

/// The same server, as its superuser.
pub fn postgres_admin() -> String {
    running("GOALPOST_TEST_POSTGRES_ADMIN")
}

/// `PgBouncer` before that server, with a pool of ten connections for each database, which change hands after each
/// transaction. It keeps some for a few seconds, so that databases are dropped `with (force)`.
pub fn pgbouncer() -> String {
    running("GOALPOST_TEST_PGBOUNCER")
}

/// S3 as SeaweedFS speaks it.
pub fn s3() -> S3 {
    S3 {
        endpoint: running("GOALPOST_TEST_S3"),
        bucket: told("GOALPOST_TEST_S3_BUCKET"),
        key: told("GOALPOST_TEST_S3_KEY"),
        secret: told("GOALPOST_TEST_S3_SECRET"),
    }
}

/// The blob endpoint of Azurite's account, `http://IP:PORT/devstoreaccount1`. It has no container.
pub fn azure() -> String {
    running("GOALPOST_TEST_AZURE")
}

/// The folder of PostgreSQL's own programs, such as `pg_dump`.
pub fn pg_bin() -> PathBuf {
    told("GOALPOST_TEST_PG_BIN").into()
}

/// The nginx program.
pub fn nginx() -> PathBuf {
    told("GOALPOST_TEST_NGINX").into()
}

/// Prometheus' own tool, which reads alert rules and tests them.
pub fn promtool() -> PathBuf {
    told("GOALPOST_TEST_PROMTOOL").into()
}

/// The library that shifts the clock of a program into which it is loaded.
pub fn faketime() -> PathBuf {
    told("GOALPOST_TEST_FAKETIME").into()
}

/// The value, once somebody listens where it says.
fn running(name: &str) -> String {
    let url = told(name);
    let address = url.rsplit(['/', '@']).find(|part| part.contains(':')).unwrap_or_default();
    if let Err(error) = TcpStream::connect(address) {
        panic!("{name} is {url}, but nothing answers there ({error}): {HINT}");
    }
    url
}

/// The value from the environment, or from the file that `services up` writes.
fn told(name: &str) -> String {
    static FILE: OnceLock<HashMap<String, String>> = OnceLock::new();
    if let Ok(value) = std::env::var(name) {
        return value;
    }
    let file = FILE.get_or_init(|| parse(&std::fs::read_to_string(path()).unwrap_or_default()));
    file.get(name).cloned().unwrap_or_else(|| panic!("{name} is not set: {HINT}"))
}

/// The file lies in the target folder, which is where `cargo xtask` takes it to be.
fn path() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = crates.and_then(Path::parent).expect("this crate is two folders below the workspace");
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("services.env")
}

fn parse(text: &str) -> HashMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tests_are_told_answers() {
        for url in [postgres(), postgres_admin(), pgbouncer(), azure(), s3().endpoint] {
            assert!(url.contains("://"), "{url}");
        }
        for path in [pg_bin().join("initdb"), nginx(), promtool(), faketime()] {
            assert!(path.exists(), "{}", path.display());
        }
    }

    #[test]
    #[should_panic(expected = "run `cargo xtask services up` first, or `cargo xtask test`")]
    fn what_is_missing_says_what_to_do() {
        told("GOALPOST_TEST_NOTHING");
    }
}
