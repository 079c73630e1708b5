//! Where the contents of exports lie, and with which names and passwords: the words, not the store itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use serde::Deserialize;

use super::Variables;

/// The folder of contents inside the data folder, if no other place is named.
const FOLDER: &str = "content";

/// Where the contents of finished exports lie.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// A folder, or `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`; without it, the folder
    /// `content` of the data folder.
    pub url: Option<String>,
    /// What the object store's client is to know besides, by the names that the `object_store` crate has for it, such
    /// as `endpoint` or `region`. No secrets: they come from the environment.
    pub options: BTreeMap<String, toml::Value>,
    /// How long an object is kept after its export has expired, so that downloads under way can end, in seconds. A
    /// folder does not need it: an open file stays readable.
    pub remove_after_secs: u64,
    /// The variables of the process that stores know.
    #[serde(skip)]
    pub variables: Variables,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            url: None,
            options: BTreeMap::new(),
            remove_after_secs: 60 * 60,
            variables: Variables::default(),
        }
    }
}

/// A place for contents, as its URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of the machine.
    Folder(PathBuf),
    /// A part of an object store.
    Bucket(Bucket),
}

/// A bucket or container, and the part of it that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Whose.
    pub service: Service,
    /// Its name.
    pub name: String,
    /// What all our keys begin with; may be empty.
    pub prefix: String,
}

/// A kind of object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon S3, and everything that speaks its language.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Google,
}

/// A setting of an object store's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Of S3.
    S3(AmazonS3ConfigKey),
    /// Of Azure.
    Azure(AzureConfigKey),
    /// Of Google.
    Google(GoogleConfigKey),
}

impl Bucket {
    /// Its URL, in the one form that it has for everybody.
    pub fn url(&self) -> String {
        format!("{}://{}/{}", self.service.scheme(), self.name, self.prefix)
    }
}

impl Service {
    /// What URLs begin with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Google => "gs",
        }
    }

    /// Whether a variable of the environment is this service's.
    pub(super) fn knows(self, variable: &str) -> bool {
        match self {
            Self::S3 => variable.starts_with("AWS_"),
            Self::Azure => variable.starts_with("AZURE_") || variable == "IDENTITY_ENDPOINT",
            Self::Google => variable.starts_with("GOOGLE_"),
        }
    }

    /// The setting of this name, in lower case, with or without the service's own prefix.
    pub fn key(self, name: &str) -> Option<Key> {
        match self {
            Self::S3 => name.parse().map(Key::S3).ok(),
            Self::Azure => name.parse().map(Key::Azure).ok(),
            Self::Google => name.parse().map(Key::Google).ok(),
        }
    }
}

impl Key {
    /// Whether its value must not stand in a settings file.
    pub(super) fn is_secret(self) -> bool {
        match self {
            Self::S3(key) => {
                matches!(key, AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token)
                    || key.as_ref() == "aws_sse_customer_key_base64"
            }
            Self::Azure(key) => matches!(
                key,
                AzureConfigKey::AccessKey
                    | AzureConfigKey::ClientSecret
                    | AzureConfigKey::SasKey
                    | AzureConfigKey::Token
                    | AzureConfigKey::FabricSessionToken
                    | AzureConfigKey::EncryptionKey
            ),
            Self::Google(key) => {
                matches!(key, GoogleConfigKey::ServiceAccountKey | GoogleConfigKey::BearerToken)
            }
        }
    }

    /// Whether the URL says it, so that nothing else may.
    pub(super) fn is_place(self) -> bool {
        matches!(
            self,
            Self::S3(AmazonS3ConfigKey::Bucket)
                | Self::Azure(AzureConfigKey::ContainerName)
                | Self::Google(GoogleConfigKey::Bucket)
        )
    }
}

