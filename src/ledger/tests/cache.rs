//! `state.json` is a cache: what does not fit is thrown away.

use super::*;

/// A run of many notes with a snapshot, whose last event is `seq`.
fn noted(desk: &Desk, seq: u64) -> Run {
    let mut run = desk.three();
    for n in 4..=seq {
        let events = desk.ledger.append(&run, &[], &format!("E{n}"), &ana(), &note(&format!("note {n}")));
        events.unwrap().iter().for_each(|event| run.apply(event));
    }
    run
}

fn snapshot(desk: &Desk, run: &Run) -> std::path::PathBuf {
    desk.ledger.run_dir(&run.id).join("state.json")
}

/// The run as it is opened, comparable.
fn opened(desk: &Desk, run: &Run) -> serde_json::Value {
    sorted(&desk.ledger.open(run.id.as_str()).unwrap())
}

fn sorted(run: &Run) -> serde_json::Value {
    let mut json = serde_json::to_value(run).unwrap();
    json["ids"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    json
}

#[test]
fn an_opening_reads_the_snapshot_and_the_tail_and_gives_what_all_events_give() {
    let desk = desk();
    let run = noted(&desk, 70);
    assert!(snapshot(&desk, &run).is_file());
    assert_eq!(opened(&desk, &run), sorted(&run));
    // An event that lies before the snapshot is not read by an opening, and found by `verify`.
    desk.forge(&run, 5, |text| text.replace("note 5", "note V"));
    assert_eq!(opened(&desk, &run), sorted(&run));
    assert_eq!(desk.verify(&run).first_bad.unwrap().seq, Some(5));
    // Without the snapshot the opening finds it too.
    std::fs::remove_file(snapshot(&desk, &run)).unwrap();
    let error = desk.ledger.open(run.id.as_str()).unwrap_err().to_string();
    assert!(error.contains("events/000005.toml"), "{error}");
}

#[test]
fn a_snapshot_with_any_byte_changed_is_thrown_away() {
    let desk = desk();
    let run = noted(&desk, 40);
    let path = snapshot(&desk, &run);
    let whole = std::fs::read(&path).unwrap();
    let expected = sorted(&run);
    for place in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        for bit in [0x01, 0x20, 0x80] {
            let mut bytes = whole.clone();
            bytes[place] ^= bit;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(opened(&desk, &run), expected, "byte {place} ^ {bit:#x}");
        }
    }
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(opened(&desk, &run), expected, "cut at {cut}");
    }
}

#[test]
fn a_snapshot_of_another_program_another_form_or_another_run_is_thrown_away() {
    let desk = desk();
    let (one, other) = (noted(&desk, 40), noted(&desk, 40));
    let text = std::fs::read_to_string(snapshot(&desk, &one)).unwrap();
    let version = format!("\"program\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version) && text.contains("\"form\":1"), "{}", &text[..80]);
    // What it says is forged, so that believing it would show.
    let forged = text.replace("\"stage\":\"todo\"", "\"stage\":\"done\"");
    assert_ne!(forged, text);
    let body = |text: &str| {
        let start = text.find("\"run\":").unwrap() + 6;
        text[start..text.len() - 1].to_owned()
    };
    let hashed = forged.replace(
        &crate::checklist::Hash::of(body(&text).as_bytes()).0,
        &crate::checklist::Hash::of(body(&forged).as_bytes()).0,
    );
    for stale in [
        forged.clone(),
        hashed.replace(&version, "\"program\":\"0.0.9\""),
        hashed.replace("\"form\":1", "\"form\":2"),
    ] {
        std::fs::write(snapshot(&desk, &one), stale).unwrap();
        assert_eq!(opened(&desk, &one), sorted(&one));
    }
    // The same without one of these is believed: the three above are what they are thrown away for.
    std::fs::write(snapshot(&desk, &one), &hashed).unwrap();
    assert_ne!(opened(&desk, &one), sorted(&one));
    std::fs::copy(snapshot(&desk, &other), snapshot(&desk, &one)).unwrap();
    assert_eq!(opened(&desk, &one), sorted(&one));
}

#[test]
fn a_snapshot_that_is_ahead_of_a_chain_that_was_cut_is_thrown_away() {
    let desk = desk();
    let run = noted(&desk, 40);
    for seq in 20..=40 {
        std::fs::remove_file(desk.events(&run).join(events::name(seq))).unwrap();
    }
    let found = desk.ledger.open(run.id.as_str()).unwrap();
    assert_eq!((found.seq, found.notes.len()), (19, 16));
    // Nothing of what was cut counts as seen, so its ids may come again.
    assert!(found.knows("E19") && !found.knows("E20"));
    assert_eq!(desk.ledger.append(&found, &[], "E20", &ana(), &note("again")).unwrap().len(), 1);
    // The snapshot that is due next is of the chain as it is now.
    assert_eq!(desk.verify(&run).first_bad, None);
}
