//! The organization and all that it has besides goals.

use super::Kind::{Bytes, Day, Flag, Guid, Instant, Int, Text, Word};
use super::{ORIGIN, Part, REVISION, field};

pub(super) static ORGANIZATION: Part = Part {
    table: "organization",
    name: "organization",
    about: "The organization and its settings, one object",
    fields: &[
        field("number", "number", Int, "Its number; where that is taken, it gets another one"),
        field("id", "guid", Guid, "The id that exports and clients name"),
        field("name", "name", Text, "What it is called"),
        field("fileNumber", "file_number", Int, "The number in the names of its Viva Goals files"),
        field(
            "exportPolicy",
            "export_policy",
            Word(&["owners", "members", "people"]),
            "Who may export: owners, members, or the people of export-permits.jsonl",
        ),
        field(
            "goalPolicy",
            "goal_policy",
            Word(&["owners", "teamOwners", "members"]),
            "Who may make goals of the organization and of teams; null: team owners",
        ),
        field(
            "planningYearStart",
            "planning_year_start",
            Int,
            "The month, from 1, with which its planning years begin",
        ),
        field("termOkr", "term_okr", Text, "Its own word for OKR"),
        field("termObjective", "term_objective", Text, "Its own word for Objective"),
        field("termKeyResult", "term_key_result", Text, "Its own word for Key result"),
        field("termInitiative", "term_initiative", Text, "Its own word for Initiative"),
        field("revision", "revision", Int, "Its latest revision"),
        field(
            "directoryRevision",
            "directory_revision",
            Int,
            "The revision that last changed people, teams, periods or tags",
        ),
        field("nextNumber", "next_number", Int, "The number that the next new thing gets"),
        field("createdDateTime", "created_at", Instant, "When it was made in Goalpost"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static REVISIONS: Part = Part {
    table: "revision",
    name: "revisions",
    about: "Every change of the organization's data: when, by whom and what for",
    fields: &[
        field("revision", "revision", Int, "Its number, from 1"),
        field("madeDateTime", "made_at", Instant, "When it was made"),
        field("actorId", "actor", Int, "The person who made it; null: the operator, or a rule"),
        field("cause", "cause", Text, "What it was made for"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static PEOPLE: Part = Part {
    table: "person",
    name: "people",
    about: "People of the organization, and groups of its directory",
    fields: &[
        field("id", "id", Int, "The number that other files know them by"),
        field("objectId", "guid", Guid, "The `oid` of tokens that Goalpost itself issues for them"),
        field("name", "name", Text, "Their name"),
        field("email", "email", Text, "Their e-mail address"),
        field("role", "role", Text, "Organization Owner or Member"),
        field("source", "source", Text, "Individual, or Group for a row that is no person"),
        field("memberType", "member_type", Text, "regular or observer"),
        field("status", "status", Text, "Only active people are let in"),
        field("managerId", "manager", Int, "The person whom they report to").to("person"),
        field("lastActiveDateTime", "last_active_at", Instant, "When they were last seen, as a file said"),
        ORIGIN,
    ],
    folds: &[("name_fold", "name"), ("email_fold", "email")],
    has_history: false,
};

pub(super) static SIGN_INS: Part = Part {
    table: "identity",
    name: "sign-ins",
    about: "Which account of an identity provider is which person; no secret is in it",
    fields: &[
        field("issuer", "issuer", Text, "The issuer of the account's tokens"),
        field("tenantId", "tenant", Guid, "The tenant, `tid`"),
        field("objectId", "object", Guid, "The account, `oid`"),
        field("personId", "person", Int, "The person").to("person"),
        field("linkedDateTime", "linked_at", Instant, "Since when"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static EXPORT_PERMITS: Part = Part {
    table: "export_permit",
    name: "export-permits",
    about: "People who may export where the policy names people",
    fields: &[field("personId", "person", Int, "The person").to("person")],
    folds: &[],
    has_history: false,
};

pub(super) static TEAMS: Part = Part {
    table: "team",
    name: "teams",
    about: "Teams and subteams",
    fields: &[
        field("id", "id", Int, "Its number"),
        field("name", "name", Text, "What it is called"),
        field("parentId", "parent", Int, "The team that it is part of").to("team"),
        field("parentName", "parent_name", Text, "The name of that team, as a file printed it"),
        field("teamType", "team_type", Text, "What kind of team it is"),
        field("status", "status", Text, "Active or Archived"),
        field("description", "description", Text, "More about it"),
        ORIGIN,
    ],
    folds: &[("name_fold", "name")],
    has_history: false,
};

pub(super) static TEAM_OWNERS: Part = Part {
    table: "team_owner",
    name: "team-owners",
    about: "Who owns a team",
    fields: &[
        field("teamId", "team", Int, "The team").to("team"),
        field("position", "position", Int, "The place among its owners, from 0"),
        field("personId", "person", Int, "The owner").to("person"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static TEAM_MEMBERS: Part = Part {
    table: "team_member",
    name: "team-members",
    about: "Who is a member of a team",
    fields: &[
        field("personId", "person", Int, "The member").to("person"),
        field("position", "position", Int, "The place among the person's teams, from 0"),
        field("teamId", "team", Int, "The team").to("team"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static PERIODS: Part = Part {
    table: "period",
    name: "periods",
    about: "Time periods: quarters, years and others",
    fields: &[
        field("id", "id", Int, "Its number"),
        field("name", "name", Text, "What it is called"),
        field("startDate", "start_date", Day, "Its first day"),
        field("endDate", "end_date", Day, "Its last day, which belongs to it"),
        ORIGIN,
    ],
    folds: &[("name_fold", "name")],
    has_history: false,
};

pub(super) static TAGS: Part = Part {
    table: "tag",
    name: "tags",
    about: "Tags",
    fields: &[field("id", "id", Int, "Its number"), field("name", "name", Text, "What it is called"), ORIGIN],
    folds: &[("name_fold", "name")],
    has_history: false,
};

pub(super) static VIEWS: Part = Part {
    table: "view",
    name: "views",
    about: "Saved choices of goals",
    fields: &[
        field("number", "id", Int, "Its number"),
        field("id", "guid", Guid, "The id that exports name"),
        field("name", "name", Text, "What it is called"),
        field("ownerId", "owner", Int, "Whose it is; null: the organization's").to("person"),
        field("isPublic", "is_public", Flag, "Whether every member sees it"),
        field("preset", "preset", Text, "Which of the presets it is"),
        field("topLevelOnly", "top_level", Flag, "Whether goals below others are left out"),
        field("isFlat", "flat", Flag, "Whether a page shows a list, not a tree"),
        field("filter", "filter", Text, "Which goals it holds: JSON, as a text"),
        field("sort", "sort", Text, "In which order a page shows them"),
        field("apiSettings", "api_settings", Text, "What a client keeps with it: JSON, as a text"),
        field("createdDateTime", "created_at", Instant, "When it was saved"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static VIEW_SHARES: Part = Part {
    table: "view_share",
    name: "view-shares",
    about: "People and teams whom a view with an owner is shown to besides; a person or a team in each",
    fields: &[
        field("viewNumber", "view", Int, "The view, by its number").to("view"),
        field("position", "position", Int, "The place among them, from 0"),
        field("personId", "person", Int, "A person who sees it").to("person"),
        // A team may be gone, and with it what it was shown by.
        field("teamId", "team", Int, "A team whose members and owners see it"),
        REVISION,
    ],
    folds: &[],
    has_history: true,
};

pub(super) static AUDIT: Part = Part {
    table: "audit",
    name: "audit",
    about: "Who did what: ids and counts, no texts",
    fields: &[
        field("id", "id", Int, "Its number, which rises with time"),
        field("dateTime", "at", Instant, "When"),
        field("actorId", "actor", Int, "The person who did it; null: the operator, or a rule"),
        field("action", "action", Text, "What was done"),
        field("subject", "subject", Text, "The id of what it was done to"),
        field("detail", "detail", Text, "More about it: JSON, as a text"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static IMPORTS: Part = Part {
    table: "import_run",
    name: "imports",
    about: "Files that were imported",
    fields: &[
        field("id", "id", Int, "Its number"),
        field("dateTime", "made_at", Instant, "When"),
        field("revision", "revision", Int, "The revision that it made"),
        field("fileName", "file_name", Text, "The file's name"),
        field("fileSha256", "file_sha256", Bytes, "The file's SHA-256"),
        field("report", "report", Text, "What became of it: JSON, as a text"),
    ],
    folds: &[],
    has_history: false,
};

pub(super) static IMPORT_ASIDES: Part = Part {
    table: "import_aside",
    name: "import-asides",
    about: "What imported files held that has no place elsewhere, word for word",
    fields: &[
        field("entity", "entity", Text, "The kind of thing in the file"),
        field("id", "id", Int, "The number of the thing in the file"),
        field("path", "path", Text, "Where in the thing it stood"),
        field("value", "value", Text, "What stood there"),
    ],
    folds: &[],
    has_history: false,
};
