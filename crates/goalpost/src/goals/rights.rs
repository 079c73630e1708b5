//! Who may do what: the table of docs/SECURITY.md ("Roles"), and the roles that a person has.
//!
//! A person may do what one of their roles may. Roles are what they are in the organization, in a team, and to a goal;
//! they are looked up each time, so a right ends with the role. What a goal's restriction takes away comes on top: who
//! does not see a goal can do nothing with it, and of those who see it only its own people edit it.

use goalpost_db::{Error, Result, Tx, params};
use goalpost_okr::words;

use super::Origin;
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::{ExportPolicy, GoalPolicy};

words!(
    /// What somebody wants to do.
    Action {
        /// See a goal.
        See => "see",
        /// Make a goal that is nobody's and no team's.
        CreateOrganizationGoal => "create organization goals",
        /// Make a goal of teams.
        CreateTeamGoal => "create team goals",
        /// Make a goal of people.
        CreateIndividualGoal => "create individual goals",
        /// Change a goal, its alignment and its tasks.
        Edit => "edit",
        /// Say whose it is.
        ChangeOwners => "change owners",
        /// Take a goal away.
        Delete => "delete",
        /// Say what the goals below it contribute.
        SetWeights => "set weights",
        /// Close it, open it again, put it off.
        Close => "close",
        /// Check in on it.
        CheckIn => "check in",
        /// Put another goal below it.
        AlignTo => "align to it",
        /// Make another one like it.
        Clone => "clone",
        /// Say something about it.
        Comment => "comment",
        /// Change a team.
        ManageTeam => "manage a team",
        /// Change the organization, its people, time periods, tags, words and policies, and make teams.
        ManageOrganization => "manage the organization",
        /// Read a file of the organization.
        Import => "import",
        /// Export a view.
        Export => "export",
        /// Save a view.
        SaveView => "save a view",
    }
);

words!(
    /// What somebody is.
    Role {
        /// Owns the organization.
        OrganizationOwner => "organization owner",
        /// Owns one of the teams that it is about.
        TeamOwner => "team owner",
        /// Owns or made the goal.
        Owner => "owner, creator",
        /// Is the manager of an owner.
        Manager => "owner's manager",
        /// Owns a goal above.
        ParentOwner => "owner above",
        /// Acts for the owners.
        Delegate => "delegate",
        /// Is to check in.
        CheckinOwner => "check-in owner",
        /// Belongs to one of the teams that it is about.
        TeamMember => "team member",
        /// Is anyone else of the organization.
        Member => "member",
        /// Only looks on.
        Observer => "observer",
    }
);

words!(
    /// What the table says of an action and a role.
    Cell {
        /// Always.
        Yes => "yes",
        /// If a policy of the organization says so.
        Policy => "policy",
        /// Not by this role.
        No => "no",
    }
);

impl Action {
    /// What a role may.
    pub fn cell(self, role: Role) -> Cell {
        use Cell::{No, Policy, Yes};
        // In the order of `Role`.
        let row = match self {
            Self::See | Self::Comment | Self::SaveView => [Yes; 10],
            Self::CreateOrganizationGoal | Self::Export => {
                [Yes, Policy, Policy, Policy, Policy, Policy, Policy, Policy, Policy, No]
            }
            Self::CreateTeamGoal => [Yes, Yes, No, No, No, No, No, Policy, No, No],
            Self::CreateIndividualGoal | Self::AlignTo | Self::Clone => {
                [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, No]
            }
            Self::Edit | Self::Delete | Self::Close => [Yes, Yes, Yes, Yes, Yes, Yes, No, No, No, No],
            Self::ChangeOwners => [Yes, Yes, Yes, Yes, Yes, No, No, No, No, No],
            Self::SetWeights | Self::CheckIn => [Yes, Yes, Yes, Yes, Yes, Yes, Yes, No, No, No],
            Self::ManageTeam => [Yes, Yes, No, No, No, No, No, No, No, No],
            Self::ManageOrganization | Self::Import => [Yes, No, No, No, No, No, No, No, No, No],
        };
        row[role as usize]
    }
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The organization as a whole.
    Organization,
    /// These teams, or a goal of theirs that is not there yet.
    Teams(&'a [i64]),
    /// A goal.
    Goal(i64),
}

/// What whoever makes a goal does: it is the organization's, of people, or of teams.
pub fn creation(teams: &[i64], owners: usize) -> (Action, Subject<'_>) {
    match (teams, owners) {
        ([], 0) => (Action::CreateOrganizationGoal, Subject::Organization),
        ([], _) => (Action::CreateIndividualGoal, Subject::Organization),
        (teams, _) => (Action::CreateTeamGoal, Subject::Teams(teams)),
    }
}

/// Whether somebody may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may.
    May,
    /// They may not, for this reason.
    MayNot(Reason),
}

