//! The pictures in `screenshots/` are what the program draws today, at a fixed seed and time.
//!
//! `GONOGO_BLESS=1 cargo test --test it screenshots` makes them anew.

use std::path::Path;
use std::process::Command;

/// File, simulated time, size, keys.
const PICTURES: [(&str, &str, &str, &str); 4] = [
    ("room.svg", "28m", "160x48", "space j j space j space"),
    ("triage.svg", "28m", "80x24", "space j j space j space"),
    ("queues.svg", "29m", "160x48", "2"),
    ("gates.svg", "29m", "160x48", "0"),
];

#[test]
fn every_picture_is_what_the_demo_draws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let made = tempfile::tempdir().unwrap();
    for (file, at, size, keys) in PICTURES {
        let new = made.path().join(file);
        let status = Command::new(env!("CARGO_BIN_EXE_gonogo"))
            .args([
                "demo", "--by", "ana", "--theme", "dark", "--at", at, "--size", size, "--keys", keys, "--svg",
            ])
            .arg(&new)
            .status()
            .unwrap();
        assert!(status.success(), "{file}");
        if std::env::var_os("GONOGO_BLESS").is_some() {
            std::fs::copy(&new, folder.join(file)).unwrap();
        }
        let old = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let new = std::fs::read_to_string(&new).unwrap();
        assert!(new.contains("DEMO"), "{file} is marked as a demo");
        if old != new {
            let first = old.lines().zip(new.lines()).find(|(a, b)| a != b);
            panic!("{file} is not what the demo draws; first difference:\n{first:?}");
        }
    }
}
