//! What a verified token must say, and what the rest of the server may know of it.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::authenticator::Settings;
use crate::issuer::{Issuer, PERSONAL_ACCOUNTS, guid};
use crate::refusal::Refusal;

/// Claims that only ID tokens have (`OpenID` Connect Core 1.0 §2, §3.3.2.11).
const ID_TOKEN_CLAIMS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Who calls, as far as a verified access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer, as configured. With [`tenant`](Self::tenant) and [`object`](Self::object) it names the
    /// identity.
    pub issuer: String,
    /// The caller's tenant (`tid`).
    pub tenant: Uuid,
    /// The caller within the tenant (`oid`). Never `sub`, which differs from client to client.
    pub object: Uuid,
    /// Delegated scopes (`scp`), in the token's order; empty for an application. Roles never become scopes.
    pub scopes: Vec<String>,
    /// An application acts on its own, without a user: no `scp`, or an `idtyp` other than `user`. Authentic,
    /// but the Viva Goals API answers 403 to it (Graph contract §2).
    pub app_only: bool,
    /// The e-mail address, only if the issuer says it is verified (`email_verified`, or Entra's `xms_edov`).
    pub email: Option<String>,
    /// Whether the issuer's configuration lets a new identity be linked to a person by that address.
    pub link_by_email: bool,
    /// The client that asked for the token (`azp`, or `appid` in Entra's v1 tokens).
    pub client: Option<String>,
    /// Issued by Goalpost itself.
    pub own: bool,
    /// When the token ends (`exp`), in seconds since 1970-01-01 UTC, without leeway.
    pub expires_at: i64,
}

/// Check the claims of a token whose signature is `issuer`'s, at `now` (seconds since 1970-01-01 UTC).
pub(crate) fn check(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    own: bool,
    settings: Settings,
    now: i64,
) -> Result<Claims, Refusal> {
    let claims = Reader(claims);
    check_kind(&claims)?;
    let expires_at = check_time(&claims, settings, now)?;
    check_audience(&claims, issuer)?;
    let tenant = claims.required_guid("tid")?;
    if tenant == PERSONAL_ACCOUNTS {
        return Err(Refusal::PersonalAccount);
    }
    if !issuer.allows(tenant) {
        return Err(Refusal::Tenant);
    }
    let object = claims.required_guid("oid")?;
    if !issuer.guests && is_guest(&claims, issuer, tenant)? {
        return Err(Refusal::Guest);
    }
    let (scopes, app_only) = scopes(&claims)?;
    Ok(Claims {
        issuer: issuer.issuer.clone(),
        tenant,
        object,
        scopes,
        app_only,
        email: verified_email(&claims)?,
        link_by_email: issuer.link_by_email,
        client: client(&claims, issuer)?,
        own,
        expires_at,
    })
}

/// The claims of one token, read by name and kind. A claim of the wrong kind is refused, never taken as
/// absent.
struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        self.0.get(name).map(|value| value.as_str().ok_or(Refusal::Claim(name))).transpose()
    }

    /// Whole seconds since 1970-01-01 UTC. RFC 7519 §2 also allows fractions; no issuer in use writes them.
    fn seconds(&self, name: &'static str) -> Result<Option<i64>, Refusal> {
        self.0.get(name).map(|value| value.as_i64().ok_or(Refusal::Claim(name))).transpose()
    }

    fn required_guid(&self, name: &'static str) -> Result<Uuid, Refusal> {
        self.text(name)?.and_then(guid).ok_or(Refusal::Claim(name))
    }
}

/// Only an access token that bearing it is enough for. `typ` has kept out tokens that say what else they are;
/// these are the ones that look alike.
fn check_kind(claims: &Reader<'_>) -> Result<(), Refusal> {
    if claims.has("events") {
        return Err(Refusal::EventToken); // RFC 8417 §2.2; OpenID Connect Back-Channel Logout 1.0 §2.4
    }
    if ID_TOKEN_CLAIMS.iter().any(|name| claims.has(name)) {
        return Err(Refusal::IdToken);
    }
    if claims.has("cnf") {
        return Err(Refusal::BoundToken); // RFC 7800
    }
    Ok(())
}

