//! kill -9 at every point of an append and of a start: what is there afterwards is whole, and what was
//! called saved is in it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;

/// A disk under a process that is killed when it comes to a point, of which each call has several.
struct Mortal {
    points: AtomicUsize,
    dies_at: usize,
}

impl Mortal {
    fn passes(&self, _point: &str) {
        if self.points.fetch_add(1, Ordering::Relaxed) == self.dies_at {
            // Without the panic hook: it is no panic of the ledger's.
            resume_unwind(Box::new("killed"));
        }
    }
}

impl Disk for Mortal {
    fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.passes("before the write");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all(&bytes[..bytes.len() / 2])?;
        self.passes("half written");
        file.write_all(&bytes[bytes.len() / 2..])?;
        self.passes("written and not synced");
        file.sync_all()?;
        self.passes("synced");
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.passes("before the link");
        RealDisk.link(from, to)?;
        self.passes("linked");
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.passes("before the directory's sync");
        RealDisk.sync_dir(path)?;
        self.passes("after it");
        Ok(())
    }
}

fn ledger_at(path: &Path, disk: Box<dyn Disk>) -> DirectoryLedger {
    let now = AtomicI64::new(1_764_690_000_000);
    let clock: Clock = Arc::new(move || Time::from_millis(now.fetch_add(1000, Ordering::Relaxed)));
    DirectoryLedger::on(disk, path.to_owned(), clock, Arc::new(parse))
}

/// Does something in a process that dies at point 0, 1, 2, … until it lives: how often it died.
fn each_death(mut life: impl FnMut(Box<dyn Disk>) -> bool) -> usize {
    for dies_at in 0.. {
        let disk = Mortal { points: AtomicUsize::new(0), dies_at };
        match catch_unwind(AssertUnwindSafe(|| life(Box::new(disk)))) {
            Ok(true) => return dies_at,
            Ok(false) => panic!("it failed without dying, at point {dies_at}"),
            Err(killed) => assert_eq!(killed.downcast_ref(), Some(&"killed")),
        }
    }
    unreachable!()
}

#[test]
fn a_tick_that_is_killed_anywhere_is_there_whole_or_not_at_all_and_is_sent_again_once() {
    let mut seqs = Vec::new();
    let mut before: Option<(Desk, Run)> = None;
    // What the process before left behind is looked at before the next one begins.
    let look = |before: &mut Option<(Desk, Run)>, seqs: &mut Vec<u64>| {
        let Some((desk, run)) = before.take() else { return };
        let after = ledger_at(desk.ledger.path(), Box::new(RealDisk));
        let found = after.open(run.id.as_str()).unwrap();
        assert_eq!(desk.verify(&run).first_bad, None);
        seqs.push(found.seq);
        assert_eq!(found.knows("E4"), found.seq == 4);
        // The same tick sent again by somebody who never heard of its end.
        let command = tick("told");
        let events = after.append(&run, &expects(&run, &command), "E4", &ana(), &command).unwrap();
        assert_eq!(events.iter().map(|e| (e.seq, e.id.as_str())).collect::<Vec<_>>(), [(4, "E4")]);
        let files: Vec<String> = desk.files(&run).into_iter().filter(|f| !f.starts_with(".tmp-")).collect();
        assert_eq!(files, ["000001.toml", "000002.toml", "000003.toml", "000004.toml"]);
        assert_eq!(after.verify(run.id.as_str(), None).unwrap().first_bad, None);
    };
    let deaths = each_death(|disk| {
        look(&mut before, &mut seqs);
        let desk = desk();
        let run = desk.three();
        let path = desk.ledger.path().to_owned();
        before = Some((desk, run.clone()));
        let command = tick("told");
        ledger_at(&path, disk).append(&run, &expects(&run, &command), "E4", &ana(), &command).is_ok()
    });
    look(&mut before, &mut seqs);
    assert_eq!(deaths, 8, "four points of the write, two of the link, two of the directory's sync");
    assert_eq!(seqs, [3, 3, 3, 3, 3, 4, 4, 4, 4], "it is there from the link on");
}

