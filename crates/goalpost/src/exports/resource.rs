//! The JSON of an export at the Graph door, and the URLs in it (docs/API.md, "Resource goalsExportJob").

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use goalpost_odata::SelectItem;
use serde_json::{Map, Value};

use super::ExportId;
use super::queries::Export;
use crate::app::App;
use crate::http::{GraphError, time};
use crate::identity::Member;
use crate::origin::Origin;

/// The properties of a job, in the order of the documented answers. `content` is a stream, and never inline.
const PROPERTIES: [&str; 10] = [
    "id",
    "createdDateTime",
    "lastActionDateTime",
    "resourceLocation",
    "status",
    "statusDetail",
    "goalsOrganizationId",
    "explorerViewId",
    "expirationDateTime",
    "content",
];

/// The base of every absolute URL in an answer: `{origin}/beta`.
#[derive(Clone, Debug)]
pub struct Root(String);

impl Root {
    /// Where a job is found; the value of `Location`.
    pub fn job(&self, id: ExportId) -> String {
        format!("{}/employeeexperience/goals/exportJobs/{id}", self.0)
    }

    /// Where a list goes on.
    pub fn list_page(&self, query: &str) -> String {
        format!("{}/employeeExperience/goals/exportJobs?{query}", self.0)
    }

    /// `@odata.context` of something in `{root}/$metadata`.
    pub fn context(&self, fragment: &str) -> String {
        format!("{}/$metadata#employeeExperience{fragment}", self.0)
    }
}

impl FromRequestParts<App> for Root {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GraphError> {
        let origin = Origin::from_request_parts(parts, app).await?;
        Ok(Self(format!("{}/beta", origin.as_str())))
    }
}

/// The properties that `$select` names, in the documented order; all of them without it.
#[derive(Clone, Debug)]
pub struct Properties {
    chosen: Option<Vec<&'static str>>,
}

impl Properties {
    /// From `$select`.
    ///
    /// # Errors
    /// 400 for a property that the type does not have.
    pub fn from_select(select: Option<&[SelectItem]>) -> Result<Self, GraphError> {
        let Some(items) = select else { return Ok(Self { chosen: None }) };
        let mut chosen = Vec::new();
        for item in items {
            let name = match item {
                SelectItem::All => return Ok(Self { chosen: None }),
                SelectItem::Path(path) => path.as_str(),
            };
            let property = PROPERTIES.into_iter().find(|property| *property == name).ok_or_else(|| {
                GraphError::bad_request(format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type \
                     'microsoft.graph.goalsExportJob'."
                ))
            })?;
            if !chosen.contains(&property) {
                chosen.push(property);
            }
        }
        Ok(Self { chosen: Some(chosen) })
    }

    /// What the context URL says of them: `(id,status)`, or nothing for all.
    pub fn in_context(&self) -> String {
        self.chosen.as_ref().map_or_else(String::new, |chosen| format!("({})", chosen.join(",")))
    }

    fn has(&self, property: &str) -> bool {
        match &self.chosen {
            Some(chosen) => chosen.contains(&property),
            // Real answers do not carry it unless it is asked for.
            None => property != "lastActionDateTime",
        }
    }
}

/// An export as `member` sees it.
pub fn to_json(export: &Export, member: &Member, root: &Root, properties: &Properties) -> Map<String, Value> {
    let job = &export.job;
    let id = ExportId { job: job.key.id, organization: member.organization_guid };
    let mut json = Map::new();
    // What is not asked for is not made.
    let mut put = |property: &str, value: &dyn Fn() -> Option<String>| {
        if properties.has(property)
            && let Some(value) = value()
        {
            json.insert(property.to_owned(), value.into());
        }
    };
    let readable = export.content.is_some() && export.content_is_for(member);
    let last_action = export.finished_at.or(export.started_at).unwrap_or(job.created_at);
    put("id", &|| Some(id.to_string()));
    put("createdDateTime", &|| Some(time::date_time(job.created_at)));
    put("lastActionDateTime", &|| Some(time::date_time(last_action)));
    put("resourceLocation", &|| readable.then(|| format!("{}/content", root.job(id))));
    put("status", &|| Some(job.state.as_str().to_owned()));
    put("statusDetail", &|| job.status_detail.clone());
    put("goalsOrganizationId", &|| Some(member.organization_guid.to_string()));
    put("explorerViewId", &|| Some(job.pair.to_string()));
    put("expirationDateTime", &|| Some(time::date_time(job.expires_at)));
    json
}

/// The seconds after which a client should ask again for a job of this age: soon at first, since most exports take
/// milliseconds, then less and less often.
pub fn retry_after_secs(app: &App, age_us: i64) -> u64 {
    let fixed = app.config.sandbox.retry_after_secs.or(app.config.exports.retry_after_secs);
    match (fixed, age_us / 1_000_000) {
        (Some(secs), _) => u64::from(secs),
        (None, ..10) => 1,
        (None, ..60) => 5,
        (None, _) => 15,
    }
}

/// 404 for a job that is not there, or not for this caller to know of.
pub fn job_not_found() -> GraphError {
    GraphError::service(
        StatusCode::NOT_FOUND,
        "notFound",
        "exportJobNotFound",
        "Specified export job not found",
    )
}
