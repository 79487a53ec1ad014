//! One program from its start to its end, with its time and its output.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::group::Group;
use super::job::{Job, Outcome, Status};
use super::kept::{Keeper, Kept};
use super::output::Reading;
use super::redact::Redactor;

/// How long a group gets to end after TERM.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the program, and ends its group where its time is over or `cancelled` comes. Its group is
/// ended also where the program leaves somebody behind in it, or the caller stops waiting. Whoever
/// leaves the group (`setsid`, a daemon) is out of reach.
///
/// `lookup` gives the value of an environment variable.
pub(super) async fn program(
    job: &Job,
    lookup: impl Fn(&str) -> Option<OsString>,
    output: &Path,
    cancelled: impl Future<Output = ()>,
) -> Outcome {
    let began = Instant::now();
    let (mut child, reading) = match start(job, &job.environment(lookup), output) {
        Ok(started) => started,
        Err(why) => return outcome(Status::NotStarted(why), Duration::ZERO, Kept::nothing(None)),
    };
    let group = Group::led_by(child.id());
    let status = tokio::select! {
        // A program that is done is done, also where it is cancelled in the same moment.
        biased;
        status = child.wait() => ended(status),
        () = cancelled => Status::Signalled(group.end(&mut child, GRACE).await.as_raw()),
        () = sleep(job.timeout) => {
            group.end(&mut child, GRACE).await;
            Status::TimedOut
        }
    };
    let took = began.elapsed();
    outcome(status, took, reading.rest(&group).await)
}

fn outcome(status: Status, took: Duration, kept: Kept) -> Outcome {
    Outcome {
        status,
        took,
        output_bytes: kept.bytes,
        output_sha256: kept.sha256,
        tail: kept.tail,
        unkept: kept.unkept,
    }
}

fn ended(status: io::Result<ExitStatus>) -> Status {
    match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(code), _)) => Status::Exited(code),
        Ok((None, Some(signal))) => Status::Signalled(signal),
        Ok((None, None)) => Status::Lost("it has neither an exit code nor a signal".into()),
        Err(e) => Status::Lost(e.to_string()),
    }
}

/// Creates the output file and starts the program; a text says why it cannot be.
fn start(
    job: &Job,
    environment: &BTreeMap<String, OsString>,
    output: &Path,
) -> Result<(Child, Reading), String> {
    let (name, arguments) = job.argv.split_first().ok_or("no program is named")?;
    let secret = environment.iter().filter(|(name, _)| job.keeps_secret(name));
    let redactor =
        Redactor::new(secret.map(|(_, value)| value.as_encoded_bytes())).map_err(|e| e.to_string())?;
    let keeper = Keeper::new(output)
        .map_err(|e| format!("the output file {} cannot be created: {e}", output.display()))?;
    let mut command = Command::new(name);
    command.args(arguments).env_clear().envs(environment).stdin(Stdio::null());
    if let Some(dir) = &job.dir {
        command.current_dir(dir);
    }
    let mut started = || {
        // One pipe for both, so that the system keeps what is written in order.
        let (reader, writer) = io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((command.process_group(0).kill_on_drop(true).spawn()?, pipe))
    };
    let (child, pipe) = started().map_err(|e: io::Error| match &job.dir {
        Some(dir) if !dir.is_dir() => {
            format!("{name} cannot be started in {}: no such directory", dir.display())
        }
        _ => format!("{name} cannot be started: {e}"),
    })?;
    Ok((child, Reading::begin(pipe, redactor, keeper)))
}
