//! `gonogo check` and the room's one frame, against the simulated product over real HTTP.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// `gonogo demo --serve`, ended when dropped.
pub struct Served {
    child: Child,
    /// Its base URL.
    pub base: String,
}

impl Served {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gonogo"))
            .args(["demo", "--serve", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.split_whitespace().find(|w| w.starts_with("http://")).unwrap();
        Self { child, base: base.trim_end_matches(':').to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(base: &str, gates: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"{base}/worker/metrics\"]\nevery = \"200ms\"\n\
         [source.identity]\nkind = \"identity\"\nurl = \"{base}\"\nevery = \"1s\"\n\
         [[signal]]\nid = \"depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"worker\"\nunit = \"jobs\"\n\
         query = 'max by (queue) (tasks_queue_depth{{state=\"waiting\"}})'\n\
         [[flag]]\nkey = \"tasks.enabled\"\nsource = \"identity\"\n{gates}"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

fn gate(op: &str, value: &str, more: &str) -> String {
    format!(
        "[[gate]]\nid = \"g\"\nsignal = \"depth\"\nwhere = {{ queue = \"tasks\" }}\nop = \"{op}\"\nvalue = {value}\n{more}"
    )
}

fn check(config: &tempfile::NamedTempFile, more: &[&str]) -> (Option<i32>, Value) {
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["check", "--output", "json", "--config"])
        .arg(config.path())
        .args(more)
        .output()
        .unwrap();
    let json = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    (out.status.code(), json)
}

#[test]
fn go_no_go_and_unknown_have_their_exit_codes_and_reasons() {
    let served = Served::start();
    let (code, json) = check(&config(&served.base, &gate("<", "1e9", "")), &[]);
    assert_eq!(
        (code, &json["verdict"], &json["gates"][0]["verdict"]),
        (Some(0), &"go".into(), &"pass".into())
    );
    assert_eq!(json["gates"][0]["labels"]["queue"], "tasks");
    assert!(json["gates"][0]["value"].is_string() && json["gates"][0]["age_seconds"].is_number());

    let (code, json) = check(&config(&served.base, &gate("<", "-1", "")), &[]);
    assert_eq!((code, &json["verdict"]), (Some(1), &"no-go".into()));
    assert_eq!(json["gates"][0]["reason"]["code"], "above");

    let (code, json) = check(&config("http://127.0.0.1:1", &gate("<", "1e9", "")), &[]);
    assert_eq!((code, &json["verdict"]), (Some(3), &"unknown".into()));
    assert_eq!(json["gates"][0]["reason"]["code"], "unreachable");

    let (code, json) = check(&config(&served.base, ""), &[]);
    assert_eq!((code, &json["verdict"]), (Some(3), &"unknown".into()), "no gates prove nothing");
}

#[test]
fn a_hold_is_waited_for_and_a_time_out_says_so() {
    let served = Served::start();
    let (code, json) = check(&config(&served.base, &gate("<", "1e9", "hold = \"2s\"\n")), &[]);
    assert_eq!((code, &json["gates"][0]["verdict"]), (Some(0), &"pass".into()), "{json}");
    let (code, json) =
        check(&config(&served.base, &gate("<", "1e9", "hold = \"10m\"\n")), &["--timeout", "1s"]);
    assert_eq!((code, &json["gates"][0]["reason"]["code"]), (Some(4), &"holding".into()), "{json}");
}

#[test]
fn a_config_with_a_typo_is_exit_2_with_place_and_nearest_name() {
    let file = config("http://127.0.0.1:1", &gate("<", "1", "hodl = \"1s\"\n"));
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["check", "--config"])
        .arg(file.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2));
    assert!(words.contains("hodl") && words.contains("hold") && words.contains(".toml:"), "{words}");
}

#[test]
fn one_frame_is_printed_where_there_is_no_terminal() {
    let served = Served::start();
    let file = config(&served.base, &gate("<", "1e9", ""));
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo")).arg("--config").arg(file.path()).output().unwrap();
    let frame = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.status.success() && frame.contains("PROD LIVE") && frame.contains("tasks.enabled"),
        "{frame}"
    );
    assert!(!frame.contains('\u{1b}'));
}

#[test]
fn two_servers_of_one_launch_answer_for_themselves_and_a_third_that_hangs_delays_neither() {
    use crate::http::canned::{Act, Canned};
    use crate::servers::{Prometheus, installed};
    if !installed("prometheus") {
        return;
    }
    let config = "scrape_configs: []\n";
    let (one, two) = (Prometheus::start(config, None), Prometheus::start(config, None));
    let hangs = Canned::always(vec![Act::Hang]);
    let mut text = String::from(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n",
    );
    for (name, url) in [("one", one.url.clone()), ("two", two.url.clone()), ("hangs", hangs.url(""))] {
        let _ = write!(
            text,
            "[source.{name}]\nkind = \"prometheus\"\nurl = \"{url}\"\nevery = \"1s\"\ntimeout = \"1s\"\n"
        );
    }
    for (name, value) in [("one", 1), ("two", 2), ("hangs", 3)] {
        let _ = write!(
            text,
            "[[gate]]\nid = \"{name}\"\nsource = \"{name}\"\nquery = \"vector({value})\"\nop = \">\"\nvalue = 0\n"
        );
    }
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (code, json) = check(&file, &[]);
    let gates = json["gates"].as_array().unwrap();
    let gate = |id: &str| gates.iter().find(|gate| gate["id"] == id).unwrap();
    let told = |id: &str| (gate(id)["verdict"].as_str().unwrap(), gate(id)["value"].as_str().unwrap_or("-"));
    let all = [told("one"), told("two"), told("hangs")];
    assert_eq!(all, [("pass", "1"), ("pass", "2"), ("unknown", "-")], "{json}");
    assert_eq!(gate("hangs")["reason"]["code"], "timed-out");
    assert!(matches!(code, Some(3 | 4)), "{code:?}");
}
