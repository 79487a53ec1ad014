//! Files that somebody edited, removed or put there.

use super::*;

#[test]
fn an_edited_note_is_found_by_verify_and_the_run_does_not_open() {
    let desk = desk();
    let run = desk.start();
    desk.ledger.append(&run, &[], "E2", &ana(), &note("all roles checked")).unwrap();
    desk.ledger.append(&run, &[], "E3", &ana(), &note("more")).unwrap();
    desk.forge(&run, 2, |text| text.replace("all roles", "no roles"));
    let found = desk.verify(&run);
    let bad = found.first_bad.unwrap();
    assert_eq!((found.seq, bad.seq, bad.file.as_str()), (1, Some(2), "events/000002.toml"));
    assert!(bad.why.contains("edited"), "{}", bad.why);
    let error = desk.ledger.open(run.id.as_str()).unwrap_err();
    assert!(
        matches!(&error, LedgerError::Damaged { .. }) && error.to_string().contains("events/000002.toml"),
        "{error}"
    );
    let listed = &desk.ledger.list().unwrap()[0];
    assert!(listed.title.contains("damaged") && listed.seq == 0, "{}", listed.title);
}

#[test]
fn an_event_that_was_rewritten_with_its_hash_breaks_the_chain_behind_it() {
    let desk = desk();
    let run = desk.three();
    desk.forge(&run, 2, |text| {
        let mut event = crate::checklist::event_file::read(&text).unwrap();
        event.author = Author::unverified("eve");
        event.hash = crate::checklist::chain::hash(&event);
        crate::checklist::event_file::render(&event)
    });
    let bad = desk.verify(&run).first_bad.unwrap();
    assert_eq!(bad.seq, Some(3));
    assert!(bad.why.contains("does not follow"), "{}", bad.why);
}

#[test]
fn a_removed_middle_event_is_named_and_its_number_is_never_filled() {
    let desk = desk();
    let run = desk.three();
    std::fs::remove_file(desk.events(&run).join("000002.toml")).unwrap();
    let bad = desk.verify(&run).first_bad.unwrap();
    assert_eq!((bad.seq, bad.why.as_str()), (Some(2), "it is missing, though 000003.toml is there"));
    assert!(matches!(desk.ledger.open(run.id.as_str()), Err(LedgerError::Damaged { .. })));
}

#[test]
fn a_removed_tail_shows_only_against_a_head_that_was_written_down() {
    let desk = desk();
    let run = desk.three();
    let head = run.head.clone().unwrap();
    let verify = |head: &str| desk.ledger.verify(run.id.as_str(), Some(head)).unwrap();
    assert_eq!(verify(&head.0).first_bad, None);
    desk.tick(&run, "told", "E4").unwrap();
    assert_eq!(verify(head.short()).first_bad, None, "a head of some time ago is still in the chain");
    for seq in [3, 4] {
        std::fs::remove_file(desk.events(&run).join(events::name(seq))).unwrap();
    }
    assert_eq!(desk.verify(&run).first_bad, None);
    let found = verify(&head.0);
    assert_eq!((found.seq, found.first_bad.unwrap().seq), (2, Some(3)));
}

#[test]
fn a_program_that_had_read_a_tail_that_was_then_removed_does_not_write_on() {
    let desk = desk();
    let run = desk.three();
    std::fs::remove_file(desk.events(&run).join("000003.toml")).unwrap();
    let error = desk.tick(&run, "told", "E4").unwrap_err();
    assert!(error.to_string().contains("removed or replaced after this program had read it"), "{error}");
    assert_eq!(desk.files(&run), ["000001.toml", "000002.toml"]);
}

#[test]
fn torn_and_foreign_files_are_named_and_a_leftover_temporary_is_no_damage() {
    let desk = desk();
    let run = desk.three();
    std::fs::write(desk.events(&run).join(".tmp-01KAX"), "half").unwrap();
    assert!(desk.ledger.open(run.id.as_str()).is_ok());
    for foreign in ["notes.txt", "4.toml", "000004.toml~", "0000004.toml", "000000.toml"] {
        let path = desk.events(&run).join(foreign);
        std::fs::write(&path, "x").unwrap();
        let error = desk.ledger.open(run.id.as_str()).unwrap_err().to_string();
        assert!(error.contains(foreign), "{error}");
        let bad = desk.verify(&run).first_bad.unwrap();
        assert_eq!((bad.seq, bad.file), (None, format!("events/{foreign}")));
        std::fs::remove_file(path).unwrap();
    }
    let torn = desk.events(&run).join("000004.toml");
    for content in [&b""[..], b"schema = 1\nseq = 4\n", b"\xff\xfe", &vec![b'x'; 5 * 1024 * 1024]] {
        std::fs::write(&torn, content).unwrap();
        assert!(desk.ledger.open(run.id.as_str()).unwrap_err().to_string().contains("000004.toml"));
        assert!(matches!(desk.tick(&run, "told", "E5"), Err(LedgerError::Damaged { .. })));
        std::fs::remove_file(&torn).unwrap();
    }
    std::fs::create_dir(&torn).unwrap();
    assert!(desk.ledger.open(run.id.as_str()).unwrap_err().to_string().contains("no regular file"));
}

