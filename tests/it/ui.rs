//! The screen as people see it: whole frames of rooms that were made by messages.

mod sample;

use gonogo::app::State;
use gonogo::ui::{Theme, picture, svg, text};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 48)];

fn shot(name: &str, state: &State, theme: &Theme, (width, height): (u16, u16)) {
    let buffer = picture(state, theme, width, height);
    if let Some(dir) = std::env::var_os("GONOGO_SHOTS") {
        let path = std::path::Path::new(&dir).join(format!("{name}_{width}x{height}.svg"));
        std::fs::write(path, svg::svg(&buffer, theme)).unwrap();
    }
    insta::with_settings!({ snapshot_path => "ui/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text::plain(&buffer));
    });
}

#[test]
fn every_room_at_every_size_looks_as_it_did() {
    for (name, state) in sample::all() {
        for size in SIZES {
            shot(name, &state, &Theme::dark(), size);
        }
    }
}

/// Zooms and dialogs by the keys that open them, on a launch in trouble.
const OPENED: [(&str, &str); 18] = [
    ("zoom_queues", "2"),
    ("zoom_queues_cursor", "2 left left left left left left left left left left left left"),
    ("zoom_api", "3 ]"),
    ("zoom_flags", "4"),
    ("zoom_tenants", "5 ["),
    ("zoom_identity", "6"),
    ("zoom_checklist", "8"),
    ("zoom_log", "9 j j"),
    ("zoom_gates", "0"),
    ("zoom_gates_holding", "0 j j"),
    ("zoom_sources", "s j j"),
    ("dialog_help", "?"),
    ("dialog_help_scrolled", "? G"),
    ("dialog_item_gate", "enter"),
    ("dialog_item_done", "g enter"),
    ("dialog_palette", ": g a"),
    ("dialog_note", "n m a d e ctrl-w o k"),
    ("dialog_skip", "j enter s"),
];

#[test]
fn every_zoom_and_dialog_looks_as_it_did() {
    for (name, keys) in OPENED {
        let mut state = sample::room(sample::Day::Trouble);
        state.write = true;
        let state = sample::pressed(state, keys);
        for size in [(80, 24), (120, 40)] {
            shot(name, &state, &Theme::dark(), size);
        }
    }
}

#[test]
fn alerts_stand_in_every_room_worst_first_and_alone_with_all_that_is_known_of_one() {
    use sample::alerts::{Alarm, room};
    for (name, alarm) in [("loud", Alarm::Loud), ("quiet", Alarm::Quiet), ("deaf", Alarm::Deaf)] {
        for size in SIZES {
            shot(&format!("alerts_{name}"), &room(alarm), &Theme::dark(), size);
            let zoomed = sample::pressed(room(alarm), "7 j");
            shot(&format!("zoom_alerts_{name}"), &zoomed, &Theme::dark(), size);
        }
    }
    let words = |alarm, keys: &str, (width, height): (u16, u16)| {
        text::plain(&picture(&sample::pressed(room(alarm), keys), &Theme::dark(), width, height))
    };
    for size in SIZES {
        let loud = words(Alarm::Loud, "", size);
        assert!(
            loud.contains("2 firing") || loud.contains("▲ 2 alerts firing TasksQueueOldestHigh"),
            "{loud}"
        );
        let quiet = words(Alarm::Quiet, "", size);
        assert!(quiet.contains("no alerts firing, 4 rules evaluated 3s ago"), "{quiet}");
        let deaf = words(Alarm::Deaf, "", size);
        assert!(deaf.contains("rules refused") && !deaf.contains("none firing"), "{deaf}");
    }
    let zoomed = words(Alarm::Loud, "7", (160, 48));
    for told in [
        "▲ firing    TasksQueueOldestHigh",
        "◇ silenced  BillingLate",
        "silenced by kim until 15:00",
        "▽ inhibited TasksApiSlow",
        "inhibited by DatabaseDown",
        "◔ pending   TasksQueueDepthHigh",
        "fires in 1m19s",
        "? unknown   Odd",
        "◉ watchdog  Watchdog",
        "https://runbooks.example.com/queue-stalled",
    ] {
        assert!(zoomed.contains(told), "{told}\n{zoomed}");
    }
    let nothing = sample::pressed(sample::room(sample::Day::Calm), "7");
    let nothing = text::plain(&picture(&nothing, &Theme::dark(), 160, 48));
    assert!(nothing.contains("no source of alerts in the config"), "{nothing}");
}

