//! Polls a launch without a screen until its gates can be judged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::channel;
use tokio::time::{Instant, timeout_at};

use crate::app::Msg;
use crate::engine::{Judgement, Watch};
use crate::model::{GateDef, GateId, Launch, SourceId, Time, Verdict};
use crate::runtime::{Clock, Feed, Past};

/// What polling came to.
pub struct Judged {
    /// Everything that was heard.
    pub watch: Watch,
    /// The moment of the judgement.
    pub now: Time,
    /// Time ran out before every gate could be judged.
    pub timed_out: bool,
}

/// Why a gate is unknown and waiting may help.
const PENDING: [&str; 4] = ["no-samples", "holding", "recovering", "too-little-history"];

/// Polls until every gate in `wanted` is judged, one of them fails, or `patience` is over. Only the
/// sources that those gates look at are polled.
///
/// # Errors
/// The system's, where a thread cannot be had.
pub fn until_judged(
    launch: &Launch,
    checklist: &[&GateDef],
    wanted: &BTreeSet<GateId>,
    patience: Duration,
) -> anyhow::Result<Judged> {
    let watch = Watch::new(launch, checklist.iter().copied());
    let launch = Arc::new(needed(launch, &watch, wanted));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(listen(&launch, watch, wanted, patience))
}

/// Polls every source of the launch until all have answered and every gate in `wanted` is judged, or
/// `patience` is over: what a message shows may come from any of them.
///
/// # Errors
/// The system's, where a thread cannot be had.
pub fn until_heard(
    launch: &Launch,
    checklist: &[&GateDef],
    wanted: &BTreeSet<GateId>,
    patience: Duration,
) -> anyhow::Result<Judged> {
    let watch = Watch::new(launch, checklist.iter().copied());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(listen(&Arc::new(launch.clone()), watch, wanted, patience))
}

async fn listen(
    launch: &Arc<Launch>,
    mut watch: Watch,
    wanted: &BTreeSet<GateId>,
    patience: Duration,
) -> anyhow::Result<Judged> {
    let clock = Clock::wall();
    let (room, mut messages) = channel(64);
    let _polls = Feed::Polling(Some(Past { dir: super::checklist::history_dir(), save: false }))
        .start(launch, &clock, room)?;
    let until = Instant::now() + patience;
    loop {
        let now = clock.now();
        watch.tick(now);
        if settled(launch, &watch, wanted, now) {
            return Ok(Judged { watch, now, timed_out: false });
        }
        match timeout_at(until, messages.recv()).await {
            Ok(Some(Msg::Polled(poll))) => {
                watch.observe(&poll);
            }
            Ok(Some(_)) => {}
            // Nothing polls any more: no source, or every one of them gave up.
            Ok(None) => return Ok(Judged { watch, now: clock.now(), timed_out: false }),
            Err(_) => return Ok(Judged { watch, now: clock.now(), timed_out: true }),
        }
    }
}

fn settled(launch: &Launch, watch: &Watch, wanted: &BTreeSet<GateId>, now: Time) -> bool {
    let heard = |id: &SourceId| watch.source(id).is_some_and(|s| s.last_asked.is_some());
    if !launch.sources.iter().all(|def| heard(&def.id)) {
        return false;
    }
    let judged: Vec<Judgement> = wanted.iter().filter_map(|id| watch.judge(id, now)).collect();
    // One fail is NO-GO whatever the others come to.
    judged.iter().any(|j| j.verdict == Verdict::Fail) || judged.iter().all(is_final)
}

fn is_final(judgement: &Judgement) -> bool {
    judgement.verdict != Verdict::Unknown || !PENDING.contains(&judgement.reason.code.as_str())
}

/// The launch with only the sources that the wanted gates look at.
fn needed(launch: &Launch, watch: &Watch, wanted: &BTreeSet<GateId>) -> Launch {
    let sources: BTreeSet<SourceId> = wanted.iter().flat_map(|id| watch.sources_of(id)).collect();
    let mut launch = launch.clone();
    launch.sources.retain(|def| sources.contains(&def.id));
    launch
}
