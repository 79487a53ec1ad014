//! One short program, such as the one that prints a token: its output, and a time-out that ends it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{Instant, timeout, timeout_at};

use crate::model::duration::short;

use super::LINGER;
use super::group::Group;

/// The most of its output that is kept; the rest is read and thrown away, so that the program does
/// not stand still.
const MAX_OUTPUT: usize = 64 * 1024;
/// The most of what it says on stderr that is kept: the end, where the reason stands.
const STDERR_TAIL: usize = 4 * 1024;
/// How long a program gets to end after TERM.
const GRACE: Duration = Duration::from_millis(500);

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Output {
    /// What it wrote to stdout, at most 64 KiB.
    pub stdout: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
    /// The end of what it wrote to stderr; not harmless to print.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

/// Why a program gave no output.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// No program is named.
    #[error("no program is named")]
    Nothing,
    /// It could not be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// What was to be started.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It did not end in time; it and what it had started have been ended.
    #[error("{program} did not end in {}", short(*.after))]
    TimedOut {
        /// What was started.
        program: String,
        /// The time it had.
        after: Duration,
    },
    /// The system lost it.
    #[error("{program} could not be waited for: {source}")]
    Wait {
        /// What was started.
        program: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs a program without input and waits for its end, at most `limit`. The program leads a process
/// group of its own, and the whole group ends with it: at the time-out by TERM and half a second
/// later by KILL, and by KILL at once where the caller stops waiting.
///
/// # Errors
/// It could not be started or did not end in time; never for its exit status.
pub async fn run(argv: &[String], limit: Duration) -> Result<Output, ExecError> {
    let (program, arguments) = argv.split_first().ok_or(ExecError::Nothing)?;
    let named = || program.clone();
    let until = Instant::now() + limit;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| ExecError::Start { program: named(), source })?;
    let group = Group::led_by(child.id());
    let mut stdout = Kept::first(MAX_OUTPUT);
    let mut stderr = Kept::last(STDERR_TAIL);
    let pipes = (child.stdout.take(), child.stderr.take());
    let ended = {
        let reading = async {
            tokio::join!(stdout.drain(pipes.0), stderr.drain(pipes.1));
        };
        tokio::pin!(reading);
        let waiting = async {
            tokio::select! {
                status = child.wait() => Some(status),
                // Both pipes are closed; the program itself may still run.
                () = &mut reading => None,
            }
        };
        match timeout_at(until, waiting).await {
            Ok(Some(status)) => {
                let _ = timeout(LINGER, reading).await;
                Some(status)
            }
            Ok(None) => timeout_at(until, child.wait()).await.ok(),
            Err(_) => None,
        }
    };
    let Some(status) = ended else {
        group.end(&mut child, GRACE).await;
        return Err(ExecError::TimedOut { program: named(), after: limit });
    };
    let status = status.map_err(|source| ExecError::Wait { program: named(), source })?;
    Ok(Output {
        truncated: stdout.dropped,
        stdout: stdout.bytes,
        stderr: String::from_utf8_lossy(&stderr.bytes).into_owned(),
        status,
    })
}

/// The beginning or the end of a stream.
struct Kept {
    bytes: Vec<u8>,
    max: usize,
    from_end: bool,
    dropped: bool,
}

impl Kept {
    fn first(max: usize) -> Self {
        Self { bytes: Vec::new(), max, from_end: false, dropped: false }
    }

    fn last(max: usize) -> Self {
        Self { from_end: true, ..Self::first(max) }
    }

    async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 8 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            self.bytes.extend(buffer.iter().take(count));
            let excess = self.bytes.len().saturating_sub(self.max);
            self.dropped |= excess > 0;
            if self.from_end {
                self.bytes.drain(..excess);
            } else {
                self.bytes.truncate(self.max);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::exec::tests::runs;

    fn sh(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(String::from).to_vec()
    }

    #[tokio::test]
    async fn a_program_says_what_it_says_and_ends_as_it_ends() {
        let output = run(&sh("echo out; echo err >&2; exit 3"), Duration::from_secs(20)).await.unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_str()), (b"out\n".as_slice(), "err\n"));
        assert_eq!((output.status.code(), output.truncated), (Some(3), false));
    }

    #[tokio::test]
    async fn endless_output_is_capped_without_blocking_the_program() {
        let output =
            run(&sh("head -c 300000 /dev/zero; echo end >&2"), Duration::from_secs(20)).await.unwrap();
        assert_eq!(
            (output.stdout.len(), output.truncated, output.stderr.as_str()),
            (MAX_OUTPUT, true, "end\n")
        );
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_with_everything_it_started() {
        let pids = tempfile::NamedTempFile::new().unwrap();
        let script =
            format!("trap '' TERM; sleep 600 & echo $! > {}; wait; sleep 600", pids.path().display());
        let error = run(&sh(&script), Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
        assert_eq!(error.to_string(), "sh did not end in 300ms");
        let child = std::fs::read_to_string(pids.path()).unwrap().trim().parse().unwrap();
        let child = rustix::process::Pid::from_raw(child).unwrap();
        while runs(child) {
            sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn something_left_in_the_background_does_not_hold_the_answer_up() {
        let output = run(&sh("sleep 600 & echo token"), Duration::from_mins(1)).await.unwrap();
        assert_eq!(output.stdout, b"token\n");
    }

    #[tokio::test]
    async fn a_program_that_does_not_exist_is_named() {
        let error = run(&["gonogo-no-such-program".into()], Duration::from_secs(1)).await.unwrap_err();
        assert!(error.to_string().starts_with("gonogo-no-such-program cannot be started"), "{error}");
        assert!(matches!(run(&[], Duration::from_secs(1)).await, Err(ExecError::Nothing)));
    }
}
