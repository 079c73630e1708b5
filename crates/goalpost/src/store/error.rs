//! How a store fails, in as many kinds as somebody treats differently.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

/// What a store's verbs end with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked to.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<io::Error>,
}

/// What can be done about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The name was used before.
    AlreadyExists,
    /// There is no content of this name.
    NotFound,
    /// There is no such bucket or container.
    NoBucket,
    /// There is no room, until somebody makes some.
    Full,
    /// The store does not believe who we are.
    Unauthenticated,
    /// The store knows who we are, and does not allow it.
    Forbidden,
    /// No answer.
    Unreachable,
    /// Anything else.
    Other,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    pub(super) fn other(message: &str) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    pub(super) fn caused_by(cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Other, cause.to_string())
    }

    /// The same, and where.
    pub(super) fn at(self, place: &str) -> Self {
        Self { message: format!("`{place}`: {}", self.message), ..self }
    }

    /// What can be done about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        let kind = match cause.kind() {
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
            _ => ErrorKind::Other,
        };
        Self { kind, message: cause.to_string(), cause: Some(cause) }
    }
}

/// Codes by which object stores say that there is no room; the status 507 says it, too.
const FULL: [&str; 5] =
    ["AccountQuotaExceeded", "InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"];
/// Codes by which they say that the bucket is missing, under the status that also means "no such object".
const NO_BUCKET: [&str; 2] = ["ContainerNotFound", "NoSuchBucket"];
/// Codes by which they say that they do not know us, under a status that also means "not allowed".
const UNKNOWN_CALLER: [&str; 6] = [
    "AuthenticationFailed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let answer = Answer::to(&error);
        let code = |known: &[&str]| match &answer {
            Answer::Refusal { code: Some(code), .. } => known.contains(&code.as_str()),
            _ => false,
        };
        let kind = match (&error, &answer) {
            (_, Answer::None(_)) => ErrorKind::Unreachable,
            (_, Answer::Refusal { status, .. }) if status.starts_with("507") => ErrorKind::Full,
            _ if code(&FULL) => ErrorKind::Full,
            _ if code(&NO_BUCKET) => ErrorKind::NoBucket,
            _ if code(&UNKNOWN_CALLER) => ErrorKind::Unauthenticated,
            (E::AlreadyExists { .. } | E::Precondition { .. }, _) => ErrorKind::AlreadyExists,
            (E::NotFound { .. }, _) => ErrorKind::NotFound,
            (E::Unauthenticated { .. }, _) => ErrorKind::Unauthenticated,
            (E::PermissionDenied { .. }, _) => ErrorKind::Forbidden,
            _ => ErrorKind::Other,
        };
        let message = match answer {
            Answer::None(why) => why,
            Answer::Refusal { status, code: Some(code) } => format!("it answered {status}, {code}"),
            Answer::Refusal { status, code: None } => format!("it answered {status}"),
            Answer::Strange => innermost(&error).to_string(),
        };
        Self::new(kind, message)
    }
}

/// What a store has answered to a request that failed.
enum Answer {
    /// Nothing, or not to the end, and why.
    None(String),
    /// A status other than success, and the store's own word for it.
    Refusal { status: String, code: Option<String> },
    /// Something that its client does not understand.
    Strange,
}

impl Answer {
    /// Read from an error's causes. Not all of their types are public, so the status is read from their words.
    fn to(error: &object_store::Error) -> Self {
        const STATUS: &str = "status code: ";
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(present) = cause {
            if let Some(http) = present.downcast_ref::<HttpError>() {
                let why = innermost(http).to_string();
                return Self::None(match http.kind() {
                    HttpErrorKind::Timeout => "no answer in time".to_owned(),
                    _ if why.contains("scheme is not allowed") => {
                        "its address is `http`, which needs `content.options.allow_http = true`".to_owned()
                    }
                    _ => format!("no answer ({why})"),
                });
            }
            cause = present.source();
        }
        let told = error.to_string();
        let Some(at) = told.rfind(STATUS) else { return Self::Strange };
        let rest = &told[at + STATUS.len()..];
        let (status, body) = rest.split_once(':').unwrap_or((rest, ""));
        let code = between(body, "<Code>", "</Code>").map(str::to_owned);
        Self::Refusal { status: status.to_owned(), code }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    rest.find(end).map(|end| &rest[..end])
}

fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}
