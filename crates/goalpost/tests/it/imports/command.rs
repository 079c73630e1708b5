//! `goalpost import`, its list, and taking back, as scripts use them.

use goalpost::demo::ORGANIZATION;

use crate::cli::Shell;

#[test]
fn imports_are_listed_and_taken_back_on_the_command_line() {
    let shell = Shell::new();
    let organization = ORGANIZATION.to_string();
    let of_it = ["--organization", &organization];
    let list = || shell.json(&[&["import", "list"][..], &of_it].concat());
    let statuses = || -> Vec<String> {
        let list = list();
        let all = list.as_array().expect("a list").iter();
        all.map(|import| import["status"].as_str().unwrap_or_default().to_owned()).collect()
    };
    shell.text(&["demo", "--no-serve", "--goals", "20"]);
    let goals = || shell.text(&[&["goal", "list"][..], &of_it].concat());
    let before = goals();
    shell.text(&["demo", "--goals", "30", "--write-zip", "more.zip"]);
    let imported = ["import", "more.zip", "--organization", "Contoso", "--report", "report.csv"];
    shell.text(&[&imported[..], &["--dry-run"]].concat());
    assert_eq!(statuses(), ["succeeded"]);
    let report = shell.json(&imported);
    let table = std::fs::read_to_string(shell.path().join("report.csv")).expect("the report");
    let read = report["entities"][4]["read"].to_string();
    assert!(table.contains(&format!("\r\ncount,objectives,,read,{read},\r\n")), "{table}");
    assert_ne!(goals(), before);
    assert_eq!(list()[0]["revision"], report["revision"]);
    assert_eq!(statuses(), ["succeeded", "succeeded"]);

    let undone = shell.json(&[&["import", "undo"][..], &of_it].concat());
    assert_eq!((&undone["revision"], &undone["import"]), (&report["revision"], &list()[0]["id"]));
    assert_eq!(goals(), before);
    assert_eq!(statuses(), ["undone", "succeeded"]);
    let id = undone["import"].as_str().expect("an id").to_owned();
    let again = shell.failure(1, &[&["import", "undo", "--import", &id][..], &of_it].concat());
    assert!(again.contains("error: the import was taken back already"), "{again}");
    let none = shell.failure(
        1,
        &["import", "undo", "--import", "00000000-0000-0000-0000-000000000001", of_it[0], of_it[1]],
    );
    assert!(none.contains("hint: `goalpost import list` shows the imports"), "{none}");
    let nothing = shell.failure(2, &["import"]);
    assert!(nothing.contains("<FILE>"), "{nothing}");
}