#[test]
fn what_was_granted_before_the_service_fell_silent_is_not_shown_as_granted_now() {
    let screen = |fault| {
        let state = sample::pressed(sample::identity::with_routes(fault), "6");
        let picture = picture(&state, &Theme::dark(), 160, 48);
        (text::plain(&picture), picture)
    };
    let fault = gonogo::model::Fault::new(gonogo::model::FaultCode::TimedOut, "no answer in 3s");
    let (good, good_cells) = screen(None);
    let (silent, silent_cells) = screen(Some(fault));
    let count = |text: &str, what: &str| text.matches(what).count();
    // An entitlement and a route.
    assert!(count(&good, "✓ granted") >= 2 && count(&good, "was granted") == 0, "{good}");
    assert_eq!(count(&silent, "✓ granted"), 0, "{silent}");
    assert_eq!(count(&silent, "? was granted"), count(&good, "✓ granted"), "{silent}");
    assert!(silent.contains("no answer in 3s, 2s stale"), "{silent}");
    // Nor does a name or a lack look as it did.
    for told in ["Globex", "there is no scope tasks:purge"] {
        let style = |text: &str, cells: &ratatui::buffer::Buffer| {
            let (y, line) = text.lines().enumerate().find(|(_, line)| line.contains(told)).unwrap();
            let x = line.split(told).next().unwrap().chars().count();
            let cell = &cells[(x as u16, y as u16)];
            (cell.fg, cell.modifier)
        };
        assert_ne!(style(&good, &good_cells), style(&silent, &silent_cells), "{told}");
    }
}

#[test]
fn the_identity_screen_tells_each_part_or_why_not_and_follows_one_organisation() {
    use sample::identity::{Teller, moved, room};
    let rooms = vec![
        ("identity_open", room(Teller::Open), "6"),
        ("identity_changes", room(Teller::Open), "6 tab tab tab tab j"),
        ("identity_one_org", room(Teller::Open), "6 enter"),
        ("identity_filter", room(Teller::Open), "6 / r a v enter"),
        ("identity_scoped", room(Teller::Scoped), "6"),
        ("identity_silent", room(Teller::Silent), "6"),
        ("identity_choose", room(Teller::Open), "o g l"),
        ("identity_room", moved(), ""),
        ("identity_tenants", room(Teller::Open), "o s t a enter 5"),
    ];
    for (name, state, keys) in rooms {
        let state = sample::pressed(state, keys);
        for size in [(80, 24), (160, 48)] {
            shot(name, &state, &Theme::dark(), size);
        }
    }
    let words = |state: State, keys: &str| {
        text::plain(&picture(&sample::pressed(state, keys), &Theme::mono().with_ascii(true), 160, 48))
    };
    let open = words(room(Teller::Open), "6");
    for told in [
        "Organisations  5 . 3 found",
        "traffic, not entitled",
        "traffic, entitlement ended",
        "traffic, no organisation",
        "Acting for others  2 active",
        "Sam as Eve (Globex)  read only",
        "ends 14:02 in 1m59s",
        "may change",
        "+tasks:read",
        "percent 10 ->25",
        "denied",
    ] {
        assert!(open.contains(told), "{told}\n{open}");
    }
    assert!(open.is_ascii(), "{open}");
    let scoped = words(room(Teller::Scoped), "6");
    for told in [
        "needs audit:read",
        "needs impersonation:read",
        "? needs entitlements:read",
        "not offered",
        "does not list environment production",
    ] {
        assert!(scoped.contains(told), "{told}\n{scoped}");
    }
    assert!(!scoped.contains("nobody acts"), "what is not told is not none\n{scoped}");
    assert!(words(room(Teller::Silent), "6").contains("no answer yet"));
    let one = words(room(Teller::Open), "6 j j j enter");
    assert!(one.contains("Acme only; gates go on to judge everybody"), "{one}");
    assert!(one.contains("role.updated") && !one.contains("task.deleted"), "{one}");
    let log = words(moved(), "9");
    assert!(log.contains("Noa acts as Bob (Globex), with changes"), "{log}");
    assert!(log.contains("Mei flag.enabled reports.v2: percent 100"), "{log}");
}

