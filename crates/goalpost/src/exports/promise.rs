//! Exports are promised: rights are looked at and the job is written, in one transaction.
//!
//! Those that are asked for in one organization while a transaction of it is under way share the next one, so that many
//! cost little more than one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use goalpost_db::{Error, Lock, Tx};
use serde_json::json;
use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

use super::api::{NewExport, admit};
use crate::app::App;
use crate::audit::{self, Deed};
use crate::http::GraphError;
use crate::identity::{Caller, Member, Subject, queries as identity};
use crate::ids::{Ids, OrganizationNumber, PersonNumber};
use crate::jobs::{JobKey, NewJob, queries as jobs};
use crate::trace::TraceParent;
use crate::views;

/// Exports that share a transaction, at most.
const TOGETHER: usize = 16;
/// More exports than all nodes together write at the same time for one organization.
const CLOSE: i64 = 64;

/// What came of [`promise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The job was made, at this instant, microseconds.
    Made(JobKey, i64),
    /// This one is pending for the pair.
    Pending(JobKey),
    /// One was pending, and has ended since.
    Gone,
}

/// Nobody of the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stranger;

/// Write the job, unless one is pending for its pair. The index alone decides, so of any number of simultaneous
/// requests one wins.
///
/// # Errors
/// 429 if the organization has as many pending as it may.
pub async fn promise(
    app: &App,
    member: Member,
    new: &NewExport,
    trace: Option<TraceParent>,
) -> Result<Promise, GraphError> {
    let wish = Wish::Known(member.person, new.clone());
    let promised = ask(app, member.organization, wish, trace).await?;
    // Whoever is known is no stranger.
    promised.unwrap_or(Ok(Promise::Gone))
}

/// The same of a view, if the caller may have it as the transaction sees them.
///
/// # Errors
/// As [`promise`], and for whatever the caller may not.
pub(super) async fn promise_of_view(
    app: &App,
    organization: OrganizationNumber,
    caller: &Caller,
    view: Uuid,
    trace: Option<TraceParent>,
) -> Result<Result<Promise, Stranger>, GraphError> {
    let wish = Wish::View(caller.subject.clone(), view);
    match ask(app, organization, wish, trace).await? {
        Some(promised) => promised.map(Ok),
        None => Ok(Err(Stranger)),
    }
}

/// What is wanted.
#[derive(Debug)]
enum Wish {
    /// By somebody whose right was looked at.
    Known(PersonNumber, NewExport),
    /// Of this view, by whoever it is.
    View(Subject, Uuid),
}

/// A wish, and what is said of the request that it came with.
#[derive(Debug)]
struct Asked {
    wish: Wish,
    trace: Option<TraceParent>,
    span: Span,
}

/// The answer to a wish; `None` to one of a stranger.
type Answer = Option<Result<Promise, GraphError>>;
type Reply = oneshot::Sender<Result<Answer, Error>>;

/// What is asked for, by organization. One whose transaction is under way has an entry.
#[derive(Debug, Default)]
pub struct Promises(Mutex<HashMap<OrganizationNumber, Vec<(Asked, Reply)>>>);

impl Promises {
    fn waiting(&self) -> MutexGuard<'_, HashMap<OrganizationNumber, Vec<(Asked, Reply)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let it wait; whether nobody is there to serve it.
    fn add(&self, organization: OrganizationNumber, asked: Asked, reply: Reply) -> bool {
        match self.waiting().entry(organization) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push((asked, reply));
                false
            }
            Entry::Vacant(place) => {
                place.insert(vec![(asked, reply)]);
                true
            }
        }
    }

    /// Those that are served next; none if nobody waits, and then whoever comes next is the first again.
    fn take(&self, organization: OrganizationNumber) -> Vec<(Asked, Reply)> {
        let mut all = self.waiting();
        let Some(waiting) = all.get_mut(&organization) else { return Vec::new() };
        if waiting.is_empty() {
            all.remove(&organization);
            return Vec::new();
        }
        waiting.drain(..waiting.len().min(TOGETHER)).collect()
    }
}

async fn ask(
    app: &App,
    organization: OrganizationNumber,
    wish: Wish,
    trace: Option<TraceParent>,
) -> Result<Answer, Error> {
    let (reply, answer) = oneshot::channel();
    let asked = Asked { wish, trace, span: Span::current() };
    if app.kept.get::<Promises>().add(organization, asked, reply) {
        // Apart from the request, which its client may end at any time.
        app.tasks.spawn(serve(app.clone(), organization));
    }
    // Nobody answers in a process that ends.
    answer.await.unwrap_or_else(|_| Err(Error::unexpected("an export was given up before it was written")))
}

/// Serve an organization until nobody waits.
async fn serve(app: App, organization: OrganizationNumber) {
    let terms = Arc::new(Terms {
        ids: app.ids,
        max_open: app.config.exports.max_open,
        expire_after_us: app.figures().expire_after_us,
        public_url: app.config.public_url.clone(),
    });
    loop {
        let (asked, replies): (Vec<_>, Vec<_>) =
            app.kept.get::<Promises>().take(organization).into_iter().unzip();
        if asked.is_empty() {
            return;
        }
        let terms = Arc::clone(&terms);
        let promised =
            app.db.write(organization, move |tx| promise_all(tx, organization, &asked, &terms)).await;
        match promised {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // The caller may have gone away; the job stands all the same.
                    let _ = reply.send(Ok(answer));
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }
}

/// What holds for each export.
#[derive(Debug)]
struct Terms {
    ids: Ids,
    max_open: i64,
    expire_after_us: i64,
    public_url: Option<String>,
}

/// One that may be made.
struct Admitted<'a> {
    /// Its place among those that were asked for.
    place: usize,
    creator: PersonNumber,
    new: NewExport,
    trace: &'a Option<TraceParent>,
}

