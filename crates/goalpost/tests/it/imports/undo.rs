//! Taking an import back: everything is what it was, or nothing is touched and what stands in the way is told.

use goalpost::goals::record::Column;
use goalpost::imports::{UndoError, Undone, undo};
use goalpost_viva::Note;

use super::*;

impl Server {
    fn undo(&self) -> Result<Undone, UndoError> {
        undo(&self.db, OrganizationNumber(NUMBER), None, None)
    }

    /// Everything that the organization's tables say, but for numbers of revisions, what is said of imports, and numbers
    /// that are given once.
    fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        let skipped = ["audit", "import", "import_kept", "import_run", "revision"];
        let tables = self.db.tables().expect("the schema is readable");
        let of_state = tables.into_iter().filter(|table| {
            table.is_of_organizations()
                && !table.name.ends_with("_history")
                && !skipped.contains(&table.name.as_str())
        });
        for table in of_state {
            let columns = table.columns.iter().filter(|(name, ..)| name != "revision");
            let texts: Vec<_> = columns
                .map(|(name, kind, _)| match *kind {
                    "blob" => format!("case when {name} is null then '' else 'blob' end"),
                    _ => format!("coalesce(cast({name} as text), 'null')"),
                })
                .collect();
            let sql =
                format!("select {} from {} where organization = ?1", texts.join(" || '|' || "), table.name);
            let mut rows = self.rows(&sql, |row| Ok(format!("{}: {}", table.name, row.text(0)?)));
            rows.sort();
            state.append(&mut rows);
        }
        let number = "select coalesce(file_number, 0) from organization where number = ?1";
        state.push(format!("file number {}", self.count(number)));
        state
    }

    /// The GUIDs of people, which are given once.
    fn guids(&self) -> Vec<[u8; 16]> {
        self.rows("select guid from person where organization = ?1 order by id", |row| row.bytes(0))
    }
}

/// Chance that always goes the same way.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().filter(|_| self.one_in(2)).cloned().collect()
    }

    /// A company of the people, teams, periods, tags and goals that there may be, each or not, one way or another.
    fn company(&mut self) -> Company {
        let small = Company::small();
        let mut company = Company::default();
        let word = |dice: &mut Self| ["North", "South", "East"][dice.roll(3) as usize].to_owned();
        let named = |id, name: String| Named { id, name: Some(name) };
        for id in 10..15 {
            // Somebody whom goals mention may not be listed.
            if id == 10 || self.one_in(2) {
                let teams = self.some(&[20, 21]).into_iter().map(|id| named(id, word(self))).collect();
                let manager = (id > 10 && self.one_in(2)).then(|| person(10));
                let name = Some(format!("Person {}", word(self)));
                let email = Some(format!("user{id}@contoso.example"));
                company.users.push(User { id, name, email, teams, manager, ..small.users[0].clone() });
            }
        }
        for id in self.some(&[20, 21, 22]) {
            let owners = self.some(&[person(10), person(14)]);
            let name = format!("Team {id} {}", word(self));
            company.teams.push(Team { id, name, owners, ..small.teams[0].clone() });
        }
        for id in self.some(&[30, 31]) {
            company.periods.push(Period {
                id,
                name: format!("{} {id}", word(self)),
                ..small.periods[0].clone()
            });
        }
        for id in self.some(&[40, 41]) {
            company.tags.push(Tag { id, name: Some(word(self)), aside: Vec::new() });
        }
        for id in self.some(&(100..110).collect::<Vec<i64>>()) {
            let parents: Vec<i64> = (100..id).collect();
            let (period, creator) = (30 + self.roll(2) as i64, 10 + self.roll(5) as i64);
            let mut made = goal(id, ["Kpi", "Project", "Big rock"][self.roll(3) as usize], &word(self));
            made.owners = self.some(&[person(10), person(12), person(13)]);
            made.teams = self.some(&[20, 21, 22]).into_iter().map(|id| named(id, word(self))).collect();
            made.tags = self.some(&small.tags);
            made.period = (!self.one_in(3)).then(|| named(period, word(self)));
            made.created_by = Some(person(creator));
            made.progress = (!self.one_in(3)).then(|| self.roll(100) as f64);
            made.description = self.one_in(2).then(|| word(self));
            made.parent_ids = self.some(&parents).into_iter().take(2).collect();
            company.goals.push(made);
        }
        let goals: Vec<i64> = company.goals.iter().map(|goal| goal.id).chain([190]).collect();
        for id in 1_000..1_012 {
            let goal = goals[self.roll(goals.len() as u64) as usize];
            let kind = self.roll(4);
            if kind < 2 {
                let note = self.one_in(2).then(|| Note { text: Some(word(self)), html: None });
                let value = Some(self.roll(4) as f64);
                company.check_ins.push(CheckIn { current_value: value, note, ..check_in(id, goal) });
            } else if kind == 2 {
                let comment = small.comments[0].clone();
                company.comments.push(Comment { id, goal_id: goal, text: Some(word(self)), ..comment });
            }
        }
        company
    }
}

