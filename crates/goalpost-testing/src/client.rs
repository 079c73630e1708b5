use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Where exports are, as Microsoft's SDKs spell it.
const JOBS: &str = "/beta/employeeExperience/goals/exportJobs";

/// A client of the server, with a token or without.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names, in lower case, and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, url: String, token: Option<String>) -> Self {
        Self { http, url, token }
    }

    /// A client of a server that runs elsewhere, such as in a process of its own.
    pub fn of(url: &str, token: &str) -> Self {
        // A server that says nothing any more fails its test; without it the test would wait for ever.
        let http = reqwest::Client::builder().no_proxy().read_timeout(Duration::from_mins(2)).build();
        let http = http.expect("an HTTP client");
        Self::new(http, url.to_owned(), Some(token.to_owned()))
    }

    /// A request to a path, or to an absolute URL of the server, with the token.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let method: Method = method.parse().expect("a method");
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Send a request that was built.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the server answers")
    }

    /// Send a request that was built, to a server that may be away. An answer is whole, or an error.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(Answer { status, headers, bytes: response.bytes().await?.to_vec() })
    }

    /// GET a path or URL.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// POST JSON to a path.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            self.request("POST", path).header("content-type", "application/json").body(body.to_string()),
        )
        .await
    }

    /// Ask for an export.
    pub async fn create_export(&self, organization: Uuid, view: Uuid) -> Answer {
        self.post(
            JOBS,
            &json!({ "goalsOrganizationId": organization.to_string(), "explorerViewId": view.to_string() }),
        )
        .await
    }

    /// Look at an export.
    pub async fn get_export(&self, id: &str) -> Answer {
        self.get(&format!("{JOBS}/{id}")).await
    }

    /// Fetch an export's file.
    pub async fn get_content(&self, id: &str) -> Answer {
        self.get(&format!("{JOBS}/{id}/content")).await
    }

    /// List exports, with a query string (without `?`).
    pub async fn list_exports(&self, query: &str) -> Answer {
        self.get(&format!("{JOBS}?{query}")).await
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The one header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice");
        value
    }

    /// The `id` of the body.
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text())).to_owned()
    }

    /// Code, message and inner code of an error.
    pub fn error(&self) -> (String, String, Option<String>) {
        let error = self.json()["error"].clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let inner = if error["innererror"].is_object() { &error["innererror"] } else { &error["innerError"] };
        (text(&error["code"]), text(&error["message"]), inner["code"].as_str().map(str::to_owned))
    }
}
