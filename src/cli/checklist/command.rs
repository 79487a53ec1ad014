//! The verb `run`: runs the command of an item, and shows what it writes until its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use crate::checklist::item_state::{EXERCISED, GOOD_OUTCOMES};
use crate::checklist::{Command, End, Kind, Mode, Run};
use crate::exec::claim::{self, Life};
use crate::ledger::Approved;
use crate::model::duration::short;
use crate::model::{ItemId, text};
use crate::runtime::commands::{Asked, Commands, Files, Spawn};

use super::super::{Common, Exit, Output, output};
use super::following::Following;
use super::items::OnItem;
use super::place::{self, Place};
use super::write::Pen;

/// How often the output and the ledger are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a supervisor that is gone may have left its last word behind it.
const LAST_WORD: Duration = Duration::from_secs(2);
/// How much of the end of an output is told in a document, in bytes.
const SHOWN: u64 = 4 * 1024;

/// `run RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    at: OnItem,
    /// The item's id once more, of a live run's command that asks for it
    #[arg(long, value_name = "ID")]
    confirm: Option<String>,
    /// Approve all commands of the run's template, as they are listed without it
    #[arg(long)]
    approve: bool,
    /// Show what it writes until it ends; this is what happens anyway
    #[arg(long, conflicts_with = "detach")]
    wait: bool,
    /// Leave once it is started
    #[arg(long)]
    detach: bool,
}

/// Runs it. It goes on where this command is ended. In a dry run or a drill nothing is started. Exit 0 where it
/// ended well, 1 where it did not or was refused, 3 where nobody can tell, 4 where its time ran out; with
/// `--detach` 0 once it is started.
///
/// JSON: see [`super::write`]; its own event is the one that started it, in a rehearsal with the end after
/// it. It adds `"outcome":"exit 0|exit 3|signal 9|timed out|not started: …|exercised"|null`,
/// `"took_seconds"`, `"bytes"`, `"output_hash"`, `"output_file"`, and `"tail"`, the last of what it wrote. Where the template's commands were never approved by this user:
/// `{"reason":{"code":"not-approved","text"},"commands":["ITEM: PROGRAM ARGUMENT …"]}`.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let (mut pen, item) = args.at.open(place, common)?;
    let command = Command::Run { item: item.clone() };
    pen.would(&[&command])?;
    let commands = commands(place)?;
    if pen.is_repeated() {
        pen.save(&command)?;
    } else {
        if let Some(why) = unconfirmed(&pen.run, &item, args.confirm.as_deref()) {
            return Err(anyhow!(why));
        }
        let ids = pen.ids("ended");
        match commands.begin(&pen.run, &item, &pen.author, args.approve, &ids)? {
            Asked::NotApproved(list) => return not_approved(&list, common),
            Asked::Started(events, spawn) => {
                pen.take(events, &ids);
                begin(&mut pen, &commands, spawn)?;
            }
        }
    }
    let started = pen.first().context("the ledger did not return the event that started it")?;
    if args.detach {
        pen.tell(&command, &ended(&pen, &item, started), "")?;
        return Ok(Exit::Yes);
    }
    follow(&mut pen, &item, started)
}

fn commands(place: &Place) -> anyhow::Result<Commands> {
    let runs = place.ledger.path().to_owned();
    // The supervisor must find it from wherever it stands.
    let runs = std::path::absolute(&runs).with_context(|| format!("cannot find {}", runs.display()))?;
    Ok(Commands {
        ledger: Arc::new(place::directory_ledger(runs.clone())),
        runs,
        approved: Approved::new(place::approved_dir()),
        exercise: false,
        binary: std::env::current_exe().context("this program cannot find itself")?,
    })
}

/// What is missing where a live run's command asks for its name; a rollback asks for nothing.
fn unconfirmed(run: &Run, item: &ItemId, confirm: Option<&str>) -> Option<String> {
    let (definition, _) = run.item(item)?;
    let Kind::Command(command) = &definition.kind else { return None };
    let asks = run.mode == Mode::Live && run.template.has_process() && command.type_id;
    if !asks || confirm == Some(item.as_str()) {
        return None;
    }
    let filled = command.argv.iter().map(|a| crate::checklist::params::fill(a, &run.params));
    let argv: Vec<String> = filled.map(|argument| argument.unwrap_or_else(|why| why)).collect();
    let argv = text::harmless_line(&argv.join(" "), 400);
    Some(match confirm {
        None => format!("{item} runs for real: {argv}\nrepeat its id to run it: --confirm {item}"),
        Some(other) => format!("--confirm {other} is not {item}, which runs for real: {argv}"),
    })
}

fn not_approved(list: &[String], common: &Common) -> anyhow::Result<Exit> {
    let words = "you have not approved the commands of this run's template; look at them, then add --approve";
    match common.output {
        Output::Json => {
            output::json(&json!({ "reason": { "code": "not-approved", "text": words }, "commands": list }))?;
        }
        Output::Text => {
            for line in list {
                output::complain(&format!("  {}", text::harmless(line)));
            }
        }
    }
    output::complain(words);
    Ok(Exit::No)
}

