//! Every route of the service, in one table: the router, the OpenAPI document and the test of rights are made from it.

use axum::http::Method;

use super::deeds::{directory, goals, said, views};
use super::sets::{
    CHECK_INS, COMMENTS, EXPORTS, GOALS, IMPORTS, ORGANIZATIONS, PEOPLE, PERIODS, Set, TAGS, TASKS, TEAMS,
    VIEWS,
};
use super::write::Write as Written;
use crate::identity::Scope;

/// A method of a resource.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path below `/api/v1`, with its parameters in braces.
    pub path: &'static str,
    /// Its name in the OpenAPI document.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// The set that it is about.
    pub set: &'static Set,
    /// What it does.
    pub deed: Deed,
}

/// What a route does.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Rows of the set, in pages.
    List,
    /// How many rows there are, as plain text.
    Count,
    /// One row.
    Get,
    /// What changed since a state.
    Delta,
    /// What became of one goal.
    History,
    /// A change.
    Write(&'static Written),
    /// Something with an export.
    Export(super::exports::Deed),
    /// Something with an import.
    Import(super::imports::Deed),
}

impl Deed {
    /// What a token must allow.
    pub fn scope(self) -> Scope {
        match self {
            Self::List | Self::Count | Self::Get | Self::Delta | Self::History => Scope::ReadGoals,
            Self::Write(_) => Scope::WriteGoals,
            Self::Export(deed) => deed.scope(),
            Self::Import(deed) => deed.scope(),
        }
    }
}

/// The parameter of a path that names the organization.
pub(super) const ORGANIZATION: &str = "organization";
/// The parameter of a path that names the goal above the thing.
pub(super) const GOAL: &str = "goal";
/// The parameter of a path that names the view above the goals.
pub(super) const VIEW: &str = "view";
/// The parameter of a path that names the thing itself.
pub(super) const ID: &str = "id";

macro_rules! routes {
    ($($method:ident $path:literal $name:literal $deed:expr, $set:ident, $about:literal;)*) => {
        /// The routes.
        pub static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            name: $name,
            about: $about,
            set: &$set,
            deed: $deed,
        }),*];
    };
}

use super::exports::Deed as Of;
use super::imports::Deed as Bring;
use Deed::{Count, Delta, Export, Get, History, Import, List, Write};