impl Verdict {
    /// Whether they may.
    pub fn is_yes(self) -> bool {
        self == Self::May
    }
}

/// Why somebody may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nobody of that number is there, or it is a group, or somebody who left.
    #[error("only active people of the organization can do anything in it")]
    NotActive,
    /// The goal is not there, or not for this person: which of it they may not know.
    #[error("there is no goal {0}")]
    Unseen(i64),
    /// None of their roles may.
    #[error("your roles do not let you {0}")]
    Role(Action),
    /// One of their roles might, but the organization's policy does not let it.
    #[error("a policy of the organization does not let you {0}")]
    Policy(Action),
}

/// Whether a person may do something. Costs two statements at most.
pub fn may(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    person: PersonNumber,
    action: Action,
    subject: Subject<'_>,
) -> Result<Verdict> {
    let Some(standing) = Standing::of(tx, organization, person)? else {
        return Ok(Verdict::MayNot(Reason::NotActive));
    };
    let roles = match subject {
        Subject::Organization => standing.in_organization(),
        Subject::Teams(teams) => standing.in_teams(tx, organization, person, teams)?,
        Subject::Goal(goal) => match standing.to_goal(tx, organization, person, goal)? {
            Some(roles) => roles,
            None => return Ok(Verdict::MayNot(Reason::Unseen(goal))),
        },
    };
    let best = roles.iter().map(|&role| match action.cell(role) {
        Cell::Policy if standing.policy_lets(action, role) => Cell::Yes,
        cell => cell,
    });
    Ok(match best.min() {
        Some(Cell::Yes) => Verdict::May,
        Some(Cell::Policy) => Verdict::MayNot(Reason::Policy(action)),
        Some(Cell::No) | None => Verdict::MayNot(Reason::Role(action)),
    })
}

/// What a person is in the organization, and what its policies say.
#[derive(Debug)]
struct Standing {
    /// Organization owner, member or observer.
    role: Role,
    owns_a_team: bool,
    export_policy: ExportPolicy,
    has_permit: bool,
    goal_policy: GoalPolicy,
}

impl Standing {
    /// Of somebody who is active; `None` for everyone else.
    fn of(tx: &Tx<'_>, organization: OrganizationNumber, person: PersonNumber) -> Result<Option<Self>> {
        tx.query_opt(
            "-- goals::standing
            select lower(p.role) in ('organization owner', 'organization admin'), lower(p.member_type) = 'observer',
                   o.export_policy, o.goal_policy,
                   exists (select 1 from export_permit x where x.organization = ?1 and x.person = ?2),
                   exists (select 1 from team_owner t where t.organization = ?1 and t.person = ?2)
              from person p join organization o on o.number = p.organization
             where p.organization = ?1 and p.id = ?2 and lower(p.status) = 'active' and lower(p.source) <> 'group'",
            params![organization, person],
            |row| {
                let role = match (row.bool(0)?, row.bool(1)?) {
                    (_, true) => Role::Observer,
                    (true, false) => Role::OrganizationOwner,
                    (false, false) => Role::Member,
                };
                Ok::<_, Error>(Self {
                    role,
                    // A word that this build does not know opens no more than the narrowest policy.
                    export_policy: row.text(2)?.parse().unwrap_or(ExportPolicy::Owners),
                    goal_policy: GoalPolicy::of(row.opt_text(3)?),
                    has_permit: row.bool(4)?,
                    owns_a_team: row.bool(5)?,
                })
            },
        )
    }

