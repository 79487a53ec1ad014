//! The verbs of messages: `message` shows the text filled with the values of this moment, `sent` marks it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::app::command::Keymap;
use crate::app::run::RunView;
use crate::app::{State, message};
use crate::checklist::decide::MAX_WORDS;
use crate::checklist::{Command, Hash, Kind, Refused};
use crate::ledger::LedgerError;
use crate::model::{GateDef, GateId, ItemId, duration, text};
use crate::settings;

use super::super::{Common, Exit, Output, check, judge, output};
use super::items::OnItem;
use super::numbers;
use super::place::Place;
use super::write::Pen;

/// How much longer than the slowest source may take is waited for the gates.
const PATIENCE: Duration = Duration::from_secs(5);

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Show a message filled with the values of this moment
    Message(Show),
    /// Mark a message as sent, with its text
    Sent(Sent),
}

/// `message RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    at: OnItem,
    #[command(flatten)]
    polled: Polled,
}

/// `sent RUN ITEM`.
#[derive(Debug, clap::Args)]
pub(super) struct Sent {
    #[command(flatten)]
    at: OnItem,
    /// The text as it was sent, or - for stdin [default: filled anew with the values of this moment]
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    #[command(flatten)]
    polled: Polled,
}

/// How long the sources are waited for.
#[derive(Debug, clap::Args)]
pub(super) struct Polled {
    /// The longest to wait until sources and gates have answered [default: the slowest's time-out and 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// Shows or marks it. What a source does not tell is written as unknown; a name that the launch does not
/// have is an error, and exit 2. JSON of `message`: `{"run","item","channel","text","hash"}`; of `sent`: see
/// [`super::write`], with `text` beside it.
pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    match verb {
        Verb::Message(args) => {
            let (pen, item) = args.at.open(place, common)?;
            let filled = fill(&pen, &item, args.polled.timeout)?;
            match common.output {
                Output::Json => output::json(&json!({
                    "run": pen.run.id, "item": item, "channel": channel(&pen, &item), "text": filled,
                    "hash": Hash::of(filled.as_bytes()),
                }))?,
                Output::Text => output::print(&lines(&filled))?,
            }
            Ok(Exit::Yes)
        }
        Verb::Sent(args) => {
            let (mut pen, item) = args.at.open(place, common)?;
            // The rules are asked before the servers.
            pen.would(&[&Command::Sent { item: item.clone(), text: "to come".into() }])?;
            let text = match &args.text {
                _ if pen.is_repeated() => String::new(),
                Some(file) => given(file)?,
                None => fill(&pen, &item, args.polled.timeout)?,
            };
            let command = Command::Sent { item, text };
            pen.save(&command)?;
            let Command::Sent { text, .. } = &command else { return Ok(Exit::Yes) };
            let more = if text.is_empty() { json!({}) } else { json!({ "text": text }) };
            pen.tell(&command, &more, &lines(text))?;
            Ok(Exit::Yes)
        }
    }
}

/// The text in lines, each harmless to print.
fn lines(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(&text::harmless(line));
        out.push('\n');
    }
    out
}

fn channel(pen: &Pen<'_>, item: &ItemId) -> Option<String> {
    match &pen.run.template.item(item)?.kind {
        Kind::Message(message) => message.channel.clone(),
        _ => None,
    }
}

fn given(file: &PathBuf) -> anyhow::Result<String> {
    let what = file.display();
    let most = MAX_WORDS as u64 + 1;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes).context("cannot read stdin")?;
    } else {
        let open = fs::File::open(file).with_context(|| format!("cannot read {what}"))?;
        open.take(most).read_to_end(&mut bytes).with_context(|| format!("cannot read {what}"))?;
    }
    String::from_utf8(bytes).map_err(|_| anyhow!("{what} is not UTF-8"))
}

/// The message's text with the values of this moment, from a room that nobody sees.
fn fill(pen: &Pen<'_>, item: &ItemId, timeout: Option<Duration>) -> anyhow::Result<String> {
    let template = &pen.run.template;
    let definition = template.item(item).map(|item| &item.kind);
    let Some(Kind::Message(def)) = definition else {
        let kind = definition.map_or("", Kind::word);
        let refused = Refused::OtherKind { item: item.clone(), kind, wanted: "message" };
        return Err(LedgerError::Refused(refused).into());
    };
    let list = pen.place.template_file(&template.id).with_context(|| {
        format!("{} lies beside the checklist {}, and that is not found", def.file, template.id)
    })?;
    let source =
        settings::files_beside(&list)(&def.file).with_context(|| format!("the message {}", def.file))?;
    let launch = numbers::launch_of(pen, "a message is filled with live values")?;
    let slowest = launch.sources.iter().map(|source| source.timeout).max().unwrap_or_default();
    let gates: Vec<&GateDef> = template.gates().collect();
    let counting = check::counting(Some(template), Some(&pen.run));
    let wanted: BTreeSet<GateId> = launch.gates.iter().chain(counting).map(|gate| gate.id.clone()).collect();
    let heard = judge::until_heard(&launch, &gates, &wanted, timeout.unwrap_or(slowest + PATIENCE))?;
    let keymap = Keymap::new(&launch.keys).map_err(|why| anyhow!(why))?;
    let mut state =
        State::with_lists(Arc::new(launch), Some(Arc::clone(template)), Vec::new(), keymap, heard.now);
    state.watch = heard.watch;
    state.run = Some(RunView::new(pen.run.clone()));
    message::fill(&source, &state, &pen.run).map_err(|why| anyhow!("{}: {why}", def.file))
}
