//! A small launch for a room on a terminal: its numbers are what the test says, its list takes a minute.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::checklist::gonogo;
use crate::checklist::numbers::Meter;
use crate::terminal::{PATIENCE, Pty, Start};

/// Every kind of item, a hold that ends by poll, a trigger, and a way back.
const LAUNCH: &str = r#"
schema = 1
id = "walk"
title = "A short launch"
rollback = "back"

[[hold]]
id = "stations"
title = "The stations are asked"
at = "T-00:00:10"
max = "30m"
exit = "poll"
poll = ["captain", "sre"]

[[trigger]]
id = "too-deep"
title = "The queue is too deep"
signal = "depth"
op = ">"
value = 500
for = "1s"
action = "propose-rollback"
answer-within = "ANSWER"

[[item]]
id = "plan-read"
section = "Before"
title = "The plan was read"

[[item]]
id = "load-tested"
title = "The load test passed"
evidence = ["link"]

[[item]]
id = "agreed"
title = "Captain and on-call agree"
signoff = { count = 2, roles = ["captain", "sre"] }

[[item]]
id = "queue-short"
title = "The queue is short"
kind = "gate"
[item.gate]
signal = "depth"
op = "<"
value = 100
hold = "1500ms"

[[item]]
id = "flag-on"
section = "Go"
title = "The flag is on"
kind = "command"
after = ["plan-read", "queue-short"]
[item.command]
argv = ["SCRIPT", "on"]
timeout = "TIMEOUT"
confirm = "type-id"

[[item]]
id = "told"
title = "Everybody is told"
kind = "message"
message = "told.md"
channel = "bridge"

[[item]]
id = "settled"
title = "It has settled"
kind = "wait"
for = "2s"
"#;

const BACK: &str = r#"
schema = 1
id = "back"
title = "Back to where we were"
kind = "rollback"

[[item]]
id = "flag-off"
section = "Now"
title = "The flag is off"
kind = "command"
[item.command]
argv = ["SCRIPT", "off"]
timeout = "TIMEOUT"
confirm = "press"

[[item]]
id = "people-told"
title = "Everybody knows"

[[item]]
id = "queue-recovered"
title = "The queue is short again"
kind = "gate"
[item.gate]
signal = "depth"
op = "<"
value = 100
"#;

const MESSAGE: &str = "{{ launch.product }} goes on. Waiting: {{ signal(\"depth\") }}. {{ verdict }}.\n";

/// What the command does: it says so, waits until it may end where a file says so, and leaves a trace.
const SCRIPT: &str = "#!/bin/sh\n\
     cd \"$(dirname \"$0\")\"\n\
     echo \"$1 begun\" >> trace\n\
     while [ -e wait ]; do sleep 0.05; done\n\
     echo \"$1 done\" >> trace\n\
     echo \"flag is $1\"\n";

/// The launch in a directory of its own.
pub(super) struct Place {
    dir: tempfile::TempDir,
    /// What its one number is.
    pub(super) meter: Meter,
}

impl Place {
    /// A launch without a run, whose queue is short.
    pub(super) fn new() -> Self {
        Self::with("20s", "30s")
    }

