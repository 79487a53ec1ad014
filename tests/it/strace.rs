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
    // A call that another thread interrupts stands on two lines; its flags are on the first, which counts.
    let is_call = |call: &str| !call.contains("<... ");
    let child = |call: &&String| {
        let is_clone = call.contains("clone") && !call.contains("CLONE_THREAD");
        is_call(call) && (call.contains("fork(") || is_clone)
    };
    assert_eq!(calls.iter().find(child), None, "{calls:#?}");
}

#[test]
fn a_child_is_told_from_a_thread_also_where_a_call_stands_on_two_lines() {
    let told = |lines: &[&str]| {
        let start = ["1 execve(\"gonogo\") = 0"].iter().chain(lines);
        let calls: Vec<String> = start.map(|line| (*line).to_owned()).collect();
        std::panic::catch_unwind(|| no_process(&calls)).is_ok()
    };
    let thread = "1 clone3({flags=CLONE_VM|CLONE_THREAD, stack=1} <unfinished ...>";
    assert!(told(&[thread, "1 <... clone3 resumed> => {parent_tid=[2]}, 88) = 2"]));
    assert!(!told(&[
        "1 clone3({flags=CLONE_VM|CLONE_VFORK} <unfinished ...>",
        "1 <... clone3 resumed>) = 2"
    ]));
    assert!(
        !told(&["1 vfork( <unfinished ...>", "1 <... vfork resumed>) = 2"]) && !told(&["2 execve(\"sh\")"])
    );
}
