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
    let calls = Calls::of(&ledger, &["tick", &run, "flags", "--by", "ana"]);
    let events = format!("{run}/events>");
    calls.come_in_this_order(&[
        ("write of the event", &|c| wrote(c, "/events/.tmp-") && c.contains("kind = ")),
        ("fsync of the event", &|c| synced(c) && c.contains("/events/.tmp-")),
        ("link", &|c| linked(c, "000002.toml")),
        ("fsync of the directory", &|c| synced(c) && c.contains(&events)),
        ("word saved", &|c| c.contains("write(1") && c.contains("saved: flags done by ana")),
    ]);
}

#[test]
fn a_run_is_whole_and_durable_before_it_has_its_name_and_its_name_is_durable_before_it_is_told() {
    if !installed("strace") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("order", &["flags"]));
    let calls = Calls::of(&ledger, &["start", "order"]);
    calls.come_in_this_order(&[
        ("fsync of the ledger's parent", &|c| synced(c) && !c.contains("/runs")),
        ("write of the template", &|c| wrote(c, "/template.toml") && c.contains("The order list")),
        ("fsync of the template", &|c| synced(c) && c.contains("/template.toml")),
        ("write of event 1", &|c| wrote(c, "/events/.tmp-start") && c.contains("kind = ")),
        ("fsync of event 1", &|c| synced(c) && c.contains("/events/.tmp-start")),
        ("link of event 1", &|c| linked(c, "000001.toml")),
        ("fsync of events/", &|c| synced(c) && c.contains("/events>")),
        ("fsync of the run's directory", &|c| {
            synced(c) && c.contains("/runs/.tmp-") && !c.contains("/events") && !c.contains(".toml")
        }),
        ("the run's name", &|c| c.contains("rename") && c.contains("-order-") && !c.contains(".toml")),
        ("fsync of the ledger", &|c| synced(c) && c.contains("/runs>")),
        ("word started", &|c| c.contains("write(1") && c.contains("-order-")),
    ]);
}

/// The system calls of a `gonogo checklist` that went well.
struct Calls(Vec<String>);

/// Whether a line of `strace` is a call.
type Is<'c> = &'c dyn Fn(&str) -> bool;

impl Calls {
    fn of(ledger: &Path, args: &[&str]) -> Self {
        let log = ledger.parent().unwrap().join("calls");
        let filter = "trace=write,fsync,fdatasync,link,linkat,unlink,unlinkat,rename,renameat,renameat2";
        let output = under_strace(ledger, &log, &["-s", "4096", "-y", "-e", filter], args);
        assert!(output.status.success(), "{output:?}");
        Self(fs::read_to_string(&log).unwrap().lines().map(ToOwned::to_owned).collect())
    }

    /// The first of each comes after the first of the one before.
    fn come_in_this_order(&self, wanted: &[(&str, Is<'_>)]) {
        let all = self.0.join("\n");
        let mut last = None;
        for (what, is) in wanted {
            let place = self.0.iter().position(|call| is(call));
            let place = place.unwrap_or_else(|| panic!("no {what} in\n{all}"));
            assert!(last.is_none_or(|last| place > last), "{what} comes too early in\n{all}");
            last = Some(place);
        }
    }
}

fn synced(call: &str) -> bool {
    (call.contains("fsync(") || call.contains("fdatasync(")) && call.ends_with("= 0")
}

fn wrote(call: &str, to: &str) -> bool {
    call.contains("write(") && call.contains(to)
}

fn linked(call: &str, to: &str) -> bool {
    call.contains("link") && call.contains("/.tmp-") && call.contains(to) && call.ends_with("= 0")
}

/// `gonogo checklist` under `strace` with more options.
fn under_strace(ledger: &Path, log: &Path, options: &[&str], args: &[&str]) -> Output {
    let plain = gonogo(ledger);
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(log).args(options).arg(plain.get_program());
    command.args(plain.get_args()).args(args).current_dir(ledger.parent().unwrap());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.output().unwrap()
}

/// The real program, killed by the kernel when it enters each of its durable steps.
#[test]
fn a_tick_that_is_killed_at_a_system_call_is_there_whole_or_not_at_all() {
    if !installed("strace") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("killed-at", &["flags"]));
    for (call, nth, there) in
        [("fsync", 1, false), ("linkat", 1, false), ("unlink", 2, true), ("fsync", 2, true)]
    {
        let run = start(&ledger, "killed-at");
        let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
        let log = dir.path().join("calls");
        let killed = under_strace(&ledger, &log, &["-e", &inject], &["tick", &run, "flags", "--by", "ana"]);
        assert!(!killed.status.success() && !stdout(&killed).contains("saved"), "{call} {nth}: {killed:?}");
        assert_eq!(done(&ledger, &run).len(), usize::from(there), "killed at {call} {nth}");
        // Whoever was not told does it again, and is told.
        let again = tick(&ledger, &run, "flags").output().unwrap();
        assert_eq!(again.status.code(), Some(i32::from(there)), "{again:?}");
        assert_eq!(done(&ledger, &run).len(), 1);
        let events = fs::read_dir(ledger.join(&run).join("events")).unwrap();
        let names = events.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| !name.starts_with(".tmp-")).count(), 2);
    }
}

