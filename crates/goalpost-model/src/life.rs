use stateright::{Model, Property};

use crate::Guard;
use crate::state::{ALL_CLAIMS, Sweep, WORKERS, Work, Wrong};
use crate::state::{CLAIMS, File, JOBS, Job, MAX_ATTEMPTS, MAX_RETURNS, Overdue, Phase, State, Status};

/// The model, whole or without one of its guards.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    /// The guard that is left out.
    pub without: Option<Guard>,
}

/// Whether who asked for a commit hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// They do.
    Heard,
    /// They meet an error, and the commit stands.
    Lost,
}

/// A step. Numbers name jobs and workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody asks for an export.
    Create(usize),
    /// A worker claims a job; if the reply is lost, it crashes next.
    Claim(usize, usize),
    /// A worker renews its lease.
    Renew(usize),
    /// A worker begins its file.
    Write(usize),
    /// A worker's file becomes durable.
    Finish(usize),
    /// A worker ends its job well.
    Publish(usize, Reply),
    /// A worker points to its file, which [`Guard::PublishAtOnce`] makes a part of the former.
    Point(usize),
    /// A worker gives its job back; with its attempt, if `true`.
    GiveBack(usize, bool),
    /// A worker fails its job.
    Fail(usize),
    /// A worker is no more.
    Crash(usize),
    /// A job's lease lapses.
    Lapse(usize),
    /// A job's time is over.
    GrowLate(usize),
    /// A sweep finds a job overdue.
    ListOverdue(usize),
    /// A sweep decides on what it found.
    FailOverdue,
    /// A sweep finds a file that nobody needs: of a job, by its name.
    ListOrphan(usize, u8),
    /// A sweep removes what it found.
    Discard,
    /// A sweep forgets a job.
    Forget(usize),
}

impl State {
    fn go_wrong(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }

    fn set_status(&mut self, job: usize, status: Status) {
        let old = self.jobs[job].status;
        if old.has_ended() && status.has_ended() {
            self.go_wrong(Wrong::EndedTwice);
        } else if status < old {
            self.go_wrong(Wrong::WentBackwards);
        }
        self.jobs[job].status = status;
    }

    /// A write that names a lease was done for this worker.
    fn changed_by(&mut self, work: Work) {
        if self.jobs[usize::from(work.job)].owner != work.claim {
            self.go_wrong(Wrong::Zombie);
        }
    }
}

impl Life {
    fn has(self, guard: Guard) -> bool {
        self.without != Some(guard)
    }

    /// The name of a claim's file.
    fn name(self, claim: u8) -> u8 {
        if self.has(Guard::OwnFile) { claim } else { 1 }
    }

    /// `jobs::insert`
    fn insert(self, state: &mut State, job: usize) -> bool {
        let pending = state.jobs.iter().any(|other| other.status.is_pending());
        if state.jobs[job].status != Status::Unborn || pending && self.has(Guard::OnePendingPerPair) {
            return false;
        }
        state.set_status(job, Status::NotStarted);
        true
    }

    /// `jobs::claim`
    fn claim(self, state: &mut State, job: usize) -> Option<Work> {
        let Job { status, lapsed, late, attempt, claims, returns, owner, .. } = state.jobs[job];
        let running = status == Status::Running;
        let may_be_taken = status == Status::NotStarted
            || (running && self.has(Guard::ClaimTakesOver) && (lapsed || !self.has(Guard::ClaimOnlyLapsed)))
            || (status.has_ended() && !self.has(Guard::ClaimOnlyPending));
        let has_attempt = attempt < MAX_ATTEMPTS || !self.has(Guard::ClaimNeedsAttempt);
        let too_late = running && late && self.has(Guard::ClaimBeforeDeadline);
        if !may_be_taken
            || !has_attempt
            || too_late
            || usize::from(claims) == CLAIMS
            || state.claims_left == 0
        {
            return None;
        }
        state.claims_left -= 1;
        if running && !lapsed && owner != 0 {
            state.go_wrong(Wrong::TakenAlive);
        }
        if running && late {
            state.go_wrong(Wrong::ClaimedLate);
        }
        let claim = claims + 1;
        if claim - returns > MAX_ATTEMPTS {
            state.go_wrong(Wrong::TooManyAttempts);
        }
        state.set_status(job, Status::Running);
        let row = &mut state.jobs[job];
        row.token = if self.has(Guard::ClaimNewToken) { claim } else { 1 };
        row.lapsed = false;
        // The time to start is over, and that of the deadline begins.
        row.late &= running;
        row.attempt += u8::from(self.has(Guard::ClaimCounts));
        (row.claims, row.owner) = (claim, claim);
        Some(Work { job: job as u8, claim, phase: Phase::Claimed, let_go: false })
    }

