//! Alerts end to end: sources, gates on them, `gonogo alerts`.

mod backtest;
mod canned;
mod real;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use gonogo::engine::{Change, Judgement, Watch};
use gonogo::model::{GateId, Polled, Time, Verdict};
use gonogo::runtime::feed;
use gonogo::sources::Source;

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// A config with these sources and gates.
fn config(body: &str) -> String {
    format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"production\"\n{body}"
    )
}

/// A launch that is polled by hand.
struct Room {
    sources: Vec<Source>,
    watch: Watch,
    changes: Vec<Change>,
}

impl Room {
    fn new(body: &str) -> Self {
        let (launch, _) = gonogo::settings::parse("gonogo.toml", &config(body), Path::new(""), None)
            .unwrap_or_else(|e| {
                panic!("{}", e.rendered);
            });
        let sources = launch.sources.iter().map(|def| feed::source(&launch, def).unwrap()).collect();
        Self { watch: Watch::new(&launch, []), sources, changes: Vec::new() }
    }

    fn poll_at(&mut self, at: Time) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for source in &mut self.sources {
            let poll: Polled = runtime.block_on(source.poll(at));
            self.changes.extend(self.watch.observe(&poll));
        }
        self.watch.tick(at);
    }

    fn poll(&mut self) {
        self.poll_at(now());
    }

    fn judge(&self, gate: &str) -> Judgement {
        self.watch.judge(&GateId::from(gate), now()).unwrap()
    }

    /// Polls until the gate says this, and returns how.
    fn until(&mut self, gate: &str, verdict: Verdict, code: &str) -> Judgement {
        let mut last = Vec::new();
        for _ in 0..300 {
            self.poll();
            let judged = self.judge(gate);
            if judged.verdict == verdict && judged.reason.code == code {
                return judged;
            }
            let words = format!("{:?} {}: {}", judged.verdict, judged.reason.code, judged.reason.text);
            if last.last() != Some(&words) {
                last.push(words);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{gate} never came to {verdict:?} {code}, but to\n{}", last.join("\n"));
    }
}

/// Runs the built program on a config.
fn gonogo(body: &str, arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("launch.toml");
    let mut text = String::new();
    write!(text, "{}", config(body)).unwrap();
    std::fs::write(&path, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_gonogo")).args(arguments).arg("--config").arg(&path).output().unwrap()
}