#[test]
fn an_import_that_is_taken_back_leaves_no_trace() {
    let mut changed = 0;
    for seed in 0..crate::setting("GOALPOST_UNDOS", 8) as u64 {
        let mut dice = Dice(seed);
        let server = Server::new();
        server.import(&dice.company());
        let goals: Vec<i64> = server
            .rows("select id from goal where organization = ?1 and origin = 'file' order by id", |row| {
                row.int(0)
            });
        for goal in dice.some(&goals) {
            let title = ["North", "Here"][dice.roll(2) as usize];
            server.edit(goal, Field::Column(Column::Description), &[Value::from(title)]);
            if dice.one_in(2) {
                server.edit(goal, Field::List(goalpost::goals::record::List::Owners), &[Value::Int(10)]);
            }
        }
        let (before, guids) = (server.state(), server.guids());
        let second = dice.company();
        let options = ImportOptions { prune: dice.one_in(2), take_file: dice.one_in(2), ..super::options() };
        let report = server.import_company_with(&second, &options);
        if report.revision.is_none() {
            continue;
        }
        changed += 1;
        let after = server.state();
        assert_ne!(after, before, "seed {seed}");
        let undone = server.undo().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(Some(undone.revision), report.revision);
        assert_eq!(server.state(), before, "seed {seed}");
        assert_eq!(server.guids(), guids, "seed {seed}");
        // The same file again does what it did the first time, and can be taken back again.
        let again = server.import_company_with(&second, &options);
        assert_eq!((again.entities, again.conflicts), (report.entities, report.conflicts), "seed {seed}");
        assert_eq!(server.state(), after, "seed {seed}");
        server.undo().unwrap_or_else(|error| panic!("seed {seed}, again: {error}"));
        assert_eq!(server.state(), before, "seed {seed}, again");
        // And so is the first one, down to the empty organization.
        let edited = before.iter().any(|row| row.starts_with("goal_imported_value"));
        if !edited {
            let undone = server.undo();
            assert!(undone.is_ok(), "seed {seed}, the first: {undone:?}");
            let left: Vec<String> =
                server.state().into_iter().filter(|row| !row.starts_with("view: ")).collect();
            assert_eq!(left, [format!("file number {NUMBER}")], "seed {seed}");
        }
    }
    assert!(changed > 4, "{changed}");
}

#[test]
fn what_was_changed_since_stands_in_the_way_until_it_is_changed_back() {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.state();
    let mut company = Company::small();
    company.goal(101).title = "Prune 400 trees".to_owned();
    company.goals.push(goal(104, "Kpi", "New here"));
    company.users[0].name = Some("Ilse Maria Anders".to_owned());
    server.import(&company);
    let after = server.state();

    server.edit(101, Field::Column(Column::Description), &["By hand".into()]);
    let edited = server.state();
    let refused = server.undo().expect_err("a goal was changed");
    assert_eq!(refused.to_string(), "1 thing stands in the way:\n  goal 101 was changed since");
    assert!(refused.hint().is_some());
    assert_eq!(server.state(), edited, "nothing was touched");
    server.edit(101, Field::Column(Column::Description), &[Value::Null]);

    // What hangs on a goal that would go, and what a goal that stays was given of it.
    server.edit(
        100,
        Field::List(goalpost::goals::record::List::Parents),
        &[104_i64.into(), Value::Null, false.into()],
    );
    let refused = server.undo().expect_err("a goal is below one that would go");
    let UndoError::InTheWay(obstacles) = &refused else { panic!("{refused}") };
    assert_eq!((obstacles.total, obstacles.first[0].id), (1, 100), "{refused}");
    server.edit(100, Field::List(goalpost::goals::record::List::Parents), &[]);

    let settled: Vec<String> = after.into_iter().filter(|row| !row.starts_with("goal: ")).collect();
    let now: Vec<String> = server.state().into_iter().filter(|row| !row.starts_with("goal: ")).collect();
    assert_eq!(now, settled);
    server.undo().expect("everything is what the import made of it");
    let without_updated = |state: Vec<String>| -> Vec<String> {
        state.into_iter().filter(|row| !row.starts_with("goal: ") || !row.contains("|100|")).collect()
    };
    assert_eq!(without_updated(server.state()), without_updated(before));
    // The first import changed goal 100 as well, which was another one in between; that does not matter.
    server.undo().expect("the first one can be taken back too");
    assert!(matches!(server.undo(), Err(UndoError::NoSuch)));
}