#[test]
fn a_template_edited_under_a_running_run_is_refused_in_words_for_reading_and_writing() {
    let desk = desk();
    let run = desk.start();
    let path = desk.ledger.run_dir(&run.id).join("template.toml");
    for edited in ["launch\nflags", "", "launch\nflags\nramp flags\ntold ramp\n"] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, edited).unwrap();
        for error in
            [desk.ledger.open(run.id.as_str()).unwrap_err(), desk.tick(&run, "flags", "E2").unwrap_err()]
        {
            let words = error.to_string();
            assert!(words.contains("template.toml: it was edited after the run began"), "{words}");
        }
        assert!(desk.verify(&run).first_bad.unwrap().why.contains("edited"));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(
        desk.ledger.open(run.id.as_str()).unwrap_err().to_string().contains("template.toml: it is missing")
    );
}

#[test]
fn run_toml_follows_every_event_and_is_never_believed() {
    let desk = desk();
    let run = desk.three();
    let view = desk.ledger.run_dir(&run.id).join("run.toml");
    let text = std::fs::read_to_string(&view).unwrap();
    assert!(
        text.contains("seq = 3")
            && text.contains(&run.head.as_ref().unwrap().0)
            && text.contains("settled = 2")
    );
    std::fs::write(&view, text.replace("stage = \"todo\"", "stage = \"done\"").replace("seq = 3", "seq = 9"))
        .unwrap();
    assert_eq!(desk.ledger.open(run.id.as_str()).unwrap().progress(), (2, 3));
    std::fs::remove_file(&view).unwrap();
    desk.tick(&run, "told", "E4").unwrap();
    assert!(std::fs::read_to_string(&view).unwrap().contains("settled = 3"));
}

/// Six events of different kinds.
fn six(desk: &Desk) -> Run {
    let run = desk.three();
    for (n, command) in [
        note("checked \"twice\" – größer"),
        Command::Reopen { item: "flags".into(), reason: "wrong host".into() },
        Command::SetT0 { t0: Time::from_millis(1_764_700_000_000) },
    ]
    .into_iter()
    .enumerate()
    {
        desk.ledger.append(&run, &[], &format!("E{}", n + 4), &ana(), &command).unwrap();
    }
    run
}

fn first_bad(desk: &Desk, run: &Run) -> (u64, Option<u64>) {
    let found = desk.verify(run);
    let bad = found.first_bad.unwrap();
    assert!(!bad.why.is_empty());
    (found.seq, bad.seq)
}

#[test]
fn a_flipped_byte_anywhere_in_any_event_is_found_in_that_event() {
    let desk = desk();
    let run = six(&desk);
    for seq in 1..=6 {
        let path = desk.events(&run).join(events::name(seq));
        let whole = std::fs::read(&path).unwrap();
        let put = |bytes: &[u8]| {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
        };
        for place in 0..whole.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bytes = whole.clone();
                bytes[place] ^= bit;
                put(&bytes);
                let found = first_bad(&desk, &run);
                assert_eq!(found, (seq - 1, Some(seq)), "byte {place} ^ {bit:#x} of event {seq}");
            }
        }
        for odd in [&whole[..whole.len() - 1], &whole[1..], &[][..], &[&whole[..], b"\n"].concat()] {
            put(odd);
            assert_eq!(first_bad(&desk, &run), (seq - 1, Some(seq)));
        }
        put(&whole);
        assert_eq!(desk.verify(&run).first_bad, None);
    }
}

#[test]
fn a_deleted_event_an_exchanged_pair_and_a_doubled_one_are_found_at_their_first_number() {
    let desk = desk();
    let run = six(&desk);
    let path = |seq| desk.events(&run).join(events::name(seq));
    let texts: Vec<Vec<u8>> = (1..=6).map(|seq| std::fs::read(path(seq)).unwrap()).collect();
    let put = |seq: u64, text: &[u8]| {
        let _ = std::fs::remove_file(path(seq));
        std::fs::write(path(seq), text).unwrap();
    };
    for a in 1..=6_u64 {
        if a < 6 {
            std::fs::remove_file(path(a)).unwrap();
            assert_eq!(first_bad(&desk, &run), (a - 1, Some(a)), "{a} deleted");
            put(a, &texts[a as usize - 1]);
        }
        for b in a + 1..=6 {
            put(a, &texts[b as usize - 1]);
            put(b, &texts[a as usize - 1]);
            assert_eq!(first_bad(&desk, &run), (a - 1, Some(a)), "{a} and {b} exchanged");
            put(a, &texts[a as usize - 1]);
            assert_eq!(first_bad(&desk, &run), (b - 1, Some(b)), "{a} again as {b}");
            put(b, &texts[b as usize - 1]);
        }
    }
    assert_eq!(desk.verify(&run).first_bad, None);
}
