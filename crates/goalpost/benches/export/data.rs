//! The organizations that are measured with: invented once, imported, and kept for the next time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;
use goalpost::demo::ORGANIZATION;

use crate::peer;
use crate::server::{CheckIns, SETTINGS};
use crate::usage::Cost;

/// An organization on disk: a ZIP, and two data folders that came of it, one without check-ins.
#[derive(Debug)]
pub(crate) struct Data {
    program: PathBuf,
    pub(crate) folder: PathBuf,
    /// How many goals the ZIP holds.
    pub(crate) goals: u64,
    /// How many check-ins a goal has on average, if not as many as usual.
    check_ins: Option<u32>,
    /// The number of the organization.
    pub(crate) organization: i64,
    /// The number and the e-mail of a person who may export.
    pub(crate) owner: i64,
    pub(crate) owner_email: String,
}

impl Data {
    /// The organization of so many goals in `folder`; made if it is not there.
    pub(crate) fn ready(program: &Path, folder: &Path, goals: u64) -> anyhow::Result<Self> {
        Self::ready_with(program, folder, goals, None)
    }

    /// The same with so many check-ins a goal.
    pub(crate) fn ready_with(
        program: &Path,
        folder: &Path,
        goals: u64,
        check_ins: Option<u32>,
    ) -> anyhow::Result<Self> {
        let name = check_ins.map_or_else(|| goals.to_string(), |mean| format!("{goals}-{mean}"));
        let folder = folder.join(name);
        let mut data = Self {
            program: program.to_owned(),
            folder,
            goals,
            check_ins,
            organization: 0,
            owner: 0,
            owner_email: String::new(),
        };
        if !data.folder.exists() {
            data.make()?;
        }
        let found = peer::ask(
            &data.database(CheckIns::Left),
            "select organization, id, email from person where role = 'Organization Owner' order by id limit 1",
        )?;
        let [organization, owner, email] = found.split('|').collect::<Vec<_>>()[..] else {
            bail!("`{}` holds no organization owner; remove it, it is made anew", data.folder.display());
        };
        (data.organization, data.owner) = (organization.parse()?, owner.parse()?);
        email.clone_into(&mut data.owner_email);
        Ok(data)
    }

    /// Make everything under another name first: a folder that is there is whole.
    fn make(&mut self) -> anyhow::Result<()> {
        eprintln!("making {} goals", self.goals);
        let whole = std::mem::take(&mut self.folder);
        self.folder = whole.with_added_extension("new");
        let _ = fs::remove_dir_all(&self.folder);
        for checkins in [CheckIns::Left, CheckIns::Removed] {
            fs::create_dir_all(self.data(checkins))?;
            fs::write(self.data(checkins).join("goalpost.toml"), SETTINGS)?;
        }
        let mut invent = self.goalpost(&self.data(CheckIns::Left));
        invent.args(["demo", "--goals", &self.goals.to_string(), "--write-zip"]).arg(self.zip());
        if let Some(mean) = self.check_ins {
            invent.args(["--check-ins", &mean.to_string()]);
        }
        Cost::of(&mut invent)?;
        Cost::of(&mut self.import_into(&self.data(CheckIns::Left)))?;
        let removed = self.database(CheckIns::Removed);
        peer::ask(&self.database(CheckIns::Left), &format!(".backup '{}'", removed.display()))?;
        peer::ask(&removed, "delete from checkin; update goal set checkin_count = 0; vacuum")?;
        fs::rename(&self.folder, &whole)?;
        self.folder = whole;
        Ok(())
    }

    /// The data folder of a server.
    pub(crate) fn data(&self, checkins: CheckIns) -> PathBuf {
        self.folder.join(match checkins {
            CheckIns::Left => "with-checkins",
            CheckIns::Removed => "without-checkins",
        })
    }

    pub(crate) fn database(&self, checkins: CheckIns) -> PathBuf {
        self.data(checkins).join("goalpost.db")
    }

    pub(crate) fn zip(&self) -> PathBuf {
        self.folder.join("goals.zip")
    }

    /// The program, on the data folder of a server.
    pub(crate) fn command(&self, checkins: CheckIns) -> Command {
        self.goalpost(&self.data(checkins))
    }

    /// No other process works for the server.
    #[expect(clippy::unused_self, reason = "other benchmarks have one")]
    pub(crate) fn database_server(&self) -> Option<u32> {
        None
    }

    /// The program, on a data folder.
    fn goalpost(&self, data: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A filter for the goals of somebody who owns about ten.
    pub(crate) fn ten_goals(&self) -> anyhow::Result<String> {
        let person = peer::ask(
            &self.database(CheckIns::Left),
            "select l.person from goal_owner l join goal g on g.organization = l.organization and g.id = l.goal
              where g.origin <> 'reference' and not g.restricted
              group by l.person order by abs(count(*) - 10), l.person limit 1",
        )?;
        Ok(format!(r#"{{"owner":{{"in":[{person}]}}}}"#))
    }

    /// Import the ZIP into a new data folder, which is gone afterwards.
    pub(crate) fn import(&self) -> anyhow::Result<Cost> {
        self.import_file(&self.zip())
    }

    /// The same with another file of the goals.
    pub(crate) fn import_file(&self, file: &Path) -> anyhow::Result<Cost> {
        let fresh = self.folder.join("imported");
        let _ = fs::remove_dir_all(&fresh);
        let cost = Cost::of(&mut self.import_command(&fresh, file))?;
        fs::remove_dir_all(&fresh)?;
        Ok(cost)
    }

    /// All goals with their check-ins as Explorer exports them, made once: a `.csv` or a `.xlsx`.
    pub(crate) fn table(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        if !file.exists() {
            let mut export = self.goalpost(&self.data(CheckIns::Left));
            export.args(["export", "--organization", &ORGANIZATION.to_string(), "--out"]).arg(&file);
            Cost::of(&mut export)?;
        }
        Ok(file)
    }

    fn import_into(&self, data: &Path) -> Command {
        self.import_command(data, &self.zip())
    }

    fn import_command(&self, data: &Path, file: &Path) -> Command {
        let mut command = self.goalpost(data);
        command.arg("import").arg(file).args(["--organization", "Contoso (measured)"]);
        command.args(["--organization-id", &ORGANIZATION.to_string()]);
        command
    }
}
