//! `gonogo checklist` from the outside.

mod checking;
pub(crate) mod numbers;
mod people;
mod retries;
mod running;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// `gonogo checklist --ledger LEDGER`, in the directory above the ledger, with a home of its own.
pub(crate) fn gonogo(ledger: &Path) -> Command {
    let above = ledger.parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    command.current_dir(above).env_remove("GONOGO_CONFIG").env("HOME", above).env("USER", "ana");
    for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env_remove(name);
    }
    command.args(["checklist", "--ledger"]).arg(ledger);
    command
}

/// A template of plain checks; an item is `id` or `id<after`.
pub(crate) fn template(id: &str, items: &[&str]) -> String {
    let items = items.iter().map(|item| {
        let (item, after) = item.split_once('<').unwrap_or((item, ""));
        let after = if after.is_empty() { String::new() } else { format!("after = [\"{after}\"]\n") };
        format!("\n[[item]]\nid = \"{item}\"\nsection = \"Launch\"\ntitle = \"Do {item}\"\nkind = \"check\"\n{after}")
    });
    format!("schema = 1\nid = \"{id}\"\ntitle = \"The {id} list\"\n") + &items.collect::<String>()
}

/// Writes the template where its id finds it and gives the path of a ledger that does not exist yet.
pub(crate) fn ledger_with(dir: &Path, template: &str) -> PathBuf {
    let id = template.lines().find_map(|line| line.strip_prefix("id = \"")).unwrap().trim_end_matches('"');
    fs::create_dir_all(dir.join("checklists")).unwrap();
    fs::write(dir.join("checklists").join(format!("{id}.toml")), template).unwrap();
    dir.join("runs")
}