    /// With so long to answer what is proposed, and so long for a command.
    pub(super) fn with(answer: &str, timeout: &str) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap(), meter: Meter::at(5.0) };
        let script = place.file("flag");
        let list = |text: &str| {
            let text = text.replace("SCRIPT", script.to_str().unwrap());
            text.replace("ANSWER", answer).replace("TIMEOUT", timeout)
        };
        let config = format!(
            "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n\
             checklist = \"walk.toml\"\n[ledger]\nkind = \"directory\"\npath = \"runs\"\n\
             [source.worker]\nkind = \"scrape\"\nurls = [\"{}\"]\nevery = \"500ms\"\ntimeout = \"2s\"\n\
             [[signal]]\nid = \"depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"worker\"\n\
             unit = \"jobs\"\nquery = \"queue_depth\"\n",
            place.meter.url()
        );
        for (name, text) in [
            ("gonogo.toml", config),
            ("walk.toml", list(LAUNCH)),
            ("back.toml", list(BACK)),
            ("told.md", MESSAGE.into()),
            ("flag", SCRIPT.into()),
        ] {
            fs::write(place.file(name), text).unwrap();
        }
        let mut may = fs::metadata(&script).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut may, 0o755);
        fs::set_permissions(&script, may).unwrap();
        place
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the command has left behind so far.
    pub(super) fn trace(&self) -> String {
        fs::read_to_string(self.file("trace")).unwrap_or_default()
    }

    /// A room on a terminal of its own.
    pub(super) fn room(&self, args: &str) -> Pty {
        let config = self.file("gonogo.toml");
        let line = format!(
            "unset XDG_STATE_HOME XDG_CONFIG_HOME XDG_DATA_HOME; exec $GONOGO --config {} {args}",
            config.display()
        );
        let home = self.dir.path().to_str().unwrap();
        Pty::start(&Start { line: &line, env: &[("HOME", home), ("USER", "nobody")], ..Start::default() })
    }

    /// A room for the captain, with a run that has begun and the desk taken.
    pub(super) fn captain_s_room(&self) -> Pty {
        let mut room = self.room("--write --as captain --by ana");
        room.until_shows("no run of this checklist yet");
        room.press(":start\r");
        room.until_shows("0/7");
        room.until_shows("desk ana");
        room
    }

    fn verb(&self, args: &[&str]) -> Output {
        gonogo(&self.file("runs")).args(args).args(["--output", "json"]).output().unwrap()
    }

    /// Does something from the command line, and what that says; it must be done.
    pub(super) fn does(&self, args: &[&str]) -> Value {
        let output = self.verb(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// As [`Place::does`], by raj in the role of sre.
    pub(super) fn raj_does(&self, args: &[&str]) -> Value {
        self.does(&[args, &["--by", "raj", "--as", "sre"]].concat())
    }

    /// The name of the run of a list.
    pub(super) fn run(&self, list: &str) -> String {
        let listed = self.does(&["list"]);
        let runs = listed["runs"].as_array().unwrap();
        let run = runs.iter().find(|run| run["id"].as_str().unwrap().contains(&format!("-{list}-")));
        run.unwrap_or_else(|| panic!("no run of {list}: {listed}"))["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn show(&self, list: &str) -> Value {
        self.does(&["show", &self.run(list)])
    }

    /// The item of a list's run, as the command line shows it.
    pub(super) fn item(&self, list: &str, id: &str) -> Value {
        let shown = self.show(list);
        let items = shown["items"].as_array().unwrap();
        items.iter().find(|item| item["id"] == id).unwrap_or_else(|| panic!("{shown}")).clone()
    }

    /// The kinds of all events of a list's run, in order.
    pub(super) fn events(&self, list: &str) -> Vec<String> {
        let dir = self.file("runs").join(self.run(list)).join("events");
        let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
        files.sort();
        files.iter().map(|file| kind_of(file)).collect()
    }

    /// The chain of a list's run is whole.
    pub(super) fn verify(&self, list: &str) {
        let verified = self.does(&["verify", &self.run(list)]);
        assert_eq!(verified["ok"], true, "{verified}");
    }

    pub(super) fn config(&self) -> String {
        self.file("gonogo.toml").display().to_string()
    }
}

fn kind_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let event: toml::Table = toml::from_str(&text).unwrap();
    event["kind"].as_str().unwrap().to_owned()
}

/// Whether an item's line on the screen has a glyph.
pub(super) fn has(screen: &str, item: &str, glyph: char) -> bool {
    screen.lines().any(|line| line.contains(&format!("{glyph} {item}")))
}

/// The first line of a screen: verdict, hold, T.
pub(super) fn header(screen: &str) -> &str {
    screen.lines().next().unwrap_or_default()
}

/// Selects the item at a place of the list.
pub(super) fn select(room: &mut Pty, place: usize) {
    room.press(&format!("g{}", "j".repeat(place)));
}

/// Waits until an item is ticked on the screen.
pub(super) fn until_done(room: &mut Pty, item: &str) {
    room.until(&format!("{item}, done"), |screen| has(screen, item, '✓'));
}

/// Waits for something that is not on the screen.
pub(super) fn wait_for(what: &str, is: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
