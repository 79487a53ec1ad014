//! `gonogo record`: polls the launch's sources without a screen and writes a capture.
//!
//! Two files: `FILE` is `OpenMetrics` with timestamps, for `gonogo query`, `promtool` and Prometheus;
//! `FILE.jsonl` holds the launch (without secrets) and each poll's outcome, flags and remarks. JSON:
//! `{"out","polls","failed","samples","bytes"}`. Exit codes: 0 recorded, 3 no source ever answered, 6
//! not saved, 128+n ended by SIGTERM or SIGHUP (the capture is whole); ctrl-c ends it with 0.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::channel;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::model::text::harmless_line;
use crate::model::{Launch, duration};
use crate::runtime::{Clock, Deck, Feed, deck};
use crate::settings::{self, Loaded};
use crate::sources::capture::{Recorder, Tally, Written};

use super::{Common, Exit, Output, output};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the capture is written; FILE.jsonl goes beside it, and neither may exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How long to record [default: until ctrl-c]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    span: Option<Duration>,
}

/// Runs the command.
///
/// # Errors
/// No config, or one that cannot be read; a file that exists already.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = Path::new("");
    let path =
        settings::discover(common.config.as_deref(), cwd).with_context(|| settings::nothing_found(cwd))?;
    let loaded = settings::load(&path).map_err(|e| anyhow!(e.rendered))?;
    let (config, checklist) = written(&path, &loaded);
    let clock = Clock::wall();
    let head = deck::head(&loaded.launch, config, checklist, clock.now());
    let recorder = Recorder::create(&args.out, &head).context("cannot begin the capture")?;
    let deck = Deck::default();
    deck.begin(recorder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signal = runtime.block_on(listen(Arc::new(loaded.launch), &clock, &deck, args))?;
    if let Some((path, why)) = deck.broken() {
        output::complain(&format!(
            "the capture {} broke off: {why}; what was written can be read",
            path.display()
        ));
        return Ok(Exit::NotSaved);
    }
    let tally = match deck.end() {
        Some(Ok(tally)) => tally,
        Some(Err(error)) => {
            output::complain(&format!("{}: {error}; what was written can be read", args.out.display()));
            return Ok(Exit::NotSaved);
        }
        None => Tally::default(),
    };
    report(args, common, tally)?;
    Ok(match signal {
        Some(number) => Exit::Signal(number),
        None if tally.polls == tally.failed => Exit::CannotTell,
        None => Exit::Yes,
    })
}

/// The config and the checklist as a capture keeps them.
pub(super) fn written(path: &Path, loaded: &Loaded) -> (Written, Option<Written>) {
    let name = |path: &Path| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        harmless_line(&name.unwrap_or_default(), 200)
    };
    let checklist = loaded.template_text.as_ref().map(|text| Written {
        name: loaded.template_path.as_deref().map(name).unwrap_or_default(),
        text: text.clone(),
    });
    (Written { name: name(path), text: loaded.redacted.clone() }, checklist)
}

/// Lets polls pass by until the time is over or a signal comes; its number, where it was no ctrl-c.
async fn listen(launch: Arc<Launch>, clock: &Clock, deck: &Deck, args: &Args) -> anyhow::Result<Option<u8>> {
    let (room, mut messages) = channel(64);
    let _polls = Feed::Polling(None).start_on(&launch, clock, room, deck.clone())?;
    let mut ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(int), Ok(term), Ok(hup)] = &mut ends else {
        return Err(anyhow!("signals cannot be listened to"));
    };
    let bar = progress();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let over = sleep(args.span.unwrap_or(Duration::from_secs(u64::from(u32::MAX))));
    tokio::pin!(over);
    let signal = loop {
        tokio::select! {
            biased;
            _ = int.recv() => break None,
            _ = term.recv() => break Some(15),
            _ = hup.recv() => break Some(1),
            () = &mut over => break None,
            _ = second.tick() => {
                let Some(tally) = deck.tally() else { break None };
                bar.set_message(words(tally));
                bar.tick();
            }
            msg = messages.recv() => if msg.is_none() { break None },
        }
    };
    bar.finish_and_clear();
    Ok(signal)
}

fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("recording {elapsed_precise}  {msg}  (ctrl-c ends it)");
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

fn words(tally: Tally) -> String {
    let failed = if tally.failed > 0 { format!(", {} failed", tally.failed) } else { String::new() };
    let bytes = crate::model::value::in_unit(tally.bytes as f64, crate::model::Unit::Bytes);
    format!("{} polls{failed}, {} samples, {bytes}", tally.polls, tally.samples)
}

fn report(args: &Args, common: &Common, tally: Tally) -> anyhow::Result<()> {
    match common.output {
        Output::Json => output::json(&json!({
            "out": args.out.display().to_string(),
            "polls": tally.polls,
            "failed": tally.failed,
            "samples": tally.samples,
            "bytes": tally.bytes,
        }))?,
        Output::Text => {
            let out = harmless_line(&args.out.display().to_string(), 300);
            output::print(&format!("{}: {out}, and {out}.jsonl\n", words(tally)))?;
        }
    }
    Ok(())
}