    /// Whether a statement finds its row: `lease_token = ?3 and state = 'running'`.
    fn finds(self, state: &State, work: Work, names_token: Guard) -> bool {
        let Job { status, token, .. } = state.jobs[usize::from(work.job)];
        let mine = if self.has(Guard::ClaimNewToken) { work.claim } else { 1 };
        let is_there = !matches!(status, Status::Unborn | Status::Forgotten);
        (token == mine || !self.has(names_token) && is_there)
            && (status == Status::Running || !self.has(Guard::EndIsEnd) && is_there)
    }

    /// `jobs::renew`
    fn renew(self, state: &mut State, work: Work) -> bool {
        let found = self.finds(state, work, Guard::RenewNamesToken);
        if found {
            state.changed_by(work);
            state.jobs[usize::from(work.job)].lapsed = false;
        }
        found
    }

    /// `jobs::give_back`
    fn give_back(self, state: &mut State, work: Work, with_attempt: bool) -> bool {
        let found = self.finds(state, work, Guard::GiveBackNamesToken);
        if found {
            state.changed_by(work);
            let row = &mut state.jobs[usize::from(work.job)];
            row.lapsed = true;
            row.owner = 0;
            if self.has(Guard::GiveBackClearsToken) {
                row.token = 0;
            }
            row.attempt = row.attempt.saturating_sub(u8::from(with_attempt));
            row.returns += u8::from(with_attempt);
        }
        found
    }

    /// What `jobs::end` and `jobs::fail_overdue` set.
    fn end(self, state: &mut State, job: usize, status: Status) {
        state.set_status(job, status);
        let row = &mut state.jobs[job];
        (row.owner, row.late, row.attempt, row.claims, row.returns) = (0, false, 0, 0, 0);
        if self.has(Guard::EndIsEnd) {
            (row.token, row.lapsed) = (0, false);
        }
    }

    /// `jobs::fail_overdue`
    fn fail_overdue(self, state: &mut State, job: usize, overdue: Overdue) -> bool {
        let Job { status, lapsed, late, attempt, owner, .. } = state.jobs[job];
        let running = status == Status::Running || status.has_ended() && !self.has(Guard::EndIsEnd);
        let free = running && (lapsed || !self.has(Guard::OverdueLapsed));
        let found = match overdue {
            Overdue::NotStarted => {
                status == Status::NotStarted || running && !self.has(Guard::OverdueUnclaimed)
            }
            Overdue::Deadline => free && late,
            Overdue::WorkerLost => free && (attempt >= MAX_ATTEMPTS || !self.has(Guard::OverdueAttempt)),
        };
        if !found {
            return false;
        }
        let holds = match overdue {
            Overdue::NotStarted => status == Status::NotStarted,
            Overdue::Deadline => late,
            Overdue::WorkerLost => attempt >= MAX_ATTEMPTS,
        };
        if !holds {
            state.go_wrong(Wrong::NoReason);
        } else if owner != 0 && !lapsed {
            state.go_wrong(Wrong::TakenAlive);
        }
        self.end(state, job, Status::Failed);
        true
    }

    /// `jobs::list_overdue`
    fn overdue(self, job: &Job) -> Option<Overdue> {
        let Job { status, lapsed, late, attempt, .. } = *job;
        match status {
            Status::NotStarted if late => Some(Overdue::NotStarted),
            Status::Running if lapsed && late && self.has(Guard::OverdueDeadline) => Some(Overdue::Deadline),
            Status::Running
                if lapsed && !late && attempt >= MAX_ATTEMPTS && self.has(Guard::OverdueWorkerLost) =>
            {
                Some(Overdue::WorkerLost)
            }
            _ => None,
        }
    }

