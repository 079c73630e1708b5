//! Two organizations of invented people. `wren.example`: Ann owns it, Ben is a member, Olga an observer, Dan has left,
//! `everyone` is a group. `lark.example`: Cleo owns it; Ann is a member there too.

use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries as orgs;
use goalpost::views::{self, NewView, Selection, Sort};
use goalpost_db::{Db, Scope, Tx, params};
use uuid::{Uuid, uuid};

/// The organization of most tests.
pub const ORGANIZATION: Uuid = uuid!("9ab0fcab-c1d4-4b26-963b-a3c33155f853");
/// Another one, whose data nobody of the first may see.
pub const OTHER_ORGANIZATION: Uuid = uuid!("11111111-2222-4333-8444-555555555555");
/// A view of all goals that everybody in [`ORGANIZATION`] sees.
pub const VIEW: Uuid = uuid!("2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7");
/// A view that only Ben sees.
pub const PRIVATE_VIEW: Uuid = uuid!("33333333-67c3-4677-8eb3-e0066c4d2fd7");

pub(crate) fn insert(db: &Db) -> Result<(), views::ViewError> {
    db.write_alone(Scope::Global, std::time::Duration::from_secs(5), |tx| {
        let wren = organization(tx, ORGANIZATION, "Wren & Co", 15_229)?;
        for (id, name, email, role, source, member_type, status) in [
            (1, "Ann Wren", "ann@wren.example", "Organization Owner", "Individual", "regular", "active"),
            (2, "Ben Ødegård", "ben@wren.example", "Member", "Individual", "regular", "active"),
            (3, "Olga Sum", "olga@wren.example", "Member", "Individual", "observer", "active"),
            (4, "Dan Gone", "dan@wren.example", "Organization Owner", "Individual", "regular", "deactivated"),
            (5, "Everyone", "everyone@wren.example", "Organization Owner", "Group", "regular", "active"),
        ] {
            person(tx, wren, id, [name, email, role, source, member_type, status])?;
        }
        view(tx, wren, VIEW, "New view", None)?;
        view(tx, wren, PRIVATE_VIEW, "Ben's own", Some(2))?;
        let lark = organization(tx, OTHER_ORGANIZATION, "Lark", 15_230)?;
        person(
            tx,
            lark,
            1,
            ["Cleo Lark", "cleo@lark.example", "Organization Owner", "Individual", "regular", "active"],
        )?;
        person(tx, lark, 2, ["Ann Wren", "ann@wren.example", "Member", "Individual", "regular", "active"])?;
        Ok(())
    })
}

fn organization(
    tx: &Tx<'_>,
    guid: Uuid,
    name: &str,
    number: i64,
) -> Result<OrganizationNumber, goalpost_db::Error> {
    let organization = orgs::insert(tx, guid, name, Some(number))?;
    tx.enter(organization.number.0);
    let revision = orgs::raise_revision(tx, organization.number, None, "seed")?;
    views::presets::insert(tx, &organization, revision)?;
    Ok(organization.number)
}

fn person(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    id: i64,
    [name, email, role, source, member_type, status]: [&str; 6],
) -> Result<(), goalpost_db::Error> {
    tx.execute(
        "insert into person (organization, id, guid, name, name_fold, email, email_fold, role, source, member_type,
                             status, origin)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'file')",
        params![
            organization,
            id,
            Uuid::from_u64_pair(organization.0 as u64, id as u64).into_bytes(),
            name,
            name.to_lowercase(),
            email,
            email.to_lowercase(),
            role,
            source,
            member_type,
            status,
        ],
    )?;
    Ok(())
}

fn view(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    guid: Uuid,
    name: &str,
    owner: Option<i64>,
) -> Result<(), views::ViewError> {
    let new = NewView {
        shares: Vec::new(),
        guid,
        name: name.to_owned(),
        owner: owner.map(goalpost::ids::PersonNumber),
        is_public: false,
        selection: Selection::default(),
        flat: true,
        sort: Sort::default(),
    };
    views::create(tx, organization, &new, None)?;
    Ok(())
}
