//! The directory ledger under the real program: the order of its system calls, kill -9 in a loop, and
//! processes that race.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::checklist::{gonogo, ledger_with, start, template};

fn tick(ledger: &Path, run: &str, item: &str) -> Command {
    let mut command = gonogo(ledger);
    command.args(["tick", run, item, "--by", "ana"]);
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The items that `show` gives as done, and whether `verify` is content.
fn done(ledger: &Path, run: &str) -> BTreeSet<String> {
    let verified = gonogo(ledger).args(["verify", run]).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
    let shown = gonogo(ledger).args(["show", run, "--output", "json"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let items = shown["items"].as_array().unwrap().iter().filter(|item| item["stage"] == "done");
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Whether a tool is there; where servers are required, its absence fails.
pub(crate) fn installed(tool: &str) -> bool {
    let found = Command::new(tool).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        let required = std::env::var("GONOGO_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
        assert!(!required, "{tool} is not installed, and GONOGO_REQUIRE_SERVERS=1");
        eprintln!("NOT TESTED: {tool} is not installed");
    }
    found
}

#[test]
fn a_tick_is_written_synced_linked_and_its_name_synced_before_it_is_called_saved() {
    if !installed("strace") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("order", &["flags"]));
    let run = start(&ledger, "order");
    let log = dir.path().join("calls");
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "4096", "-o"])
        .arg(&log)
        .args(["-e", "trace=write,fsync,fdatasync,link,linkat,unlink,unlinkat"])
        .arg(env!("CARGO_BIN_EXE_gonogo"))
        .args(["checklist", "--ledger"])
        .arg(&ledger)
        .args(["tick", &run, "flags", "--by", "ana"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let calls = fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    let events = format!("{run}/events");
    let place = |what: &str, is: &dyn Fn(&str) -> bool| {
        calls.iter().position(|call| is(call)).unwrap_or_else(|| panic!("no {what} in\n{}", calls.join("\n")))
    };
    let synced = |call: &str| call.contains("fsync(") || call.contains("fdatasync(");
    let order = [
        place("write of the event", &|c| {
            c.contains("write(") && c.contains("/events/.tmp-") && c.contains("kind = ")
        }),
        place("fsync of the event", &|c| synced(c) && c.contains("/events/.tmp-")),
        place("link", &|c| {
            c.contains("link") && c.contains("/.tmp-") && c.contains("000002.toml") && c.ends_with("= 0")
        }),
        place("fsync of the directory", &|c| synced(c) && c.contains(&format!("{events}>"))),
        place("word saved", &|c| c.contains("write(1") && c.contains("saved: flags done by ana")),
    ];
    assert!(
        order.is_sorted() && order.windows(2).all(|two| two[0] < two[1]),
        "{order:?} in\n{}",
        calls.join("\n")
    );
}

/// Ticks in a round of the kill -9 loop; the last of each is left alone.
const TICKS: usize = 5;

/// What was shown as saved is there, whatever was killed when; a tenth of the soak unless
/// `GONOGO_SOAK=1`.
#[test]
fn no_tick_that_was_shown_as_saved_is_lost_to_kill_9() {
    let rounds = if std::env::var("GONOGO_SOAK").is_ok_and(|v| v == "1") { 200 } else { 20 };
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..rounds * TICKS).map(|n| format!("item-{n}")).collect();
    let ledger =
        ledger_with(dir.path(), &template("killed", &ids.iter().map(String::as_str).collect::<Vec<_>>()));
    let run = start(&ledger, "killed");
    let began = Instant::now();
    assert!(
        gonogo(&ledger).args(["note", &run, "how long does this take"]).output().unwrap().status.success()
    );
    let usual = began.elapsed();

    let (mut saved, mut killed) = (BTreeSet::new(), 0);
    for (n, id) in ids.iter().enumerate() {
        let mut child = tick(&ledger, &run, id).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        if n % TICKS < TICKS - 1 {
            // From at once to a little later than it usually takes, in steps that do not repeat.
            thread::sleep(usual.mul_f64((n * 37 % 100) as f64 / 80.0));
            let _ = child.kill();
        }
        let output = child.wait_with_output().unwrap();
        if stdout(&output).contains("saved") {
            saved.insert(id.clone());
        }
        killed += usize::from(output.status.code().is_none());
    }
    let done = done(&ledger, &run);
    println!(
        "kill -9: {rounds} rounds of {TICKS} ticks, {killed} killed, {} shown as saved, {} on disk, none lost",
        saved.len(),
        done.len()
    );
    assert!(saved.is_subset(&done), "lost: {:?}", saved.difference(&done));
    assert!(
        killed > 0 && !saved.is_empty(),
        "some must be hit and some not: {killed} killed, {} saved",
        saved.len()
    );
    let files: Vec<String> = fs::read_dir(ledger.join(&run).join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".tmp-"))
        .collect();
    let dense: BTreeSet<String> = (1..=files.len()).map(|seq| format!("{seq:06}.toml")).collect();
    assert_eq!(files.into_iter().collect::<BTreeSet<_>>(), dense);
}

#[test]
fn of_processes_that_tick_one_item_at_once_one_wins_and_the_others_are_told_who() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("race", &["one", "two", "three"]));
    let run = start(&ledger, "race");
    for item in ["one", "two", "three"] {
        let children: Vec<_> = (0..6)
            .map(|_| tick(&ledger, &run, item).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let outputs: Vec<Output> =
            children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let won = outputs.iter().filter(|output| output.status.code() == Some(0)).count();
        assert_eq!(won, 1, "{outputs:?}");
        for output in outputs.iter().filter(|output| output.status.code() != Some(0)) {
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(1 | 5)), "{output:?}");
            assert!(told.contains(&format!("{item} is already done by ana at ")), "{told}");
        }
    }
    assert_eq!(done(&ledger, &run).len(), 3);
}

#[test]
fn processes_that_tick_different_items_at_once_are_all_saved_in_one_dense_chain() {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..12).map(|n| format!("item-{n}")).collect();
    let ledger =
        ledger_with(dir.path(), &template("many", &ids.iter().map(String::as_str).collect::<Vec<_>>()));
    let run = start(&ledger, "many");
    let children: Vec<_> =
        ids.iter().map(|id| tick(&ledger, &run, id).stdout(Stdio::piped()).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && stdout(&output).starts_with("saved: "), "{output:?}");
    }
    assert_eq!(done(&ledger, &run), ids.into_iter().collect());
}

#[test]
fn a_watcher_hears_a_tick_of_another_process() {
    use gonogo::ledger::{DirectoryLedger, Ledger as _};
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("heard", &["flags"]));
    let id = start(&ledger, "heard");
    let parse = |text: &str| gonogo::settings::template("template.toml", text).map_err(|e| e.message);
    let clock = || gonogo::model::Time::from_millis(0);
    let reader = DirectoryLedger::new(ledger.clone(), std::sync::Arc::new(clock), std::sync::Arc::new(parse));
    let mut run = reader.open(&id).unwrap();
    let (tell, heard) = std::sync::mpsc::sync_channel(16);
    let watch = reader.watch(&run.id, Box::new(move || _ = tell.try_send(()))).unwrap();
    assert!(tick(&ledger, &id, "flags").output().unwrap().status.success());
    while run.progress().0 == 0 {
        heard.recv_timeout(Duration::from_mins(1)).expect("the watch never spoke");
        reader.read(&run.id, run.seq + 1).unwrap().iter().for_each(|event| run.apply(event));
    }
    drop(watch);
}
