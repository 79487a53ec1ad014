//! A capture of any bytes, its OpenMetrics and its JSON lines: words, never a panic.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};

use gonogo::sources::capture::Tape;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(dir) = tempfile::tempdir() else { return };
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (samples, lines) = data.split_at(at);
    let file = dir.path().join("c.om");
    let beside = PathBuf::from(format!("{}.jsonl", file.display()));
    let lines = lines.get(1..).unwrap_or_default();
    if fs::write(&file, samples).is_err() || (!lines.is_empty() && fs::write(beside, lines).is_err()) {
        return;
    }
    let Ok(tape) = Tape::open(&file) else { return };
    let config = include_str!("../../../config/demo.toml");
    let Ok((launch, _)) = gonogo::settings::parse("config", config, Path::new("."), None) else { return };
    let Ok(mut play) = tape.play(&launch, None) else { return };
    while let Ok(Some(_)) = play.next() {}
});
