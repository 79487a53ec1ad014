//! `gonogo drill SCENARIO`: a scripted incident on the simulated product, and a score at the end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::app::seen::Seen;
use crate::app::{Key, State};
use crate::checklist::{Auto, Command, Run};
use crate::drill::score::{self, Moment, Observed, Score};
use crate::drill::{DEMO_START, Happened, Product, SharedProduct};
use crate::ledger::Ledger;
use crate::model::scenario::{Decision, Scenario};
use crate::model::text::harmless_line;
use crate::model::{Time, duration};
use crate::runtime::feed::Lockstep;
use crate::runtime::rehearsal::{self, Script};
use crate::runtime::{Ending, Setup, room as runtime_room};
use crate::settings;

use super::simulated::{self, Simulated};
use super::{Common, Exit, Output, output, room};

/// The one terminal of a drill.
const DESK: &str = "drill";

/// Arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The scenario: `worker-stall`, `api-errors`, `blind`, or a file by its path
    scenario: String,
    #[command(flatten)]
    room: room::Args,
    /// Another seed than the scenario's: the same seed gives the same numbers on every machine
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many simulated seconds pass in one of the wall
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    speed: f64,
    /// The directory that keeps the run [default: the user's state directory]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// Press keys at a moment after the opening, without a terminal: "4m R" or "4m10s x enter"; repeat it
    #[arg(long = "press", value_name = "MOMENT KEYS", value_parser = pressed)]
    presses: Vec<(Duration, Keys)>,
}

/// Keys of the command line.
#[derive(Clone, Debug)]
struct Keys(Vec<Key>);

/// Runs the drill and scores it. On a terminal the room opens; elsewhere, or with `--press`, the keys
/// that were given are pressed and simulated time passes as fast as the machine can. Exit 0 where the
/// drill was passed, 1 where not. JSON: the score, with `"run"`.
///
/// # Errors
/// A wrong scenario, the terminal, a port, the ledger.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let scenario = settings::find_scenario(&args.scenario).map_err(|e| anyhow!(e.rendered))?;
    let seed = args.seed.unwrap_or(scenario.seed);
    let opens = Product::opens(DEMO_START, &scenario);
    let product: SharedProduct = Arc::new(Mutex::new(Product::with_scenario(seed, DEMO_START, &scenario)));
    let scripted = !args.presses.is_empty() || !std::io::IsTerminal::is_terminal(&std::io::stdout());
    let (go_on, steps) = unbounded_channel();
    let step = Lockstep {
        stop_at: Some(opens.after(scenario.length)),
        speed: args.speed,
        steps: scripted.then_some(steps),
        ..Lockstep::new(Arc::clone(&product), DEMO_START, opens)
    };
    let runs = args.ledger.clone().unwrap_or_else(super::checklist::default_dir);
    let simulated = Simulated { room: &args.room, step, runs: runs.clone(), t0: None, terminal: DESK };
    let mut setup = simulated::room(simulated)?;
    known(&scenario, &setup)?;
    setup.state.quits_when_over = true;
    let book = setup.book.clone().context("a drill has a run")?;
    if common.output == Output::Text && !scripted {
        let title = harmless_line(&scenario.title, 100);
        output::print(&format!(
            "drill {}: {title}, {} long\n",
            scenario.id,
            duration::short(scenario.length)
        ))?;
    }
    let state = if scripted {
        rehearsal::run(setup, script(args, opens), go_on)?
    } else {
        let (ending, state) =
            runtime_room::open(setup).context("cannot use this terminal (--press drills without one)")?;
        if let Ending::Signal(number) = ending {
            return Ok(Exit::Signal(number));
        }
        state
    };
    let happened = product.lock().unwrap_or_else(PoisonError::into_inner).happened();
    let score = score::score(&scenario.id, &scenario.expect, &happened, &moments(&state));
    let run = state.run.as_ref().map(|view| view.run.clone()).context("the drill has no run")?;
    keep(&*book.ledger, &run, &state, &happened, &score)?;
    match common.output {
        Output::Json => {
            let mut document = score.json();
            if let Some(fields) = document.as_object_mut() {
                fields.insert("run".into(), json!(run.id));
            }
            output::json(&document)?;
        }
        Output::Text => {
            let place = runs.join(run.id.as_str());
            let place = crate::model::text::harmless(&place.to_string_lossy()).into_owned();
            output::print(&format!("{score}run {}\n  in {place}\n", run.id))?;
        }
    }
    Ok(if score.passed() { Exit::Yes } else { Exit::No })
}

/// What must show the trouble must exist in the room: a drill that nobody can pass is a mistake.
fn known(scenario: &Scenario, setup: &Setup) -> anyhow::Result<()> {
    let watch = &setup.state.watch;
    let triggers = setup.state.template.iter().flat_map(|template| &template.triggers);
    let triggers: Vec<&str> = triggers.map(|trigger| trigger.id.as_str()).collect();
    for id in &scenario.expect.detect {
        let gate = watch.gates.iter().any(|gate| gate.def.id.as_str() == id);
        let source = watch.sources.iter().any(|source| source.def.id.as_str() == id);
        if !gate && !source && !triggers.contains(&id.as_str()) {
            bail!(
                "scenario {}: expect.detect names {id:?}, which is no gate, trigger or source here",
                scenario.id
            );
        }
    }
    Ok(())
}

fn script(args: &Args, opens: Time) -> Script {
    let mut script: Script =
        args.presses.iter().map(|(moment, keys)| (opens.after(*moment), keys.0.clone())).collect();
    script.sort_by_key(|(at, _)| *at);
    script
}

/// What the room saw and the team did, as the score counts it.
fn moments(state: &State) -> Vec<Moment> {
    let of = |(at, seen): &(Time, Seen)| Moment {
        at: *at,
        what: match seen {
            Seen::Bad(id) => Observed::Bad(id.clone()),
            Seen::Held => Observed::Decided(Decision::Hold),
            Seen::Rollback => Observed::Decided(Decision::Rollback),
            Seen::RolledBack => Observed::RolledBack,
        },
    };
    state.seen.iter().map(of).collect()
}

/// Writes the injects, which nobody was to see before, and the score into the run.
fn keep(
    ledger: &dyn Ledger,
    run: &Run,
    state: &State,
    happened: &[Happened],
    score: &Score,
) -> anyhow::Result<()> {
    let mut run = ledger.open(run.id.as_str())?;
    let injects = happened.iter().filter_map(|inject| {
        let began = inject.began?;
        let until = inject.ended.map_or_else(String::new, |ended| format!(" to {}", ended.clock()));
        let text = format!("{}{until}: {}", began.clock(), inject.text.trim());
        Some(Auto::Inject { inject: inject.kind.to_owned(), text })
    });
    for what in injects.chain([Auto::Score { text: score.to_string() }]) {
        let command = Command::Auto { terminal: DESK.into(), what };
        let id = ulid::Ulid::generate().to_string();
        for event in ledger.append(&run, &[], &id, &state.author, &command)? {
            run.apply(&event);
        }
    }
    Ok(())
}

fn pressed(text: &str) -> Result<(Duration, Keys), String> {
    let (moment, keys) = text
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| "write a moment and keys, as in \"4m R\"".to_owned())?;
    Ok((duration::parse(moment)?, Keys(Key::parse_all(keys)?)))
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches(['x', 'X', '×']);
    let speed: Option<f64> = number.parse().ok();
    speed.filter(|s| (0.1..=100.0).contains(s)).ok_or_else(|| "write a factor between 0.1 and 100".into())
}
