//! The commands of the README are those that there are.

use std::path::Path;
use std::process::Command;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of the first block under a heading, without their remarks.
fn commands(text: &str, heading: &str) -> Vec<String> {
    let (_, section) = text.split_once(&format!("\n{heading}\n")).expect("the README has the heading");
    let (_, block) = section.split_once("```sh\n").expect("the section has a block of commands");
    let (block, _) = block.split_once("```").expect("the block ends");
    block.lines().map(|line| line.split('#').next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn the_readme_begins_with_two_commands() {
    let two = commands(&read("README.md"), "## Two commands");
    assert_eq!(two, ["cargo run --release -- demo", "cargo xtask test"]);
}

#[test]
fn continuous_integration_runs_the_command_of_the_readme() {
    let script = read(".ci/run");
    let last = script.lines().last().expect("the script is not empty");
    assert_eq!(last, "exec cargo xtask test </dev/null");
}

#[test]
fn the_chore_of_the_readme_is_there() {
    let alias = read(".cargo/config.toml");
    assert!(alias.contains("xtask = \"run --quiet --package xtask --\""), "{alias}");
    let help =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["test", "--help"]).output().expect("it starts");
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("Everything that the README promises"));
}
