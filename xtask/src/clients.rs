//! `cargo xtask clients`: programs that others wrote, against the built program. Microsoft's own Python client at the Graph
//! door; readers of CSV, JSON, workbooks and Parquet, and a spreadsheet program, on files of every format; two libraries that speak OData, and schemathesis, which invents requests, at `/api/v1`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::program::{self, at_once, debian, goalpost, output, program, root, run_beside, target_folder};
use crate::services::tools;
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.step(
        "install the clients",
        "`tests/clients` has requirements.txt and node/package-lock.json, which name what is installed",
        || {
            debian("libreoffice-calc", || output(program("soffice").arg("--version")).is_some())?;
            debian("python3-venv", || output(program("python3").args(["-c", "import ensurepip"])).is_some())?;
            program::run(program("python3").args(["-m", "venv"]).arg(environment()))?;
            program::run(program(python()).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
                "tests/clients/requirements.txt",
            ]))?;
            tools::install_node()?;
            install_packages(&root().join("tests/clients/node"), &packages())
        },
    )?;
    let built =
        steps.step("the program", "`cargo build --package goalpost` says more", || goalpost("dev"))?;
    steps.step(
        "clients that others wrote",
        "`tests/clients` has the checks; above is what the one that failed said. If it is schemathesis: the request, and \
         what the OpenAPI document says otherwise, which crates/goalpost/src/api/openapi.rs makes",
        || {
            let (node, packages) = (tools::node()?, packages());
            let checks: [(&str, &str, &[&Path]); 6] = [
                // The longest first.
                ("schemathesis", "openapi.py", &[]),
                ("Microsoft's client", "msgraph_beta_sdk.py", &[]),
                ("csv, json, openpyxl, pyarrow, pandas and DuckDB", "files.py", &[]),
                ("LibreOffice", "libreoffice.py", &[]),
                ("python-odata", "odata_python.py", &[]),
                ("@odata/client", "odata_node.py", &[&node, &packages]),
            ];
            at_once(&checks, |(name, script, more)| {
                let mut check = program(python());
                check.args(["-B", &format!("tests/clients/{script}")]).arg(&built).args(*more);
                run_beside(name, &mut check)
            })
        },
    )
}

/// Install what the lock file in `named` names into a folder, unless it is there.
pub(crate) fn install_packages(named: &Path, folder: &Path) -> anyhow::Result<()> {
    const FILES: [&str; 2] = ["package.json", "package-lock.json"];
    let wanted = |name: &str| named.join(name);
    // npm writes this file last.
    let installed = folder.join("node_modules/.package-lock.json").exists();
    if installed && FILES.iter().all(|name| is_same(&wanted(name), &folder.join(name))) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for name in FILES {
        fs::copy(wanted(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    let words = ["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
    program::run(tools::npm()?.current_dir(folder).args(words))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn environment() -> PathBuf {
    target_folder().join("python")
}

fn python() -> PathBuf {
    environment().join("bin/python")
}

fn packages() -> PathBuf {
    target_folder().join("tools/clients")
}
