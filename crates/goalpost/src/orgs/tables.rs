//! The tables of people, teams, time periods and tags. They have no history.

use crate::table::{Kind, Table};

pub(crate) static PERSON: Table = Table {
    name: "person",
    key: &["id"],
    columns: &[
        ("guid", Kind::Guid),
        ("name", Kind::Text),
        ("name_fold", Kind::Text),
        ("email", Kind::Text),
        ("email_fold", Kind::Text),
        ("role", Kind::Text),
        ("source", Kind::Text),
        ("member_type", Kind::Text),
        ("status", Kind::Text),
        ("manager", Kind::Int),
        ("last_active_at", Kind::Int),
        ("origin", Kind::Text),
    ],
    has_history: false,
};

pub(crate) static TEAM_MEMBER: Table = Table {
    name: "team_member",
    key: &["person", "position"],
    columns: &[("team", Kind::Int)],
    has_history: false,
};

pub(crate) static TEAM: Table = Table {
    name: "team",
    key: &["id"],
    columns: &[
        ("name", Kind::Text),
        ("name_fold", Kind::Text),
        ("parent_name", Kind::Text),
        ("parent", Kind::Int),
        ("team_type", Kind::Text),
        ("status", Kind::Text),
        ("description", Kind::Text),
        ("origin", Kind::Text),
    ],
    has_history: false,
};

pub(crate) static TEAM_OWNER: Table = Table {
    name: "team_owner",
    key: &["team", "position"],
    columns: &[("person", Kind::Int)],
    has_history: false,
};

pub(crate) static PERIOD: Table = Table {
    name: "period",
    key: &["id"],
    columns: &[
        ("name", Kind::Text),
        ("name_fold", Kind::Text),
        ("start_date", Kind::Text),
        ("end_date", Kind::Text),
        ("origin", Kind::Text),
    ],
    has_history: false,
};

pub(crate) static TAG: Table = Table {
    name: "tag",
    key: &["id"],
    columns: &[("name", Kind::Text), ("name_fold", Kind::Text), ("origin", Kind::Text)],
    has_history: false,
};