    /// `exports::standing`
    fn is_orphan(self, job: &Job, name: u8) -> bool {
        let pending = job.status.is_pending() && self.has(Guard::OrphanNotPending);
        let published =
            job.content != 0 && self.name(job.content) == name && self.has(Guard::OrphanNotPublished);
        !pending && !published
    }

    fn act(self, state: &mut State, action: Action) -> bool {
        match action {
            Action::Create(job) => self.insert(state, job),
            Action::Claim(worker, job) => {
                state.workers[worker] = self.claim(state, job);
                state.workers[worker].is_some()
            }
            Action::Lapse(job) => {
                let row = &mut state.jobs[job];
                let lapses = row.status == Status::Running && !row.lapsed;
                row.lapsed |= lapses;
                lapses
            }
            Action::GrowLate(job) => {
                let row = &mut state.jobs[job];
                let grows = row.status.is_pending() && !row.late;
                row.late |= grows;
                grows
            }
            Action::ListOverdue(job) => {
                let found = self.overdue(&state.jobs[job]);
                state.sweep = found.map(|overdue| Sweep::Overdue(job as u8, overdue));
                found.is_some()
            }
            Action::FailOverdue => {
                let Some(Sweep::Overdue(job, overdue)) = state.sweep else { return false };
                state.sweep = None;
                self.fail_overdue(state, usize::from(job), overdue);
                true
            }
            Action::ListOrphan(job, name) => {
                let row = &state.jobs[job];
                let found = row.files[usize::from(name) - 1] != File::Absent && self.is_orphan(row, name);
                state.sweep = Some(Sweep::Orphan(job as u8, name));
                found
            }
            Action::Discard => {
                let Some(Sweep::Orphan(job, name)) = state.sweep else { return false };
                state.sweep = None;
                state.jobs[usize::from(job)].files[usize::from(name) - 1] = File::Absent;
                true
            }
            Action::Forget(job) => self.forget(state, job),
            Action::Renew(worker)
            | Action::Write(worker)
            | Action::Finish(worker)
            | Action::Publish(worker, _)
            | Action::Point(worker)
            | Action::GiveBack(worker, _)
            | Action::Fail(worker)
            | Action::Crash(worker) => {
                let Some(work) = state.workers[worker] else { return false };
                self.work(state, worker, work, action)
            }
        }
    }

    /// `exports::delete_expired`, and the removal of its file; what that leaves is an orphan.
    fn forget(self, state: &mut State, job: usize) -> bool {
        let row = state.jobs[job];
        let is_there = !matches!(row.status, Status::Unborn | Status::Forgotten);
        if !row.status.has_ended() && (!is_there || self.has(Guard::ForgetOnlyEnded)) {
            return false;
        }
        if !self.has(Guard::ForgetRowFirst) && row.content != 0 {
            let file = &mut state.jobs[job].files[usize::from(self.name(row.content)) - 1];
            if *file != File::Absent {
                *file = File::Absent;
                return true;
            }
        }
        if !row.status.has_ended() {
            state.go_wrong(Wrong::Lost);
        }
        state.set_status(job, Status::Forgotten);
        let row = &mut state.jobs[job];
        (row.token, row.content, row.lapsed) = (0, 0, false);
        true
    }

