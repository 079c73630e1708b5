//! Bodies that are files: they go to the store as they come.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use super::body::invalid;
use crate::app::App;
use crate::http::GraphError;
use crate::store::{Error, ErrorKind, Stored};

/// Pieces of a body that wait for the disk, or for the way to the object store.
const WAITING: usize = 4;
/// Bytes that tell what a file is.
const HEAD: usize = 512;

/// Store a body of at most `limit` bytes under a new name.
///
/// # Errors
/// 413 for a longer one; 400 for an empty one, and for one that breaks off; 415 for one that is no file of a kind that is imported;
/// 503 if the store does not take it. Nothing is kept then.
pub(super) async fn store(
    app: &App,
    headers: &HeaderMap,
    mut body: Body,
    limit: u64,
    (folder, name): (String, String),
) -> Result<Stored, GraphError> {
    let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let writer = app.content.create(&folder, &name).map_err(|error| trouble(&error))?;
    let (pieces, mut to_store) = mpsc::channel::<Option<Bytes>>(WAITING);
    let storing = tokio::task::spawn_blocking(move || {
        let mut writer = writer;
        while let Some(piece) = to_store.blocking_recv() {
            match piece {
                Some(piece) => writer.write(&piece)?,
                None => return writer.finish().map(Some),
            }
        }
        // Broken off: what was written goes with the writer.
        Ok(None)
    });
    let received = receive(&mut body, limit, &pieces).await;
    drop(pieces);
    let stored = storing.await.map_err(|panic| GraphError::internal(&panic))?;
    received?;
    match stored {
        Ok(Some(stored)) => Ok(stored),
        Ok(None) => Err(GraphError::unavailable()),
        Err(error) => Err(trouble(&error)),
    }
}

/// Hand a body over piece by piece, and say when it is whole. Whoever stores has failed if nobody takes a piece, and says
/// so itself.
async fn receive(
    body: &mut Body,
    limit: u64,
    pieces: &mpsc::Sender<Option<Bytes>>,
) -> Result<(), GraphError> {
    let (mut size, mut head) = (0_u64, Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| invalid("the body broke off before its end"))?;
        let Ok(piece) = frame.into_data() else { continue };
        size += piece.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        if head.len() < HEAD {
            head.extend_from_slice(&piece[..piece.len().min(HEAD - head.len())]);
            if head.len() == HEAD {
                require_kind(&head)?;
            }
        }
        if pieces.send(Some(piece)).await.is_err() {
            return Ok(());
        }
    }
    if size == 0 {
        return Err(invalid("the body is empty: it must be the file"));
    }
    require_kind(&head)?;
    let _ = pieces.send(None).await;
    Ok(())
}

/// By its first bytes, never by its name: a binary file of a kind that is imported, or a text. What it is more closely, the import says.
fn require_kind(head: &[u8]) -> Result<(), GraphError> {
    /// ZIP, Parquet, gzip, zstd.
    const BINARY: [&[u8]; 4] = [b"PK", b"PAR1", &[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd]];
    let is_utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    if BINARY.iter().any(|magic| head.starts_with(magic)) || is_utf16 || !head.contains(&0) {
        return Ok(());
    }
    Err(GraphError::service(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupportedMediaType",
        "unknownFile",
        "The body is no file that can be imported. Send the ZIP of an organization, or the table of a view, as it is.",
    ))
}

fn too_large(limit: u64) -> GraphError {
    GraphError::service(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payloadTooLarge",
        "fileTooLarge",
        format!("The file is larger than {limit} bytes. The operator can import it with `goalpost import`."),
    )
}

fn trouble(error: &Error) -> GraphError {
    tracing::warn!(%error, "could not store a file that was sent");
    match error.kind() {
        ErrorKind::AlreadyExists => GraphError::internal(error),
        _ => GraphError::unavailable(),
    }
}
