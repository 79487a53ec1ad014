//! What the program asks of the system, by `strace`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::ledger::installed;

/// The program with these arguments, at home in a directory, and its system calls of these kinds; `None` where
/// `strace` is not installed.
pub fn traced(home: &Path, calls: &str, args: &[&str]) -> Option<(Output, Vec<String>)> {
    if !installed("strace") {
        return None;
    }
    let log = home.join("calls");
    let output = Command::new("strace")
        .current_dir(home)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .args(["-f", "-e", &format!("trace={calls}"), "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_gonogo"))
        .args(args)
        .output()
        .unwrap();
    let calls = fs::read_to_string(&log).unwrap();
    Some((output, calls.lines().map(ToOwned::to_owned).collect()))
}

/// The calls that start a process, for [`no_process`].
pub const PROCESSES: &str = "execve,execveat,fork,vfork,clone,clone3";

/// Nothing was started but the program itself: threads are no processes.
pub fn no_process(calls: &[String]) {
    assert_eq!(calls.iter().filter(|call| call.contains("execve")).count(), 1, "{calls:#?}");
    let child =
        |call: &&String| call.contains("fork(") || (call.contains("clone") && !call.contains("CLONE_THREAD"));
    assert_eq!(calls.iter().find(child), None, "{calls:#?}");
}
