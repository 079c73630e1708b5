//! The configuration of one foreign issuer: whom we believe, about what.

use reqwest::Url;
use serde::Deserialize;
use uuid::Uuid;

use crate::fetch::{UrlProblem, check_url};

/// The tenant of personal Microsoft accounts, which the Viva Goals API does not serve (Graph contract §2).
pub(crate) const PERSONAL_ACCOUNTS: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);

/// An identity provider whose access tokens are accepted. Everything that is not listed is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own in the configuration file")]
pub struct Issuer {
    /// The exact `iss` of its tokens, such as `https://login.microsoftonline.com/{tenant GUID}/v2.0` for
    /// Entra's v2 tokens or `https://sts.windows.net/{tenant GUID}/` for its v1 tokens. Compared letter for
    /// letter.
    pub issuer: String,
    /// Values of `aud` that mean this server; one of them must be in the token.
    pub audiences: Vec<String>,
    /// Values of `tid` that are accepted.
    pub tenants: Vec<Uuid>,
    /// Accept every tenant that this issuer names. Only for issuers that vouch for their tenants.
    pub any_tenant: bool,
    /// Where its public keys are. Either this or `discovery`.
    pub jwks_url: Option<String>,
    /// Find the keys through `{issuer}/.well-known/openid-configuration`; they must lie on the same host.
    pub discovery: bool,
    /// Client ids (`azp` or `appid`) that may call; empty means any.
    pub clients: Vec<String>,
    /// The sign-in page named in `WWW-Authenticate`.
    pub authorize_url: Option<String>,
    /// Link a new sign-in to the one unlinked person with the same verified e-mail address.
    pub link_by_email: bool,
    /// Allow http and addresses that are not public, for tests and providers inside the network.
    pub insecure: bool,
    /// Accept guests of the tenant (`acct` 1, or an `idp` other than the tenant itself).
    pub guests: bool,
}

/// Something to change in an [`Issuer`]'s configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The issuer is not a usable URL.
    #[error("`issuer` {0}")]
    IssuerUrl(UrlProblem),
    /// The issuer is a template such as `https://…/{tenantid}/v2.0`.
    #[error("`issuer` must name one tenant: replace the braces by its GUID, and add one issuer per tenant")]
    IssuerTemplate,
    /// Nothing says which audience is ours.
    #[error("`audiences` must list at least one value, and no empty one")]
    Audiences,
    /// Nothing says which tenants are ours.
    #[error("`tenants` must list at least one GUID, or set `any_tenant = true`")]
    NoTenants,
    /// A list of tenants, and at the same time any.
    #[error("`tenants` and `any_tenant = true` contradict each other: remove one")]
    TenantsAndAny,
    /// A tenant that can never be right.
    #[error("`tenants` lists {0}, which is no organization's tenant")]
    ImpossibleTenant(Uuid),
    /// The issuer's URL names a tenant that the list leaves out: no token could pass.
    #[error("`tenants` must contain {0}, the tenant in `issuer`")]
    IssuerTenantMissing(Uuid),
    /// No key source, or two.
    #[error("set either `jwks_url` or `discovery = true`")]
    KeySource,
    /// The key URL may not be fetched from.
    #[error("`jwks_url` {0}")]
    JwksUrl(UrlProblem),
    /// An empty client id.
    #[error("`clients` must not list an empty value")]
    EmptyClient,
    /// The sign-in page cannot stand in a header.
    #[error("`authorize_url` must be an http or https URL without spaces, quotes or backslashes")]
    AuthorizeUrl,
    /// Any tenant's administrator could then take over a person by writing that person's e-mail address.
    #[error(
        "`link_by_email` needs a list of `tenants`: with `any_tenant` anyone's tenant could claim an address"
    )]
    LinkByEmailOfAnyTenant,
}