#[test]
fn a_start_that_is_killed_anywhere_leaves_a_whole_run_or_none() {
    let mut there = Vec::new();
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().join("never");
    let look = |path: &Path, there: &mut Vec<usize>| {
        let after = ledger_at(path, Box::new(RealDisk));
        let listed = after.list().unwrap();
        for run in &listed {
            assert_eq!(after.verify(run.id.as_str(), None).unwrap().first_bad, None);
            assert_eq!(run.title, "LAUNCH");
        }
        there.push(listed.len());
        let run = after.start(TEMPLATE, &Begun::default(), &ana()).unwrap();
        assert_eq!(after.list().unwrap().len(), there.last().unwrap() + 1);
        assert_eq!(after.open(run.id.as_str()).unwrap().seq, 1);
    };
    let mut life = 0;
    let deaths = each_death(|disk| {
        if life > 0 {
            look(&path, &mut there);
        }
        life += 1;
        path = dir.path().join(format!("a{life}/runs"));
        ledger_at(&path, disk).start(TEMPLATE, &Begun::default(), &ana()).is_ok()
    });
    look(&path, &mut there);
    assert!(deaths > 16, "{deaths}");
    assert!(there.is_sorted() && there.first() == Some(&0) && there.last() == Some(&1), "{there:?}");
}

/// A disk whose sync of a directory fails at the n-th call.
struct Unsynced {
    calls: AtomicUsize,
    fails_at: usize,
}

impl Disk for Unsynced {
    fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        RealDisk.write_synced(path, bytes)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.link(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.fails_at {
            return Err(Errno::IO.into());
        }
        RealDisk.sync_dir(path)
    }
}

#[test]
fn a_start_whose_directories_cannot_be_synced_is_not_called_started() {
    let dir = tempfile::tempdir().unwrap();
    let mut unconfirmed = 0;
    for fails_at in 0.. {
        let path = dir.path().join(format!("{fails_at}/runs"));
        let disk = Unsynced { calls: AtomicUsize::new(0), fails_at };
        let ledger = ledger_at(&path, Box::new(disk));
        match ledger.start(TEMPLATE, &Begun::default(), &ana()) {
            Ok(_) => {
                assert_eq!(fails_at, 5, "two parents, the events, the run, the ledger");
                break;
            }
            Err(LedgerError::Unconfirmed(_)) => {
                unconfirmed += 1;
                let run = ledger.list().unwrap().remove(0).id;
                let run = ledger.open(run.as_str()).unwrap();
                let refused = ledger.append(&run, &[], "E2", &ana(), &note("x")).unwrap_err();
                assert!(refused.to_string().contains("read only here"), "{refused}");
            }
            Err(LedgerError::NotSaved { .. }) => {
                let after = ledger_at(&path, Box::new(RealDisk));
                assert!(after.list().map_or(0, |runs| runs.len()) == 0, "sync {fails_at}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(unconfirmed, 1, "only the name of the run itself can be there without being durable");
}

#[test]
fn a_write_that_fails_is_said_with_the_system_s_word_and_changes_nothing() {
    for (errno, word) in [
        (Errno::NOSPC, "No space left on device"),
        (Errno::ROFS, "Read-only file system"),
        (Errno::IO, "Input/output error"),
        (Errno::DQUOT, "quota exceeded"),
        (Errno::ACCESS, "Permission denied"),
    ] {
        for fault in [Fault::Write(errno), Fault::Link(errno)] {
            let desk = desk();
            let run = desk.three();
            let before = serde_json::to_value(desk.ledger.open(run.id.as_str()).unwrap().items).unwrap();
            desk.fails_next(fault);
            let error = desk.tick(&run, "told", "E4").unwrap_err();
            let words = error.to_string();
            assert!(matches!(error, LedgerError::NotSaved { .. }) && words.contains(word), "{words}");
            assert!(words.starts_with("not saved: the event "), "{words}");
            let after = desk.ledger.open(run.id.as_str()).unwrap();
            assert_eq!((after.seq, serde_json::to_value(&after.items).unwrap()), (3, before));
            assert_eq!(desk.files(&run).len(), 3, "{fault:?}");
            assert_eq!(desk.tick(&run, "told", "E4").unwrap().len(), 1, "and again it is saved");
        }
    }
}
