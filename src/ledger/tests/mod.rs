//! The directory ledger on a disk that fails where it is told to.

mod cache;
mod crash;
mod faults;
mod tampering;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use crate::checklist::{Begun, Item, expects};
use crate::ledger::disk::{Disk, RealDisk};
use crate::ledger::*;

/// What happens at the next link or sync, once; then the real thing again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Write(Errno),
    Link(Errno),
    /// The link is made and the reply is lost.
    LinkedButSaid(Errno),
    SyncDir(Errno),
    /// Somebody sweeps the temporary file before it is linked.
    Swept,
}

#[derive(Default)]
struct Faulty {
    next: Arc<Mutex<Option<Fault>>>,
    syncs: Arc<AtomicUsize>,
}

impl Faulty {
    fn take(&self, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut next = self.next.lock().unwrap();
        if next.is_some_and(wanted) { next.take() } else { None }
    }
}

impl Disk for Faulty {
    fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.take(|f| matches!(f, Fault::Write(_))) {
            Some(Fault::Write(errno)) => Err(errno.into()),
            _ => RealDisk.write_synced(path, bytes),
        }
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.take(|f| !matches!(f, Fault::SyncDir(_) | Fault::Write(_))) {
            Some(Fault::Link(errno)) => Err(errno.into()),
            Some(Fault::LinkedButSaid(errno)) => RealDisk.link(from, to).and(Err(errno.into())),
            Some(Fault::Swept) => std::fs::remove_file(from).and_then(|()| RealDisk.link(from, to)),
            _ => RealDisk.link(from, to),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        match self.take(|f| matches!(f, Fault::SyncDir(_))) {
            Some(Fault::SyncDir(errno)) => Err(errno.into()),
            _ => RealDisk.sync_dir(path),
        }
    }
}

/// The first line is the id; every other an item, with what it comes after.
fn parse(text: &str) -> Result<Template, String> {
    let mut lines = text.lines();
    let id = lines.next().filter(|id| !id.is_empty()).ok_or("it is empty")?;
    let items = lines.map(|line| {
        let mut words = line.split(' ');
        Item {
            id: words.next().unwrap_or_default().into(),
            title: line.into(),
            after: words.map(Into::into).collect(),
            ..Item::default()
        }
    });
    Ok(Template { id: id.into(), title: id.to_uppercase(), items: items.collect(), ..Template::default() })
}

const TEMPLATE: &str = "launch\nflags\nramp flags\ntold ramp";

struct Desk {
    dir: tempfile::TempDir,
    ledger: DirectoryLedger,
    next: Arc<Mutex<Option<Fault>>>,
    syncs: Arc<AtomicUsize>,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let disk = Faulty::default();
    let (next, syncs) = (disk.next.clone(), disk.syncs.clone());
    let now = Arc::new(AtomicI64::new(1_764_684_131_204));
    let clock: Clock = Arc::new(move || Time::from_millis(now.fetch_add(1000, Ordering::Relaxed)));
    let ledger = DirectoryLedger::on(Box::new(disk), dir.path().join("a/runs"), clock, Arc::new(parse));
    Desk { dir, ledger, next, syncs }
}

impl Desk {
    fn start(&self) -> Run {
        self.ledger.start(TEMPLATE, &Begun::default(), &ana()).unwrap()
    }

    fn fails_next(&self, fault: Fault) {
        *self.next.lock().unwrap() = Some(fault);
    }

    fn tick(&self, run: &Run, item: &str, event_id: &str) -> Result<Vec<Event>, LedgerError> {
        let command = tick(item);
        self.ledger.append(run, &expects(run, &command), event_id, &ana(), &command)
    }

    fn events(&self, run: &Run) -> std::path::PathBuf {
        self.ledger.run_dir(&run.id).join("events")
    }

    fn files(&self, run: &Run) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.events(run))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Rewrites an event file, read-only as it is.
    fn forge(&self, run: &Run, seq: u64, change: impl Fn(String) -> String) {
        let path = self.events(run).join(events::name(seq));
        let text = change(std::fs::read_to_string(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, text).unwrap();
    }

    /// A run with three events: start, flags, ramp.
    fn three(&self) -> Run {
        let run = self.start();
        self.tick(&run, "flags", "E2").unwrap();
        let run = self.ledger.open(run.id.as_str()).unwrap();
        self.tick(&run, "ramp", "E3").unwrap();
        self.ledger.open(run.id.as_str()).unwrap()
    }

    fn verify(&self, run: &Run) -> Verified {
        self.ledger.verify(run.id.as_str(), None).unwrap()
    }
}

fn ana() -> Author {
    Author::unverified("ana")
}

fn tick(item: &str) -> Command {
    Command::Tick { item: item.into(), evidence: Vec::new() }
}

fn note(text: &str) -> Command {
    Command::Note { item: None, text: text.into() }
}

#[test]
fn a_run_is_named_by_date_template_and_moment_and_begins_with_its_template_s_hash() {
    let desk = desk();
    let first = desk.start();
    assert_eq!(first.id.as_str(), "2025-12-02-launch-01kbfn");
    let again = desk.start();
    assert_ne!(first.id, again.id);
    assert!(again.id.as_str().starts_with("2025-12-02-launch-"));
    let kept = std::fs::read_to_string(desk.ledger.run_dir(&first.id).join("template.toml")).unwrap();
    assert_eq!(kept, TEMPLATE);
    assert!(!first.template_changed(TEMPLATE) && first.template_changed("launch\nflags"));
    let listed: Vec<RunId> = desk.ledger.list().unwrap().into_iter().map(|l| l.id).collect();
    assert_eq!(listed, [again.id, first.id], "newest first");
}

