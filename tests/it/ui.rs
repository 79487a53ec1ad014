//! The screen as people see it: whole frames of rooms that were made by messages.

mod sample;

use gonogo::app::State;
use gonogo::ui::{Theme, picture, svg, text};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (160, 48)];

fn shot(name: &str, state: &State, (width, height): (u16, u16)) {
    let buffer = picture(state, &Theme::dark(), width, height);
    if let Some(dir) = std::env::var_os("GONOGO_SHOTS") {
        let path = std::path::Path::new(&dir).join(format!("{name}_{width}x{height}.svg"));
        std::fs::write(path, svg::svg(&buffer, &Theme::dark())).unwrap();
    }
    insta::with_settings!({ snapshot_path => "ui/snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text::plain(&buffer));
    });
}

#[test]
fn every_room_at_every_size_looks_as_it_did() {
    for (name, state) in sample::all() {
        for size in SIZES {
            shot(name, &state, size);
        }
    }
}
