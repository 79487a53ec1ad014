//! Disks that are full, gone, or say one thing and do another.

use super::*;

#[test]
fn a_full_disk_leaves_nothing_and_says_so_with_the_path_and_the_system_s_word() {
    let desk = desk();
    let run = desk.start();
    desk.fails_next(Fault::Write(Errno::NOSPC));
    let error = desk.tick(&run, "flags", "E2").unwrap_err();
    assert!(matches!(error, LedgerError::NotSaved { .. }));
    let words = error.to_string();
    assert!(words.contains("events/.tmp-E2") && words.contains("No space left on device"), "{words}");
    assert_eq!(desk.files(&run), ["000001.toml"]);
    desk.tick(&run, "flags", "E2").unwrap();
    for fault in [Errno::ACCESS, Errno::ROFS, Errno::DQUOT, Errno::IO] {
        desk.fails_next(Fault::Link(fault));
        let error = desk.ledger.append(&run, &[], "E3", &ana(), &note("x")).unwrap_err();
        assert!(matches!(error, LedgerError::NotSaved { .. }), "{error}");
        assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
    }
}

#[test]
fn a_run_that_cannot_be_started_leaves_nothing_behind() {
    let desk = desk();
    for fault in [Fault::Write(Errno::NOSPC), Fault::Link(Errno::PERM)] {
        desk.fails_next(fault);
        assert!(matches!(
            desk.ledger.start(TEMPLATE, &Begun::default(), &ana()),
            Err(LedgerError::NotSaved { .. })
        ));
        assert_eq!(std::fs::read_dir(desk.ledger.path()).unwrap().count(), 0, "{fault:?}");
    }
}

#[test]
fn a_file_system_without_hard_links_is_told_by_name() {
    let desk = desk();
    let run = desk.start();
    for errno in [Errno::PERM, Errno::OPNOTSUPP] {
        desk.fails_next(Fault::Link(errno));
        let words = desk.tick(&run, "flags", "E2").unwrap_err().to_string();
        assert!(words.contains("this file system has no hard links"), "{words}");
    }
}

#[test]
fn a_directory_that_cannot_be_synced_makes_the_run_read_only_in_this_process() {
    let desk = desk();
    let run = desk.start();
    desk.fails_next(Fault::SyncDir(Errno::IO));
    let error = desk.tick(&run, "flags", "E2").unwrap_err();
    assert!(matches!(error, LedgerError::Unconfirmed(_)));
    assert!(error.to_string().starts_with("written, not confirmed"), "{error}");
    let run = desk.ledger.open(run.id.as_str()).unwrap();
    let refused = desk.tick(&run, "ramp", "E3").unwrap_err();
    assert!(refused.to_string().contains("read only here"), "{refused}");
    assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
}

#[test]
fn a_lost_reply_is_recognised_by_the_event_s_own_id_and_its_name_is_synced() {
    for errno in [Errno::EXIST, Errno::IO] {
        let desk = desk();
        let run = desk.start();
        desk.fails_next(Fault::LinkedButSaid(errno));
        let before = desk.syncs.load(Ordering::Relaxed);
        let events = desk.tick(&run, "flags", "E2").unwrap();
        assert_eq!(events.iter().map(|e| e.seq).collect::<Vec<_>>(), [2]);
        assert!(desk.syncs.load(Ordering::Relaxed) > before);
        assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
    }
}

#[test]
fn an_event_that_is_sent_twice_is_there_once_also_when_it_was_seen_between() {
    let desk = desk();
    let run = desk.start();
    let send = |run: &Run| desk.ledger.append(run, &[], "E2", &ana(), &note("hello")).unwrap();
    assert_eq!(send(&run).len(), 1);
    assert_eq!(send(&run).len(), 1);
    let seen = desk.ledger.open(run.id.as_str()).unwrap();
    assert_eq!(send(&seen), []);
    assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
}

#[test]
fn a_temporary_file_that_was_swept_away_is_written_again() {
    let desk = desk();
    let run = desk.start();
    desk.fails_next(Fault::Swept);
    assert_eq!(desk.tick(&run, "flags", "E2").unwrap().len(), 1);
    assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
}

#[test]
fn temporaries_are_swept_after_an_hour_and_not_before() {
    let desk = desk();
    let run = desk.start();
    let (old, young) = (desk.events(&run).join(".tmp-OLD"), desk.events(&run).join(".tmp-YOUNG"));
    for (path, minutes) in [(&old, 61), (&young, 59)] {
        std::fs::write(path, "half").unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(minutes * 60);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }
    desk.tick(&run, "flags", "E2").unwrap();
    assert!(!old.exists() && young.exists());
}

#[test]
fn a_view_that_cannot_be_written_does_not_undo_what_was_saved() {
    let desk = desk();
    let run = desk.start();
    let view = desk.ledger.run_dir(&run.id).join("run.toml");
    std::fs::remove_file(&view).unwrap();
    std::fs::create_dir_all(view.join("in the way")).unwrap();
    desk.tick(&run, "flags", "E2").unwrap();
    assert_eq!(desk.ledger.open(run.id.as_str()).unwrap().seq, 2);
}

#[test]
fn a_ledger_that_is_a_file_is_told_by_its_path() {
    let desk = desk();
    std::fs::create_dir_all(desk.dir.path().join("a")).unwrap();
    std::fs::write(desk.ledger.path(), "").unwrap();
    let error = desk.ledger.start(TEMPLATE, &Begun::default(), &ana()).unwrap_err();
    assert!(
        matches!(&error, LedgerError::NotSaved { .. }) && error.to_string().contains("a/runs"),
        "{error}"
    );
    assert!(matches!(desk.ledger.list(), Err(LedgerError::Unreadable { .. })));
}
