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