/// The real program on a disk that is full, read-only or broken.
#[test]
fn a_disk_that_fails_at_a_system_call_is_told_and_nothing_is_shown_as_done() {
    if !installed("strace") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), &template("failing", &["flags"]));
    for (inject, words, there) in [
        ("fsync:error=ENOSPC:when=1", "No space left on device", false),
        ("fsync:error=EIO:when=1", "Input/output error", false),
        ("linkat:error=EROFS:when=1", "Read-only file system", false),
        ("linkat:error=EPERM:when=1", "this file system has no hard links", false),
        ("fsync:error=EIO:when=2", "written, not confirmed: Input/output error", true),
    ] {
        let run = start(&ledger, "failing");
        let (log, inject) = (dir.path().join("calls"), format!("inject={inject}"));
        let output = under_strace(&ledger, &log, &["-e", &inject], &["tick", &run, "flags", "--by", "ana"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{inject}: {output:?}");
        assert!(told.contains(words) && !stdout(&output).contains("saved"), "{inject}: {told}");
        assert_eq!(done(&ledger, &run).len(), usize::from(there), "{inject}");
        let events = fs::read_dir(ledger.join(&run).join("events")).unwrap();
        assert_eq!(events.count(), 1 + usize::from(there), "{inject} leaves nothing else behind");
    }
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

/// Many processes tick the items of one list at once, each item from two sides, and a third of them is
/// killed at any moment. The full size with `GONOGO_SOAK=1`.
#[test]
fn of_many_processes_that_tick_a_thousand_items_and_are_killed_nothing_acknowledged_is_lost() {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let soak = std::env::var("GONOGO_SOAK").is_ok_and(|v| v == "1");
    let (workers, items) = if soak { (20, 1_000) } else { (8, 80) };
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..items).map(|n| format!("item-{n}")).collect();
    let ledger =
        ledger_with(dir.path(), &template("thousand", &ids.iter().map(String::as_str).collect::<Vec<_>>()));
    let run = start(&ledger, "thousand");
    let began = Instant::now();
    // Each item twice, at places far from each other.
    let (next, killed, ticks) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let acknowledged: Mutex<Vec<String>> = Mutex::default();
    thread::scope(|scope| {
        for worker in 0..workers {
            let (ledger, run, ids) = (&ledger, &run, &ids);
            let (next, killed, ticks, acknowledged) = (&next, &killed, &ticks, &acknowledged);
            scope.spawn(move || {
                let mut usual = Duration::from_millis(200);
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= items * 2 {
                        return;
                    }
                    let id = &ids[if turn % 2 == 0 { turn / 2 } else { (turn / 2 + items / 2) % items }];
                    // Again until somebody has it.
                    for attempt in 0.. {
                        ticks.fetch_add(1, Ordering::Relaxed);
                        let from = Instant::now();
                        let mut command = tick(ledger, run, id);
                        let mut child =
                            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                        let is_hit = (turn * 7 + attempt * 5 + worker) % 3 == 0 && attempt < 3;
                        if is_hit {
                            let share = ((turn * 37 + attempt * 11 + worker * 53) % 100) as f64 / 90.0;
                            thread::sleep(usual.mul_f64(share));
                            let _ = child.kill();
                        }
                        let output = child.wait_with_output().unwrap();
                        if output.status.code().is_none() {
                            killed.fetch_add(1, Ordering::Relaxed);
                        } else {
                            usual = (usual + from.elapsed()) / 2;
                        }
                        if stdout(&output).contains("saved: ") {
                            acknowledged.lock().unwrap().push(id.clone());
                            break;
                        }
                        let told = String::from_utf8_lossy(&output.stderr).into_owned();
                        if told.contains("is already done by ana at ") {
                            // It may have been killed with that on its lips.
                            assert!(matches!(output.status.code(), Some(1 | 5) | None), "{output:?}");
                            break;
                        }
                        assert_eq!(output.status.code(), None, "{output:?}");
                    }
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    let done = done(&ledger, &run);
    let (killed, ticks) = (killed.into_inner(), ticks.into_inner());
    println!(
        "{workers} processes at a time, {items} items, {ticks} ticks, {killed} killed, {} acknowledged, {} stored, in {:.0?}",
        acknowledged.len(),
        done.len(),
        began.elapsed()
    );
    let once: BTreeSet<String> = acknowledged.iter().cloned().collect();
    assert_eq!(once.len(), acknowledged.len(), "no item was acknowledged twice");
    assert!(once.is_subset(&done), "lost: {:?}", once.difference(&done));
    assert_eq!(done.len(), items);
    assert!(killed * 20 > ticks, "{killed} of {ticks} killed");
    let mut files: Vec<String> = fs::read_dir(ledger.join(&run).join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".tmp-"))
        .collect();
    files.sort();
    let dense: Vec<String> = (1..=items + 1).map(|seq| format!("{seq:06}.toml")).collect();
    assert_eq!(files, dense, "one event for the start and one for each item");
}
