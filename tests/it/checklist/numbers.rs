//! Numbers that are polled for a decision, from a worker that counts what it is asked.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::http::canned::{Act, Canned, ok};

use super::people::LAUNCH;
use super::{Desk, desk_with};

/// A worker with one queue, as deep as it is told to be.
pub(crate) struct Meter {
    server: Canned,
    depth: Arc<AtomicU64>,
    asked: Arc<AtomicUsize>,
}

impl Meter {
    pub(crate) fn at(depth: f64) -> Self {
        let (told, asked) = (Arc::new(AtomicU64::new(depth.to_bits())), Arc::new(AtomicUsize::new(0)));
        let (depth, count) = (Arc::clone(&told), Arc::clone(&asked));
        let server = Canned::new(move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            let depth = f64::from_bits(told.load(Ordering::Relaxed));
            ok("text/plain; version=0.0.4", format!("# TYPE queue_depth gauge\nqueue_depth {depth}\n"))
        });
        Self { server, depth, asked }
    }

    pub(crate) fn set(&self, depth: f64) {
        self.depth.store(depth.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/metrics")
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// A config whose one source is this server; its name.
pub(super) fn config(desk: &Desk, meter: &Meter) -> String {
    config_at(desk, &meter.url())
}

fn config_at(desk: &Desk, url: &str) -> String {
    let file = desk.dir.path().join("tasks.toml");
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"production\"\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"{url}\"]\nevery = \"200ms\"\ntimeout = \"1s\"\n\
         [[signal]]\nid = \"depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"worker\"\nunit = \"jobs\"\n\
         query = \"queue_depth\"\n"
    );
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_gate_that_fails_exits_1_one_that_cannot_be_told_3_and_nothing_is_written() {
    let meter = Meter::at(812.0);
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let tick = ["tick", run, "queue", "--as", "sre"];
    let with = |config: &str, more: &[&str]| {
        let args: Vec<&str> = [&tick[..], &["--config", config], more].concat();
        (desk.says(&args), desk.json(&args))
    };
    let ((code, said, error), json) = with(&config(&desk, &meter), &[]);
    assert!(code == 1 && said.is_empty() && error.contains("queue is not ticked: 812"), "{error}");
    assert_eq!((&json["reason"]["code"], &json["verdict"]), (&"no-go".into(), &"no-go".into()));
    assert_eq!((&json["gates"][0]["id"], &json["gates"][0]["value"]), (&"queue".into(), &"812".into()));

    let ((code, _, error), json) = with(&config_at(&desk, "http://127.0.0.1:1/metrics"), &[]);
    assert!(code == 3 && error.contains("queue is not ticked: "), "{error}");
    assert_eq!(json["reason"]["code"], "unknown");

    let hangs = Canned::always(vec![Act::Hang]);
    let ((code, _, error), json) = with(&config_at(&desk, &hangs.url("/metrics")), &["--timeout", "300ms"]);
    assert!(code == 4 && error.contains("time ran out"), "{error}");
    assert_eq!(json["reason"]["code"], "timed-out");

    let (code, _, error) = desk.says(&tick);
    assert!(code == 2 && error.contains("only a config says what to poll"), "{error}");
    assert!(!desk.event(2).exists());

    meter.set(1.0);
    let config = config(&desk, &meter);
    let ticked = desk.json(&[&tick[..], &["--config", &config]].concat());
    assert_eq!(ticked["stage"], "done");
    let evidence = &desk.json(&["show", run])["items"][2]["evidence"][0];
    assert_eq!((&evidence["type"], &evidence["value"]), (&"metric".into(), &"1".into()));
    assert!(evidence["gate"].is_null() && evidence["answer"].is_null() && evidence["hash"].is_string());
}

#[test]
fn a_rule_that_refuses_is_told_without_asking_a_server() {
    let meter = Meter::at(1.0);
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let config = config(&desk, &meter);
    for (args, words) in [
        (&["tick", run, "queue"][..], "queue is for sre, and you act in no role: act as sre"),
        (&["tick", run, "soak"], "soak has not begun"),
        (&["vote", run, "go", "--as", "sre"], "no poll is open"),
        (&["resume", run], "the clock is not held"),
        (&["lift-off", run], "hold stations at T-00:10:00 lies ahead"),
    ] {
        let (code, _, error) = desk.says(&[args, &["--config", &config]].concat());
        assert!(code == 1 && error.contains(words), "{error}");
    }
    assert_eq!(meter.asked(), 0);
}

#[test]
fn where_no_gate_counts_nobody_can_say_go() {
    let meter = Meter::at(1.0);
    let list = LAUNCH.replace(
        "kind = \"gate\"\nrole = \"sre\"",
        "kind = \"gate\"\nrole = \"sre\"\nafter = [\"measured\"]",
    );
    let list = list.replace("kind = \"wait\"\n", "kind = \"wait\"\nafter = [\"measured\"]\n");
    let desk = desk_with(&list);
    let run = desk.run.as_str();
    let config = config(&desk, &meter);
    desk.json(&["poll", run, "captain"]);
    let vote = ["vote", run, "go", "--as", "captain", "--config", &config];
    let (code, _, error) = desk.says(&vote);
    assert!(code == 3 && error.contains("not GO: no gate counts here"), "{error}");
    let voted = desk.json(&["vote", run, "no-go", "--as", "captain"]);
    assert_eq!(voted["poll"]["outcome"], "no-go", "a NO-GO needs no number: {voted}");
}

#[test]
fn a_message_is_filled_with_the_values_of_this_moment_and_marked_as_sent_with_them() {
    let meter = Meter::at(312.0);
    let message = "\n[[item]]\nid = \"tell\"\ntitle = \"Tell\"\nkind = \"message\"\nmessage = \"messages/tell.md\"\nchannel = \"status page\"\n";
    let list = format!("{LAUNCH}{message}");
    let desk = desk_with(&list);
    let run = desk.run.as_str();
    let config = config(&desk, &meter);
    let dir = desk.dir.path().join("checklists/messages");
    fs::create_dir_all(&dir).unwrap();
    let words = "{{ launch.product }} {{ launch.version }} for {{ params.flag }}: {{ signal(\"depth\") }}\n";
    fs::write(dir.join("tell.md"), words).unwrap();
    let show = ["message", run, "tell", "--config", &config];
    let (code, said, error) = desk.says(&show);
    assert!(code == 0 && said.starts_with("Tasks 0.1.4 for tasks.enabled: 312"), "{said} {error}");
    let told = desk.json(&show);
    assert_eq!(told["channel"], "status page");

    fs::write(dir.join("tell.md"), "{{ launch.prodct }}").unwrap();
    let (code, _, error) = desk.says(&show);
    assert!(code == 2 && error.contains("messages/tell.md: line 1"), "{error}");

    fs::write(dir.join("tell.md"), words).unwrap();
    let (code, _, error) = desk.says(&["message", run, "queue", "--config", &config]);
    assert!(code == 1 && error.contains("queue is a gate item, not a message"), "{error}");
    let sent = desk.json(&["sent", run, "tell", "--config", &config]);
    assert_eq!((&sent["stage"], &sent["text"]), (&"done".into(), &told["text"]));
    let event = fs::read_to_string(desk.event(2)).unwrap();
    assert!(
        event.contains("tasks.enabled: 312") && event.contains(told["hash"].as_str().unwrap()),
        "{event}"
    );
}
