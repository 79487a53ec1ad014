//! Running a checklist's commands: the durable start, the supervisor, and the end of its output.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::checklist::item_state::EXERCISED;
use crate::checklist::{Author, Command, Event, Fact, Kind, Mode, Run, expects};
use crate::exec::{self, Executor, Job, Outcome, Spawner, StartError, Status};
use crate::ledger::{Approved, Ledger, LedgerError};
use crate::model::{ItemId, RunId};

/// How much of the end of an output is read for a screen, in bytes.
const SHOWN: u64 = 16 * 1024;

/// The files of one command that was started, beside the events of its run.
#[derive(Clone, Debug)]
pub struct Files {
    /// What it writes.
    pub output: PathBuf,
    /// Who supervises it.
    pub claim: PathBuf,
}

impl Files {
    /// Of the command that this event of a run started.
    pub fn of(run_dir: &Path, started: u64) -> Self {
        let dir = run_dir.join("output");
        Self { output: dir.join(format!("{started:06}.log")), claim: dir.join(format!("{started:06}.claim")) }
    }
}

/// What running commands takes.
#[derive(Clone)]
pub struct Commands {
    /// Where runs live.
    pub ledger: Arc<dyn Ledger>,
    /// The directory of the ledger; outputs lie beside the events.
    pub runs: PathBuf,
    /// Which templates this user has approved.
    pub approved: Approved,
    /// Nothing is ever run here, whatever a run says of itself: a simulated product is watched.
    pub exercise: bool,
    /// The program that supervises: this one.
    pub binary: PathBuf,
}

/// What came of asking for a command to be run.
pub enum Asked {
    /// It was started, or exercised: the new events, and what is still to be spawned.
    Started(Vec<Event>, Option<Spawn>),
    /// The template's commands were never approved by this user; these are what would be run.
    NotApproved(Vec<String>),
}

/// A command that was said to be started, and is not yet.
pub struct Spawn {
    /// The run.
    pub run: RunId,
    /// The event that says so.
    pub started: u64,
    /// The item.
    pub item: ItemId,
    job: Job,
}

impl Commands {
    /// The executor of a run: in anything but a live one it holds no way to a process.
    pub fn executor(&self, mode: Mode) -> Executor {
        match mode {
            Mode::Live if !self.exercise => Executor::Real(Spawner::new(self.binary.clone())),
            Mode::Live | Mode::DryRun | Mode::Drill => Executor::Exercise,
        }
    }

    /// Writes down that an item's command is started; where nothing is run, also that it was exercised.
    /// `ids` are those of the two events. Blocks.
    ///
    /// # Errors
    /// The ledger's.
    pub fn begin(
        &self,
        seen: &Run,
        item: &ItemId,
        author: &Author,
        approve: bool,
        ids: &[String; 2],
    ) -> Result<Asked, LedgerError> {
        let binds = seen.mode == Mode::Live && seen.template.has_process();
        if let Some(hash) = seen.template_hash.as_ref().filter(|hash| binds && !self.approved.has(hash)) {
            if !approve {
                return Ok(Asked::NotApproved(commands_of(seen)));
            }
            self.approved.add(hash).map_err(|source| LedgerError::NotSaved {
                what: "the approval of the template's commands".into(),
                source,
            })?;
        }
        let command = Command::Run { item: item.clone() };
        let mut events = self.ledger.append(seen, &expects(seen, &command), &ids[0], author, &command)?;
        let begun = events.iter().find_map(|event| match &event.fact {
            Fact::Started { item: of, argv, env, timeout } if event.id == ids[0] && of == item => {
                let job = Job { argv: argv.clone(), env: env.clone(), timeout: *timeout, dir: None };
                Some((event.seq, job))
            }
            _ => None,
        });
        let Some((started, job)) = begun else { return Ok(Asked::Started(events, None)) };
        if seen.mode == Mode::Live && !self.exercise {
            let spawn = Spawn { run: seen.id.clone(), started, item: item.clone(), job };
            return Ok(Asked::Started(events, Some(spawn)));
        }
        let mut run = seen.clone();
        for event in &events {
            run.apply(event);
        }
        let end = ended(item, started, EXERCISED.into(), Duration::ZERO, 0, None);
        events.extend(self.ledger.append(&run, &[], &ids[1], author, &end)?);
        Ok(Asked::Started(events, None))
    }

