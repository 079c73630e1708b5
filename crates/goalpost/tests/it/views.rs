//! Saved views and presets: who sees them, and what stays when they go.

use std::time::Duration;

use goalpost::goals::filter::Filter;
use goalpost::goals::order::SortKey;
use goalpost::ids::PersonNumber;
use goalpost::orgs::Organization;
use goalpost::views::{
    self, NewView, Preset, Selection, Share, Sort, View, ViewChange, ViewError, presets, queries,
};
use goalpost_db::{Error, Scope, Tx, params};
use goalpost_testing::TestDatabase;
use tempfile::TempDir;
use uuid::{Uuid, uuid};

const HOUSE: Uuid = uuid!("11111111-2222-4333-8444-555555555555");
const PIPELINE: Uuid = uuid!("2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7");
const ADA: PersonNumber = PersonNumber(1);
const BELA: PersonNumber = PersonNumber(2);
/// A member of [`ORCHARD`].
const CHIDI: PersonNumber = PersonNumber(3);
/// An owner of it.
const DARA: PersonNumber = PersonNumber(4);
/// Of a team below it.
const EDO: PersonNumber = PersonNumber(5);
/// Owns the organization.
const FAYE: PersonNumber = PersonNumber(6);
const ORCHARD: i64 = 1;
const PRESS: i64 = 2;

/// The presets of [`HOUSE`]. Clients hold these ids: a change here breaks them.
const PRESETS: [(&str, &str); 7] = [
    ("9bf9fb76-2c46-5317-aba9-4205aaadd5b6", "All objectives"),
    ("23d2791a-7ee7-5519-90fc-4dff6f05af49", "All my objectives"),
    ("69988fd1-aa35-5b1d-b58c-1e99338b0594", "Overdue OKRs"),
    ("478aaeb9-79e4-58da-b315-8dedbdde4df0", "Not updated in the last seven days"),
    ("a86c291e-f0ec-5718-98e8-6007d03d90ea", "At risk or behind"),
    ("6281595d-63aa-5016-907b-3f65ab0e359a", "Recently completed OKRs"),
    ("0b0e74d3-9e47-5f31-bc93-626edecf3b0c", "Unaligned OKRs"),
];

