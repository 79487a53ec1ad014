//! `gonogo supervise`, hidden: runs one command of a checklist to its end and writes the end down. Started by
//! [`exec`] for a durable `started` event, never by people.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::checklist::{Author, Command, Fact, Mode};
use crate::exec::{self, Job};
use crate::ledger::{Ledger as _, LedgerError};
use crate::model::RunId;
use crate::runtime::commands::{Files, concluded};

use super::{Exit, checklist};

/// How long the end of a command is kept while the ledger does not take it.
const PATIENCE: Duration = Duration::from_mins(10);
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_secs(10);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory that holds the runs
    #[arg(long, value_name = "DIR")]
    ledger: PathBuf,
    /// The run
    #[arg(long, value_name = "RUN")]
    run: String,
    /// The number of the event that started the command
    #[arg(long, value_name = "N")]
    seq: u64,
}

/// Runs the command that the event says was started, unless somebody has claimed it, and appends its end.
///
/// # Errors
/// There is no such command waiting; it is claimed; its end could not be written down in ten minutes.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(supervise(args))
}

async fn supervise(args: &Args) -> anyhow::Result<Exit> {
    exec::settle()?;
    let ledger = checklist::directory_ledger(args.ledger.clone());
    let run = ledger.open(&args.run)?;
    // A rehearsal runs nothing, whoever asks for it.
    if run.mode != Mode::Live {
        bail!("{} is a {}: nothing is run in it", run.id, run.mode.as_str());
    }
    let started = ledger.read(&run.id, args.seq)?.into_iter().next();
    let started = started.with_context(|| format!("{} has no event {}", run.id, args.seq))?;
    let Fact::Started { item, argv, env, timeout } = started.fact else {
        bail!("event {} of {} starts no command", args.seq, run.id);
    };
    let waits = run
        .item(&item)
        .and_then(|(_, state)| state.attempt.as_ref())
        .is_some_and(|attempt| attempt.seq == args.seq && attempt.end.is_none());
    if !waits {
        bail!("the command of event {} is at its end, or was started anew", args.seq);
    }
    let files = Files::of(&ledger.run_dir(&run.id), args.seq);
    let job = Job { argv, env, timeout, dir: None };
    let outcome = exec::supervise(&job, &files.output, &files.claim).await?;
    conclude(&args.ledger, &run.id, &started.author, &concluded(&item, args.seq, &outcome))?;
    Ok(Exit::Yes)
}

/// Tries until the ledger has taken it; a busy or absent disk comes back.
fn conclude(path: &std::path::Path, run: &RunId, author: &Author, end: &Command) -> Result<(), LedgerError> {
    let id = ulid::Ulid::generate().to_string();
    let began = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        // Opened anew each time: one that could not confirm an event takes no other.
        let ledger = checklist::directory_ledger(path.to_owned());
        let saved = ledger.open(run.as_str()).and_then(|run| ledger.append(&run, &[], &id, author, end));
        match saved {
            Ok(_) => return Ok(()),
            Err(
                error @ (LedgerError::NotSaved { .. }
                | LedgerError::Unreadable { .. }
                | LedgerError::NoSuchRun { .. }
                | LedgerError::Unconfirmed(_)),
            ) if began.elapsed() < PATIENCE => {
                drop(error);
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}
