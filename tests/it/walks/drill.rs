//! A drill is harmless: whatever is pressed in it, no process is started and nobody is called.

use std::path::Path;

use serde_json::Value;

use crate::strace;

#[test]
fn a_drill_starts_no_process_and_talks_to_nobody_but_itself() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("runs");
    let args = [
        "drill",
        "api-errors",
        "--ledger",
        ledger.to_str().unwrap(),
        "--as",
        "captain",
        "--press",
        // The rollback's first item is a command: flagctl, which sets the flag to 0 %.
        "4m R",
        "--press",
        "4m5s x",
        "--output",
        "json",
    ];
    let wanted = format!("{},connect,sendto,sendmsg", strace::PROCESSES);
    let Some((output, calls)) = strace::traced(home.path(), &wanted, &args) else { return };
    let score: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    assert_eq!(score["run"].as_str().map(|run| ledger.join(run).is_dir()), Some(true), "{score}");
    // A command was done, and the product felt it: the drill exercised it.
    let commands = commands(&ledger);
    assert_eq!(commands, ["exercised"], "{score}");

    strace::no_process(&calls);
    let told: Vec<&String> = calls.iter().filter(|call| call.contains("connect(")).collect();
    assert!(told.len() > 3, "the product is asked over HTTP: {told:?}");
    for call in told {
        let loopback = call.contains("AF_INET,") && call.contains("inet_addr(\"127.0.0.1\")");
        assert!(loopback, "{call}");
    }
    // A datagram needs no connection.
    let datagram = calls.iter().find(|call| call.contains("sin_addr") && !call.contains("127.0.0.1"));
    assert_eq!(datagram, None);
}

/// How the commands of all runs ended.
fn commands(ledger: &Path) -> Vec<String> {
    let runs = std::fs::read_dir(ledger).unwrap().map(|run| run.unwrap().path().join("events"));
    let events = runs.filter(|dir| dir.is_dir()).flat_map(|dir| std::fs::read_dir(dir).unwrap());
    let events = events.map(|event| event.unwrap().path()).filter(|p| p.extension().is_some());
    let events = events.map(|event| std::fs::read_to_string(event).unwrap().parse::<toml::Table>().unwrap());
    events.filter_map(|event| event.get("outcome")?.as_str().map(ToOwned::to_owned)).collect()
}