/// Starts a run and gives its name.
pub(crate) fn start(ledger: &Path, template: &str) -> String {
    let output = gonogo(ledger).args(["start", template, "--output", "json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    json(&output)["run"].as_str().unwrap().to_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A desk with a run of three items in a row: flags, ramp, told.
struct Desk {
    dir: tempfile::TempDir,
    ledger: PathBuf,
    run: String,
}

fn desk() -> Desk {
    desk_with(&template("launch", &["flags", "ramp<flags", "told<ramp"]))
}

/// A desk with a live run of this list, whose id is launch.
fn desk_with(list: &str) -> Desk {
    desk_in("live", list)
}

/// A desk with a run of this list, whose id is launch, in a mode.
fn desk_in(mode: &str, list: &str) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger_with(dir.path(), list);
    let output =
        gonogo(&ledger).args(["start", "launch", "--mode", mode, "--output", "json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let run = json(&output)["run"].as_str().unwrap().to_owned();
    Desk { dir, ledger, run }
}

impl Desk {
    fn does(&self, args: &[&str]) -> Output {
        gonogo(&self.ledger).args(args).output().unwrap()
    }

    /// Exit code, stdout, stderr.
    fn says(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.does(args);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.extend(["--output", "json"]);
        json(&self.does(&args))
    }

    fn event(&self, seq: u64) -> PathBuf {
        self.ledger.join(&self.run).join("events").join(format!("{seq:06}.toml"))
    }

    fn forge(path: &Path, from: &str, to: &str) {
        let forged = fs::read_to_string(path).unwrap().replace(from, to);
        fs::remove_file(path).unwrap();
        fs::write(path, forged).unwrap();
    }
}

#[test]
fn a_run_is_started_ticked_skipped_reopened_noted_timed_listed_shown_and_verified() {
    let desk = desk();
    let run = desk.run.as_str();
    let ticked = desk.json(&["tick", run, "flags", "--by", "ana@corp", "--as", "captain"]);
    assert_eq!(
        (&ticked["seq"], &ticked["item"], &ticked["stage"]),
        (&2.into(), &"flags".into(), &"done".into())
    );
    assert_eq!(desk.json(&["skip", run, "told", "--reason", "nobody to tell"])["stage"], "skipped");
    assert_eq!(desk.json(&["reopen", run, "told", "--reason", "somebody came"])["stage"], "todo");
    assert_eq!(desk.json(&["note", run, "flags", "roles checked"])["item"], "flags");
    assert_eq!(desk.json(&["note", run, "all quiet"])["item"], Value::Null);
    let moved = desk.json(&["t0", run, "2025-12-02T15:00:00Z"]);
    assert_eq!((&moved["seq"], &moved["stage"]), (&7.into(), &Value::Null));

    let shown = desk.json(&["show", run]);
    assert_eq!(shown["t0"], "2025-12-02T15:00:00.000Z");
    assert_eq!((&shown["seq"], &shown["head"]), (&7.into(), &moved["head"]));
    assert_eq!(shown["notes"][0]["text"], "all quiet");
    let [flags, ramp, told] = [0, 1, 2].map(|n| &shown["items"][n]);
    assert_eq!((&flags["stage"], &flags["by"]), (&"done".into(), &"unverified:ana@corp".into()));
    assert_eq!(flags["notes"][0]["text"], "roles checked");
    assert_eq!((&ramp["ready"], &told["ready"]), (&true.into(), &false.into()));
    assert_eq!((&told["waits_for"][0], &told["reason"]), (&"ramp".into(), &"somebody came".into()));
    assert!(
        fs::read_to_string(desk.event(2))
            .unwrap()
            .contains("by = \"unverified:ana@corp\"\nas = \"captain\"\n")
    );
    assert!(fs::read_to_string(desk.event(3)).unwrap().contains("by = \"unverified:ana\"\n"));

    let listed = desk.json(&["list"]);
    let row = &listed["runs"][0];
    assert_eq!(
        (&row["id"], &row["settled"], &row["items"], &row["seq"]),
        (&run.into(), &1.into(), &3.into(), &7.into())
    );
    assert_eq!((&row["mode"], &row["title"]), (&"live".into(), &"The launch list".into()));

    let verified = desk.json(&["verify", run, "--head", moved["head"].as_str().unwrap()]);
    assert_eq!(
        (&verified["ok"], &verified["seq"], &verified["first_bad"]),
        (&true.into(), &7.into(), &Value::Null)
    );
    assert_eq!(verified["head"], moved["head"]);
}

#[test]
fn text_for_people_says_what_is_saved_and_what_is_next() {
    let desk = desk();
    let (code, said, _) = desk.says(&["tick", &desk.run, "flags"]);
    assert!(code == 0 && said.starts_with("saved: flags done by ana at "), "{said}");
    let (_, shown, _) = desk.says(&["show", &desk.run]);
    for part in
        ["The launch list", "1/3 settled", "✓ flags", "○ ramp", "⊘ told", "waits for ramp", "head sha256:"]
    {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    let (_, listed, _) = desk.says(&["list"]);
    assert!(listed.contains(&desk.run) && listed.contains("1/3"), "{listed}");
}

#[test]
fn rules_exit_1_and_name_what_stands_in_the_way() {
    let desk = desk();
    let run = desk.run.as_str();
    let refused = |args: &[&str], words: &str| {
        let (code, said, error) = desk.says(args);
        assert_eq!((code, said.as_str()), (1, ""), "{error}");
        assert!(error.contains(words), "{error}");
    };
    refused(&["tick", run, "told"], "told waits for ramp");
    refused(&["tick", run, "flag"], "this run has no item flag; did you mean flags?");
    refused(&["skip", run, "flags", "--reason", " "], "needs a reason in words");
    refused(&["reopen", run, "flags", "--reason", "x"], "flags is open already");
    refused(&["note", run, ""], "a note needs words");
    refused(&["t0", run, "1e12"], "years 0 to 9999");
    desk.does(&["tick", run, "flags", "--by", "ben"]);
    refused(&["tick", run, "flags"], "flags is already done by ben at ");
    let told = desk.json(&["tick", run, "told"]);
    assert_eq!(told["reason"], serde_json::json!({ "code": "refused", "text": "told waits for ramp" }));
}

#[test]
fn a_gate_is_not_ticked_by_hand_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let gate = "\n[[item]]\nid = \"queue\"\nsection = \"Launch\"\ntitle = \"Queue is short\"\nkind = \"gate\"\n[item.gate]\nsignal = \"queue-depth\"\nop = \"<\"\nvalue = 500\n";
    let ledger = ledger_with(dir.path(), &(template("launch", &["flags"]) + gate));
    let run = start(&ledger, "launch");
    let output = gonogo(&ledger).args(["tick", &run, "queue"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(!ledger.join(&run).join("events/000002.toml").exists());
}

#[test]
fn wrong_names_exit_2_and_offer_the_nearest() {
    let desk = desk();
    let (code, _, error) = desk.says(&["show", "lunch"]);
    assert!(code == 2 && error.contains("no run \"lunch\"") && error.contains(&desk.run), "{error}");
    let (code, _, error) = desk.says(&["start", "lanch"]);
    assert!(code == 2 && error.contains("did you mean launch?"), "{error}");
    let (code, _, error) = desk.says(&["start", "launch", "--t0", "noon"]);
    assert!(code == 2 && error.contains("RFC 3339"), "{error}");
    let (code, _, error) = desk.says(&["tick", &desk.run, "flags", "--by", " "]);
    assert!(code == 2 && error.contains("--by"), "{error}");
    assert_eq!(desk.json(&["show", "lunch"])["reason"]["code"], "no-such-run");
}

#[test]
fn an_edited_note_exits_1_and_names_the_event() {
    let desk = desk();
    desk.does(&["note", &desk.run, "roles checked"]);
    desk.does(&["note", &desk.run, "more"]);
    Desk::forge(&desk.event(2), "roles checked", "roles not checked");
    let (code, said, _) = desk.says(&["verify", &desk.run]);
    assert!(code == 1 && said.contains("BAD at events/000002.toml"), "{said}");
    let found = desk.json(&["verify", &desk.run]);
    assert_eq!(
        (&found["ok"], &found["seq"], &found["first_bad"]["seq"]),
        (&false.into(), &1.into(), &2.into())
    );
    let (code, _, error) = desk.says(&["tick", &desk.run, "flags"]);
    assert!(code == 1 && error.contains("events/000002.toml"), "{error}");
    let (code, said, _) = desk.says(&["list"]);
    assert!(code == 1 && said.contains("damaged"), "{said}");
}

#[test]
fn a_removed_event_in_the_middle_and_a_removed_tail_are_found() {
    let desk = desk();
    desk.does(&["note", &desk.run, "one"]);
    let head = desk.json(&["note", &desk.run, "two"])["head"].as_str().unwrap().to_owned();
    let last = fs::read(desk.event(3)).unwrap();
    fs::remove_file(desk.event(3)).unwrap();
    assert_eq!(desk.says(&["verify", &desk.run]).0, 0);
    let (code, said, _) = desk.says(&["verify", &desk.run, "--head", &head]);
    assert!(code == 1 && said.contains("removed or replaced"), "{said}");
    fs::write(desk.event(3), last).unwrap();
    fs::remove_file(desk.event(2)).unwrap();
    let (code, said, _) = desk.says(&["verify", &desk.run]);
    assert!(code == 1 && said.contains("000002.toml: it is missing"), "{said}");
}

#[test]
fn a_template_edited_under_a_running_run_is_noticed_and_one_in_the_run_s_own_copy_refused() {
    let desk = desk();
    assert_eq!(desk.json(&["show", &desk.run])["template_changed"], false);
    assert_eq!(desk.says(&["diff", &desk.run]).0, 0, "nothing changed yet");
    let source = desk.dir.path().join("checklists/launch.toml");
    Desk::forge(&source, "Do ramp", "Do ramp at once");
    let (code, shown, _) = desk.says(&["show", &desk.run]);
    assert!(code == 0 && shown.contains("template changed since this run began"), "{shown}");
    assert_eq!(desk.json(&["show", &desk.run])["template_changed"], true);
    let (code, diff, _) = desk.says(&["diff", &desk.run]);
    assert!(
        code == 1 && diff.contains("\n-") && diff.contains("\n+") && diff.contains("Do ramp at once"),
        "{diff}"
    );
    assert_eq!(desk.says(&["tick", &desk.run, "flags"]).0, 0, "the run goes on with its own copy");

    Desk::forge(&desk.ledger.join(&desk.run).join("template.toml"), "Do ramp", "Do ramp at once");
    for verb in [&["tick", &desk.run, "ramp"][..], &["show", &desk.run]] {
        let (code, _, error) = desk.says(verb);
        assert!(code == 1 && error.contains("template.toml: it was edited after the run began"), "{error}");
    }
}

#[test]
fn a_ledger_that_cannot_be_written_exits_6_with_the_path_and_the_system_s_word() {
    let desk = desk();
    let blocked = desk.dir.path().join("blocked");
    fs::write(&blocked, "").unwrap();
    let output = gonogo(&blocked).args(["start", "launch"]).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{error}");
    assert!(error.contains("not saved") && error.contains("blocked"), "{error}");
}

#[test]
fn words_from_outside_cannot_steer_the_terminal_and_stay_exact_in_json() {
    let desk = desk();
    let hostile = "bad \u{1b}[2J\u{202e} note";
    desk.does(&["note", &desk.run, hostile]);
    let (_, shown, _) = desk.says(&["show", &desk.run]);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']) && shown.contains("\\u{1b}[2J"), "{shown}");
    assert_eq!(desk.json(&["show", &desk.run])["notes"][0]["text"], hostile);
    let (_, _, error) = desk.says(&["tick", &desk.run, hostile]);
    assert!(!error.contains('\u{1b}'), "{error}");
}

#[test]
fn runs_live_in_the_user_s_state_directory_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    ledger_with(dir.path(), &template("launch", &["flags"]));
    let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .current_dir(dir.path())
        .env_remove("GONOGO_CONFIG")
        .env_remove("XDG_DATA_HOME")
        .env("XDG_CONFIG_HOME", dir.path().join("config-home"))
        .env("XDG_STATE_HOME", dir.path().join("state"))
        .env("HOME", dir.path())
        .args(["checklist", "start", "launch", "--mode", "drill", "--output", "json"])
        .output()
        .unwrap();
    let started = json(&output);
    let path = PathBuf::from(started["path"].as_str().unwrap());
    assert!(path.starts_with(dir.path()) && path.join("events/000001.toml").is_file(), "{started}");
    assert_eq!(started["mode"], "drill");
}

#[test]
fn the_shipped_templates_are_right_and_a_rollback_waits_for_nothing() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("checklists");
    let read = |name: &str| {
        let text = fs::read_to_string(here.join(name)).unwrap();
        gonogo::settings::template(name, &text).unwrap_or_else(|e| panic!("{e}"))
    };
    let (launch, rollback) = (read("tasks-launch.toml"), read("tasks-rollback.toml"));
    assert_eq!(launch.rollback.as_deref(), Some(rollback.id.as_str()));
    assert!(rollback.items.iter().all(|item| item.after.is_empty()));
    let sections: Vec<&str> =
        launch.items.chunk_by(|a, b| a.section == b.section).map(|c| c[0].section.as_str()).collect();
    assert_eq!(
        sections,
        [
            "Tasks product",
            "Identity & permissions",
            "Admin & support",
            "Worker & telemetry",
            "Load test",
            "Documentation & launch",
            "Dependencies",
            "Verification",
            "People",
            "Ramp"
        ],
        "each section stands together, in this order"
    );
}
