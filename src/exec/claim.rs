//! Who runs a command: a file that only one supervisor can create, so that nothing runs twice.
//!
//! A claim stays when its command is done. It names the process and when that began, so that a number
//! which the system gave to somebody else since is not taken for the supervisor. It has its name only
//! once it is written whole.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpid, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use super::kept::sync_parent;

/// Whether the supervisor that claimed a command lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nobody has claimed it.
    Unclaimed,
    /// Its supervisor lives: the command runs, or its result is being written down.
    Alive,
    /// Its supervisor is gone. If no result is in the ledger, nobody can tell what became of the
    /// command; it may even run still.
    Gone,
    /// It was claimed on another machine, of this name; only that one can tell.
    Elsewhere(String),
}

/// What a claim says.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    /// The machine.
    host: String,
    /// What changes when the machine starts again, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    /// The process.
    pid: i32,
    /// When the process began, in the system's own ticks, where it tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
}

impl Claim {
    /// By this process.
    fn own() -> Self {
        let pid = getpid();
        Self { host: host(), boot: boot(), pid: pid.as_raw_nonzero().get(), began: began(pid) }
    }

    /// What the file says; an error tells why it is no claim.
    fn read(path: &Path) -> io::Result<Self> {
        toml::from_str(&fs::read_to_string(path)?)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", path.display())))
    }

    fn life(&self) -> Life {
        if self.host != host() {
            return Life::Elsewhere(self.host.clone());
        }
        let alive = self.boot == boot() && self.process().is_some();
        if alive { Life::Alive } else { Life::Gone }
    }

    /// The process, if it still is the one that claimed.
    fn process(&self) -> Option<Pid> {
        // To the system, nought and less than nought mean whole groups.
        let pid = Some(self.pid).filter(|&pid| pid > 0).and_then(Pid::from_raw)?;
        let asked = test_kill_process(pid);
        let same = match (self.began, began(pid)) {
            (Some(then), Some(now)) => then == now,
            // It is gone, or it is somebody else's on a machine that hides those.
            (Some(_), None) => asked == Err(Errno::PERM),
            (None, _) => matches!(asked, Ok(()) | Err(Errno::PERM)),
        };
        same.then_some(pid)
    }
}

/// Claims a command for this process. Durable once it returns.
///
/// # Errors
/// `AlreadyExists` where it is claimed; otherwise the system's.
pub(super) fn claim(path: &Path) -> io::Result<()> {
    let mut name = OsString::from(".tmp-");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!("-{}", getpid()));
    let temp = path.with_file_name(name);
    let text = toml::to_string(&Claim::own()).map_err(io::Error::other)?;
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o440).open(&temp).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&temp, path)
        });
    let _ = fs::remove_file(&temp);
    written.and_then(|()| sync_parent(path))
}

/// Makes the directory that a claim and the output beside it lie in.
pub(super) fn make_room(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// The process that claimed, on whatever machine; `None` while nobody has.
///
/// # Errors
/// The claim exists and cannot be read.
pub(super) fn claimant(path: &Path) -> io::Result<Option<i32>> {
    Ok(found(path)?.map(|claim| claim.pid))
}

/// What has become of the supervisor that claimed.
///
/// # Errors
/// The claim exists and cannot be read.
pub fn life(path: &Path) -> io::Result<Life> {
    Ok(found(path)?.map_or(Life::Unclaimed, |claim| claim.life()))
}

fn found(path: &Path) -> io::Result<Option<Claim>> {
    match Claim::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Whether the supervisor that claimed lives on this machine. False is not the end of the command:
/// [`life`] tells the reasons apart.
pub fn is_alive(path: &Path) -> bool {
    matches!(life(path), Ok(Life::Alive))
}

/// Asks the supervisor to end the command: its group gets TERM, and KILL 5 seconds later. The
/// supervisor then writes down that the command was ended by a signal. Returns at once.
///
/// # Errors
/// No supervisor lives here that could be asked, or it belongs to somebody else.
pub fn cancel(path: &Path) -> io::Result<()> {
    let claim = Claim::read(path)?;
    let gone = |why: String| Err(io::Error::new(io::ErrorKind::NotFound, why));
    match (claim.life(), claim.process()) {
        (Life::Alive, Some(pid)) => kill_process(pid, Signal::TERM).map_err(|e| {
            io::Error::new(e.kind(), format!("the command's supervisor, process {pid}, cannot be asked: {e}"))
        }),
        (Life::Elsewhere(host), _) => gone(format!("the command was started on {host}; cancel it there")),
        _ => gone("the command's supervisor is gone".into()),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(target_os = "linux")]
fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// When a process began, in ticks since the machine started; `None` where it is gone.
#[cfg(target_os = "linux")]
fn began(pid: Pid) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name before it stands in brackets and may hold anything, brackets too.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    // A process that has ended and was not collected yet has a state, too.
    fields.next().filter(|state| !matches!(*state, "Z" | "X"))?;
    // proc_pid_stat(5) counts from 1, the state is field 3 and the start is field 22.
    fields.nth(18)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<String> {
    None
}

#[cfg(not(target_os = "linux"))]
fn began(_: Pid) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path, change: impl FnOnce(&mut Claim)) -> std::path::PathBuf {
        let mut claim = Claim::own();
        change(&mut claim);
        let path = dir.join("changed.claim");
        fs::write(&path, toml::to_string(&claim).unwrap()).unwrap();
        path
    }

    #[test]
    fn a_command_is_claimed_once_and_its_supervisor_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000001.claim");
        assert_eq!(life(&path).unwrap(), Life::Unclaimed);
        claim(&path).unwrap();
        assert_eq!(life(&path).unwrap(), Life::Alive);
        assert_eq!(claim(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing lies about");
    }

    #[test]
    fn a_number_that_is_somebody_elses_by_now_is_not_the_supervisor() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let other = written(dir.path(), |claim| (claim.pid, claim.began) = (pid, claim.began.map(|_| 1)));
        let alive = cfg!(not(target_os = "linux"));
        assert_eq!(is_alive(&other), alive, "it began at another moment");
        let itself =
            written(dir.path(), |claim| (claim.pid, claim.began) = (pid, began(Pid::from_raw(pid).unwrap())));
        assert!(is_alive(&itself));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(life(&itself).unwrap(), Life::Gone);
        assert!(cancel(&itself).unwrap_err().to_string().contains("is gone"));
    }

    #[test]
    fn another_machine_and_a_restarted_one_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = written(dir.path(), |claim| claim.host = "bastion-2".into());
        assert_eq!(life(&elsewhere).unwrap(), Life::Elsewhere("bastion-2".into()));
        assert!(cancel(&elsewhere).unwrap_err().to_string().contains("on bastion-2"));
        let restarted = written(dir.path(), |claim| claim.boot = Some("another".into()));
        assert_eq!(life(&restarted).unwrap(), Life::Gone);
    }

    #[test]
    fn what_is_no_claim_is_an_error_and_signals_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.claim");
        fs::write(&path, "pid = what").unwrap();
        assert!(life(&path).unwrap_err().to_string().contains("x.claim"));
        assert!(!is_alive(&path) && cancel(&path).is_err());
        for pid in [0, -1, -42] {
            let whole_group = written(dir.path(), |claim| (claim.pid, claim.began) = (pid, None));
            assert!(cancel(&whole_group).is_err(), "{pid}");
        }
    }
}
