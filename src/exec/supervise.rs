//! Runs one command to its end in a process of its own, whatever becomes of the terminal.
//!
//! What a supervisor cannot survive is KILL. Then its program is told nothing: it lives on until it
//! ends by itself, or until it writes, which ends it with SIGPIPE, as nobody reads its pipe any more.
//! To tie its life to the supervisor's would need `PR_SET_PDEATHSIG`, and that `unsafe` code. The
//! claim then says [`Gone`](super::claim::Life::Gone), no result comes, and the command is unknown.

use std::io;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::claim::claim;
use super::job::{Job, Outcome};
use super::program::program;

/// Why a command was not supervised. It was not run, either, by this process.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// Somebody claimed it before.
    #[error("the command was started already: {} exists", claim.display())]
    Claimed {
        /// The claim.
        claim: PathBuf,
    },
    /// It could not be claimed.
    #[error("the command cannot be claimed with {}: {source}", claim.display())]
    Claim {
        /// The claim.
        claim: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no signals.
    #[error("signals cannot be listened to: {0}")]
    Signals(io::Error),
}

/// The first act of a supervising process: it leaves the terminal's session for one of its own, and
/// from now on HUP, INT and QUIT do nothing to it. Must be called within the runtime.
///
/// # Errors
/// The system gives no signals.
pub fn settle() -> Result<(), SuperviseError> {
    // Refused where the process leads a group, as it does when a shell starts it; then it stays.
    let _ = rustix::process::setsid();
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()] {
        // Tokio's handler stays for the life of the process, also when nobody listens.
        let _ = signal(kind).map_err(SuperviseError::Signals)?;
    }
    Ok(())
}

/// Claims a command, runs it to its end and tells how it went. TERM to this process, which
/// [`cancel`](super::claim::cancel) sends, ends the command and not the process, which still has the
/// result to write down.
///
/// `output` is created, its directory must exist; so is `claim`, durably, before the program starts.
/// The variables that the job names come from this process's environment. Must be called within a
/// runtime that has time and signals.
///
/// # Errors
/// The command is claimed already, or cannot be. Never because of what the program does: also that it
/// could not be started is an outcome.
pub async fn supervise(job: &Job, output: &Path, claim: &Path) -> Result<Outcome, SuperviseError> {
    // Before the claim: from then on somebody may cancel.
    let mut term = signal(SignalKind::terminate()).map_err(SuperviseError::Signals)?;
    let cancelled = async {
        term.recv().await;
    };
    claimed(job, output, claim, cancelled).await
}

/// [`supervise`] without signals: `cancelled` comes from anywhere.
pub(super) async fn claimed(
    job: &Job,
    output: &Path,
    path: &Path,
    cancelled: impl Future<Output = ()>,
) -> Result<Outcome, SuperviseError> {
    claim(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => SuperviseError::Claimed { claim: path.to_owned() },
        _ => SuperviseError::Claim { claim: path.to_owned(), source },
    })?;
    Ok(program(job, |name| std::env::var_os(name), output, cancelled).await)
}
