/// For whom a transaction is. On PostgreSQL row-level security holds it to that; SQLite has nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The global tables alone: organizations, identities, nodes. [`crate::Tx::enter`] goes on into an organization.
    Global,
    /// The keys of jobs of all organizations, to read: candidates for a claim, and sweeps.
    Keys,
    /// The rows of one organization, and the global tables.
    Organization(i64),
}