routes! {
    GET "/organizations" "listOrganizations" List, ORGANIZATIONS, "The organizations that the caller is in";
    GET "/organizations/{id}" "getOrganization" Get, ORGANIZATIONS, "One of them";
    PATCH "/organizations/{id}" "changeOrganization" Write(&directory::CHANGE_ORGANIZATION), ORGANIZATIONS, "Change its name, words and policies";

    GET "/organizations/{organization}/goals" "listGoals" List, GOALS, "Goals that the caller may see";
    GET "/organizations/{organization}/goals/$count" "countGoals" Count, GOALS, "How many goals there are";
    GET "/organizations/{organization}/goals/{id}" "getGoal" Get, GOALS, "One goal";
    GET "/organizations/{organization}/goals/delta" "deltaOfGoals" Delta, GOALS, "All goals, and then what changed since";
    GET "/organizations/{organization}/goals/{id}/history" "historyOfGoal" History, GOALS, "Who changed what of a goal, and when";
    POST "/organizations/{organization}/goals" "createGoal" Write(&goals::CREATE), GOALS, "Make a goal";
    PATCH "/organizations/{organization}/goals/{id}" "changeGoal" Write(&goals::CHANGE), GOALS, "Change a goal";
    DELETE "/organizations/{organization}/goals/{id}" "deleteGoal" Write(&goals::DELETE), GOALS, "Take a goal away";
    POST "/organizations/{organization}/goals/{id}/close" "closeGoal" Write(&goals::CLOSE), GOALS, "Close a goal, with a score";
    POST "/organizations/{organization}/goals/{id}/reopen" "reopenGoal" Write(&goals::REOPEN), GOALS, "Open a closed goal again";
    POST "/organizations/{organization}/goals/{id}/postpone" "postponeGoal" Write(&goals::POSTPONE), GOALS, "Put a goal off to another time period; the answer is its copy there";
    POST "/organizations/{organization}/goals/{id}/clone" "cloneGoal" Write(&goals::CLONE), GOALS, "Make another goal like it";
    POST "/organizations/{organization}/goals/{id}/align" "alignGoal" Write(&goals::ALIGN), GOALS, "Put a goal below another one";
    POST "/organizations/{organization}/goals/{id}/unalign" "unalignGoal" Write(&goals::UNALIGN), GOALS, "Take a goal away from one above it";
    POST "/organizations/{organization}/goals/{id}/weights" "setWeights" Write(&goals::WEIGHTS), GOALS, "Say what the goals below a goal contribute";
    GET "/organizations/{organization}/goals/{goal}/checkIns" "listCheckInsOfGoal" List, CHECK_INS, "What was said of a goal";
    GET "/organizations/{organization}/goals/{goal}/checkIns/{id}" "getCheckInOfGoal" Get, CHECK_INS, "One check-in of a goal";
    POST "/organizations/{organization}/goals/{goal}/checkIns" "checkIn" Write(&said::CHECK_IN), CHECK_INS, "Check in on a goal";
    PATCH "/organizations/{organization}/goals/{goal}/checkIns/{id}" "changeCheckIn" Write(&said::CHANGE_CHECK_IN), CHECK_INS, "Change a check-in";
    DELETE "/organizations/{organization}/goals/{goal}/checkIns/{id}" "deleteCheckIn" Write(&said::DELETE_CHECK_IN), CHECK_INS, "Take a check-in away";
    GET "/organizations/{organization}/goals/{goal}/comments" "listCommentsOfGoal" List, COMMENTS, "What was written below a goal";
    GET "/organizations/{organization}/goals/{goal}/comments/{id}" "getCommentOfGoal" Get, COMMENTS, "One comment";
    POST "/organizations/{organization}/goals/{goal}/comments" "createComment" Write(&said::COMMENT), COMMENTS, "Comment on a goal";
    PATCH "/organizations/{organization}/goals/{goal}/comments/{id}" "changeComment" Write(&said::CHANGE_COMMENT), COMMENTS, "Change a comment";
    DELETE "/organizations/{organization}/goals/{goal}/comments/{id}" "deleteComment" Write(&said::DELETE_COMMENT), COMMENTS, "Take a comment away";
    GET "/organizations/{organization}/goals/{goal}/tasks" "listTasksOfGoal" List, TASKS, "Steps of an initiative";
    GET "/organizations/{organization}/goals/{goal}/tasks/{id}" "getTaskOfGoal" Get, TASKS, "One step";
    POST "/organizations/{organization}/goals/{goal}/tasks" "createTask" Write(&said::TASK), TASKS, "Add a step to an initiative";
    PATCH "/organizations/{organization}/goals/{goal}/tasks/{id}" "changeTask" Write(&said::CHANGE_TASK), TASKS, "Change a step";
    DELETE "/organizations/{organization}/goals/{goal}/tasks/{id}" "deleteTask" Write(&said::DELETE_TASK), TASKS, "Take a step away";

    GET "/organizations/{organization}/checkIns" "listCheckIns" List, CHECK_INS, "Check-ins of all goals";
    POST "/organizations/{organization}/checkIns" "checkInAll" Write(&said::CHECK_IN_ALL), CHECK_INS, "Check in on many goals: on all of them, or on none";
    GET "/organizations/{organization}/checkIns/$count" "countCheckIns" Count, CHECK_INS, "How many there are";
    GET "/organizations/{organization}/checkIns/delta" "deltaOfCheckIns" Delta, CHECK_INS, "Check-ins of the chosen goals, and then what changed since";
    GET "/organizations/{organization}/checkIns/{id}" "getCheckIn" Get, CHECK_INS, "One check-in";
    GET "/organizations/{organization}/comments" "listComments" List, COMMENTS, "Comments on all goals";
    GET "/organizations/{organization}/comments/$count" "countComments" Count, COMMENTS, "How many there are";
    GET "/organizations/{organization}/comments/delta" "deltaOfComments" Delta, COMMENTS, "Comments on the chosen goals, and then what changed since";
    GET "/organizations/{organization}/comments/{id}" "getComment" Get, COMMENTS, "One comment";
    GET "/organizations/{organization}/tasks" "listTasks" List, TASKS, "Steps of all initiatives";
    GET "/organizations/{organization}/tasks/$count" "countTasks" Count, TASKS, "How many there are";
    GET "/organizations/{organization}/tasks/{id}" "getTask" Get, TASKS, "One step";

    GET "/organizations/{organization}/people" "listPeople" List, PEOPLE, "People of the organization";
    GET "/organizations/{organization}/people/$count" "countPeople" Count, PEOPLE, "How many there are";
    GET "/organizations/{organization}/people/{id}" "getPerson" Get, PEOPLE, "One person";
    POST "/organizations/{organization}/people" "createPerson" Write(&directory::CREATE_PERSON), PEOPLE, "Make a person";
    PATCH "/organizations/{organization}/people/{id}" "changePerson" Write(&directory::CHANGE_PERSON), PEOPLE, "Change a person";
    GET "/organizations/{organization}/teams" "listTeams" List, TEAMS, "Teams of the organization";
    GET "/organizations/{organization}/teams/$count" "countTeams" Count, TEAMS, "How many there are";
    GET "/organizations/{organization}/teams/{id}" "getTeam" Get, TEAMS, "One team";
    POST "/organizations/{organization}/teams" "createTeam" Write(&directory::CREATE_TEAM), TEAMS, "Make a team";
    PATCH "/organizations/{organization}/teams/{id}" "changeTeam" Write(&directory::CHANGE_TEAM), TEAMS, "Change a team";
    POST "/organizations/{organization}/teams/{id}/archive" "archiveTeam" Write(&directory::ARCHIVE_TEAM), TEAMS, "Archive a team";
    POST "/organizations/{organization}/teams/{id}/restore" "restoreTeam" Write(&directory::RESTORE_TEAM), TEAMS, "Take a team back from the archive";
    DELETE "/organizations/{organization}/teams/{id}" "deleteTeam" Write(&directory::DELETE_TEAM), TEAMS, "Take a team away";
    GET "/organizations/{organization}/periods" "listPeriods" List, PERIODS, "Time periods of the organization";
    GET "/organizations/{organization}/periods/$count" "countPeriods" Count, PERIODS, "How many there are";
    GET "/organizations/{organization}/periods/{id}" "getPeriod" Get, PERIODS, "One time period";
    POST "/organizations/{organization}/periods" "createPeriod" Write(&directory::CREATE_PERIOD), PERIODS, "Make a time period";
    PATCH "/organizations/{organization}/periods/{id}" "changePeriod" Write(&directory::CHANGE_PERIOD), PERIODS, "Change a time period";
    DELETE "/organizations/{organization}/periods/{id}" "deletePeriod" Write(&directory::DELETE_PERIOD), PERIODS, "Take a time period away";
    GET "/organizations/{organization}/tags" "listTags" List, TAGS, "Tags of the organization";
    GET "/organizations/{organization}/tags/$count" "countTags" Count, TAGS, "How many there are";
    GET "/organizations/{organization}/tags/{id}" "getTag" Get, TAGS, "One tag";
    POST "/organizations/{organization}/tags" "createTag" Write(&directory::CREATE_TAG), TAGS, "Make a tag";
    PATCH "/organizations/{organization}/tags/{id}" "changeTag" Write(&directory::CHANGE_TAG), TAGS, "Change a tag";
    DELETE "/organizations/{organization}/tags/{id}" "deleteTag" Write(&directory::DELETE_TAG), TAGS, "Take a tag away";
    GET "/organizations/{organization}/views" "listViews" List, VIEWS, "Explorer views that the caller may see";
    GET "/organizations/{organization}/views/$count" "countViews" Count, VIEWS, "How many there are";
    GET "/organizations/{organization}/views/{id}" "getView" Get, VIEWS, "One view";
    POST "/organizations/{organization}/views" "createView" Write(&views::CREATE), VIEWS, "Save a view of one's own";
    PATCH "/organizations/{organization}/views/{id}" "changeView" Write(&views::CHANGE), VIEWS, "Change a view";
    DELETE "/organizations/{organization}/views/{id}" "deleteView" Write(&views::DELETE), VIEWS, "Take a view away";
    GET "/organizations/{organization}/views/{view}/goals" "listGoalsOfView" List, GOALS, "The goals that a view holds, of those that the caller may see";

    GET "/organizations/{organization}/exports" "listExports" List, EXPORTS, "Exports that the caller asked for";
    GET "/organizations/{organization}/exports/$count" "countExports" Count, EXPORTS, "How many there are";
    POST "/organizations/{organization}/exports" "createExport" Export(Of::Create), EXPORTS, "Ask for a file of a view";
    GET "/organizations/{organization}/exports/{id}" "getExport" Get, EXPORTS, "One export";
    DELETE "/organizations/{organization}/exports/{id}" "deleteExport" Export(Of::Delete), EXPORTS, "Call an export off, or take its file away";
    POST "/organizations/{organization}/exports/{id}/retry" "retryExport" Export(Of::Retry), EXPORTS, "Ask for the same again";
    GET "/organizations/{organization}/exports/{id}/content" "getExportContent" Export(Of::Content), EXPORTS, "Its file";
    GET "/organizations/{organization}/exports/{id}/manifest" "getExportManifest" Export(Of::Manifest), EXPORTS, "What its file is: columns, options, rows, checksum";

    GET "/organizations/{organization}/imports" "listImports" List, IMPORTS, "Files that were brought in, or are to be";
    GET "/organizations/{organization}/imports/$count" "countImports" Count, IMPORTS, "How many there are";
    POST "/organizations/{organization}/imports" "createImport" Import(Bring::Create), IMPORTS, "Send a file to be brought in";
    GET "/organizations/{organization}/imports/{id}" "getImport" Get, IMPORTS, "One import";
    DELETE "/organizations/{organization}/imports/{id}" "deleteImport" Import(Bring::Delete), IMPORTS, "Call an import off, or forget it";
    GET "/organizations/{organization}/imports/{id}/report" "getImportReport" Import(Bring::Report), IMPORTS, "What it did with each element, or would";
    POST "/organizations/{organization}/imports/{id}/undo" "undoImport" Import(Bring::Undo), IMPORTS, "Take an import back: what it changed is again what it was";
}