#[test]
fn the_footer_names_the_source_that_fails_first_and_says_since_when_and_why() {
    let state = sample::room(sample::Day::Trouble);
    for size in SIZES {
        let screen = text::plain(&picture(&state, &Theme::dark(), size.0, size.1));
        let footer: Vec<&str> = screen.lines().rev().take(2).collect();
        let line =
            footer.iter().find(|line| line.contains("✗ identity")).unwrap_or_else(|| panic!("{screen}"));
        let (_, told) = line.split_once("✗ identity for ").unwrap();
        let (since, why) = told.split_once(": ").unwrap();
        assert!(since.ends_with('s') && why.starts_with("answers 503 Service Unavailable"), "{line}");
        assert!(why.contains("● api") || why.contains("+2 fresh") || why.contains("+2 more"), "{line}");
    }
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_takes_and_what_is_at_stake() {
    let state = sample::room(sample::Day::Trouble);
    shot("card", &state, &Theme::dark(), (50, 10));
    let card = text::plain(&picture(&state, &Theme::dark(), 50, 10));
    for words in ["needs 60x15, is 50x10; q quits", "PROD LIVE", "NO-GO"] {
        assert!(card.contains(words), "{words}\n{card}");
    }
}

#[test]
fn leaving_while_something_is_saved_is_asked_about() {
    let mut state = sample::room(sample::Day::Calm);
    state.write = true;
    let state = sample::pressed(state, "g j j j j j space q");
    shot("dialog_quit", &state, &Theme::dark(), (80, 24));
}

#[test]
fn a_frame_in_ascii_holds_nothing_else_and_keeps_every_column() {
    for (name, state) in sample::all() {
        let state = sample::pressed(state, "2");
        let plain = text::plain(&picture(&state, &Theme::dark().with_ascii(true), 120, 40));
        assert!(plain.is_ascii(), "{name}\n{plain}");
    }
    let state = sample::room(sample::Day::Trouble);
    shot("ascii", &state, &Theme::mono().with_ascii(true), (120, 40));
}

/// A room for each thing that can be open, rich enough that every widget has something to draw.
fn everything() -> Vec<(&'static str, State)> {
    let opened = OPENED.iter().map(|(name, keys)| {
        let mut state = sample::room(sample::Day::Trouble);
        state.write = true;
        (*name, sample::pressed(state, keys))
    });
    sample::all().into_iter().chain(opened).collect()
}

#[test]
fn no_size_of_terminal_breaks_a_frame() {
    for (place, (_, state)) in everything().into_iter().enumerate() {
        for width in 0..=200_u16 {
            for height in 0..=60_u16 {
                // Every room sees the smallest sizes, and a twentieth of the others, another for each.
                let due = usize::from(width + 7 * height) % 20 == place % 20;
                if due || (width < 8 && height < 8) {
                    picture(&state, &Theme::dark(), width, height);
                }
            }
        }
    }
    println!("a twentieth of the sizes up to 200x60 for each room");
}

#[test]
fn what_is_at_stake_stands_in_every_frame() {
    for (name, mut state) in everything() {
        for (demo, badge) in [(true, "DEMO"), (false, "LIVE")] {
            state.demo = demo;
            for (width, height) in [(30, 3), (60, 15), (80, 24), (160, 48)] {
                let frame = text::plain(&picture(&state, &Theme::dark(), width, height));
                let mode = state.run.as_ref().map(|view| view.run.mode);
                if demo || mode != Some(gonogo::checklist::Mode::Drill) {
                    assert!(frame.contains(badge), "{name} {width}x{height}\n{frame}");
                }
            }
        }
    }
}

#[test]
fn every_theme_says_the_same_in_words_and_signs() {
    for (name, state) in everything() {
        let dark = text::plain(&picture(&state, &Theme::dark(), 120, 40));
        for theme in Theme::NAMES.into_iter().filter_map(Theme::named) {
            assert_eq!(text::plain(&picture(&state, &theme, 120, 40)), dark, "{name} {}", theme.name);
        }
    }
}

#[test]
fn a_number_is_shown_whole_or_not_at_all() {
    let state = sample::room(sample::Day::Trouble);
    for width in 60..=200 {
        let frame = text::plain(&picture(&state, &Theme::dark(), width, 48));
        let row = frame.lines().find(|line| line.starts_with("  tasks ")).unwrap();
        let cells = row.get(..row.find("  ✓").or(row.find("━ C")).unwrap_or(row.len())).unwrap();
        let numbers = cells.split_whitespace().filter(|cell| cell.starts_with(|c: char| c.is_ascii_digit()));
        for number in numbers {
            assert!(!number.contains('…'), "{width}: {row}");
        }
    }
}

#[test]
fn a_picture_is_well_formed_and_fetches_nothing() {
    for (name, state) in everything() {
        let picture = svg::svg(&picture(&state, &Theme::dark(), 120, 40), &Theme::dark());
        assert_eq!(
            picture.matches("http").count(),
            1 + picture.matches("http://127.0.0.1").count(),
            "{name}"
        );
        assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
        let outside_tags = picture.split('>').filter_map(|part| part.split('<').next());
        assert!(outside_tags.flat_map(str::chars).all(|c| !c.is_control() || c == '\n'), "{name}");
        assert!(!picture.contains("& "), "{name}");
    }
}

#[test]
fn the_text_field_has_the_terminals_cursor_behind_what_was_typed() {
    let mut state = sample::room(sample::Day::Calm);
    state.write = true;
    let state = sample::pressed(state, "n 日 本 x left");
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| gonogo::ui::view(&state, &Theme::dark(), frame)).unwrap();
    let cursor = ratatui::backend::Backend::get_cursor_position(terminal.backend_mut()).unwrap();
    let buffer = terminal.backend().buffer();
    assert_eq!(buffer.cell(cursor).unwrap().symbol(), "x");
    assert_eq!(buffer.cell((cursor.x - 2, cursor.y)).unwrap().symbol(), "本");
}