#[test]
fn what_a_later_import_changed_is_taken_back_first() {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.state();
    let mut company = Company::small();
    company.goal(101).title = "Prune 400 trees".to_owned();
    server.import(&company);
    let first = imports(&server)[1].0;
    company.goal(101).title = "Prune 500 trees".to_owned();
    company.tags[0].name = Some("Summer".to_owned());
    server.import(&company);
    let last = imports(&server)[0].clone();
    let refused = undo(&server.db, OrganizationNumber(NUMBER), Some(last.0), None);
    assert!(refused.is_ok());
    let again = undo(&server.db, OrganizationNumber(NUMBER), Some(last.0), None);
    assert!(matches!(again, Err(UndoError::AlreadyUndone)), "{again:?}");
    assert_ne!(first, last.0);
    server.undo().expect("the one before");
    assert_eq!(server.state(), before);
    let statuses: Vec<String> = imports(&server).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["undone", "undone", "succeeded"]);
    let nobody = undo(&server.db, OrganizationNumber(NUMBER), Some(uuid::Uuid::nil()), None);
    assert!(matches!(nobody, Err(UndoError::NoSuch)));
}

#[test]
fn nobody_who_went_is_named_again_and_nobody_who_is_named_goes() {
    let owners = Field::List(goalpost::goals::record::List::Owners);
    let organization = OrganizationNumber(NUMBER);
    let server = Server::new();
    server.import(&Company::small());
    let mut company = Company::small();
    company.users.push(User { id: 15, name: Some("Pim Hollis".to_owned()), ..company.users[0].clone() });
    server.import(&company);
    let brought = imports(&server)[0].0;
    // A goal is theirs for a while; then the file gives it to somebody else.
    server.edit(101, owners, &[Value::Int(15)]);
    company.goal(101).owners = vec![person(11)];
    server.import_company_with(&company, &ImportOptions { take_file: true, ..super::options() });

    // Not while a view is shown to them.
    server.edit(100, Field::Column(Column::Description), &["By hand".into()]);
    let share = |sql: &str| {
        let wait = std::time::Duration::from_secs(1);
        let shared = server.db.write_alone(organization, wait, |tx| tx.execute(sql, &[Value::Int(NUMBER)]));
        assert_eq!(shared.expect("a statement that works"), 1);
    };
    share(
        "insert into view_share (organization, view, position, revision, person)
         select ?1, 7, 0, max(revision), 15 from goal where organization = ?1",
    );
    let refused = undo(&server.db, organization, Some(brought), None).expect_err("a view is shown to them");
    assert!(refused.to_string().contains("view 7 was given something since"), "{refused}");
    share("delete from view_share where organization = ?1 and view = 7");

    undo(&server.db, organization, Some(brought), None).expect("nothing names them");
    let refused = server.undo().expect_err("the goal would be theirs again");
    assert!(refused.to_string().contains("goal 101 would name something again"), "{refused}");
}

fn imports(server: &Server) -> Vec<(uuid::Uuid, String)> {
    let listed = server.db.snapshot(OrganizationNumber(NUMBER), |tx| {
        goalpost::imports::queries::list(tx, OrganizationNumber(NUMBER))
    });
    listed.expect("a list").into_iter().map(|import| (import.id, import.status)).collect()
}
