//! One connection, driven by whichever thread uses it: a statement costs no hop between threads.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::chain;
use super::prepared::Prepared;
use crate::error::{Error, ErrorKind, Result};
use crate::location::{Encryption, Server};

/// How long a server may take to let us in.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After how long a silent connection is asked whether the other side is there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// How long the server's clock, once asked, is told forward by this machine's steady one.
const CLOCK_KEPT: Duration = Duration::from_secs(10);

/// Makes connections to one database.
pub(super) struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    /// Whether its connections prepare statements.
    prepares: Arc<AtomicBool>,
}

impl Connector {
    pub(super) fn new(server: &Server) -> Result<Self> {
        let mut config = server.config.clone();
        config
            .application_name("goalpost")
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3)
            .tcp_user_timeout(UNACKNOWLEDGED);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        Ok(Self { config, tls: tls(server)?, prepares: Arc::new(AtomicBool::new(true)) })
    }

    /// Connect; blocks.
    pub(super) fn connect(&self) -> Result<Connection> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Error::new(ErrorKind::Other, format!("cannot wait for the network: {error}")))?;
        // A server may accept a connection and then say nothing.
        let connected = runtime.block_on(async {
            tokio::time::timeout(CONNECT_WAIT * 2, self.config.connect(self.tls.clone())).await
        });
        let (client, connection) = connected
            .map_err(|_| Error::new(ErrorKind::Unavailable, "the database server does not answer"))?
            .map_err(|error| match Error::from(error) {
                error if error.to_string().contains("TLS handshake") => Error::new(
                    ErrorKind::Refused,
                    format!(
                        "{error}; if that is the right server, name the certificate of its authority by \
                         `sslrootcert=FILE` in the URL, or say `sslmode=disable` on a network that nobody else is on"
                    ),
                ),
                // Nobody listens, or the name leads nowhere: said by the machine, not by the server.
                error if error.kind() == ErrorKind::Other => {
                    Error::new(ErrorKind::Unavailable, error.to_string())
                }
                error => error,
            })?;
        Ok(Connection {
            client,
            driver: Some(Box::pin(connection)),
            fate: None,
            runtime: Own(Some(runtime)),
            clock: None,
            prepared: Prepared::new(Arc::clone(&self.prepares)),
        })
    }

    /// Connect from within a runtime, for a task that drives the connection itself.
    pub(super) async fn connect_async(
        &self,
    ) -> Result<(
        Client,
        tokio_postgres::Connection<
            tokio_postgres::Socket,
            <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
        >,
    )> {
        Ok(self.config.connect(self.tls.clone()).await?)
    }
}

fn tls(server: &Server) -> Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    if server.encryption != Encryption::Never {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    if let Some(path) = &server.root_certificates {
        let refused = |why: String| {
            let message = format!("the certificates in `{}` cannot be used: {why}", path.display());
            Error::new(ErrorKind::Refused, message)
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| refused(chain(&error)))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| refused(chain(&error)))?;
            roots.add(certificate).map_err(|error| refused(chain(&error)))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Other, chain(&error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// An open connection.
pub(crate) struct Connection {
    pub(super) client: Client,
    /// Moves the bytes; gone once the connection is lost.
    driver: Option<Driver>,
    /// What the server, or the network, last said.
    fate: Option<Error>,
    runtime: Own,
    /// The server's clock, microseconds, and when it was that.
    clock: Option<(i64, Instant)>,
    pub(super) prepared: Prepared,
}

/// A connection's own runtime, which waits for its socket alone. It may go wherever its connection goes, also within
/// another runtime.
struct Own(Option<Runtime>);

impl Own {
    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only when the connection is dropped")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("lost", &self.is_lost()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Whether the other side is known to be gone.
    pub(super) fn is_lost(&self) -> bool {
        self.driver.is_none()
    }

    /// Take note of what came in while nobody was looking, such as the server's end.
    pub(super) fn look(&mut self) {
        let Some(driver) = &mut self.driver else { return };
        let looked = self.runtime.get().block_on(async { driver.as_mut().now_or_never() });
        self.note(looked);
    }

    fn note(&mut self, driven: Option<Result<(), tokio_postgres::Error>>) {
        if let Some(end) = driven {
            self.fate = end.err().map(Error::from);
            self.driver = None;
        }
    }

    /// Ask something of the client and wait for the answer, which is the server's own.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the connection ends before it, or there is none within `patience`.
    pub(super) fn wait<T>(
        &mut self,
        patience: Option<Duration>,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Result<T, tokio_postgres::Error>> {
        let Self { client, driver, runtime, .. } = self;
        let mut driven = None;
        let answer = runtime.get().block_on(async {
            let mut asked = pin!(ask(client));
            let both = poll_fn(|cx| {
                // First, so that what it sends is there for the driver.
                if let Poll::Ready(answer) = asked.as_mut().poll(cx) {
                    return Poll::Ready(Some(answer));
                }
                let Some(present) = driver.as_mut() else { return Poll::Ready(None) };
                if let Poll::Ready(end) = present.as_mut().poll(cx) {
                    driven = Some(end);
                    *driver = None; // so that everyone who waits for an answer learns that there is none
                }
                match asked.as_mut().poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending if driver.is_none() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            match patience {
                Some(patience) => tokio::time::timeout(patience, both).await.unwrap_or(None),
                None => both.await,
            }
        });
        self.note(driven);
        answer.ok_or_else(|| self.lost())
    }

    /// Give the connection up, and say why.
    pub(super) fn lost(&mut self) -> Error {
        self.driver = None;
        let told = self.fate.as_ref().map_or_else(
            || "the connection to the database was lost".to_owned(),
            |fate| format!("the connection to the database was lost: {fate}"),
        );
        Error::new(ErrorKind::Unavailable, told)
    }

    /// Send what needs no answer before the next use.
    pub(super) fn send_off(&mut self, sql: &str) {
        let Self { client, driver, runtime, .. } = self;
        let driven = runtime.get().block_on(async {
            // Once polled it is with the driver, which then has only to send it.
            let _ = client.batch_execute(sql).now_or_never();
            match driver {
                Some(driver) => driver.as_mut().now_or_never(),
                None => None,
            }
        });
        self.note(driven);
    }

    /// Run statements without parameters, and wait for their end.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.wait(None, async |client| client.batch_execute(sql).await)??)
    }

    /// The whole number in the first column of the first row; `None` without a row, or for null.
    pub(crate) fn number(&mut self, sql: &str) -> Result<Option<i64>> {
        let rows = self.wait(None, async |client| client.query_typed(sql, &[]).await)??;
        match rows.first() {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(None),
        }
    }

    /// The server's clock, microseconds, if it was asked a short while ago.
    pub(super) fn now_us(&self) -> Option<i64> {
        let (then_us, asked) = self.clock?;
        let since = asked.elapsed();
        (since < CLOCK_KEPT).then(|| then_us + since.as_micros() as i64)
    }

    /// The server's clock is this now.
    pub(super) fn set_clock(&mut self, now_us: i64) {
        self.clock = Some((now_us, Instant::now()));
    }
}