impl Issuer {
    /// Everything that is wrong with this entry; empty if nothing is.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: Problem| {
            if !holds {
                problems.push(problem);
            }
        };
        if self.issuer.contains(['{', '}']) {
            require(false, Problem::IssuerTemplate);
        } else if let Err(problem) = check_url(&self.issuer, self.insecure) {
            require(false, Problem::IssuerUrl(problem));
        }
        require(listed(&self.audiences) && !self.audiences.is_empty(), Problem::Audiences);
        require(self.any_tenant || !self.tenants.is_empty(), Problem::NoTenants);
        require(!self.any_tenant || self.tenants.is_empty(), Problem::TenantsAndAny);
        for tenant in &self.tenants {
            require(!tenant.is_nil() && *tenant != PERSONAL_ACCOUNTS, Problem::ImpossibleTenant(*tenant));
        }
        if let Some(tenant) = self.tenant_in_url().filter(|_| !self.tenants.is_empty()) {
            require(self.tenants.contains(&tenant), Problem::IssuerTenantMissing(tenant));
        }
        require(self.discovery != self.jwks_url.is_some(), Problem::KeySource);
        if let Some(Err(problem)) = self.jwks_url.as_deref().map(|url| check_url(url, self.insecure)) {
            require(false, Problem::JwksUrl(problem));
        }
        require(listed(&self.clients), Problem::EmptyClient);
        require(self.authorize_url.as_deref().is_none_or(fits_a_header), Problem::AuthorizeUrl);
        require(!(self.link_by_email && self.any_tenant), Problem::LinkByEmailOfAnyTenant);
        problems
    }

    /// The tenant that the issuer's own URL names, as Entra's do: its first path segment that is a GUID.
    pub(crate) fn tenant_in_url(&self) -> Option<Uuid> {
        let url = Url::parse(&self.issuer).ok()?;
        url.path_segments()?.find_map(guid)
    }

    /// Whether tokens of this tenant are accepted.
    pub(crate) fn allows(&self, tenant: Uuid) -> bool {
        (self.any_tenant || self.tenants.contains(&tenant))
            && self.tenant_in_url().is_none_or(|own| own == tenant)
    }
}

/// A GUID in its one usual spelling (36 characters with hyphens) and not all zeros.
pub(crate) fn guid(text: &str) -> Option<Uuid> {
    let id = if text.len() == 36 { Uuid::try_parse(text).ok()? } else { return None };
    (!id.is_nil()).then_some(id)
}

fn listed(values: &[String]) -> bool {
    values.iter().all(|value| !value.is_empty())
}

/// Whether this URL can be quoted in `WWW-Authenticate`.
fn fits_a_header(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

#[cfg(test)]
mod tests {
    use super::{Issuer, PERSONAL_ACCOUNTS, Problem, UrlProblem};
    use uuid::Uuid;

    const TENANT: Uuid = Uuid::from_u128(0x1f0c5d1e_0000_4000_8000_000000000001);

    fn entra() -> Issuer {
        Issuer {
            issuer: format!("https://login.example.com/{TENANT}/v2.0"),
            audiences: vec!["api://goalpost".into()],
            tenants: vec![TENANT],
            discovery: true,
            ..Issuer::default()
        }
    }

    #[test]
    fn a_plain_entry_has_no_problems() {
        assert_eq!(entra().validate(), []);
    }

    #[test]
    fn every_problem_is_listed_at_once() {
        let other = Uuid::from_u128(7);
        let broken = Issuer {
            issuer: format!("http://login.example.com/{TENANT}/"),
            audiences: vec![String::new()],
            tenants: vec![other, PERSONAL_ACCOUNTS],
            any_tenant: true,
            jwks_url: Some("https://10.0.0.1/keys".into()),
            discovery: true,
            clients: vec![String::new()],
            authorize_url: Some("https://login.example.com/\"\r\nx: y".into()),
            link_by_email: true,
            ..Issuer::default()
        };
        assert_eq!(
            broken.validate(),
            [
                Problem::IssuerUrl(UrlProblem::Scheme),
                Problem::Audiences,
                Problem::TenantsAndAny,
                Problem::ImpossibleTenant(PERSONAL_ACCOUNTS),
                Problem::IssuerTenantMissing(TENANT),
                Problem::KeySource,
                Problem::JwksUrl(UrlProblem::PrivateAddress),
                Problem::EmptyClient,
                Problem::AuthorizeUrl,
                Problem::LinkByEmailOfAnyTenant,
            ]
        );
    }

    #[test]
    fn nothing_configured_means_nothing_allowed() {
        assert_eq!(
            Issuer::default().validate(),
            [
                Problem::IssuerUrl(UrlProblem::Syntax),
                Problem::Audiences,
                Problem::NoTenants,
                Problem::KeySource
            ]
        );
        let template = Issuer { issuer: "https://login.example.com/{tenantid}/v2.0".into(), ..entra() };
        assert_eq!(template.validate(), [Problem::IssuerTemplate]);
    }

    #[test]
    fn the_tenant_in_the_url_narrows_any_tenant() {
        let issuer = Issuer { tenants: vec![], any_tenant: true, ..entra() };
        assert!(issuer.allows(TENANT));
        assert!(!issuer.allows(Uuid::from_u128(7)));
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        let unknown =
            serde_json::from_str::<Issuer>(r#"{"issuer":"https://login.example.com","audience":"x"}"#);
        assert!(unknown.unwrap_err().to_string().contains("audience"));
    }
}
