//! The real program on a real terminal, watching every fault at once while keys are pressed.

use std::process::Command;
use std::time::{Duration, Instant};

use super::list::CASES;
use super::patient::Patient;
use crate::terminal::{PATIENCE, Pty, Start};

/// What the whole program may hold in memory, at its highest. One that is not optimised, as tests
/// build it, is larger in itself and leaves more behind.
const MOST_MEMORY: u64 = if cfg!(debug_assertions) { 160 << 20 } else { 64 << 20 };
/// A screen that answers no key for this long is dead; how long it takes is printed, and measured by
/// `.ci/run soak`.
const DEAD: Duration = Duration::from_secs(20);

/// How long each key took until the screen showed it.
#[derive(Default)]
struct Keys {
    took: Vec<Duration>,
    down: bool,
}

impl Keys {
    /// Moves the mark in the list by one line, and waits until it is seen there.
    fn press(&mut self, pty: &mut Pty) {
        let before = pty.marked_row();
        self.down = !self.down;
        let pressed = Instant::now();
        pty.type_now(if self.down { "j" } else { "k" });
        while pty.marked_row() == before {
            assert!(pressed.elapsed() < DEAD, "no key was answered for {DEAD:?}:\n{}", pty.screen());
            std::thread::sleep(Duration::from_micros(500));
        }
        self.took.push(pressed.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }

    /// Presses keys until the screen is as asked for.
    fn until(&mut self, pty: &mut Pty, what: &str, is: impl Fn(&str) -> Result<(), String>) {
        let begun = Instant::now();
        loop {
            self.press(pty);
            let screen = pty.screen();
            match is(&screen) {
                Ok(()) => return,
                Err(why) => assert!(begun.elapsed() < PATIENCE * 2, "{what} did not come: {why}\n{screen}"),
            }
        }
    }

    fn told(mut self) -> String {
        self.took.sort_unstable();
        let at = |part: f64| self.took[((self.took.len() - 1) as f64 * part) as usize];
        format!("{} keys: p50 {:?}, p99 {:?}, longest {:?}", self.took.len(), at(0.5), at(0.99), at(1.0))
    }
}

/// The line of a source in the list.
fn line<'s>(screen: &'s str, name: &str) -> Option<&'s str> {
    screen.lines().find(|line| line.split_whitespace().take(3).any(|word| word == name))
}

/// Whether every one of these sources is fresh.
fn all_fresh<'p>(screen: &str, patients: impl Iterator<Item = &'p Patient>) -> Result<(), String> {
    for patient in patients {
        let name = shown(patient);
        let line = line(screen, &name).ok_or(format!("{name} is not there"))?;
        if !line.contains("fresh") {
            return Err(line.to_owned());
        }
    }
    Ok(())
}

/// As much of a name as the list has room for.
fn shown(patient: &Patient) -> String {
    let name = patient.name();
    if name.len() <= 20 { name } else { format!("{}…", &name[..19]) }
}

/// What the list shows of the faults that make a poll fail; the others make a gate unknown and are
/// told by `rules`.
fn all_failed(screen: &str, patients: &[Patient]) -> Result<(), String> {
    for patient in patients {
        let name = shown(patient);
        let line = line(screen, &name).ok_or(format!("{name} is not there"))?;
        let words = patient.case().words(patient.kind());
        let told = line.contains("failed") && words.split('|').any(|words| line.contains(words));
        let told = told || line.contains("series left out");
        if !told && !patient.case().is_doubt() {
            return Err(format!("{words:?} in {line}"));
        }
    }
    Ok(())
}

fn high_water(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// `gonogo check` while they are sick: nothing passes, and it is not GO.
fn check_is_not_go(config: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    let output = command
        .args(["check", "--output", "json", "--timeout", "100s", "--config", config])
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(1 | 3 | 4)), "{output:?}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let passed: Vec<_> =
        json["gates"].as_array().unwrap().iter().filter(|gate| gate["verdict"] == "pass").collect();
    // Without an earlier answer nothing tells that a last line without a newline was cut.
    let unheard =
        passed.iter().filter(|gate| !gate["id"].as_str().unwrap().ends_with("content-length-too-short"));
    assert_eq!(unheard.count(), 0, "{passed:?}");
    assert_ne!(json["verdict"], "go");
}

#[test]
fn with_every_fault_at_once_keys_are_answered_memory_stays_small_and_all_recover() {
    // Each fault once, of one kind of source in turn; `rules` has them all.
    let patients: Vec<Patient> = CASES
        .iter()
        .enumerate()
        .map(|(n, case)| Patient::new(case, case.kinds[n % case.kinds.len()]))
        .collect();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ward.toml");
    std::fs::write(&file, super::config(&patients)).unwrap();
    let (home, file) = (place.path().to_str().unwrap(), file.to_str().unwrap());
    let env = [("HOME", home), ("WARD", file)];
    let start = Start { line: "exec $GONOGO --config $WARD", size: (220, 80), env: &env, ..Start::default() };
    let mut pty = Pty::start(&start);
    pty.until_shows("Ward");
    pty.press("s");
    pty.until_shows("polled");

    let mut keys = Keys::default();
    keys.until(&mut pty, "every sound source", |s| all_fresh(s, patients.iter().filter(|p| p.begins_well())));
    patients.iter().for_each(Patient::fall_sick);
    keys.until(&mut pty, "every fault, in words", |s| all_failed(s, &patients));
    std::thread::scope(|scope| {
        let check = scope.spawn(|| check_is_not_go(file));
        while !check.is_finished() {
            keys.press(&mut pty);
        }
        check.join().unwrap();
    });
    patients.iter().for_each(Patient::heal);
    keys.until(&mut pty, "recovery", |s| all_fresh(s, patients.iter().filter(|p| p.can_be_well())));
    let memory = high_water(pty.pid());
    println!(
        "{} sources, every fault at once: {}; memory at most {} KiB",
        patients.len(),
        keys.told(),
        memory >> 10
    );
    assert!(memory < MOST_MEMORY, "{} KiB", memory >> 10);
    pty.press("q");
    assert_eq!(pty.ended().0.exit_code(), 0);
}
