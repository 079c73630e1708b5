//! Why a token is refused: a class for the log, and the sentence that Microsoft Graph would answer.

/// Why a token was not accepted. Every refusal is a 401 `InvalidAuthenticationToken` at the Graph door.
///
/// The text (`Display`) is for operators and names the cause; [`Refusal::graph_message`] is for the caller,
/// who learns no more than Graph tells. Neither ever holds a part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No token at all.
    #[error("the token is empty")]
    Empty,
    /// More bytes than [`Settings::max_token_bytes`](crate::Settings::max_token_bytes).
    #[error("the token is longer than `max_token_bytes`")]
    TooLong,
    /// Not even one dot: some other kind of secret.
    #[error("the token is not a JWT: it has no dots")]
    NoDots,
    /// Not exactly three parts (an encrypted token has five).
    #[error("the token does not have three parts")]
    PartCount,
    /// A part is not base64url without padding and without stray bits (RFC 7515 §2).
    #[error("a part of the token is not strict base64url")]
    Encoding,
    /// Header or claims are not one JSON object without repeated names, at most 16 levels deep.
    #[error("header or claims are not a strict JSON object")]
    Json,
    /// The header's `alg` is missing or neither RS256 nor ES256.
    #[error("`alg` is neither RS256 nor ES256")]
    Algorithm,
    /// The header's `typ` is missing or not that of an access token.
    #[error("`typ` is none of JWT, at+jwt, application/at+jwt")]
    Type,
    /// The header's `kid` is missing, not a string, empty or longer than 256 bytes.
    #[error("`kid` is missing or not a string of 1 to 256 bytes")]
    KeyId,
    /// The header has a parameter outside the allow-list (`crit`, `jku`, `jwk`, `zip` and so on).
    #[error("the header has a parameter other than alg, typ, kid, x5t, x5t#S256")]
    HeaderParameter,
    /// A `nonce` in the header: made for Microsoft Graph itself, which alone can verify it.
    #[error("the token was made for Microsoft Graph: request one for this server's audience")]
    GraphToken,
    /// `iss` is not, letter for letter, one of the configured issuers.
    #[error("no configured issuer has this `iss`")]
    UnknownIssuer,
    /// The issuer has no usable key of this `kid`.
    #[error("the issuer has no usable key with this `kid`")]
    UnknownKey,
    /// The issuer's keys were never fetched, or not within the last 24 hours.
    #[error("the issuer's keys are not available: see the log for why they could not be fetched")]
    KeysUnavailable,
    /// `alg` is not the one that the key is for.
    #[error("`alg` is not the algorithm of the key")]
    KeyAlgorithm,
    /// The signature does not fit the token.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is missing or of the wrong kind; its name is given.
    #[error("the claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// An ID token: it tells a client who signed in, and opens nothing.
    #[error("this is an ID token: send the access token")]
    IdToken,
    /// A logout or security-event token.
    #[error("this is a security event token, such as a logout token")]
    EventToken,
    /// Bound to a key or certificate of its holder (`cnf`), which a bearer presentation does not prove.
    #[error("the token is bound to its holder's key (`cnf`), which cannot be checked here")]
    BoundToken,
    /// `exp` has passed, leeway included.
    #[error("the token is expired")]
    Expired,
    /// `nbf` lies ahead, leeway included.
    #[error("the token is not yet valid: check the clocks")]
    NotYetValid,
    /// `iat` lies ahead, leeway included.
    #[error("the token was issued in the future: check the clocks")]
    IssuedInFuture,
    /// `exp` lies further ahead than `max_lifetime_secs`.
    #[error("the token lives longer than `max_lifetime_secs`")]
    LifetimeTooLong,
    /// `aud` names none of the issuer's configured audiences.
    #[error("the token is for another audience")]
    Audience,
    /// `tid` is not allowed for this issuer, or contradicts the tenant in the issuer's URL.
    #[error("the tenant is not allowed for this issuer")]
    Tenant,
    /// A personal Microsoft account; the Viva Goals API is for work and school accounts.
    #[error("personal Microsoft accounts are not supported")]
    PersonalAccount,
    /// A guest of the tenant, where the issuer does not say `guests = true`.
    #[error("guests are not allowed for this issuer")]
    Guest,
    /// `azp` or `appid` is not on the issuer's list of clients.
    #[error("the client is not on this issuer's list")]
    Client,
}

impl Refusal {
    /// The `error.message` of the 401, in Microsoft Graph's words (Graph contract §2, as observed).
    pub fn graph_message(self) -> &'static str {
        match self {
            Self::Empty => "Access token is empty.",
            Self::NoDots => concat!(
                "IDX14100: JWT is not well formed, there are no dots (.).\n",
                "The token needs to be in JWS or JWE Compact Serialization Format. ",
                "(JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. ",
                "(JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.",
                "EncodedCiphertext.EncodedAuthenticationTag'.",
            ),
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            _ => "Access token validation failure.",
        }
    }

    /// The class under which logs, metrics and the audit trail count this refusal: few, stable, in snake
    /// case.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::NoDots | Self::PartCount | Self::Encoding | Self::Json => "malformed",
            Self::Algorithm | Self::KeyAlgorithm => "algorithm",
            Self::Type | Self::KeyId | Self::HeaderParameter => "header",
            Self::GraphToken => "graph_token",
            Self::UnknownIssuer => "issuer",
            Self::UnknownKey => "unknown_key",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Signature => "signature",
            Self::Claim(_) => "claim",
            Self::IdToken | Self::EventToken => "token_kind",
            Self::BoundToken => "bound_token",
            Self::Expired => "expired",
            Self::NotYetValid | Self::IssuedInFuture => "not_yet_valid",
            Self::LifetimeTooLong => "lifetime",
            Self::Audience => "audience",
            Self::Tenant => "tenant",
            Self::PersonalAccount => "personal_account",
            Self::Guest => "guest",
            Self::Client => "client",
        }
    }
}
