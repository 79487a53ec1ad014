//! Who runs the commands of a run: a supervisor, or nobody.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::claim::{claimant, make_room};
use super::job::{Job, described};
use crate::model::duration::short;

/// How long a supervisor may take to claim its command.
const BEGIN: Duration = Duration::from_secs(10);
/// How often is looked for the claim.
const LOOK: Duration = Duration::from_millis(10);

/// What a run hands its commands to. A run in mode `dry-run` or `drill` is given
/// [`Exercise`](Executor::Exercise), which holds nothing that a process could be started with.
#[derive(Debug)]
pub enum Executor {
    /// Commands are run.
    Real(Spawner),
    /// Commands are only told.
    Exercise,
}

/// Starts supervisors. Whoever has none starts none.
#[derive(Debug)]
pub struct Spawner {
    binary: PathBuf,
}

/// What came of a command that was to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A supervisor has claimed it: this process, which outlives the terminal.
    Supervised(i32),
    /// Nothing ran; this would have.
    Exercise(String),
}

/// Why no supervisor runs a command. It was not started by this attempt, and can be tried again
/// except where it is claimed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The job names no program.
    #[error("no program is named")]
    Nothing,
    /// It is claimed already.
    #[error("the command was started already, by process {by}")]
    Claimed {
        /// Who claimed it.
        by: i32,
    },
    /// There is no directory for its claim and output.
    #[error("no place for its output: {0}")]
    NoRoom(io::Error),
    /// The claim cannot be read.
    #[error("whether the command was started already cannot be told: {0}")]
    Claim(io::Error),
    /// The system starts no process.
    #[error("the supervisor {} cannot be started: {source}", binary.display())]
    Start {
        /// What was to be started.
        binary: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended before it had claimed the command.
    #[error("the supervisor ended before it began: {0}")]
    Ended(ExitStatus),
    /// It did not claim the command in time and was ended.
    #[error("the supervisor did not begin in {}, and was ended", short(BEGIN))]
    Late,
}

impl Executor {
    /// Starts a command, whose output lies beside its claim: `arguments` are those of the supervisor that runs the job and claims it with
    /// `claim`. In an exercise nothing is started. Must be called within a runtime that has time and
    /// signals.
    ///
    /// # Errors
    /// Nothing was started by this call.
    pub async fn start(&self, job: &Job, arguments: &[OsString], claim: &Path) -> Result<Begun, StartError> {
        if job.argv.is_empty() {
            return Err(StartError::Nothing);
        }
        match self {
            Self::Real(spawner) => {
                make_room(claim).map_err(StartError::NoRoom)?;
                spawner.start(arguments, claim).await.map(Begun::Supervised)
            }
            Self::Exercise => {
                Ok(Begun::Exercise(format!("EXERCISE: nothing ran; would run {}", described(job))))
            }
        }
    }
}

impl Spawner {
    /// Supervisors are copies of this program, which is
    /// [`current_exe`](std::env::current_exe) outside tests.
    pub fn new(binary: PathBuf) -> Self {
        Self { binary }
    }

    /// Starts a supervisor and waits until it has claimed its command, at most ten seconds.
    async fn start(&self, arguments: &[OsString], claim: &Path) -> Result<i32, StartError> {
        if let Some(by) = claimant(claim).map_err(StartError::Claim)? {
            return Err(StartError::Claimed { by });
        }
        let failed = |source| StartError::Start { binary: self.binary.clone(), source };
        // It leaves the session by itself: a process that leads a group from birth could not.
        let mut child = Command::new(&self.binary)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let own = child.id().and_then(|id| i32::try_from(id).ok());
        let began = Instant::now();
        loop {
            let over = child.try_wait().map_err(failed)?;
            // Looked at after the end: whatever it claimed, it has claimed by now.
            if let Some(by) = claimant(claim).map_err(StartError::Claim)? {
                return if own == Some(by) { Ok(by) } else { Err(StartError::Claimed { by }) };
            }
            if let Some(status) = over {
                return Err(StartError::Ended(status));
            }
            if began.elapsed() > BEGIN {
                let _ = child.kill().await;
                return match claimant(claim).map_err(StartError::Claim)? {
                    Some(by) => Ok(by),
                    None => Err(StartError::Late),
                };
            }
            sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(argv: &[&str]) -> Job {
        let argv = argv.iter().map(|&text| text.to_owned()).collect();
        Job { argv, env: vec!["FLAG_TOKEN".into()], timeout: Duration::from_mins(1), dir: None }
    }

    #[tokio::test]
    async fn an_exercise_tells_what_would_run_and_claims_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let claim = dir.path().join("000001.claim");
        let told = Executor::Exercise.start(&job(&["flagctl", "set", "a b"]), &[], &claim).await.unwrap();
        let want = "EXERCISE: nothing ran; would run flagctl set \"a b\" (at most 1m, with FLAG_TOKEN)";
        assert_eq!(told, Begun::Exercise(want.into()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let nothing = Executor::Exercise.start(&job(&[]), &[], &claim).await;
        assert!(matches!(nothing, Err(StartError::Nothing)));
    }

    #[tokio::test]
    async fn a_supervisor_that_ends_or_does_not_exist_before_it_claims_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let claim = dir.path().join("000001.claim");
        let real = |binary: &str| Executor::Real(Spawner::new(binary.into()));
        let script = ["-c", "exit 2"].map(OsString::from);
        let ended = real("/bin/sh").start(&job(&["x"]), &script, &claim).await.unwrap_err();
        assert_eq!(ended.to_string(), "the supervisor ended before it began: exit status: 2");
        let missing = real("/no/such/gonogo").start(&job(&["x"]), &[], &claim).await.unwrap_err();
        assert!(missing.to_string().starts_with("the supervisor /no/such/gonogo cannot be started: "));
    }

    #[tokio::test]
    async fn a_claimed_command_starts_no_second_supervisor() {
        let dir = tempfile::tempdir().unwrap();
        let (claim, mark) = (dir.path().join("000001.claim"), dir.path().join("ran"));
        super::super::claim::claim(&claim).unwrap();
        let real = Executor::Real(Spawner::new("/usr/bin/touch".into()));
        let refused = real.start(&job(&["x"]), &[mark.clone().into()], &claim).await.unwrap_err();
        let by = std::process::id();
        assert_eq!(refused.to_string(), format!("the command was started already, by process {by}"));
        assert!(!mark.exists());
    }
}
