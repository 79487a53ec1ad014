//! `gonogo check --file FILE --at TIME` and `--range START..END`: the gates over a capture, by the same
//! engine that judges a living launch.
//!
//! `--range` prints for each gate when it would have passed, failed, been unknown. Every second is
//! judged, or every `--step`. JSON: `{"verdict","from","to","step_seconds","launch":PAST,"gates":[{"id",
//! "counts",…PAST}],"remarks":[…]}` with `PAST` = `{"percent":{"pass","unknown","fail"},"first_fail",
//! "spans":[{"from","to","verdict","reason","value"}]}`. Exit codes: 0 GO throughout, 1 NO-GO at any
//! moment, 3 unknown at some and never NO-GO.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::checklist::Template;
use crate::engine::measure::number;
use crate::engine::trial::{Past, Trial};
use crate::engine::{Outcome, Watch};
use crate::model::text::harmless;
use crate::model::{GateDef, GateId, Reason, Time, Unit, Verdict, duration, value};

use super::check::{counting, document, page};
use super::judge::Judged;
use super::replay::{self, Taped};
use super::{Common, Exit, Output, output};

/// How many cells a strip of time has.
const CELLS: usize = 40;
/// The most moments that are judged: more than eleven days of seconds.
const MOST_MOMENTS: f64 = 1_000_000.0;
/// The longest silence that is gone through second by second.
const SILENCE: Duration = Duration::from_hours(6);
/// The most spans of one gate that are printed; JSON has all of them.
const SHOWN: usize = 12;

/// Which moments are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// One.
    At(Time),
    /// All between; `None`: from the beginning, to the end.
    Range(Option<Time>, Option<Time>),
}

/// Reads `START..END`, of which either side may be left out.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn range(text: &str) -> Result<(Option<Time>, Option<Time>), String> {
    let (from, to) =
        text.split_once("..").ok_or("write START..END, as in 15:00..; either may be left out")?;
    let side = |text: &str| if text.trim().is_empty() { Ok(None) } else { Time::parse(text).map(Some) };
    let (from, to) = (side(from)?, side(to)?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err("the end lies before the start".into());
    }
    Ok((from, to))
}

/// What the backtest came to.
struct Tested {
    trial: Trial,
    from: Time,
    to: Time,
    step: Duration,
    counting: BTreeSet<GateId>,
    remarks: Vec<String>,
}

/// Runs the backtest.
///
/// # Errors
/// What is wrong with the capture or the config.
pub(super) fn run(
    file: &Path,
    when: When,
    step: Duration,
    plain: bool,
    common: &Common,
) -> anyhow::Result<Exit> {
    let taped = replay::open(file, common)?;
    let tested = match test(&taped, when, step.max(Duration::from_millis(100)))? {
        Ok(tested) => tested,
        Err(why) => {
            output::complain(&why);
            return Ok(Exit::CannotTell);
        }
    };
    for remark in &tested.remarks {
        output::complain(&harmless(remark));
    }
    if let When::At(at) = when {
        let overall = tested.trial.watch.overall(at, |id| tested.counting.contains(id));
        let outcome = overall.outcome;
        let judged = Judged { watch: tested.trial.watch, now: at, timed_out: false };
        match common.output {
            Output::Json => output::json(&document(&judged, &overall))?,
            Output::Text => output::print(&page(&judged, &overall))?,
        }
        return Ok(exit(outcome));
    }
    match common.output {
        Output::Json => output::json(&as_json(&tested))?,
        Output::Text => output::print(&as_text(&tested, plain))?,
    }
    Ok(exit(held(&tested.trial.launch)))
}

fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Go => Exit::Yes,
        Outcome::NoGo => Exit::No,
        Outcome::Unknown => Exit::CannotTell,
    }
}

/// The verdict over the whole time: NO-GO if it ever was, GO if it always was.
fn held(launch: &Past<Outcome>) -> Outcome {
    if launch.ever(Outcome::NoGo) {
        Outcome::NoGo
    } else if launch.spans.is_empty() || launch.ever(Outcome::Unknown) {
        Outcome::Unknown
    } else {
        Outcome::Go
    }
}

