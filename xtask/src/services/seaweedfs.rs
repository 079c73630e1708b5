//! SeaweedFS as S3: it checks signatures and their age, and knows `If-None-Match` and multipart uploads.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use goalpost_processes::{Launch, Signal, free_port};

use super::Service;
use super::registry::Env;
use super::start::{Start, speaks_http};
use super::tools;
use crate::program::program;

pub(super) const SERVICE: Service = Service {
    name: "seaweedfs",
    start,
    answers: |env| speaks_http(env.get("GOALPOST_TEST_S3")),
    prepare: make_bucket,
};

const BUCKET: &str = "goalpost";
/// Good for nothing but these tests.
const KEY: &str = "goalpost-test-key";
const SECRET: &str = "goalpost-test-secret";

fn start(start: &mut Start) -> anyhow::Result<()> {
    let folder = start.data_folder("seaweedfs")?;
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let identities = folder.join("s3.json");
    fs::write(
        &identities,
        format!(
            r#"{{"identities": [{{"name": "goalpost", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                 "credentials": [{{"accessKey": "{KEY}", "secretKey": "{SECRET}"}}]}}]}}"#
        ),
    )?;
    let ports: Vec<String> = [
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "s3.port",
        "s3.port.grpc",
    ]
    .iter()
    .map(|name| format!("-{name}={}", free_port()))
    .collect();
    let of = |at: usize| ports[at].rsplit('=').next().unwrap_or_default().to_owned();
    let (master, filer, s3) =
        (format!("127.0.0.1:{}.{}", of(0), of(1)), format!("127.0.0.1:{}.{}", of(4), of(5)), of(6));
    let launch = Launch::new(tools::weed(), &Start::log("seaweedfs")).arg("server").in_folder(&folder);
    // Its settings would be looked for in the home folder, too.
    let launch =
        launch.env("HOME", &folder).args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-s3.iam=false"]);
    let launch = launch.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
    let launch = launch.args(["-master.volumeSizeLimitMB=64", "-volume.max=100", "-volume.minFreeSpace=1"]);
    let launch =
        launch.arg(format!("-dir={}", data.display())).arg(format!("-s3.config={}", identities.display()));
    start.launch("seaweedfs", launch.args(&ports), Signal::SIGKILL)?;
    start.set("GOALPOST_TEST_S3", format!("http://127.0.0.1:{s3}"));
    start.set("GOALPOST_TEST_S3_KEY", KEY);
    start.set("GOALPOST_TEST_S3_SECRET", SECRET);
    start.set("GOALPOST_TEST_S3_BUCKET", BUCKET);
    start.set("GOALPOST_TEST_S3_MASTER", master);
    start.set("GOALPOST_TEST_S3_FILER", filer);
    Ok(())
}

fn make_bucket(env: &Env) -> anyhow::Result<()> {
    let mut shell = program(tools::weed());
    shell.arg("shell").arg(format!("-master={}", env.get("GOALPOST_TEST_S3_MASTER")));
    shell.arg(format!("-filer={}", env.get("GOALPOST_TEST_S3_FILER")));
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn()?;
    let mut input = shell.stdin.take().context("it has an input")?;
    writeln!(input, "s3.bucket.create -name {BUCKET}")?;
    drop(input);
    let output = shell.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("created bucket") {
        bail!("no bucket: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