/// The room of a launch that people sign in to.
fn with_identity(day: sample::Day) -> State {
    use gonogo::model::credential::{CredentialDef, CredentialKind, Flow, SignInDef};
    let server = SignInDef {
        flow: Flow::Device,
        issuer: "https://identity.example.com".into(),
        client_id: "gonogo".into(),
        client_secret: None,
        scopes: Vec::new(),
        resource: None,
        audience: None,
        roles: None,
        name: None,
        role_names: std::collections::BTreeMap::new(),
        ca_file: None,
        route: gonogo::model::launch::Route::default(),
        allow_http: false,
    };
    let def = CredentialDef { name: "me".into(), kind: CredentialKind::SignIn(Box::new(server)) };
    let mut state = sample::room(day);
    let mut launch = (*state.launch).clone();
    launch.credentials.insert("me".into(), def);
    launch.identity = Some("me".into());
    state.launch = std::sync::Arc::new(launch);
    state
}

#[test]
fn signing_in_looks_as_it_did_and_the_header_says_who_is_there() {
    use gonogo::app::signing::SignInTold;
    use gonogo::app::{Effect, Key, Msg, update};
    use gonogo::model::Person;
    let mut state = with_identity(sample::Day::Trouble);
    let now = state.now;
    let effects = update(&mut state, Msg::Key(Key::char('S'), now));
    let [Effect::SignIn { ticket, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    for size in [(80, 24), (120, 40)] {
        shot("dialog_sign_in_asking", &state, &Theme::dark(), size);
    }
    let uri = "https://identity.example.com/device".to_owned();
    let life = std::time::Duration::from_secs(580);
    let code = SignInTold::Code { ticket: *ticket, user_code: "WDJB-MJHT".into(), uri, complete: None, life };
    update(&mut state, Msg::SignIn(code));
    for size in [(80, 24), (120, 40)] {
        shot("dialog_sign_in_code", &state, &Theme::dark(), size);
    }
    let why = "the sign-in was denied at the issuer".to_owned();
    update(&mut state, Msg::SignIn(SignInTold::Done { ticket: *ticket, outcome: Err(why) }));
    shot("dialog_sign_in_failed", &state, &Theme::dark(), (80, 24));
    state.dialog = None;
    let person = |ended: Option<&str>| Person {
        credential: "me".into(),
        name: "ada".into(),
        issuer: "https://identity.example.com".into(),
        subject: "u1".into(),
        claimed: Vec::new(),
        roles: Vec::new(),
        tells_roles: false,
        scopes: Vec::new(),
        withheld: Vec::new(),
        expires: None,
        clock_offset: Some(-600.0),
        remarks: Vec::new(),
        ended: ended.map(Into::into),
    };
    let header = |state: &State, width| {
        text::plain(&picture(state, &Theme::dark(), width, 48)).lines().next().unwrap().to_owned()
    };
    let kept = |person| Msg::SignIn(SignInTold::Kept(Ok(Some(Box::new(person)))));
    update(&mut state, kept(person(None)));
    let signed_in = header(&state, 200);
    assert!(signed_in.contains("  ada  ") && signed_in.contains("clock 10m fast"), "{signed_in}");
    update(&mut state, kept(person(Some("the sign-in has ended"))));
    for width in [120, 200] {
        assert!(header(&state, width).contains("ada: sign-in ended, S"), "{}", header(&state, width));
    }
}
