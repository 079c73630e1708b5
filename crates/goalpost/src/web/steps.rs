//! The calls of one export as lines for a shell, shown on the page and by the demo.

/// Lines to paste one after the other; the shell's variable `TOKEN` holds an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Ask for the export; leaves the job's id in `JOB`.
    pub create: String,
    /// Look how far it is.
    pub poll: String,
    /// Fetch the file.
    pub fetch: String,
}

/// The steps at the server under `base`, for these two ids or for words that stand in their places.
pub fn steps(base: &str, organization: &str, view: &str) -> Steps {
    let jobs = format!("{base}/beta/employeeExperience/goals/exportJobs");
    Steps {
        create: format!(
            r#"JOB=$(curl -s -X POST '{jobs}' \
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
  -d '{{"goalsOrganizationId": "{organization}", "explorerViewId": "{view}"}}' |
  sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'); echo "$JOB""#
        ),
        poll: format!(r#"curl -s -H "Authorization: Bearer $TOKEN" "{jobs}/$JOB""#),
        fetch: format!(r#"curl -fsSL -o goals.csv -H "Authorization: Bearer $TOKEN" "{jobs}/$JOB/content""#),
    }
}