/// Plays the capture past the gates; the inner error is a sentence for the user.
fn test(taped: &Taped, when: When, step: Duration) -> anyhow::Result<Result<Tested, String>> {
    let gates: Vec<&GateDef> = all_gates(taped.template.as_ref());
    let launch = &taped.launch;
    let counts = counting(taped.template.as_ref(), None);
    let counting = launch.gates.iter().chain(counts).map(|gate| gate.id.clone()).collect();
    let trial = Trial::new(Watch::new(launch, gates));
    let mut play = taped.tape.play(launch, taped.recorded.as_ref())?;
    let mut next = play.next()?;
    let Some(first) = next.as_ref().map(|(at, _)| *at) else {
        return Ok(Err("the capture holds no poll of this launch".into()));
    };
    let (from, to) = match when {
        When::At(at) => (at, Some(at)),
        When::Range(from, to) => (from.unwrap_or(first), to),
    };
    if from < first {
        return Ok(Err(format!("{from} lies before the capture, which begins at {first}")));
    }
    let too_many =
        || format!("that is more than {MOST_MOMENTS} moments: take a larger --step or a shorter --range");
    let last = to.or(taped.tape.span().map(|(_, last)| last)).unwrap_or(from);
    if last.since(from).as_secs_f64() / step.as_secs_f64() > MOST_MOMENTS {
        return Ok(Err(too_many()));
    }
    let mut moments = 0.0;
    let mut tested = Tested { trial, from, to: from, step, counting, remarks: Vec::new() };
    let trial = &mut tested.trial;
    let (mut now, mut due) = (first, from);
    // In the order of a room: polls as they come, the clock's whole seconds between, and the moments
    // that are judged.
    loop {
        let second = Time::from_millis(now.millis().div_euclid(1000) * 1000).after(Duration::from_secs(1));
        let poll = next.as_ref().map(|(at, _)| *at);
        if to.is_some_and(|to| due > to) {
            break;
        }
        match poll {
            Some(at) if at <= due && at <= second => {
                if let Some((_, poll)) = next.take() {
                    trial.observe(&poll);
                }
                now = now.max(at);
                trial.tick(now);
                next = play.next()?;
            }
            // A moment after the last answer was not recorded.
            None if due > now => break,
            _ if due < second => {
                now = due;
                trial.tick(now);
                trial.judge(now, |id| tested.counting.contains(id));
                tested.to = due;
                due = due.after(step);
                moments += 1.0;
                if moments > MOST_MOMENTS {
                    return Ok(Err(too_many()));
                }
            }
            _ => {
                // In a long silence before the range nothing turns any more.
                let far = poll.map_or(due, |at| at.min(due));
                now = if far.since(second) > SILENCE { far.before(Duration::from_secs(1)) } else { second };
                trial.tick(now);
            }
        }
    }
    tested.remarks = taped.tape.remarks().iter().cloned().chain(play.remarks()).collect();
    if to.is_some_and(|to| next.is_none() && due <= to) || tested.trial.launch.spans.is_empty() {
        let asked = to.unwrap_or(from);
        return Ok(Err(format!("{asked} lies behind the capture, whose last answer is of {now}")));
    }
    Ok(Ok(tested))
}

fn all_gates(template: Option<&Template>) -> Vec<&GateDef> {
    template.into_iter().flat_map(|t| &t.items).filter_map(|item| item.kind.gate()).collect()
}

fn as_json(tested: &Tested) -> Value {
    let verdict = |outcome: Outcome| match outcome {
        Outcome::Go => Verdict::Pass,
        Outcome::NoGo => Verdict::Fail,
        Outcome::Unknown => Verdict::Unknown,
    };
    let launch = Past {
        spans: tested
            .trial
            .launch
            .spans
            .iter()
            .map(|s| crate::engine::trial::Span {
                from: s.from,
                to: s.to,
                verdict: verdict(s.verdict),
                reason: s.reason.clone(),
                value: s.value,
            })
            .collect(),
    };
    let gates = tested.trial.watch.gates.iter().zip(&tested.trial.gates).map(|(gate, past)| {
        let mut json = past_json(past);
        if let Some(object) = json.as_object_mut() {
            object.insert("id".into(), json!(gate.def.id));
            object.insert("counts".into(), json!(tested.counting.contains(&gate.def.id)));
        }
        json
    });
    json!({
        "verdict": held(&tested.trial.launch).code(),
        "from": tested.from,
        "to": tested.to,
        "step_seconds": tested.step.as_secs_f64(),
        "launch": past_json(&launch),
        "gates": gates.collect::<Vec<_>>(),
        "remarks": tested.remarks,
    })
}