    /// Starts the supervisor of a command. Where that fails, the command is written down as not started.
    ///
    /// # Errors
    /// Why it was not started, in words.
    pub async fn spawn(&self, spawn: &Spawn, author: &Author) -> Result<(), String> {
        let dir = self.runs.join(spawn.run.as_str());
        let files = Files::of(&dir, spawn.started);
        let arguments: Vec<OsString> = [
            "supervise".into(),
            "--ledger".into(),
            self.runs.clone().into_os_string(),
            "--run".into(),
            spawn.run.as_str().into(),
            "--seq".into(),
            spawn.started.to_string().into(),
        ]
        .into();
        let executor = self.executor(Mode::Live);
        let why = match executor.start(&spawn.job, &arguments, &files.claim).await {
            // Somebody else has it: it runs.
            Ok(_) | Err(StartError::Claimed { .. }) => return Ok(()),
            // Whether it runs is not known, and must not be called "not started".
            Err(error @ StartError::Claim(_)) => return Err(error.to_string()),
            Err(error) => error.to_string(),
        };
        let end = ended(&spawn.item, spawn.started, format!("not started: {why}"), Duration::ZERO, 0, None);
        let (commands, run, author) = (self.clone(), spawn.run.clone(), author.clone());
        let told = tokio::task::spawn_blocking(move || commands.conclude(&run, &author, &end)).await;
        match told {
            Ok(Ok(_)) => Err(why),
            Ok(Err(error)) => Err(format!("{why}; {error}")),
            Err(error) => Err(format!("{why}; {error}")),
        }
    }

    /// Writes down how a command ended. Blocks.
    ///
    /// # Errors
    /// The ledger's.
    pub fn conclude(&self, run: &RunId, author: &Author, end: &Command) -> Result<Vec<Event>, LedgerError> {
        let run = self.ledger.open(run.as_str())?;
        self.ledger.append(&run, &[], &ulid::Ulid::generate().to_string(), author, end)
    }

    /// The end of a command's output, and whether whoever supervises it is still there.
    pub fn tail(&self, run: &RunId, started: u64) -> (String, bool) {
        let files = Files::of(&self.runs.join(run.as_str()), started);
        let text = exec::tail(&files.output, SHOWN).unwrap_or_default();
        let alive = match exec::claim::life(&files.claim) {
            Ok(exec::claim::Life::Gone) => false,
            // Claimed in a moment, on another machine, or not to be told: its time-out will tell.
            _ => true,
        };
        (text, alive)
    }

    /// Asks a command's supervisor to end it.
    ///
    /// # Errors
    /// The system's, in words.
    pub fn cancel(&self, run: &RunId, started: u64) -> std::io::Result<()> {
        exec::claim::cancel(&Files::of(&self.runs.join(run.as_str()), started).claim)
    }
}

/// Every command of a run's template, parameters filled in, a line each.
pub fn commands_of(run: &Run) -> Vec<String> {
    let commands = run.template.items.iter().filter_map(|item| match &item.kind {
        Kind::Command(command) => Some((item, command)),
        _ => None,
    });
    let filled = |argument: &String| {
        crate::checklist::params::fill(argument, &run.params).unwrap_or_else(|_| argument.clone())
    };
    commands
        .map(|(item, command)| {
            let argv = command.argv.iter().map(filled).collect();
            let job = Job { argv, env: command.env.clone(), timeout: command.timeout, dir: None };
            let with =
                if job.env.is_empty() { String::new() } else { format!(" (with {})", job.env.join(", ")) };
            format!("{}: {job}{with}", item.id)
        })
        .collect()
}

/// The end of a command as its supervisor tells it.
pub fn concluded(item: &ItemId, started: u64, outcome: &Outcome) -> Command {
    let told = match &outcome.status {
        Status::Exited(code) => format!("exit {code}"),
        Status::Signalled(signal) => format!("signal {signal}"),
        Status::TimedOut => "timed out".into(),
        other => other.to_string(),
    };
    let hash = crate::checklist::Hash(outcome.output_sha256.clone());
    ended(item, started, told, outcome.took, outcome.output_bytes, Some(hash))
}

fn ended(
    item: &ItemId,
    of: u64,
    outcome: String,
    took: Duration,
    bytes: u64,
    output: Option<crate::checklist::Hash>,
) -> Command {
    // Written down in whole milliseconds, and so read back as it was meant.
    let took = Duration::from_millis(took.as_millis() as u64);
    Command::Ended { item: item.clone(), of, outcome, took, bytes, output }
}
