//! Events: how they are named, hashed, written and read back.

use super::*;

#[test]
fn t0_outside_the_calendar_is_refused_because_it_could_not_be_written_down() {
    let mut run = run();
    let t0 = Time::parse("1e12").unwrap();
    assert_eq!(does(&mut run, &Command::SetT0 { t0 }), Err(Refused::NoDate));
    assert!(begin(&run.template, "", &Begun { t0: Some(t0), ..Begun::default() }, &ana()).is_err());
    let t0 = Time::parse("9999-12-30T21:59:59.999Z").unwrap();
    let event = does(&mut run, &Command::SetT0 { t0 }).unwrap();
    assert_eq!(event_file::read(&event_file::render(&event)), Ok(event));
}

#[test]
fn a_name_is_shown_without_the_mark_and_cannot_steer_the_terminal() {
    assert_eq!(Author::unverified("ana").by, "unverified:ana");
    assert_eq!(Author::unverified("unverified:ana").by, "unverified:ana");
    assert_eq!(Author::unverified("a\u{1b}[2J").name(), "a\\u{1b}[2J");
}

#[test]
fn an_event_reads_back_as_it_was_written_whatever_its_words_hold() {
    let mut run = run();
    let text = "quote \" back \\ line\nreturn\r tab\t esc\u{1b} del\u{7f} nel\u{85} ''' \u{202e} 日本 # [x]"
        .to_owned();
    let event = does(&mut run, &Command::Note { item: Some("flags".into()), text }).unwrap();
    assert_eq!(event_file::read(&event_file::render(&event)), Ok(event));
    let mut gated = run.clone();
    does(&mut gated, &tick("flags")).unwrap();
    let event = does(&mut gated, &tick_gate("queue")).unwrap();
    let file = event_file::render(&event);
    assert!(file.contains("at = 2025-12-02T14:02:11.204Z\n"), "{file}");
    assert!(file.ends_with("[[evidence]]\ntype = \"metric\"\nquery = \"max by (queue) (depth)\"\nvalue = \"NaN\"\nsampled = 2025-12-02T14:02:03.456Z\nsource = \"worker\"\n"), "{file}");
    assert_eq!(event_file::read(&file), Ok(event));
}

#[test]
fn every_line_of_an_event_file_is_guarded() {
    let mut run = run();
    does(&mut run, &tick("flags")).unwrap();
    let event = Event {
        author: Author { role: Some("captain".into()), ..ana() },
        ..does(&mut run, &tick_gate("queue")).unwrap()
    };
    let event = Event { hash: chain::hash(&event), ..event };
    let file = event_file::render(&event);
    assert_eq!(event_file::read(&file), Ok(event));
    for line in file.lines() {
        let without = file.replacen(&format!("{line}\n"), "", 1);
        assert!(event_file::read(&without).is_err(), "{line} could be removed");
        if let Some((key, value)) = line.split_once(" = ") {
            let forged = value.replace(['1', '2', 'a', 'e'], "4");
            if forged != value {
                assert!(
                    event_file::read(&file.replacen(line, &format!("{key} = {forged}"), 1)).is_err(),
                    "{line} could be edited"
                );
            }
        }
    }
}

#[test]
fn an_event_file_in_another_form_is_bad_even_if_it_says_the_same() {
    let mut run = run();
    let file = event_file::render(&does(&mut run, &tick("flags")).unwrap());
    for other in [
        file.clone() + "\n",
        format!("# hello\n{file}"),
        file.replace("kind = \"tick\"", "kind = 'tick'"),
        file.replace(".204Z", ".2040Z"),
        file.replace("kind = \"tick\"\n", "kind = \"tick\"\nreason = \"x\"\n"),
        file.replace('\n', "\r\n"),
    ] {
        assert_eq!(event_file::read(&other), Err(BadEvent::NotCanonical), "{other}");
    }
    assert_eq!(event_file::read(&file.replace("schema = 1", "schema = 2")), Err(BadEvent::Schema(2)));
    for broken in ["", "not toml [", "schema = 1\n", &file[..file.len() / 2], &file.replace("by =", "bye =")]
    {
        assert!(matches!(event_file::read(broken), Err(BadEvent::Unreadable(_))), "{broken}");
    }
}

#[test]
fn the_hash_is_the_documented_one() {
    let event = Event {
        seq: 2,
        id: "01KAX3R0".into(),
        at: Time::parse("2025-12-02T14:02:11.204Z").unwrap(),
        author: ana(),
        fact: Fact::Skip { item: "faq".into(), reason: "größer".into() },
        seen_rev: 7,
        prev: Hash::of(b""),
        hash: Hash(String::new()),
    };
    assert_eq!(
        chain::hash(&event).0,
        "sha256:ca887083d13b6d0deb478a98d693a60b1ea1ec9152905e8c72f0923655e0f666"
    );
}

#[test]
fn a_hash_may_be_named_by_its_first_digits() {
    let hash = Hash::of(b"");
    assert!(hash.is_named_by(&hash.0) && hash.is_named_by("e3b0c442"));
    assert!(
        hash.is_named_by("sha256:E3B0C44298") && !hash.is_named_by("e3b0") && !hash.is_named_by("e3b0c443")
    );
    assert_eq!(hash.short(), "e3b0c44298fc");
}
