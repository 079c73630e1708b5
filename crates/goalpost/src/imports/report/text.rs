use std::fmt;

use super::{Certainty, Listed, ReferenceKind, Report};

/// Entries of a list that the text shows; the JSON has more.
const SHOWN: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = &self.organization;
        let done = match (self.dry_run, organization.created) {
            (true, true) => "would make organization",
            (true, false) => "would update organization",
            (false, true) => "made organization",
            (false, false) if self.changes_anything() => "updated organization",
            (false, false) => "nothing changed in organization",
        };
        writeln!(f, "{done} `{}`", organization.name)?;
        writeln!(f, "  id    {}", organization.id)?;
        match &self.file.exported_at {
            Some(at) => writeln!(f, "  file  {} of {at} UTC", self.file.name)?,
            None => writeln!(f, "  file  {}", self.file.name)?,
        }
        writeln!(f)?;
        self.write_tallies(f)?;
        self.write_labels(f)?;
        self.write_lists(f)?;
        self.write_next_steps(f)
    }
}

impl Report {
    fn write_tallies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["read", "added", "changed", "unchanged", "aside", "missing", "removed"];
        write!(f, "{:12}", "")?;
        heads.iter().try_for_each(|head| write!(f, " {head:>9}"))?;
        writeln!(f)?;
        for tally in &self.entities {
            write!(f, "{:12}", tally.entity.word())?;
            let counts = [
                tally.read,
                tally.added,
                tally.changed,
                tally.unchanged,
                tally.aside,
                tally.missing,
                tally.removed,
            ];
            counts.iter().try_for_each(|count| write!(f, " {count:>9}"))?;
            writeln!(f)?;
        }
        if self.tasks > 0 {
            writeln!(f, "{:12} {:>9}", "tasks", self.tasks)?;
        }
        if self.restricted_goals > 0 {
            writeln!(
                f,
                "\n{} goals are restricted: only the people around them see them",
                self.restricted_goals
            )?;
        }
        Ok(())
    }

    fn write_labels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nlabels of object types")?;
        for label in &self.labels {
            let word = if label.label.is_empty() { "(none)" } else { &label.label };
            let guessed = if label.certainty == Certainty::Guessed { "guessed: " } else { "" };
            writeln!(
                f,
                "  {word:20} {:>9}  {:10}  {guessed}{}",
                label.goals, label.object_type, label.reason
            )?;
        }
        self.unused_labels
            .iter()
            .try_for_each(|word| writeln!(f, "  {word:20} {:>9}  said with --label, but no goal has it", 0))
    }

    fn write_lists(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "mentioned, but not in the file", &self.references, |f, reference| {
            let kept = match reference.kind {
                ReferenceKind::Person => "person, kept as inactive",
                ReferenceKind::Team => "team, kept as archived",
                ReferenceKind::ParentTeam => "parent team, kept as a name",
                ReferenceKind::Period => "time period, kept without dates",
                ReferenceKind::Tag => "tag, kept",
                ReferenceKind::Parent => "parent goal, kept as a placeholder",
                ReferenceKind::Goal => "goal of check-ins or comments, which are kept aside",
            };
            let id = reference.id.map(|id| format!(" {id}")).unwrap_or_default();
            write!(f, "{kept}:{id} `{}`, {} times", reference.name, reference.times)
        })?;
        write_list(f, "no place in the model, kept word for word", &self.asides, |f, aside| {
            const CHARS: usize = 60;
            let path = if aside.path.is_empty() { "(all of it)" } else { &aside.path };
            let value: String = aside.value.chars().take(CHARS).collect();
            let more = if value.len() < aside.value.len() { "…" } else { "" };
            write!(f, "{} {} {path}: {value}{more}", aside.entity, aside.id)
        })?;
        write_list(f, "changed here and in the file", &self.conflicts, |f, conflict| {
            let kept = if conflict.taken { "file's taken" } else { "ours kept" };
            write!(
                f,
                "goal {} {}: here {}, file {} ({kept})",
                conflict.goal, conflict.field, conflict.here, conflict.file
            )
        })?;
        write_list(f, "here, but no longer in the file", &self.missing, |f, missing| {
            let fate = if missing.removed { "removed" } else { "stays" };
            write!(f, "{} {} `{}` ({fate})", missing.entity, missing.id, missing.name)
        })?;
        write_list(
            f,
            "permissions not understood, taken as restricted",
            &self.unclear_permissions,
            |f, id| write!(f, "goal {id}"),
        )?;
        let ignored =
            Listed { total: self.ignored_members.len() as u64, first: self.ignored_members.clone() };
        write_list(f, "entries of the ZIP that were ignored", &ignored, |f, name| f.write_str(name))?;
        write_list(f, "rows left out", &self.left_out, |f, row| {
            write!(f, "row {} `{}`: {}", row.row, row.title, row.reason)
        })?;
        let notes = Listed { total: self.notes.len() as u64, first: self.notes.clone() };
        write_list(f, "notes", &notes, |f, note| f.write_str(note))?;
        match &self.mapping {
            Some(mapping) => {
                writeln!(f, "\nnames that lead to nobody, or to several people; for --map:")?;
                mapping.lines().take(SHOWN).try_for_each(|line| writeln!(f, "  {line}"))?;
                match mapping.lines().count().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => writeln!(f, "  … and {more} more"),
                }
            }
            None => Ok(()),
        }
    }

    fn write_next_steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        if self.labels.iter().any(|label| label.certainty == Certainty::Guessed) {
            steps.push("if a guessed label is wrong, import again with --label \"Label=objective|keyResult|initiative\"");
        }
        if self.conflicts.first.iter().any(|conflict| !conflict.taken) {
            steps.push("if the file's values shall win, import again with --take-file");
        }
        if self.missing.first.iter().any(|missing| !missing.removed) {
            steps
                .push("if what is no longer in the file shall go, import again with --prune (history stays)");
        }
        if self.left_out.total > 0 {
            steps.push("correct the rows that were left out and import the same file again: what is here already is found; --left-out FILE writes them, with their reasons");
        }
        if self.mapping.is_some() {
            steps.push("if such a name is somebody who is here, write the e-mail address behind it into a file and import again with --map FILE");
        }
        if self.dry_run {
            steps.push("this was a dry run and nothing was written; import without --dry-run to write");
        }
        if !steps.is_empty() {
            writeln!(f, "\nwhat next")?;
            steps.iter().try_for_each(|step| writeln!(f, "  {step}"))?;
        }
        match &self.report_file {
            Some(path) => writeln!(f, "\nthe whole report: {}", path.display()),
            None => Ok(()),
        }
    }
}

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    list: &Listed<T>,
    entry: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if list.total == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", list.total)?;
    for shown in list.first.iter().take(SHOWN) {
        f.write_str("  ")?;
        entry(f, shown)?;
        f.write_str("\n")?;
    }
    match list.total.saturating_sub(list.first.len().min(SHOWN) as u64) {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more"),
    }
}
