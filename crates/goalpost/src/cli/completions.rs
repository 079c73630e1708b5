//! `goalpost completions` and `goalpost man`: what shells and manuals know of the command line.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::failure::Failure;
use super::printer::write_as_is;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost completions bash > ~/.local/share/bash-completion/completions/goalpost
  goalpost completions zsh > \"${fpath[1]}/_goalpost\"")]
pub(super) struct CompletionArgs {
    /// Which shell
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost man | man -l -
  goalpost man --output-dir ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Folder for a page of each command, such as `goalpost-goal-create.1` [default: the first page, on standard output]
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

pub(super) fn complete(args: &CompletionArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "goalpost", &mut script);
    write_as_is(&script)
}

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut program = Cli::command();
    let Some(folder) = &args.output_dir else { return write_as_is(&page(program)?) };
    program.build();
    fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, &error))?;
    let mut commands = vec![program];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|below| below.get_name() != "help").cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page(command)?).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(())
}

/// A page in the language of manuals.
fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new(format!("cannot write a manual page: {error}")))?;
    Ok(page)
}