/// Run `f` in one write on an empty database with one organization that has its presets.
fn with_house<T>(f: impl FnOnce(&Tx<'_>, &Organization) -> Result<T, ViewError>) -> Result<T, ViewError> {
    let folder = TempDir::new().expect("a folder for the database");
    let database = TestDatabase::new(folder.path());
    database.open().write_alone(Scope::Global, Duration::from_secs(5), |tx| {
        let house = goalpost::orgs::queries::insert(tx, HOUSE, "Contoso Orchards", None)?;
        tx.enter(house.number.0);
        let revision = goalpost::orgs::queries::raise_revision(tx, house.number, None, "made")?;
        presets::insert(tx, &house, revision)?;
        f(tx, &house)
    })
}

fn new_view(owner: Option<PersonNumber>, is_public: bool) -> NewView {
    NewView {
        guid: PIPELINE,
        name: "Pipeline \u{1f34e}".to_owned(),
        owner,
        is_public,
        shares: Vec::new(),
        selection: Selection {
            filter: Filter::parse(r#"{"or":[{"due":{"before":"2026-01-31"}},{"owner":"me"}]}"#)
                .expect("a filter"),
            top_level: true,
        },
        flat: false,
        sort: Sort::by(SortKey::Title),
    }
}

/// A number, by a statement whose parameter is the organization.
fn count(tx: &Tx<'_>, house: &Organization, sql: &str) -> Result<i64, Error> {
    tx.query_one(sql, params![house.number], |row| row.int(0))
}

#[test]
fn every_organization_has_seven_presets_whose_guids_never_change() {
    let listed = with_house(|tx, house| Ok(queries::list(tx, house.number)?)).expect("listed");
    let names: Vec<_> = listed.iter().map(|view| (view.guid.to_string(), view.name.as_str())).collect();
    let names: Vec<_> = names.iter().map(|(guid, name)| (guid.as_str(), *name)).collect();
    assert_eq!(names, PRESETS);
    assert!(listed.iter().all(|view| view.owner.is_none() && view.flat && !view.selection.top_level));
    let everything: Vec<_> = listed.iter().filter(|view| view.selection.is_everything()).collect();
    assert_eq!(everything.len(), 1);
    assert_eq!(everything[0].preset, Some(Preset::AllObjectives));
}

#[test]
fn presets_of_two_organizations_share_no_guid() {
    for preset in Preset::ALL {
        assert_ne!(preset.guid(HOUSE), preset.guid(PIPELINE));
        assert_eq!(Preset::from_word(preset.as_str()), Some(preset));
    }
}

#[test]
fn a_saved_view_is_read_back_as_it_was_given() {
    let new = new_view(Some(ADA), false);
    let (made, read) = with_house(|tx, house| {
        let made = views::create(tx, house.number, &new, Some(ADA))?;
        Ok((made, queries::find(tx, house.number, PIPELINE)?))
    })
    .expect("saved");
    assert_eq!(read.as_ref(), Some(&made));
    let View { guid, name, owner, is_public, shares, selection, flat, sort, preset, revision, .. } = made;
    assert_eq!(NewView { guid, name, owner, is_public, shares, selection, flat, sort }, new);
    assert_eq!((preset, revision), (None, 2));
}

#[test]
fn a_private_view_is_seen_by_its_owner_only() {
    for (owner, is_public, seen_by_bela) in
        [(Some(ADA), false, false), (Some(ADA), true, true), (None, false, true), (None, true, true)]
    {
        let (ada, bela) = with_house(|tx, house| {
            views::create(tx, house.number, &new_view(owner, is_public), None)?;
            Ok((
                queries::find_visible(tx, house.number, PIPELINE, ADA)?.is_some(),
                queries::find_visible(tx, house.number, PIPELINE, BELA)?.is_some(),
            ))
        })
        .expect("saved");
        assert_eq!((ada, bela), (true, seen_by_bela), "owner {owner:?}, public {is_public}");
    }
}

/// The people and teams above.
fn populate(tx: &Tx<'_>, house: &Organization) -> Result<(), Error> {
    for person in [ADA, BELA, CHIDI, DARA, EDO, FAYE] {
        let role = if person == FAYE { "Organization Owner" } else { "Member" };
        tx.execute(
            "insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source,
                member_type, status, origin)
            values (?1, ?2, ?3, '', '', '', '', ?4, 'Individual', 'regular', 'active', 'file')",
            params![house.number, person, [person.0 as u8; 16], role],
        )?;
    }
    for (team, above) in [(ORCHARD, None), (PRESS, Some(ORCHARD))] {
        tx.execute(
            "insert into team (organization, id, name, name_fold, team_type, status, parent, origin)
            values (?1, ?2, '', '', '', 'Active', ?3, 'file')",
            params![house.number, team, above],
        )?;
    }
    for (person, team) in [(CHIDI, ORCHARD), (EDO, PRESS)] {
        tx.execute(
            "insert into team_member (organization, person, position, team) values (?1, ?2, 0, ?3)",
            params![house.number, person, team],
        )?;
    }
    tx.execute(
        "insert into team_owner (organization, team, position, person) values (?1, ?2, 0, ?3)",
        params![house.number, ORCHARD, DARA],
    )?;
    Ok(())
}

/// Who sees [`PIPELINE`].
fn seen_by(tx: &Tx<'_>, house: &Organization) -> Result<Vec<i64>, Error> {
    let mut seen = Vec::new();
    for person in [ADA, BELA, CHIDI, DARA, EDO, FAYE] {
        let found = queries::find_visible(tx, house.number, PIPELINE, person)?.is_some();
        let listed = queries::list_visible(tx, house.number, person)?;
        assert_eq!(listed.iter().any(|view| view.guid == PIPELINE), found, "person {}", person.0);
        assert!(listed.len() >= Preset::ALL.len(), "presets are everybody's");
        seen.extend(found.then_some(person.0));
    }
    Ok(seen)
}

#[test]
fn a_shared_view_is_seen_by_the_people_and_the_teams_that_it_names() {
    with_house(|tx, house| {
        populate(tx, house)?;
        let shares = vec![Share::Person(BELA), Share::Team(ORCHARD), Share::Person(BELA)];
        let made =
            views::create(tx, house.number, &NewView { shares, ..new_view(Some(ADA), false) }, Some(ADA))?;
        assert_eq!(made.shares, [Share::Person(BELA), Share::Team(ORCHARD)]);
        assert_eq!(seen_by(tx, house)?, [ADA.0, BELA.0, CHIDI.0, DARA.0]);
        // A team is who is in it now.
        let team = params![house.number, EDO, ORCHARD];
        tx.execute("update team_member set team = ?3 where organization = ?1 and person = ?2", team)?;
        assert_eq!(seen_by(tx, house)?, [ADA.0, BELA.0, CHIDI.0, DARA.0, EDO.0]);

        let only_edo = ViewChange { shares: Some(vec![Share::Person(EDO)]), ..ViewChange::default() };
        views::update(tx, house.number, PIPELINE, &only_edo, Some(ADA))?;
        assert_eq!(seen_by(tx, house)?, [ADA.0, EDO.0]);
        let before = "select count(*) from view_share_history where organization = ?1 and until = 3";
        assert_eq!(count(tx, house, before)?, 2);
        views::delete(tx, house.number, PIPELINE, Some(ADA))?;
        assert_eq!(count(tx, house, "select count(*) from view_share where organization = ?1")?, 0);
        Ok(())
    })
    .expect("shared");
}

#[test]
fn a_view_is_shared_with_those_that_there_are_and_not_with_too_many() {
    for (shares, reason) in [
        (vec![Share::Person(PersonNumber(99))], "the organization has no person 99"),
        (vec![Share::Team(99)], "the organization has no team 99"),
        (vec![Share::Person(BELA); views::sharing::MAX_SHARES + 1], "at most 100 people and teams"),
    ] {
        let refused = with_house(|tx, house| {
            populate(tx, house)?;
            views::create(tx, house.number, &NewView { shares, ..new_view(Some(ADA), false) }, None)
        });
        assert!(refused.expect_err("refused").to_string().contains(reason), "{reason}");
    }
}

#[test]
fn a_change_says_what_becomes_another_and_keeps_what_was() {
    let (made, changed, kept) = with_house(|tx, house| {
        let made = views::create(tx, house.number, &new_view(Some(ADA), false), None)?;
        let change = ViewChange {
            name: Some("Late".to_owned()),
            is_public: Some(true),
            filter: Some(Filter::parse(r#"{"due":"overdue"}"#).expect("a filter")),
            top_level: Some(false),
            flat: Some(true),
            sort: Some("status, due desc".parse().expect("an order")),
            shares: None,
            api_settings: Some(Some(r#"{"format":"xlsx"}"#.to_owned())),
        };
        let changed = views::update(tx, house.number, PIPELINE, &change, None)?;
        assert_eq!(queries::find(tx, house.number, PIPELINE)?.as_ref(), Some(&changed));
        let kept = "select count(*) from view_history where organization = ?1 and revision = 2 and until = 3
              and name like 'Pipeline%' and sort = 'title'";
        let kept = count(tx, house, kept)?;
        let again = views::update(tx, house.number, PIPELINE, &ViewChange::default(), None)?;
        assert_eq!(View { revision: 3, ..again }, changed);
        Ok((made, changed, kept))
    })
    .expect("changed");
    assert_eq!(
        (changed.number, changed.guid, changed.created_at_us),
        (made.number, made.guid, made.created_at_us)
    );
    assert_eq!((changed.name.as_str(), changed.is_public, changed.flat), ("Late", true, true));
    assert_eq!(changed.sort.to_string(), "status, due desc");
    assert_eq!((changed.revision, kept), (3, 1));
}

#[test]
fn a_view_is_changed_by_its_owner_and_by_owners_of_the_organization() {
    const YES: &str = "";
    const NO: &str = "can be changed by its owner";
    const HIDDEN: &str = "has no view";
    for (owner, is_public, by_ada, by_bela, by_faye) in
        [(Some(ADA), true, YES, NO, YES), (Some(ADA), false, YES, HIDDEN, HIDDEN), (None, true, NO, NO, YES)]
    {
        for (actor, expected) in [(ADA, by_ada), (BELA, by_bela), (FAYE, by_faye)] {
            for is_deleted in [false, true] {
                let told = with_house(|tx, house| {
                    populate(tx, house)?;
                    views::create(tx, house.number, &new_view(owner, is_public), None)?;
                    if is_deleted {
                        views::delete(tx, house.number, PIPELINE, Some(actor))
                    } else {
                        views::update(tx, house.number, PIPELINE, &ViewChange::default(), Some(actor))
                    }
                });
                let told = told.map_or_else(|error| error.to_string(), |_| String::new());
                assert!(
                    told.contains(expected) && told.is_empty() == expected.is_empty(),
                    "{actor:?}: {told}"
                );
            }
        }
    }
    let preset = with_house(|tx, house| {
        views::update(tx, house.number, Preset::Overdue.guid(HOUSE), &ViewChange::default(), None)
    });
    assert!(matches!(preset, Err(ViewError::IsPreset(Preset::Overdue))));
}

#[test]
fn presets_are_seen_by_everyone() {
    let seen = with_house(|tx, house| {
        let mut seen = 0;
        for preset in Preset::ALL {
            let view = queries::find_visible(tx, house.number, preset.guid(HOUSE), BELA)?;
            seen += usize::from(view.is_some_and(|view| view.preset == Some(preset)));
        }
        Ok(seen)
    });
    assert_eq!(seen.expect("read"), Preset::ALL.len());
}

#[test]
fn a_guid_is_given_once_in_an_organization() {
    let again = with_house(|tx, house| {
        views::create(tx, house.number, &new_view(None, false), None)?;
        views::create(tx, house.number, &new_view(Some(ADA), true), None)
    });
    assert!(matches!(again, Err(ViewError::GuidTaken(PIPELINE))), "{again:?}");

    let guid = Preset::Overdue.guid(HOUSE);
    let like_a_preset = with_house(|tx, house| {
        views::create(tx, house.number, &NewView { guid, ..new_view(None, false) }, None)
    });
    assert!(matches!(like_a_preset, Err(ViewError::GuidTaken(taken)) if taken == guid));
}

#[test]
fn two_organizations_may_use_one_guid() {
    let visible = with_house(|tx, house| {
        let other = goalpost::orgs::queries::insert(tx, PIPELINE, "Fabrikam Kites", None)?;
        views::create(tx, house.number, &new_view(None, false), None)?;
        tx.enter(other.number.0);
        assert!(queries::find(tx, other.number, PIPELINE)?.is_none(), "a view of another organization");
        views::create(tx, other.number, &new_view(None, false), None)
    });
    assert!(visible.is_ok(), "{visible:?}");
}

#[test]
fn a_deleted_view_is_gone_and_kept_in_the_history() {
    let (view, kept) = with_house(|tx, house| {
        views::create(tx, house.number, &new_view(Some(ADA), false), None)?;
        views::delete(tx, house.number, PIPELINE, None)?;
        let kept = "select count(*) from view_history
              where organization = ?1 and revision = 2 and until = 3 and name like 'Pipeline%'";
        Ok((queries::find(tx, house.number, PIPELINE)?, count(tx, house, kept)?))
    })
    .expect("deleted");
    assert_eq!((view, kept), (None, 1));
}

#[test]
fn a_deleted_views_guid_is_free_again() {
    let again = with_house(|tx, house| {
        for _ in 0..2 {
            views::create(tx, house.number, &new_view(None, false), None)?;
            views::delete(tx, house.number, PIPELINE, None)?;
        }
        views::create(tx, house.number, &new_view(None, false), None)
    });
    assert_eq!(again.expect("saved again").revision, 6);
}

#[test]
fn what_cannot_be_deleted_says_why() {
    let preset =
        with_house(|tx, house| views::delete(tx, house.number, Preset::AllObjectives.guid(HOUSE), None));
    assert_eq!(
        preset.expect_err("a preset").to_string(),
        "`All objectives` is a preset, which every organization has; only saved views can be changed or deleted"
    );
    let missing = with_house(|tx, house| views::delete(tx, house.number, PIPELINE, None));
    assert!(matches!(missing, Err(ViewError::NotFound(PIPELINE))));
}

#[test]
fn a_name_is_one_readable_line() {
    for name in ["", "  ", "two\nlines", &"x".repeat(views::MAX_NAME + 1)] {
        let refused = with_house(|tx, house| {
            views::create(tx, house.number, &NewView { name: name.to_owned(), ..new_view(None, false) }, None)
        });
        assert!(matches!(refused, Err(ViewError::InvalidName)), "{name:?}");
    }
}

#[test]
fn a_selection_is_frozen_and_thawed_alike() {
    let selection = new_view(None, false).selection;
    let frozen = serde_json::to_string(&selection).expect("plain data");
    assert_eq!(
        frozen,
        r#"{"filter":{"or":[{"due":{"before":"2026-01-31"}},{"owner":"me"}]},"topLevel":true}"#
    );
    assert_eq!(serde_json::from_str::<Selection>(&frozen).expect("frozen"), selection);
}