/// Starts the supervisor, now that it is durable that the command is started.
fn begin(pen: &mut Pen<'_>, commands: &Commands, spawn: Option<Spawn>) -> anyhow::Result<()> {
    let Some(spawn) = spawn else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Err(why) = runtime.block_on(commands.spawn(&spawn, &pen.author)) {
        output::complain(&format!("{} was not started: {}", spawn.item, text::harmless(&why)));
    }
    let hash = pen.run.template_hash.as_ref();
    // A rollback never waits for an approval; that there was none is told all the same.
    if !pen.run.template.has_process() && hash.is_some_and(|hash| !commands.approved.has(hash)) {
        let text = format!("{} was run without an approval of this template's commands", spawn.item);
        let note = Command::Note { item: Some(spawn.item.clone()), text };
        if let Err(error) = pen.write_beside("not approved", &note) {
            output::complain(&format!("not noted that there was no approval: {error}"));
        }
    }
    Ok(())
}

/// Shows the output until the end is in the ledger.
fn follow(pen: &mut Pen<'_>, item: &ItemId, started: u64) -> anyhow::Result<Exit> {
    let files = Files::of(&pen.place.ledger.run_dir(&pen.run.id), started);
    let shows = pen.common.output == Output::Text;
    let command = Command::Run { item: item.clone() };
    if shows {
        pen.tell(&command, &json!({}), "")?;
    }
    let mut following = Following::new(files.output.clone());
    let mut gone = Duration::ZERO;
    loop {
        pen.catch_up()?;
        let end = end_of(&pen.run, item, started);
        if shows {
            output::print(&following.more(end.is_some() || gone > LAST_WORD))?;
        }
        if let Some(end) = end {
            return concluded(pen, &command, item, started, &end);
        }
        if gone > LAST_WORD || !is_newest(&pen.run, item, started) {
            break;
        }
        // One that is claimed elsewhere, or not yet, is waited for: its time-out will tell.
        gone = if matches!(claim::life(&files.claim), Ok(Life::Gone)) { gone + LOOK } else { Duration::ZERO };
        let unknown = pen.run.item(item).and_then(|(_, state)| state.attempt.as_ref());
        if unknown.is_some_and(|attempt| attempt.is_unknown(Pen::now())) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    let why =
        format!("whether {item} ran to its end is not known: look at what it did, then reopen the item");
    if !shows {
        let mut more = ended(pen, item, started);
        if let Value::Object(more) = &mut more {
            more.insert("reason".into(), json!({ "code": "unknown", "text": why }));
        }
        pen.tell(&command, &more, "")?;
    }
    output::complain(&why);
    Ok(Exit::CannotTell)
}

fn concluded(
    pen: &Pen<'_>,
    command: &Command,
    item: &ItemId,
    started: u64,
    end: &End,
) -> anyhow::Result<Exit> {
    match pen.common.output {
        Output::Json => pen.tell(command, &ended(pen, item, started), "")?,
        Output::Text if end.outcome == EXERCISED => output::print(&format!(
            "EXERCISE: nothing ran; would have run: {}\n",
            text::harmless(&argv(&pen.run, item))
        ))?,
        Output::Text => {
            output::print(&format!("{item}: {} after {}\n", text::harmless(&end.outcome), short(end.took)))?;
        }
    }
    Ok(match end.outcome.as_str() {
        good if GOOD_OUTCOMES.contains(&good) => Exit::Yes,
        "timed out" => Exit::TimedOut,
        _ => Exit::No,
    })
}

fn argv(run: &Run, item: &ItemId) -> String {
    let attempt = run.item(item).and_then(|(_, state)| state.attempt.as_ref());
    attempt.map(|attempt| attempt.argv.join(" ")).unwrap_or_default()
}

/// How the command that this event started has ended.
fn end_of(run: &Run, item: &ItemId, started: u64) -> Option<End> {
    let (_, state) = run.item(item)?;
    state.attempt.as_ref().filter(|attempt| attempt.seq == started)?.end.clone()
}

fn is_newest(run: &Run, item: &ItemId, started: u64) -> bool {
    let attempt = run.item(item).and_then(|(_, state)| state.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.seq == started)
}

/// What the document says of the end.
fn ended(pen: &Pen<'_>, item: &ItemId, started: u64) -> Value {
    let end = end_of(&pen.run, item, started);
    let file = Files::of(&pen.place.ledger.run_dir(&pen.run.id), started).output;
    let tail = crate::exec::tail(&file, SHOWN).ok();
    json!({
        "outcome": end.as_ref().map(|end| &end.outcome),
        "took_seconds": end.as_ref().map(|end| end.took.as_secs_f64()),
        "bytes": end.as_ref().map(|end| end.bytes),
        "output_hash": end.as_ref().and_then(|end| end.output.as_ref()),
        "output_file": tail.as_ref().map(|_| file.display().to_string()),
        "tail": tail,
    })
}
