//! A message filled with the values of this moment.
//!
//! The text is a minijinja template, and an unknown name is an error: a notice with a hole in it must
//! not be sent. A value that is not known says so in words, never as a number.

use std::sync::Arc;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};

use crate::checklist::{Mode, Run};
use crate::model::{Flag, Health, Time, text, value};

use super::state::State;
use super::summary;

/// What stands above every message of a rehearsal.
pub const EXERCISE: &str = "EXERCISE – this is a rehearsal, nothing has happened";

/// Fills the text of a message.
///
/// # Errors
/// What is wrong with the text, with its line.
pub fn fill(source: &str, state: &State, run: &Run) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let known = Arc::new(Known::of(state));
    let signals = Arc::clone(&known);
    environment.add_function("signal", move |id: String, labels: Kwargs| signals.signal(&id, &labels));
    let flags = Arc::clone(&known);
    environment.add_function("flag", move |key: String| named("flag", &flags.flags, &key));
    let gates = Arc::clone(&known);
    environment.add_function("gate", move |id: String| named("gate", &gates.gates, &id));
    let launch = &state.launch;
    let overall = state.overall();
    let reasons: Vec<String> = summary::worst(state, &overall, usize::MAX)
        .into_iter()
        .map(|line| format!("{}: {}", line.gate, line.text))
        .collect();
    let params: std::collections::BTreeMap<String, String> = run.params.iter().cloned().collect();
    let filled = environment.render_str(
        source,
        context! {
            launch => context! {
                product => launch.product.clone(), version => launch.version.clone(),
                environment => launch.environment.clone(),
            },
            run => context! {
                id => run.id.as_str(), title => run.template.title.clone(), mode => run.mode.as_str(),
                t => summary::t_clock_of(run, state.now), now => state.now.rfc3339(),
            },
            params => params,
            verdict => overall.outcome.words(),
            reasons => reasons,
        },
    );
    let filled = filled.map_err(|error| words(&error))?;
    Ok(if run.mode == Mode::Live { filled } else { format!("{EXERCISE}\n\n{filled}") })
}

/// Checks the text of a message as far as that can be done without a run.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn check(source: &str) -> Result<(), String> {
    let environment = Environment::new();
    environment.template_from_str(source).map(|_| ()).map_err(|error| words(&error))
}

fn words(error: &Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{line}{}: {detail}", error.kind()),
        None => format!("{line}{}", error.kind()),
    }
}

/// One series of a signal: its labels, and its value in words.
type Row = (Vec<(String, String)>, String);

/// Values in words, taken from the room before the text is filled.
struct Known {
    signals: Vec<(String, Result<Vec<Row>, String>)>,
    flags: Vec<(String, String)>,
    gates: Vec<(String, String)>,
}

impl Known {
    fn of(state: &State) -> Self {
        let now = state.now;
        let signals = state.watch.tracks.iter().map(|track| {
            let id = track.def.id.to_string();
            (id, signal(state, track, now))
        });
        let flags = state.watch.flags.iter().map(|flag| {
            let of = |flag: &Flag| {
                if flag.switched() == Some(false) { "off".to_owned() } else { flag.percent.text() }
            };
            let percent = flag.flag.as_ref().filter(|_| !flag.missing).map(of);
            let source = state.watch.source(&flag.def.source);
            let known = percent.filter(|_| source.is_some_and(|s| s.health(now) == Health::Fresh));
            (flag.def.key.clone(), known.unwrap_or_else(|| "unknown (no fresh answer)".into()))
        });
        let gates = state.watch.judge_all(now).into_iter().map(|(id, judgement)| {
            (id.to_string(), format!("{}: {}", judgement.verdict.word(), judgement.reason.text))
        });
        Self { signals: signals.collect(), flags: flags.collect(), gates: gates.collect() }
    }

    fn signal(&self, id: &str, labels: &Kwargs) -> Result<Value, Error> {
        let (_, rows) =
            self.signals.iter().find(|(known, _)| known == id).ok_or_else(|| missing("signal", id))?;
        let mut wanted = Vec::new();
        for name in labels.args() {
            wanted.push((name.to_owned(), labels.get::<String>(name)?));
        }
        let rows = match rows {
            Ok(rows) => rows,
            Err(why) => return Ok(Value::from(format!("unknown ({why})"))),
        };
        let fits = |row: &&Row| wanted.iter().all(|pair| row.0.contains(pair));
        let found: Vec<&str> = rows.iter().filter(fits).map(|(_, words)| words.as_str()).collect();
        Ok(Value::from(if found.is_empty() { "unknown (no data)".to_owned() } else { found.join(", ") }))
    }
}

fn named(what: &str, all: &[(String, String)], name: &str) -> Result<Value, Error> {
    let found = all.iter().find(|(known, _)| known == name);
    found.map(|(_, words)| Value::from(words.clone())).ok_or_else(|| missing(what, name))
}

fn missing(what: &str, name: &str) -> Error {
    let name = text::harmless_line(name, 60);
    Error::new(ErrorKind::UndefinedError, format!("this launch has no {what} {name:?}"))
}

fn signal(state: &State, track: &crate::engine::Track, now: Time) -> Result<Vec<Row>, String> {
    let source = state.watch.source(&track.def.source);
    if let Some(fault) = source.and_then(|source| source.fault.as_ref()) {
        return Err(fault.to_string());
    }
    let unit = track.def.unit;
    let rows = track.series.iter().filter_map(|series| {
        let point = series.now.as_ref()?;
        let labels: Vec<(String, String)> =
            series.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let old = now.since(point.sampled) > track.def.max_age;
        let words = if old {
            "unknown (no fresh sample)".to_owned()
        } else {
            text::harmless_line(&value::in_unit(point.value, unit), 60)
        };
        Some((labels, words))
    });
    Ok(rows.collect())
}