#[test]
fn the_same_moment_and_template_give_the_same_run_so_that_a_rehearsal_can_be_repeated() {
    let (a, b) = (desk().start(), desk().start());
    assert_eq!((a.id, a.head), (b.id, b.head));
}

#[test]
fn a_run_is_found_by_any_part_of_its_name_that_fits_no_other() {
    let desk = desk();
    let (a, b) = (desk.start(), desk.start());
    let tail = b.id.as_str().rsplit('-').next().unwrap().to_uppercase();
    assert_eq!(desk.ledger.open(&tail).unwrap().id, b.id);
    assert!(
        matches!(desk.ledger.open("launch"), Err(LedgerError::Ambiguous { names, .. }) if names.len() == 2)
    );
    let unknown = desk.ledger.open("lanch").unwrap_err().to_string();
    assert!(
        unknown.contains("no run \"lanch\"") && unknown.contains("did you mean 2025-12-02-launch-"),
        "{unknown}"
    );
    for hostile in ["..", ".", "/", "", "../runs"] {
        assert!(desk.ledger.open(hostile).is_err(), "{hostile}");
    }
    assert!(desk.ledger.open(a.id.as_str()).is_ok());
}

#[test]
fn the_second_of_two_ticks_on_one_item_is_told_who_was_first() {
    let desk = desk();
    let run = desk.start();
    desk.tick(&run, "flags", "E2").unwrap();
    let error = desk.tick(&run, "flags", "E3").unwrap_err();
    assert!(matches!(error, LedgerError::Conflict(_)));
    assert_eq!(error.to_string(), "flags is already done by ana at 14:02:12");
    assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"], "no temporary file stays");
}

#[test]
fn a_writer_who_is_behind_on_something_else_is_brought_up_to_date_and_saved() {
    let desk = desk();
    let run = desk.start();
    desk.ledger.append(&run, &[], "E2", &ana(), &note("one")).unwrap();
    let events = desk.tick(&run, "flags", "E3").unwrap();
    assert_eq!(events.iter().map(|e| (e.seq, e.id.as_str())).collect::<Vec<_>>(), [(2, "E2"), (3, "E3")]);
}

#[test]
fn a_tick_that_races_the_reopening_of_what_it_rests_on_loses() {
    let desk = desk();
    let run = desk.start();
    desk.tick(&run, "flags", "E2").unwrap();
    let seen = desk.ledger.open(run.id.as_str()).unwrap();
    let reopen = Command::Reopen { item: "flags".into(), reason: "wrong host".into() };
    desk.ledger.append(&seen, &expects(&seen, &reopen), "E3", &ana(), &reopen).unwrap();
    let error = desk.tick(&seen, "ramp", "E4").unwrap_err();
    assert_eq!(error.to_string(), "flags was opened again by ana at 14:02:13: wrong host");
}

#[test]
fn threads_that_tick_at_once_win_each_item_once_and_leave_a_whole_chain() {
    let desk = desk();
    let items: Vec<String> = (0..8).map(|n| format!("i{n}")).collect();
    let run = desk.ledger.start(&format!("race\n{}", items.join("\n")), &Begun::default(), &ana()).unwrap();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (desk, run, items, won) = (&desk, &run, &items, &won);
            scope.spawn(move || {
                for step in 0..items.len() {
                    let item = &items[(step + thread * 2) % items.len()];
                    match desk.tick(run, item, &format!("T{thread}S{step}")) {
                        Ok(_) => drop(won.fetch_add(1, Ordering::Relaxed)),
                        Err(LedgerError::Conflict(words)) => {
                            assert!(words.contains("already done by ana"), "{words}");
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(won.into_inner(), items.len());
    let found = desk.verify(&run);
    assert_eq!((found.seq, found.first_bad), (1 + items.len() as u64, None));
    assert_eq!(desk.files(&run).len(), 1 + items.len(), "no temporary file stays");
}

#[test]
fn a_watch_hears_what_others_write_and_ends_when_it_is_dropped() {
    let desk = desk();
    let run = desk.start();
    let (tell, heard) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let watch = desk.ledger.watch(&run.id, Box::new(move || _ = tell.lock().unwrap().send(()))).unwrap();
    heard.recv().unwrap();
    desk.tick(&run, "flags", "E2").unwrap();
    heard.recv().unwrap();
    assert_eq!(desk.ledger.read(&run.id, 2).unwrap().len(), 1);
    drop(watch);
    assert!(heard.recv().is_err(), "the thread and its callback are gone");
}

#[test]
fn reading_from_a_number_gives_the_events_from_there_in_order() {
    let desk = desk();
    let run = desk.three();
    let seqs = |from| desk.ledger.read(&run.id, from).unwrap().iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!((seqs(0), seqs(1), seqs(3), seqs(4)), (vec![1, 2, 3], vec![1, 2, 3], vec![3], vec![]));
}