    /// A step of a worker.
    fn work(self, state: &mut State, worker: usize, work: Work, action: Action) -> bool {
        let job = usize::from(work.job);
        let file = usize::from(self.name(work.claim)) - 1;
        let next = |phase| Some(Work { phase, ..work });
        // What the runner does it does once.
        let let_go = Some(Work { let_go: true, ..work }).filter(|work| work.phase < Phase::Ended);
        match (action, work.phase) {
            (Action::Renew(_), Phase::Claimed | Phase::Writing | Phase::Stored) if !work.let_go => {
                return self.renew(state, work);
            }
            (Action::Write(_), Phase::Claimed) => {
                state.jobs[job].files[file] = File::Part(work.claim);
                state.workers[worker] = next(Phase::Writing);
            }
            (Action::Finish(_), Phase::Writing) => {
                state.jobs[job].files[file] = File::Whole(work.claim);
                state.workers[worker] = next(Phase::Stored);
            }
            (Action::Publish(_, reply), Phase::Writing | Phase::Stored)
                if work.phase == Phase::Stored || !self.has(Guard::PublishWhole) =>
            {
                if !self.finds(state, work, Guard::PublishNamesToken) {
                    // It is told so, and removes its own file.
                    state.jobs[job].files[file] = File::Absent;
                    state.workers[worker] = None;
                    return reply == Reply::Heard;
                }
                state.changed_by(work);
                self.end(state, job, Status::Succeeded);
                let after = if self.has(Guard::PublishAtOnce) {
                    state.jobs[job].content = work.claim;
                    None
                } else {
                    next(Phase::Ended)
                };
                state.workers[worker] = if reply == Reply::Lost { next(Phase::Unsure) } else { after };
            }
            (Action::Point(_), Phase::Ended) => {
                state.jobs[job].content = work.claim;
                state.workers[worker] = None;
            }
            (Action::GiveBack(_, with_attempt), phase) if !work.let_go && phase != Phase::Ended => {
                // Who does not know whether it published gives back with the attempt.
                if phase == Phase::Unsure && !with_attempt {
                    return false;
                }
                if with_attempt && state.jobs[job].returns == MAX_RETURNS {
                    return false;
                }
                self.give_back(state, work, with_attempt);
                state.workers[worker] = let_go;
            }
            (Action::Fail(_), Phase::Claimed | Phase::Writing | Phase::Stored) if !work.let_go => {
                if self.finds(state, work, Guard::FailNamesToken) {
                    state.changed_by(work);
                    self.end(state, job, Status::Failed);
                }
                state.workers[worker] = let_go;
            }
            (Action::Crash(_), _) => state.workers[worker] = None,
            _ => return false,
        }
        true
    }

    /// Make states equal that differ in nothing that matters: which worker is which, and what is in a file that nobody
    /// will look at.
    fn simplify(self, state: &mut State) {
        state.workers.sort_unstable();
        for job in 0..JOBS {
            for name in 1..=CLAIMS as u8 {
                let written = state
                    .workers
                    .iter()
                    .flatten()
                    .any(|work| usize::from(work.job) == job && self.name(work.claim) == name);
                let row = &mut state.jobs[job];
                let published = row.content != 0 && self.name(row.content) == name;
                let file = &mut row.files[usize::from(name) - 1];
                if *file != File::Absent && !written && !published {
                    *file = File::Part(0);
                }
            }
        }
    }

    /// Let one healthy worker and one sweep do what is left, while nobody else does anything any more.
    fn drain(self, from: &State) -> State {
        let (workers, claims_left) = ([None; WORKERS], u8::MAX);
        let mut state = State { workers, sweep: None, claims_left, ..from.clone() };
        for job in 0..JOBS {
            for _ in 0..=CLAIMS {
                self.act(&mut state, Action::Lapse(job));
                for action in [
                    Action::Claim(0, job),
                    Action::Write(0),
                    Action::Finish(0),
                    Action::Publish(0, Reply::Heard),
                    Action::Crash(0),
                    Action::ListOverdue(job),
                    Action::FailOverdue,
                ] {
                    self.act(&mut state, action);
                }
            }
            for name in 1..=CLAIMS as u8 {
                if self.act(&mut state, Action::ListOrphan(job, name)) {
                    self.act(&mut state, Action::Discard);
                }
            }
        }
        state
    }

    fn published_files_are_whole(self, state: &State) -> bool {
        state.jobs.iter().all(|job| match job.status {
            Status::Succeeded => {
                job.content != 0
                    && job.files[usize::from(self.name(job.content)) - 1] == File::Whole(job.content)
            }
            _ => true,
        })
    }
}

/// Whether every job can end from here, and leave nothing but what was published.
fn can_be_ended(life: Life, state: &State) -> bool {
    state.wrong.is_some()
        || life.drain(state).jobs.iter().all(|job| {
            let files = job.files.iter().filter(|file| **file != File::Absent).count();
            !job.status.is_pending() && files == usize::from(job.content != 0)
        })
}

/// Whether the file of everybody who may still publish is there.
fn files_of_owners_stay(life: Life, state: &State) -> bool {
    state.workers.iter().flatten().filter(|work| work.phase == Phase::Stored).all(|work| {
        let job = &state.jobs[usize::from(work.job)];
        job.owner != work.claim
            || job.files[usize::from(life.name(work.claim)) - 1] == File::Whole(work.claim)
    })
}

