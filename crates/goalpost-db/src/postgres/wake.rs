//! Waking workers of other processes: `notify` when a job was made, `listen` to hear of it. A hint and no more: a
//! transaction pooler lets neither pass, and then workers find jobs by looking.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::AsyncMessage;

use super::connection::Connector;
use super::error::chain;

const CHANNEL: &str = "goalpost_job";
/// How long after a lost connection, or a refused one, the next one is tried.
const AGAIN: Duration = Duration::from_secs(2);
/// How long a word may take that is said over another connection.
const ECHO: Duration = Duration::from_secs(5);

/// Relay between this process and the others until it is dropped.
pub(super) async fn relay(connector: &Connector, made: &Notify, wake: &Notify) {
    loop {
        let error = over_one_connection(connector, made, wake).await;
        tracing::debug!(error, "cannot hear of new jobs; workers look for them meanwhile");
        tokio::time::sleep(AGAIN).await;
    }
}

/// The same until the connection ends; says why it did.
async fn over_one_connection(connector: &Connector, made: &Notify, wake: &Notify) -> String {
    let (client, mut connection) = match connector.connect_async().await {
        Ok(connected) => connected,
        Err(error) => return error.to_string(),
    };
    let (listening, heard) = (Notify::new(), Notify::new());
    let mut messages = pin!(poll_fn(|cx| {
        loop {
            match connection.poll_message(cx) {
                Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => {
                    heard.notify_one();
                    wake.notify_one();
                }
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(chain(&error)),
                Poll::Ready(None) => return Poll::Ready("the connection was closed".to_owned()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }));
    let talk = async {
        client.batch_execute(&format!("listen {CHANNEL}")).await?;
        listening.notify_one();
        // What was made before anybody listened is found now.
        wake.notify_one();
        loop {
            made.notified().await;
            client.batch_execute(&format!("notify {CHANNEL}")).await?;
        }
    };
    let echo = async {
        listening.notified().await;
        if say(connector).await && tokio::time::timeout(ECHO, heard.notified()).await.is_err() {
            tracing::info!(
                "the database passes on no word of new exports, as behind a transaction pooler; workers look for them instead"
            );
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = echo => String::new(),
        ended = &mut messages => ended,
        failed = talk => {
            let failed: Result<(), tokio_postgres::Error> = failed;
            failed.err().map_or_else(String::new, |error| chain(&error))
        }
    }
}

/// Say the word over a connection of its own, as another process does; whether it was said.
async fn say(connector: &Connector) -> bool {
    let Ok((client, connection)) = connector.connect_async().await else { return false };
    let notify = format!("notify {CHANNEL}");
    tokio::select! {
        said = client.batch_execute(&notify) => said.is_ok(),
        _ = connection => false,
    }
}
