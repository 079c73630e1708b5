//! The CSV of an organization's people: whom it makes, what it changes, what is refused.

use goalpost::imports::{ImportMap, ImportOptions};
use goalpost_viva::Entity;

use super::{Company, Server, options};

const PEOPLE: &str = "Name,Email,Role,Account Type,Status,Manager,Department\r\n\
    Ilse Anders,USER10@contoso.example,organization owner,Regular,Active,,Trees\r\n\
    \"Quint, Bo\",user11@contoso.example,,Observer,Deactivated,user10@contoso.example,\r\n\
    Dot Marlow,dot@contoso.example,Member,,Pending,\"Quint, Bo\",\r\n\
    Ed Ferris,ed@contoso.example,,,,boss@contoso.example,\r\n";

impl Server {
    fn people(&self) -> Vec<String> {
        self.texts(
            "select p.name || '|' || p.email || '|' || p.role || '|' || p.member_type || '|' || p.status || '|' || p.source
                || '|' || p.origin || '|' || coalesce(m.name, '')
            from person p left join person m on m.organization = p.organization and m.id = p.manager
            where p.organization = ?1 order by p.id",
        )
    }
}

#[test]
fn people_are_made_and_changed() {
    let server = Server::new();
    server.import(&Company::small());
    let report = server.import_table(PEOPLE);
    let tally = report.tally(Entity::Users);
    assert_eq!((tally.read, tally.added, tally.changed), (4, 2, 2));
    assert_eq!(
        server.people(),
        [
            "Ilse Anders|user10@contoso.example|Organization Owner|regular|active|Individual|file|",
            "Quint, Bo|user11@contoso.example|Member|observer|deactivated|Individual|file|Ilse Anders",
            // By a name that is only here under another one: nobody bore it when the file was read.
            "Dot Marlow|dot@contoso.example|Member|regular|pending|Individual|file|Quint, Bo",
            "Ed Ferris|ed@contoso.example|Member|regular|active|Individual|file|boss@contoso.example",
            "Quint, Bo||Member|regular|inactive|Reference|reference|",
            "boss@contoso.example|boss@contoso.example|Member|regular|inactive|Reference|reference|",
        ]
    );
    // What the file does not say stays: the teams of both.
    assert_eq!(server.count("select count(*) from team_member where organization = ?1"), 2);
    let aside = &report.asides.first[0];
    assert_eq!((aside.path.as_str(), aside.value.as_str()), ("Cells.Department", "\"Trees\""));
    assert!(!server.import_table(PEOPLE).changes_anything());
    // Goals and their owners are as they were.
    let owners = "select count(*) from goal_owner where organization = ?1 and goal = 100";
    assert_eq!(server.count(owners), 2);
}

#[test]
fn an_empty_organization_gets_its_people_and_those_who_were_only_mentioned_come_in() {
    let server = Server::new();
    server.import_table("Title,Owner\nDig,dot@contoso.example\n");
    assert_eq!(
        server.people(),
        ["dot@contoso.example|dot@contoso.example|Member|regular|inactive|Reference|reference|"]
    );
    let map =
        ImportMap::parse("[headers]\n\"Rolle\" = \"Role\"\n\"Mailadresse\" = \"E-mail\"\n").expect("a map");
    let mapped = ImportOptions { map, ..options() };
    let file = server.table("Mailadresse;Name;Rolle\ndot@contoso.example;Dot Marlow;Member\n");
    let report = server.import_with(&file, &mapped).expect("the file is good");
    assert_eq!(report.tally(Entity::Users).added, 1);
    assert_eq!(server.people(), ["Dot Marlow|dot@contoso.example|Member|regular|active|Individual|file|"]);
}

#[test]
fn a_dry_run_of_people_writes_nothing() {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    let dry = ImportOptions { dry_run: true, ..options() };
    let report = server.import_with(&server.table(PEOPLE), &dry).expect("the file is good");
    assert_eq!((report.tally(Entity::Users).added, report.tally(Entity::Users).changed), (2, 2));
    assert!(server.bytes() == before, "a dry run wrote");
}

#[test]
fn bad_files_of_people_are_refused() {
    let server = Server::new();
    server.import(&Company::small());
    let before = server.bytes();
    for (text, words) in [
        (
            "Email,Role\na@contoso.example,Member\nA@contoso.example,Member\n",
            &["row 3", "E-mail", "row 2"][..],
        ),
        ("Email,Role\n,Member\nnobody,Member\n", &["2 problems", "row 2", "is empty", "row 3", "`nobody`"]),
        ("Email,Status\na@contoso.example,Asleep\n", &["`Asleep`", "Deactivated"]),
        ("Email,Account Type\na@contoso.example,Robot\n", &["`Robot`", "Observer"]),
        ("Email,Role\na@contoso.example,Member,more\n", &["row 2", "column 3", "more"]),
        ("Email,E-mail,Role\na@contoso.example,,\n", &["E-mail", "another one"]),
    ] {
        let error = server.import_with(&server.table(text), &options()).expect_err("the file is bad");
        assert!(error.hint().is_some(), "no hint with: {error}");
        let message = error.to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
    let prune = ImportOptions { prune: true, ..options() };
    assert!(server.import_with(&server.table(PEOPLE), &prune).is_err());
    assert!(server.bytes() == before, "a refused import changed the database");
}