fn never(state: &State, wrong: Wrong) -> bool {
    state.wrong != Some(wrong)
}

impl Model for Life {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let job = Job {
            status: Status::Unborn,
            token: 0,
            lapsed: false,
            late: false,
            attempt: 0,
            content: 0,
            files: [File::Absent; CLAIMS],
            claims: 0,
            returns: 0,
            owner: 0,
        };
        let (workers, jobs) = ([None; WORKERS], [job; JOBS]);
        vec![State { jobs, workers, sweep: None, claims_left: ALL_CLAIMS, wrong: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            return;
        }
        for (worker, work) in state.workers.iter().enumerate() {
            if work.is_some() {
                actions.extend([
                    Action::Renew(worker),
                    Action::Write(worker),
                    Action::Finish(worker),
                    Action::Publish(worker, Reply::Heard),
                    Action::Publish(worker, Reply::Lost),
                    Action::Point(worker),
                    Action::GiveBack(worker, true),
                    Action::GiveBack(worker, false),
                    Action::Fail(worker),
                    Action::Crash(worker),
                ]);
            }
        }
        // Workers are alike: it does not matter who claims.
        let idle = state.workers.iter().position(Option::is_none);
        for job in 0..JOBS {
            actions.extend(idle.map(|worker| Action::Claim(worker, job)));
            actions.extend([
                Action::Create(job),
                Action::Lapse(job),
                Action::GrowLate(job),
                Action::Forget(job),
            ]);
            if state.sweep.is_none() {
                actions.push(Action::ListOverdue(job));
                actions.extend((1..=CLAIMS as u8).map(|name| Action::ListOrphan(job, name)));
            }
        }
        actions.extend([Action::FailOverdue, Action::Discard]);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        if !self.act(&mut next, action) {
            return None;
        }
        self.simplify(&mut next);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("R1: a job ends once", |_, state| never(state, Wrong::EndedTwice)),
            Property::<Self>::always("R1: its status never goes backwards", |_, state| {
                never(state, Wrong::WentBackwards)
            }),
            Property::<Self>::always("R1: it is not forgotten before its end", |_, state| {
                never(state, Wrong::Lost)
            }),
            Property::<Self>::always(
                "R1, R4: whatever happened, it can be brought to its end",
                |life, state| can_be_ended(*life, state),
            ),
            Property::<Self>::always(
                "R2: what is published is whole, and of who published it",
                |life, state| life.published_files_are_whole(state),
            ),
            Property::<Self>::always("R2: the file of who may still publish stays", |life, state| {
                files_of_owners_stay(*life, state)
            }),
            Property::<Self>::always("R3: one job of a pair is pending", |_, state| {
                state.jobs.iter().filter(|job| job.status.is_pending()).count() <= 1
            }),
            Property::<Self>::always("R5: who lost a job changes nothing", |_, state| {
                never(state, Wrong::Zombie)
            }),
            Property::<Self>::always("R5: who has a live lease is left alone", |_, state| {
                never(state, Wrong::TakenAlive)
            }),
            Property::<Self>::always("R24: attempts are counted", |_, state| {
                never(state, Wrong::TooManyAttempts)
            }),
            Property::<Self>::always("R23: nobody claims after the deadline", |_, state| {
                never(state, Wrong::ClaimedLate)
            }),
            Property::<Self>::always("a job is given up for a reason that holds", |_, state| {
                never(state, Wrong::NoReason)
            }),
            Property::<Self>::sometimes("all jobs succeed", |_, state| {
                state.jobs.iter().all(|job| job.status == Status::Succeeded)
            }),
            Property::<Self>::sometimes("a last attempt that was given back succeeds", |_, state| {
                state
                    .jobs
                    .iter()
                    .any(|job| job.status == Status::Succeeded && usize::from(job.content) == CLAIMS)
            }),
            Property::<Self>::sometimes("all files and jobs are gone again", |_, state| {
                state
                    .jobs
                    .iter()
                    .all(|job| job.status == Status::Forgotten && job.files == [File::Absent; CLAIMS])
                    && state.claims_left == 0
            }),
        ]
    }
}