fn promise_all(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    asked: &[Asked],
    terms: &Terms,
) -> Result<Vec<Answer>, Error> {
    let mut answers: Vec<Answer> = std::iter::repeat_with(|| None).take(asked.len()).collect();
    let mut admitted = admit_all(tx, organization, asked, terms, &mut answers)?;
    // In an order that every node has, so that no two wait for each other.
    admitted.sort_by_key(|one| (one.new.kind, one.new.pair));
    let mut deeds = Vec::with_capacity(admitted.len());
    for of_kind in admitted.chunk_by(|one, next| one.new.kind == next.new.kind) {
        let promised = promise_kind(tx, organization, of_kind, terms)?;
        for (one, promised) in of_kind.iter().zip(promised) {
            if let Ok(Promise::Made(key, _)) = &promised {
                deeds.push(Deed {
                    actor: Some(one.creator),
                    action: "exportCreated",
                    subject: key.id.to_string(),
                    detail: json!({ "view": one.new.view }),
                });
            }
            answers[one.place] = Some(promised);
        }
    }
    audit::record_all(tx, organization, &deeds)?;
    Ok(answers)
}

/// Those of the wishes that may be fulfilled; the answers to others.
fn admit_all<'a>(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    asked: &'a [Asked],
    terms: &Terms,
    answers: &mut [Answer],
) -> Result<Vec<Admitted<'a>>, Error> {
    let mut admitted = Vec::with_capacity(asked.len());
    let mut callers: HashMap<&Subject, Vec<(usize, Uuid)>> = HashMap::new();
    for (place, Asked { wish, trace, .. }) in asked.iter().enumerate() {
        match wish {
            Wish::Known(creator, new) => {
                admitted.push(Admitted { place, creator: *creator, new: new.clone(), trace });
            }
            Wish::View(subject, view) => callers.entry(subject).or_default().push((place, *view)),
        }
    }
    for (subject, wanted) in callers {
        let Some(member) = identity::find_member(tx, subject, organization)? else { continue };
        let guids: Vec<Uuid> = wanted.iter().map(|(_, view)| *view).collect();
        let views = views::queries::find_all_visible(tx, organization, &guids, member.person)?;
        for (place, guid) in wanted {
            let Asked { span, trace, .. } = &asked[place];
            let view = views.iter().find(|view| view.guid == guid);
            match span.in_scope(|| admit(&member, view, terms.public_url.as_deref())) {
                Ok(new) => admitted.push(Admitted { place, creator: member.person, new, trace }),
                Err(refused) => answers[place] = Some(Err(refused)),
            }
        }
    }
    Ok(admitted)
}

/// Write the jobs of one kind whose pairs are free, as far as there may be more.
fn promise_kind(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    admitted: &[Admitted<'_>],
    terms: &Terms,
) -> Result<Vec<Result<Promise, GraphError>>, Error> {
    let kind = admitted[0].new.kind;
    // The ids carry the creation, cut to milliseconds as on the wire.
    let created_at = tx.now_us() / 1000 * 1000;
    let new: Vec<NewJob> = admitted.iter().map(|one| one.job(organization, created_at, terms)).collect();
    let far = terms.max_open - CLOSE;
    let (mut made, mut rest) = (jobs::insert_free(tx, &new, created_at, far)?, &new[..0]);
    if made.is_empty() && jobs::count_pending(tx, organization, kind)? >= far {
        // Close to the limit one counts at a time, so that it holds however many ask at once.
        tx.lock(organization.0, Lock::Pending)?;
        let mut room = terms.max_open - jobs::count_pending(tx, organization, kind)?;
        rest = &new;
        while room > 0 && !rest.is_empty() {
            let (next, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            let inserted = jobs::insert_free(tx, next, created_at, terms.max_open)?;
            room -= inserted.len() as i64;
            made.extend(inserted);
            rest = later;
        }
    }
    let tried = new.len() - rest.len();
    let mut promised = Vec::with_capacity(new.len());
    // Those of the same pair come one after the other.
    let mut pending: Option<(Uuid, Option<JobKey>)> = None;
    for (place, job) in new.iter().enumerate() {
        if made.contains(&job.key.id) {
            pending = Some((job.pair, Some(job.key)));
            promised.push(Ok(Promise::Made(job.key, created_at)));
            continue;
        }
        let found = match pending {
            Some((pair, found)) if pair == job.pair => found,
            _ => jobs::find_pending(tx, organization, kind, job.pair)?,
        };
        pending = Some((job.pair, found));
        promised.push(match found {
            Some(key) => Ok(Promise::Pending(key)),
            None if place < tried => Ok(Promise::Gone),
            None => Err(GraphError::too_many_requests(
                "Too many exports of your organization are pending. Wait for one of them.",
                5,
            )),
        });
    }
    Ok(promised)
}

impl Admitted<'_> {
    fn job(&self, organization: OrganizationNumber, created_at: i64, terms: &Terms) -> NewJob {
        let NewExport { kind, view, pair, spec } = &self.new;
        NewJob {
            key: JobKey { organization, id: terms.ids.timed_guid(created_at) },
            kind,
            pair: *pair,
            view: (pair != view).then_some(*view),
            creator: self.creator,
            spec: spec.clone(),
            expires_at: created_at + terms.expire_after_us,
            trace: self.trace.clone(),
        }
    }
}
