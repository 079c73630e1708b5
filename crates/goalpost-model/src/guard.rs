/// A condition, or a part of what a statement sets, that the promises rest on; [`crate::Life`] can do without any one
/// of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// `insert`: the partial unique index over pending jobs of a pair.
    OnePendingPerPair,
    /// `claim`: `state = 'notStarted' or state = 'running'`.
    ClaimOnlyPending,
    /// `claim`: `lease_until < now` of a running job.
    ClaimOnlyLapsed,
    /// `claim`: a running job may be taken at all.
    ClaimTakesOver,
    /// `claim`: `attempt < max_attempts`.
    ClaimNeedsAttempt,
    /// `claim`: `attempt = attempt + 1`.
    ClaimCounts,
    /// `claim`: `deadline_at > now`.
    ClaimBeforeDeadline,
    /// `claim`: `lease_token` is new each time.
    ClaimNewToken,
    /// `renew`: `lease_token = ?3`.
    RenewNamesToken,
    /// `give_back`: `lease_token = ?3`.
    GiveBackNamesToken,
    /// `give_back`: `set lease_token = null`.
    GiveBackClearsToken,
    /// `end`, to fail: `lease_token = ?3`.
    FailNamesToken,
    /// `end`, to publish: `lease_token = ?3`.
    PublishNamesToken,
    /// `exports::publish`: the end of the job and the row that points to the file are one transaction.
    PublishAtOnce,
    /// `exports::worker`: the file is durable before it is published.
    PublishWhole,
    /// `exports::expiry::content_name`: no two attempts write to the same name.
    OwnFile,
    /// `end`, `renew`, `give_back`, `fail_overdue`: `state = 'running'`, and that `end` sets `lease_token` and
    /// `lease_until` to null. Each of the two stands in for the other, so they go together.
    EndIsEnd,
    /// `fail_overdue`: `state = 'notStarted'` and so never claimed.
    OverdueUnclaimed,
    /// `fail_overdue`: `lease_until < now` of a running job.
    OverdueLapsed,
    /// `fail_overdue`: `attempt >= max_attempts`, looked at again.
    OverdueAttempt,
    /// `list_overdue`: `attempt >= max_attempts`, of a job that nobody may claim any more.
    OverdueWorkerLost,
    /// `list_overdue`: `deadline_at <= now`, likewise.
    OverdueDeadline,
    /// `exports::standing`: what a pending job's attempts write is no orphan.
    OrphanNotPending,
    /// `exports::standing`: `content_key` is no orphan.
    OrphanNotPublished,
    /// `delete_expired`: `state in ('succeeded', 'failed')`.
    ForgetOnlyEnded,
    /// `exports::expiry`: the row is deleted first, its file after that.
    ForgetRowFirst,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::OnePendingPerPair,
        Self::ClaimOnlyPending,
        Self::ClaimOnlyLapsed,
        Self::ClaimTakesOver,
        Self::ClaimNeedsAttempt,
        Self::ClaimCounts,
        Self::ClaimBeforeDeadline,
        Self::ClaimNewToken,
        Self::RenewNamesToken,
        Self::GiveBackNamesToken,
        Self::GiveBackClearsToken,
        Self::FailNamesToken,
        Self::PublishNamesToken,
        Self::PublishAtOnce,
        Self::PublishWhole,
        Self::OwnFile,
        Self::EndIsEnd,
        Self::OverdueUnclaimed,
        Self::OverdueLapsed,
        Self::OverdueAttempt,
        Self::OverdueWorkerLost,
        Self::OverdueDeadline,
        Self::OrphanNotPending,
        Self::OrphanNotPublished,
        Self::ForgetOnlyEnded,
        Self::ForgetRowFirst,
    ];
}
