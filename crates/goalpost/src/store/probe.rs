//! Whether a store can do what exports need of it, tried before the server serves.

use std::time::Duration;

use futures_util::TryStreamExt as _;

use super::{ContentStore, Error, ErrorKind, Result, Stored};

/// A store that takes longer is as good as away.
const WITHIN: Duration = Duration::from_secs(10);
/// Where probes lie; no organization's folder has this name.
const FOLDER: &str = "probe";
const BYTES: &[u8] = b"Goalpost tries whether it can write here.";

/// A store that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("the files of exports cannot lie in `{url}`: {problem}")]
pub struct Unusable {
    url: String,
    problem: Problem,
    #[source]
    cause: Option<Error>,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it has not done what it should within {} seconds", WITHIN.as_secs())]
    TooSlow,
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it does not accept the credentials")]
    Credentials,
    #[error("the credentials do not allow to {0} objects there")]
    Forbidden(&'static str),
    #[error("there is no such bucket or container")]
    NoBucket,
    #[error(
        "it is refused because it lets a second object replace the first of the same name, whatever is asked of it"
    )]
    Replaces,
    #[error("it is refused because it does not give the part of an object that is asked for")]
    NoRanges,
    #[error("it is refused because it still shows an object that was removed")]
    Keeps,
    #[error("cannot {0} there")]
    Failed(&'static str),
}

impl Unusable {
    /// What a person can do about it; `None` if the cause says more.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.problem {
            Problem::TooSlow | Problem::Unreachable => {
                "check its address (`content.options.endpoint`, `content.options.region`), that this machine reaches it, and that credentials are set"
            }
            Problem::Credentials => match self.url.split_once("://") {
                Some(("s3", _)) => {
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SECRET_ACCESS_KEY_FILE, and check this machine's clock"
                }
                Some(("az", _)) => {
                    "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_ACCOUNT_KEY_FILE"
                }
                _ => "set GOOGLE_SERVICE_ACCOUNT to the path of the service account's key file",
            },
            Problem::Forbidden(_) => "allow these credentials to read, write, list and delete objects there",
            Problem::NoBucket => "make it, or name another by `--content`",
            Problem::Replaces => {
                "name a store that honours conditional writes (`If-None-Match: *`), or a folder, by `--content`"
            }
            Problem::NoRanges | Problem::Keeps => "name another store by `--content`",
            Problem::Failed(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// Whether this is the key of a probe, which its process removes unless it dies.
pub fn is_probe(key: &str) -> bool {
    key.split_once('/').is_some_and(|(folder, _)| folder == FOLDER)
}

/// Try the store under a new name; see [`ContentStore::probe`].
pub(super) async fn probe(store: &ContentStore, name: &str) -> Result<(), Unusable> {
    let tried = tokio::time::timeout(WITHIN, try_all(store, name)).await;
    let (problem, cause) = match tried {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => (Problem::TooSlow, None),
    };
    Err(Unusable { url: store.url(), problem, cause })
}

type Failed = (Problem, Option<Error>);

async fn try_all(store: &ContentStore, name: &str) -> Result<(), Failed> {
    let written = write(store, name).await.map_err(failed("write"))?;
    let used = use_it(store, name, &written.key).await;
    // In any case, so that no probe stays.
    let removed = store.remove(&written.key).await;
    used?;
    removed.map_err(failed("delete"))?;
    match store.read(&written.key, 0..1).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("read")(error)),
        Ok(_) => Err((Problem::Keeps, None)),
    }
}

async fn use_it(store: &ContentStore, name: &str, key: &str) -> Result<(), Failed> {
    match write(store, name).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("write")(error)),
        Ok(_) => return Err((Problem::Replaces, None)),
    }
    let reading = store.read(key, 9..14).await.map_err(failed("read"))?;
    let size = reading.size_bytes;
    let pieces: Vec<_> =
        reading.bytes.try_collect().await.map_err(|error| failed("read")(Error::caused_by(error)))?;
    if size != BYTES.len() as u64 || pieces.concat() != BYTES[9..14] {
        return Err((Problem::NoRanges, None));
    }
    store.list().next_page().await.map_err(failed("list"))?;
    Ok(())
}

async fn write(store: &ContentStore, name: &str) -> Result<Stored> {
    let mut writer = store.create(FOLDER, name)?;
    let written = tokio::task::spawn_blocking(move || {
        writer.write(BYTES)?;
        writer.finish()
    });
    written.await.map_err(Error::caused_by)?
}

fn failed(verb: &'static str) -> impl Fn(Error) -> Failed {
    move |error| {
        let of_a_folder = std::error::Error::source(&error).is_some();
        let problem = match error.kind() {
            _ if of_a_folder => Problem::Failed(verb),
            ErrorKind::Unreachable => Problem::Unreachable,
            ErrorKind::Unauthenticated => Problem::Credentials,
            ErrorKind::Forbidden => Problem::Forbidden(verb),
            ErrorKind::NoBucket => Problem::NoBucket,
            _ => Problem::Failed(verb),
        };
        (problem, Some(error))
    }
}