impl Content {
    /// The place that the settings name.
    ///
    /// # Errors
    /// What is wrong with the URL, in words.
    pub fn location(&self, data: &Path) -> Result<Location, String> {
        let Some(url) = &self.url else { return Ok(Location::Folder(data.join(FOLDER))) };
        let wrong = |problem: &str| {
            let forms = "a folder, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`";
            format!("`content.url` is `{}`, {problem}: write {forms}", without_password(url))
        };
        if url.is_empty() {
            return Err(wrong("which is empty"));
        }
        let Some((scheme, rest)) = url.split_once("://") else { return Ok(Location::Folder(url.into())) };
        let service = match scheme {
            "file" if rest.starts_with('/') => return Ok(Location::Folder(rest.into())),
            "file" => return Err(wrong("whose path does not begin at the root")),
            "s3" => Service::S3,
            "az" => Service::Azure,
            "gs" => Service::Google,
            _ => return Err(wrong("a kind of store that is not known")),
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if name.is_empty() || name.contains(['@', ':']) || rest.contains(['?', '#', '%', '\\']) {
            return Err(wrong("which names more or less than a bucket and a prefix"));
        }
        let odd = prefix.split('/').any(str::is_empty) || object_store::path::Path::parse(prefix).is_err();
        if !prefix.is_empty() && odd {
            return Err(wrong("whose prefix has an empty or strange part"));
        }
        Ok(Location::Bucket(Bucket { service, name: name.to_owned(), prefix: prefix.to_owned() }))
    }

    /// What the client of this service is to know: the settings, then the environment, of which the later counts.
    pub fn client_settings(&self, service: Service) -> Result<Vec<(Key, String)>, Vec<String>> {
        let mut problems = Vec::new();
        let mut settings = Vec::new();
        for (name, value) in &self.options {
            match option(service, name, value) {
                Ok(setting) => settings.push(setting),
                Err(problem) => problems.push(problem),
            }
        }
        let (found, wrong) = self.variables.of(service);
        settings.extend(found);
        problems.extend(wrong);
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// Everything that is wrong with these settings.
    pub(super) fn validate(&self, data: &Path) -> Vec<String> {
        let location = match self.location(data) {
            Ok(location) => location,
            Err(problem) => return vec![problem],
        };
        match location {
            Location::Folder(_) if self.options.is_empty() => Vec::new(),
            Location::Folder(_) => {
                vec!["`content.options` are for object stores: a folder has none".to_owned()]
            }
            Location::Bucket(bucket) => self.client_settings(bucket.service).err().unwrap_or_default(),
        }
    }
}

/// One of `content.options`.
fn option(service: Service, name: &str, value: &toml::Value) -> Result<(Key, String), String> {
    let key = service.key(name).ok_or_else(|| {
        format!("`content.options.{name}` is no setting of `{}://` stores", service.scheme())
    })?;
    if key.is_secret() {
        return Err(format!(
            "`content.options.{name}` is a secret: put it into the environment, or into a file that the environment names"
        ));
    }
    if key.is_place() {
        return Err(format!("`content.options.{name}` must not be set: `content.url` says it"));
    }
    let value = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(_) | toml::Value::Boolean(_) => value.to_string(),
        _ => return Err(format!("`content.options.{name}` must be text, a whole number, true or false")),
    };
    Ok((key, value))
}

/// A URL as it may be shown.
fn without_password(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, rest)| rest)
}