fn past_json(past: &Past<Verdict>) -> Value {
    let spans = past.spans.iter().map(|span| {
        json!({
            "from": span.from,
            "to": span.to,
            "verdict": span.verdict,
            "reason": span.reason,
            "value": span.value.map(value::text),
        })
    });
    json!({
        "percent": {
            "pass": past.percent(Verdict::Pass),
            "unknown": past.percent(Verdict::Unknown),
            "fail": past.percent(Verdict::Fail),
        },
        "first_fail": past.first(Verdict::Fail).map(|span| span.from),
        "spans": spans.collect::<Vec<_>>(),
    })
}

fn as_text(tested: &Tested, plain: bool) -> String {
    let span = tested.to.since(tested.from);
    let launch = &tested.trial.launch;
    let mut text = format!(
        "{} over {} ({} to {}), judged each {}\n",
        held(launch).words(),
        duration::short(span),
        tested.from,
        tested.to,
        duration::short(tested.step),
    );
    let go = launch.percent(Outcome::Go);
    let _ = writeln!(text, "GO {go:.1} % of the time, NO-GO {:.1} %\n", launch.percent(Outcome::NoGo));
    let watch = &tested.trial.watch;
    let width = watch.gates.iter().map(|g| g.def.id.as_str().chars().count()).max().unwrap_or(0);
    for (gate, past) in watch.gates.iter().zip(&tested.trial.gates) {
        let aside = if tested.counting.contains(&gate.def.id) { "" } else { "  (does not count yet)" };
        let _ = writeln!(
            text,
            "{:width$}  {}  pass {:5.1} %  unknown {:5.1} %  fail {:5.1} %{aside}",
            gate.def.id,
            strip(past, tested.from, tested.to, plain),
            past.percent(Verdict::Pass),
            past.percent(Verdict::Unknown),
            past.percent(Verdict::Fail),
        );
        for span in past.spans.iter().take(SHOWN) {
            let _ = writeln!(
                text,
                "  {}",
                line(span.verdict, span.from, span.to, &span.reason, span.value, gate.unit)
            );
        }
        if past.spans.len() > SHOWN {
            let _ = writeln!(text, "  … and {} more (--output json has them all)", past.spans.len() - SHOWN);
        }
    }
    if watch.gates.is_empty() {
        text.push_str("this launch has no gates, so nothing can be said\n");
    }
    text
}

fn line(verdict: Verdict, from: Time, to: Time, reason: &Reason, value: Option<f64>, unit: Unit) -> String {
    let value = value.map_or_else(String::new, |v| format!("  [{}]", number(v, unit)));
    let (clock, end) = (from.clock(), to.clock());
    format!("{} {clock}–{end}  {:7}  {}{value}", verdict.glyph(), verdict.word(), harmless(&reason.text))
}

/// The time as cells, each with the worst that was in it.
fn strip(past: &Past<Verdict>, from: Time, to: Time, plain: bool) -> String {
    let whole = to.since(from).as_millis().max(1);
    let cell = |n: usize| {
        let side =
            |n: usize| from.millis() + i64::try_from(whole * n as u128 / CELLS as u128).unwrap_or(i64::MAX);
        let (begin, end) = (side(n), side(n + 1));
        let inside =
            past.spans.iter().filter(|s| s.from.millis() < end.max(begin + 1) && s.to.millis() >= begin);
        match (inside.map(|s| s.verdict).max(), plain) {
            (Some(Verdict::Pass), false) => '▁',
            (Some(Verdict::Pass), true) => '.',
            (Some(Verdict::Unknown), _) => '?',
            (Some(Verdict::Fail), false) => '█',
            (Some(Verdict::Fail), true) => 'x',
            (None, _) => ' ',
        }
    };
    (0..CELLS).map(cell).collect()
}
