//! Azurite, Microsoft's emulator of Azure Blob Storage. Its account and key are the ones that its documentation names.

use goalpost_processes::{Launch, Signal, free_port};

use super::Service;
use super::start::{Start, speaks_http};
use super::tools;

pub(super) const SERVICE: Service = Service {
    name: "azurite",
    start,
    answers: |env| speaks_http(env.get("GOALPOST_TEST_AZURE")),
    prepare: |_| Ok(()),
};

const ACCOUNT: &str = "devstoreaccount1";

fn start(start: &mut Start) -> anyhow::Result<()> {
    let folder = start.data_folder("azurite")?;
    let port = free_port();
    let launch = Launch::new(tools::node()?, &Start::log("azurite")).arg(tools::azurite()).in_folder(&folder);
    let launch =
        launch.args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"]);
    let launch = launch.arg("--location").arg(&folder).args(["--blobPort", &port.to_string()]);
    start.launch("azurite", launch, Signal::SIGKILL)?;
    start.set("GOALPOST_TEST_AZURE", format!("http://127.0.0.1:{port}/{ACCOUNT}"));
    Ok(())
}