    /// Whether the organization's policies let a role do what the table leaves to them.
    fn policy_lets(&self, action: Action, role: Role) -> bool {
        if action == Action::Export {
            return match self.export_policy {
                ExportPolicy::Owners => false,
                ExportPolicy::Members => true,
                ExportPolicy::People => self.has_permit,
            };
        }
        match self.goal_policy {
            GoalPolicy::Owners => false,
            GoalPolicy::TeamOwners => {
                role == Role::TeamOwner || (action == Action::CreateOrganizationGoal && self.owns_a_team)
            }
            GoalPolicy::Members => true,
        }
    }

    fn in_organization(&self) -> Vec<Role> {
        match self.role {
            Role::OrganizationOwner => vec![Role::OrganizationOwner, Role::Member],
            role => vec![role],
        }
    }

    fn in_teams(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        person: PersonNumber,
        teams: &[i64],
    ) -> Result<Vec<Role>> {
        let mut roles = self.in_organization();
        if self.role == Role::Observer {
            return Ok(roles);
        }
        for &team in teams {
            let (owns, belongs) = tx.query_one(
                "-- goals::roles_in_team
                select exists (select 1 from team_owner where organization = ?1 and team = ?2 and person = ?3),
                       exists (select 1 from team_member where organization = ?1 and team = ?2 and person = ?3)",
                params![organization, team, person],
                |row| Ok::<_, Error>((row.bool(0)?, row.bool(1)?)),
            )?;
            roles.extend(owns.then_some(Role::TeamOwner));
            roles.extend(belongs.then_some(Role::TeamMember));
        }
        Ok(roles)
    }

    /// What somebody is to a goal that they see; `None` if they do not, or it is not there.
    fn to_goal(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        person: PersonNumber,
        goal: i64,
    ) -> Result<Option<Vec<Role>>> {
        let found = tx.query_opt(
            "-- goals::roles_to_goal
            select g.restricted,
                   (g.creator is not null and g.creator = ?3) or exists (
                     select 1 from goal_owner where organization = ?1 and goal = ?2 and person = ?3),
                   g.delegate is not null and g.delegate = ?3,
                   exists (select 1 from goal_checkin_owner where organization = ?1 and goal = ?2 and person = ?3),
                   exists (select 1 from goal_viewer where organization = ?1 and goal = ?2 and person = ?3),
                   exists (select 1 from goal_team l join team_owner t on t.organization = ?1 and t.team = l.team
                            where l.organization = ?1 and l.goal = ?2 and t.person = ?3),
                   exists (select 1 from goal_team l join team_member t on t.organization = ?1 and t.team = l.team
                            where l.organization = ?1 and l.goal = ?2 and t.person = ?3),
                   exists (select 1 from goal_owner l join person p on p.organization = ?1 and p.id = l.person
                            where l.organization = ?1 and l.goal = ?2 and p.manager = ?3),
                   exists (select 1 from goal_parent l join goal_owner o on o.organization = ?1 and o.goal = l.parent
                            where l.organization = ?1 and l.goal = ?2 and o.person = ?3)
              from goal g where g.organization = ?1 and g.id = ?2 and g.origin <> ?4",
            params![organization, goal, person, Origin::Reference.as_str()],
            |row| {
                let mut is = [false; 9];
                for (column, is) in is.iter_mut().enumerate() {
                    *is = row.bool(column)?;
                }
                Ok::<_, Error>(is)
            },
        )?;
        let Some([restricted, owner, delegate, checks_in, listed, owns_team, in_team, manages, above]) =
            found
        else {
            return Ok(None);
        };
        if restricted && !(owner || delegate || checks_in || listed) {
            return Ok(None);
        }
        if self.role == Role::Observer {
            return Ok(Some(vec![Role::Observer]));
        }
        let mut roles = vec![Role::Member];
        roles.extend(owner.then_some(Role::Owner));
        roles.extend(delegate.then_some(Role::Delegate));
        roles.extend(checks_in.then_some(Role::CheckinOwner));
        roles.extend(in_team.then_some(Role::TeamMember));
        if !restricted {
            roles.extend((self.role == Role::OrganizationOwner).then_some(Role::OrganizationOwner));
            roles.extend(owns_team.then_some(Role::TeamOwner));
            roles.extend(manages.then_some(Role::Manager));
            roles.extend(above.then_some(Role::ParentOwner));
        }
        Ok(Some(roles))
    }
}
