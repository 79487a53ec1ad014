//! Presets as a config uses them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gonogo::model::{Board, Launch, SignalDef, Unit};
use gonogo::settings::{self, load};

const VALID: &str = "tests/data/config/valid/presets.toml";

fn launch() -> Launch {
    load(Path::new(VALID)).unwrap_or_else(|error| panic!("{error}")).launch
}

fn signal<'l>(launch: &'l Launch, id: &str) -> &'l SignalDef {
    launch.signal(&id.into()).unwrap_or_else(|| panic!("{id}"))
}

fn gonogo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gonogo")).args(args).env_remove("GONOGO_CONFIG").output().unwrap()
}

#[test]
fn a_preset_gives_its_signals_on_the_source_that_names_it_without_any_file() {
    let text = "schema = 1\n[launch]\nproduct = \"P\"\nversion = \"1\"\nenvironment = \"e\"\n\
                [source.w]\nkind = \"scrape\"\nurl = \"http://127.0.0.1:1/metrics\"\nevery = \"7s\"\npreset = \"bullmq\"\n\
                [[gate]]\nid = \"g\"\nsignal = \"queue-depth\"\nop = \"<\"\nvalue = 5\n";
    let (launch, _) = settings::parse("c.toml", text, Path::new("nowhere"), None).unwrap();
    let depth = signal(&launch, "queue-depth");
    assert_eq!((depth.source.as_str(), depth.board, depth.unit), ("w", Board::Queues, Unit::Jobs));
    assert_eq!(depth.max_age.as_secs(), 21, "three intervals of its source");
    assert_eq!(signal(&launch, "queue-stalled").infinite.as_deref(), Some("paused?"));
}

#[test]
fn a_signal_of_the_config_takes_the_place_of_the_presets_and_keeps_what_it_leaves_out() {
    let launch = launch();
    let preset = settings::presets().unwrap().into_iter().find(|p| p.name == "bullmq").unwrap();
    let depth = signal(&launch, "queue-depth");
    assert_eq!(launch.signals[0].id.as_str(), "queue-depth", "columns keep their order");
    assert_eq!(depth.query, preset.signals[0].query);
    assert_eq!((depth.warn.unwrap().value, depth.bad.unwrap().value), (300.0, 500.0));
    assert_eq!(depth.empty, preset.signals[0].empty);
    // One that is written whole replaces the whole.
    let failures = signal(&launch, "queue-failures");
    assert_eq!((failures.query.as_str(), failures.source.as_str()), ("vector(0)", "billing"));
    let ids: Vec<&str> = launch.signals.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids.iter().filter(|id| **id == "queue-failures").count(), 1);
}

#[test]
fn two_sources_with_presets_have_their_ids_told_apart_by_what_the_config_says() {
    let launch = launch();
    assert_eq!(signal(&launch, "queue-drain").source.as_str(), "worker");
    assert_eq!(signal(&launch, "billing-queue-drain").source.as_str(), "billing");
    assert_eq!(signal(&launch, "own-depth").query, "max by (queue) (jobs_waiting)", "a file of one's own");
}

#[test]
fn the_presets_are_listed_with_what_they_need_for_people_and_programs() {
    let output = gonogo(&["config", "presets"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for name in ["bullmq", "sidekiq", "celery", "kafka", "redis-streams", "rabbitmq"] {
        assert!(text.lines().any(|line| line == name), "{name}: {text}");
    }
    assert!(text.contains("exportPrometheusMetrics") && text.contains("bullmq_job_count"), "{text}");

    let output = gonogo(&["config", "presets", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let bullmq = &json["presets"][0];
    assert_eq!(bullmq["name"], "bullmq");
    assert_eq!(bullmq["signals"][0]["id"], "queue-depth");
    assert_eq!(bullmq["metrics"][0], "bullmq_job_count");

    let output = gonogo(&["config", "presets", "kafka"]);
    let file = fs::read_to_string("config/presets/kafka.toml").unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), file, "as the file, to copy and change");
    let output = gonogo(&["config", "presets", "kafak"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("kafka"));
}

#[test]
fn config_check_takes_a_preset_by_itself_and_show_prints_what_the_launch_really_has() {
    let mut files = 0;
    for entry in fs::read_dir("config/presets").unwrap() {
        let path = entry.unwrap().path();
        let output = gonogo(&["config", "check", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(": ok, a preset of "), "{said}{}", String::from_utf8_lossy(&output.stderr));
        files += 1;
    }
    assert_eq!(files, settings::presets().unwrap().len(), "every file is built in");

    let output = gonogo(&["config", "show", VALID]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("queues: depth on billing, jobs"), "{text}");
    assert!(text.contains("warn > 300  bad > 500"), "{text}");
}
