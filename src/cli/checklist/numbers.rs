//! Numbers that are polled for a decision (rule 5): ticking a gate, a GO, lift-off and resuming need
//! Pass from an answer that was asked for then.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use crate::app::evidence;
use crate::checklist::{Evidence, Refused};
use crate::engine::{Outcome, Overall};
use crate::ledger::Ledger as _;
use crate::model::{GateDef, GateId, Launch, Verdict};
use crate::settings;

use super::super::judge::{self, Judged};
use super::super::{Exit, check};
use super::write::Pen;

/// How long a gate without a hold may take to be judged.
const PATIENCE: Duration = Duration::from_mins(1);

/// The numbers that were asked for do not let it be done.
#[derive(Debug, thiserror::Error)]
#[error("{refused}")]
pub(super) struct Unproven {
    /// In words.
    pub(super) refused: Refused,
    /// `no-go`, `unknown`, `timed-out`.
    pub(super) code: &'static str,
    /// 1 where a gate fails, 3 where nothing can be told, 4 where time ran out.
    pub(super) exit: Exit,
    /// `{"verdict","gates"}`, as `gonogo check` tells them.
    pub(super) told: Value,
}

/// Stands for numbers that are to come, where the rules are asked beforehand.
pub(super) fn to_come() -> Vec<Evidence> {
    vec![Evidence::brought("metric", "")]
}

/// Polls what an item's gate looks at until it can be judged, and gives the number that passed. The gate
/// is the run's own, with the expression that stands in the run's copy of its template.
///
/// # Errors
/// [`Unproven`] where it does not pass; no config, or one without the gate's source.
pub(super) fn of_item(
    pen: &Pen<'_>,
    gate: &GateDef,
    patience: Option<Duration>,
) -> anyhow::Result<Vec<Evidence>> {
    if pen.is_repeated() {
        return Ok(Vec::new());
    }
    let launch = launch_of(pen, &format!("{} is a gate", gate.id))?;
    let wanted = BTreeSet::from([gate.id.clone()]);
    let judged = judge::until_judged(&launch, &[gate], &wanted, patience.unwrap_or(gate.hold + PATIENCE))?;
    let overall = judged.watch.overall(judged.now, |id| *id == gate.id);
    let refuse = |why| Refused::GateSaysNo { item: gate.id.as_str().into(), why };
    let numbers = passed(&judged, &overall, refuse, |why, _| why.to_owned())?;
    // The item's own gate needs no name.
    Ok(numbers.into_iter().map(|evidence| Evidence { gate: None, ..evidence }).collect())
}

/// Polls every gate that counts, as `gonogo check` counts them, until all can be judged; gives a number
/// for each. `what` was to be done: `GO`, `resumed`, `lifted off`.
///
/// # Errors
/// [`Unproven`] where not every one passes, or where there is none; no config, or one without a source.
pub(super) fn of_all(
    pen: &Pen<'_>,
    what: &'static str,
    patience: Option<Duration>,
) -> anyhow::Result<Vec<Evidence>> {
    if pen.is_repeated() {
        return Ok(Vec::new());
    }
    let launch = launch_of(pen, "this rests on gates")?;
    let gates = check::counting(Some(&pen.run.template), Some(&pen.run));
    let wanted: BTreeSet<GateId> =
        launch.gates.iter().chain(gates.iter().copied()).map(|gate| gate.id.clone()).collect();
    let patience = patience.unwrap_or_else(|| check::patience(&launch, &gates));
    let judged = judge::until_judged(&launch, &gates, &wanted, patience)?;
    let overall = judged.watch.overall(judged.now, |_| true);
    passed(&judged, &overall, |why| Refused::NoGo { what, why }, |why, id| format!("{id}: {why}"))
}

/// One number for each gate, where every one passes.
fn passed(
    judged: &Judged,
    overall: &Overall,
    refuse: impl Fn(String) -> Refused,
    named: impl Fn(&str, &GateId) -> String,
) -> anyhow::Result<Vec<Evidence>> {
    let told = || check::document(judged, overall);
    let (code, exit) = match overall.outcome {
        Outcome::NoGo => ("no-go", Exit::No),
        Outcome::Unknown if judged.timed_out => ("timed-out", Exit::TimedOut),
        // Of GO: a pass that no number backs.
        Outcome::Unknown | Outcome::Go => ("unknown", Exit::CannotTell),
    };
    if overall.outcome != Outcome::Go {
        let mut bad = overall.gates.iter().filter(|(_, judgement)| judgement.verdict != Verdict::Pass);
        let why = bad.next().map_or_else(
            || "no gate counts here, so nothing can be told".to_owned(),
            |(id, worst)| named(&worst.reason.text, id),
        );
        let why = match bad.count() {
            0 => why,
            more => format!("{why} (and {more} more)"),
        };
        let why = if judged.timed_out { format!("{why}; time ran out") } else { why };
        return Err(Unproven { refused: refuse(why), code, exit, told: told() }.into());
    }
    let numbers = overall.gates.iter().map(|(id, _)| {
        let number = evidence::of_gate(&judged.watch, id, judged.now).ok_or_else(|| {
            let why = named("it passes without a number that could back it", id);
            Unproven { refused: refuse(why), code, exit, told: told() }
        })?;
        Ok(Evidence { gate: Some(id.as_str().into()), ..number })
    });
    numbers.collect()
}

/// The launch with the signals of the run's own copy of its template.
pub(super) fn launch_of(pen: &Pen<'_>, why: &str) -> anyhow::Result<Launch> {
    let cwd = Path::new("");
    let path = settings::discover(pen.common.config.as_deref(), cwd).with_context(|| {
        format!("{why}, and only a config says what to poll: {}", settings::nothing_found(cwd))
    })?;
    let mut launch = settings::launch(&path).map_err(|e| anyhow!(e.rendered))?;
    let text = pen.place.ledger.template(&pen.run.id)?;
    let name = pen.place.ledger.run_dir(&pen.run.id).join("template.toml").display().to_string();
    let (_, signals) = settings::template_for(&name, &text, &path.display().to_string(), &launch)
        .map_err(|e| anyhow!(e.rendered))?;
    launch.signals.extend(signals);
    Ok(launch)
}