/// Settings that a store's client would otherwise choose by itself: all requests end in bounded time.
pub fn client_defaults(service: Service) -> Vec<(Key, String)> {
    let of_client = |key| match service {
        Service::S3 => Key::S3(AmazonS3ConfigKey::Client(key)),
        Service::Azure => Key::Azure(AzureConfigKey::Client(key)),
        Service::Google => Key::Google(GoogleConfigKey::Client(key)),
    };
    let mut defaults = vec![
        (of_client(ClientConfigKey::ConnectTimeout), "5s".to_owned()),
        (of_client(ClientConfigKey::Timeout), "60s".to_owned()),
    ];
    if service == Service::S3 {
        // Contents are removed one by one, and not every store that speaks S3 knows more.
        defaults.push((Key::S3(AmazonS3ConfigKey::DisableBulkDelete), "true".to_owned()));
    }
    defaults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Result<Location, String> {
        Content { url: Some(url.to_owned()), ..Content::default() }.location(Path::new("data"))
    }

    fn bucket(service: Service, name: &str, prefix: &str) -> Location {
        Location::Bucket(Bucket { service, name: name.to_owned(), prefix: prefix.to_owned() })
    }

    #[test]
    fn a_url_names_a_folder_or_a_bucket() {
        assert_eq!(
            Content::default().location(Path::new("data")),
            Ok(Location::Folder(PathBuf::from("data/content")))
        );
        for (url, location) in [
            ("files", Location::Folder("files".into())),
            ("/srv/goalpost files", Location::Folder("/srv/goalpost files".into())),
            ("file:///srv/files", Location::Folder("/srv/files".into())),
            ("s3://bucket", bucket(Service::S3, "bucket", "")),
            ("s3://bucket/", bucket(Service::S3, "bucket", "")),
            ("az://container/a/b/", bucket(Service::Azure, "container", "a/b")),
            ("gs://bucket/prefix", bucket(Service::Google, "bucket", "prefix")),
        ] {
            assert_eq!(at(url), Ok(location), "{url}");
        }
    }

    #[test]
    fn a_url_that_names_neither_is_refused_without_its_password() {
        for url in [
            "",
            "s3://",
            "s3:///prefix",
            "s3://bucket?region=x",
            "s3://bucket:9000/x",
            "s3://bucket//x",
            "s3://bucket/../x",
            "file://relative",
            "https://bucket.example",
        ] {
            let refused = at(url).unwrap_err();
            assert!(refused.contains("`content.url`") && refused.contains("s3://bucket/prefix"), "{refused}");
        }
        let refused = at("s3://user:secret@bucket").unwrap_err();
        assert!(!refused.contains("secret"), "{refused}");
    }

    fn content(text: &str) -> Content {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn options_are_the_client_s_and_no_secrets() {
        let data = Path::new("data");
        let good =
            content("url = 's3://b'\noptions = { endpoint = 'http://127.0.0.1:9000', allow_http = true }");
        assert_eq!(good.validate(data), Vec::<String>::new());
        let settings = good.client_settings(Service::S3).unwrap();
        assert!(settings.contains(&(Service::S3.key("aws_allow_http").unwrap(), "true".to_owned())));

        let bad = "url = 's3://b'\noptions = { regoin = 'x', secret_access_key = 'hush', bucket = 'c', region = [] }";
        let told = content(bad).validate(data).join("\n");
        for name in ["regoin", "secret_access_key", "bucket", "region"] {
            assert!(told.contains(&format!("`content.options.{name}`")), "{name}: {told}");
        }
        assert!(!told.contains("hush"), "{told}");
        for url in ["az://c", "gs://b"] {
            let told =
                content(&format!("url = '{url}'\noptions = {{ sse_kms_key_id = 'x' }}")).validate(data);
            assert_eq!(told.len(), 1, "{told:?}");
        }
        assert_eq!(content("options = { region = 'x' }").validate(data).len(), 1);
    }

    #[test]
    fn the_environment_goes_before_the_file_and_only_its_service_s_variables_count() {
        let variables =
            [("AWS_REGION", "env"), ("AWS_PROFILE", "x"), ("AWS_BUCKET", "x"), ("GOOGLE_BUCKET", "x")];
        let mut content = content("url = 's3://b'\noptions = { region = 'file' }");
        content.variables = variables.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect();
        let settings = content.client_settings(Service::S3).unwrap();
        let region = Service::S3.key("region").unwrap();
        assert_eq!(settings, [(region, "file".to_owned()), (region, "env".to_owned())]);
    }

    #[test]
    fn a_secret_may_lie_in_a_file_that_the_environment_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hush\n").unwrap();
        let mut content = content("url = 's3://b'");
        let file = file.to_str().unwrap().to_owned();
        let all = |variables: &[(&str, &str)]| {
            variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Variables>()
        };
        content.variables = all(&[("AWS_SECRET_ACCESS_KEY_FILE", &file)]);
        let secret = Service::S3.key("secret_access_key").unwrap();
        assert_eq!(content.client_settings(Service::S3), Ok(vec![(secret, "hush".to_owned())]));
        assert!(!format!("{content:?}").contains("hush"));

        content.variables = all(&[("AWS_SECRET_ACCESS_KEY_FILE", &file), ("AWS_SECRET_ACCESS_KEY", "hush")]);
        assert!(content.client_settings(Service::S3).unwrap_err()[0].contains("both set"));
        content.variables = all(&[("AWS_SECRET_ACCESS_KEY_FILE", "/no/such/file")]);
        assert!(content.client_settings(Service::S3).unwrap_err()[0].contains("AWS_SECRET_ACCESS_KEY_FILE"));
        // A setting of S3 that is a path itself, and is left as it is.
        content.variables = all(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file")]);
        assert_eq!(content.client_settings(Service::S3).unwrap().len(), 1);
    }
}