/// The token's end, if it is valid now: leeway on both sides, and an end no further ahead than the longest
/// lifetime.
fn check_time(claims: &Reader<'_>, settings: Settings, now: i64) -> Result<i64, Refusal> {
    let leeway = i64::from(settings.leeway_secs);
    let expires_at = claims.seconds("exp")?.ok_or(Refusal::Claim("exp"))?;
    if expires_at.saturating_add(leeway) <= now {
        return Err(Refusal::Expired);
    }
    if expires_at > now.saturating_add(i64::from(settings.max_lifetime_secs)) {
        return Err(Refusal::LifetimeTooLong);
    }
    let latest_start = now.saturating_add(leeway);
    if claims.seconds("nbf")?.is_some_and(|at| at > latest_start) {
        return Err(Refusal::NotYetValid);
    }
    if claims.seconds("iat")?.is_some_and(|at| at > latest_start) {
        return Err(Refusal::IssuedInFuture);
    }
    Ok(expires_at)
}

/// `aud` is a text or an array of texts, and one of them is ours, letter for letter (RFC 7519 §4.1.3).
fn check_audience(claims: &Reader<'_>, issuer: &Issuer) -> Result<(), Refusal> {
    let is_ours = |audience: &str| issuer.audiences.iter().any(|ours| ours == audience);
    let ours = match claims.0.get("aud") {
        Some(Value::String(audience)) => is_ours(audience),
        Some(Value::Array(audiences)) => {
            let texts: Option<Vec<&str>> = audiences.iter().map(Value::as_str).collect();
            texts.ok_or(Refusal::Claim("aud"))?.into_iter().any(is_ours)
        }
        _ => return Err(Refusal::Claim("aud")),
    };
    if ours { Ok(()) } else { Err(Refusal::Audience) }
}

/// Entra marks guests by `acct` 1, and by an `idp` other than the tenant itself.
fn is_guest(claims: &Reader<'_>, issuer: &Issuer, tenant: Uuid) -> Result<bool, Refusal> {
    let member_account = claims.0.get("acct").is_none_or(|acct| acct == 0 || acct == "0");
    let home = format!("https://sts.windows.net/{tenant}/");
    let home_idp = claims.text("idp")?.is_none_or(|idp| idp == issuer.issuer || idp == home);
    Ok(!member_account || !home_idp)
}

/// The delegated scopes, and whether an application acts without a user.
fn scopes(claims: &Reader<'_>) -> Result<(Vec<String>, bool), Refusal> {
    let user = claims.text("idtyp")?.is_none_or(|kind| kind == "user");
    match claims.text("scp")? {
        Some(text) if text.contains(char::is_control) => Err(Refusal::Claim("scp")),
        Some(text) if user => {
            Ok((text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(), false))
        }
        _ => Ok((Vec::new(), true)),
    }
}

fn verified_email(claims: &Reader<'_>) -> Result<Option<String>, Refusal> {
    let is = |name: &str, yes: &[Value]| claims.0.get(name).is_some_and(|value| yes.contains(value));
    // Entra's reference calls `xms_edov` a Boolean; its tokens also carry it as a number or a text.
    let verified = is("email_verified", &[true.into()])
        || is("xms_edov", &[true.into(), 1.into(), "1".into(), "true".into()]);
    let email = claims.text("email")?.filter(|email| verified && !email.contains(char::is_control));
    Ok(email.map(str::to_owned))
}

/// The client, which must be on the issuer's list if there is one. Two names for it must agree.
fn client(claims: &Reader<'_>, issuer: &Issuer) -> Result<Option<String>, Refusal> {
    let (azp, appid) = (claims.text("azp")?, claims.text("appid")?);
    if azp.is_some() && appid.is_some() && azp != appid {
        return Err(Refusal::Client);
    }
    let client = azp.or(appid);
    let listed = client.is_some_and(|client| issuer.clients.iter().any(|listed| listed == client));
    if !issuer.clients.is_empty() && !listed {
        return Err(Refusal::Client);
    }
    Ok(client.map(str::to_owned))
}
