//! Gates of the lists that look at queues, on a real `BullMQ` by its preset: where the preset tells what they
//! ask for, they pass, fail and do not know as they do on the simulated product.

use std::collections::BTreeSet;
use std::time::Duration;

use gonogo::checklist::Template;
use gonogo::engine::Watch;
use gonogo::model::{Condition, GateId, Launch, Time, Verdict};
use gonogo::runtime::feed;
use gonogo::sources::Source;

use super::{launch_of_all, own_name, text};
use crate::node::Node;
use crate::presets::bullmq::{Redis, ask, quiet, until};

/// Those that fail when jobs wait.
const ON_DEPTH: [&str; 6] = [
    "queue-idle-healthy",
    "steady-at-10",
    "queue-drained",
    "fill-queue-short",
    "stall-depth-falls",
    "dry-queue-short",
];
/// Those that fail when the jobs of the tasks queue fail, and when those of billing do.
const ON_FAILURES: [&str; 2] = ["steady-at-25", "fill-failures-low"];
const ON_BILLING: [&str; 2] = ["billing-jobs-ok", "billing-jobs-recovered"];
/// Those that fail when the failed set grows.
const ON_FAILED_SET: [&str; 2] = ["failed-not-growing", "spike-failed-set"];

/// The real launch's config with its worker on the preset: as it says of itself, its own signals of these
/// names are left out then.
fn config(port: u16) -> String {
    let mut config = text("config/tasks.toml");
    let worker = "urls = [\"http://127.0.0.1:9464/metrics\"]";
    assert!(config.contains(worker));
    config = config.replacen(
        worker,
        &format!("urls = [\"http://127.0.0.1:{port}/metrics\"]\npreset = \"bullmq\""),
        1,
    );
    for id in ["queue-depth", "queue-in", "queue-out", "queue-drain", "queue-failures", "queue-failed-kept"] {
        let begin = config.find(&format!("[[signal]]\nid = \"{id}\"\n")).unwrap_or_else(|| panic!("{id}"));
        let end = config[begin + 2..].find("\n[[").map_or(config.len(), |end| begin + 2 + end);
        config.replace_range(begin..end, "");
    }
    config
}

struct Watched {
    source: Source,
    watch: Watch,
    now: Time,
}

impl Watched {
    fn new(launch: &Launch, templates: &[Template]) -> Self {
        let def = launch.source(&"worker".into()).unwrap();
        let source = feed::source(launch, def).unwrap();
        let watch = Watch::new(launch, templates.iter().flat_map(Template::gates));
        Self { source, watch, now: Time::from_millis(1_764_684_000_000) }
    }

    /// Polls for so many seconds of a clock of its own, five apart.
    async fn watch(&mut self, seconds: u32) {
        for _ in 0..seconds / 5 {
            self.now = self.now.after(Duration::from_secs(5));
            let polled = self.source.poll(self.now).await;
            self.watch.observe(&polled);
            self.watch.tick(self.now);
        }
    }

    fn expect(&self, gates: &[&str], verdict: Verdict, when: &str) {
        for name in gates {
            let found = self.watch.gates.iter().find(|gate| own_name(&gate.def.id) == *name);
            let id: &GateId = &found.unwrap_or_else(|| panic!("there is no gate {name}")).def.id;
            let judged = self.watch.judge(id, self.now).unwrap();
            assert_eq!(judged.verdict, verdict, "{name} {when}: {}", judged.reason.text);
        }
    }
}

/// The tables above hold every gate on a signal that `BullMQ`'s metrics tell; they tell nothing of how long jobs
/// wait, of dead letters, of replicas and of synthetic tasks.
fn all_are_named(launch: &Launch, templates: &[Template]) {
    let named: BTreeSet<&str> =
        [&ON_DEPTH[..], &ON_FAILURES, &ON_BILLING, &ON_FAILED_SET].into_iter().flatten().copied().collect();
    let told: BTreeSet<&str> = templates
        .iter()
        .flat_map(|template| &template.items)
        .filter_map(|item| item.kind.gate())
        .filter(|gate| match &gate.condition {
            Condition::Signal(id) => launch.signal(id).is_some_and(|signal| signal.query.contains("bullmq_")),
            _ => false,
        })
        .map(|gate| own_name(&gate.id))
        .collect();
    assert_eq!(named, told);
}

#[tokio::test]
async fn queue_gates_pass_fail_and_do_not_know_on_a_real_bullmq() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port().to_string();
    let Some(worker) = Node::start("bullmq.js", &[&port], &["bullmq", "ioredis", "prom-client"]) else {
        return;
    };
    let name = "config/tasks.toml";
    let (launch, templates) = launch_of_all(name, &config(worker.port()));
    all_are_named(&launch, &templates);
    let mut watched = Watched::new(&launch, &templates);
    let post = |path: &str| ask(&worker, "POST", path);
    let all = [&ON_DEPTH[..], &ON_FAILURES, &ON_BILLING, &ON_FAILED_SET].concat();

    // Calm: work comes and is done; holds are of ten minutes, behind the windows that rates look back.
    for _ in 0..32 {
        post("/add?queue=tasks&count=20");
        post("/add?queue=billing&count=20");
        quiet(&worker, "tasks");
        quiet(&worker, "billing");
        watched.watch(30).await;
    }
    watched.expect(&all, Verdict::Pass, "in calm");

    // Flooded, and paused as it is.
    post("/pause?queue=tasks");
    post("/add?queue=tasks&count=600");
    watched.watch(5).await;
    watched.expect(&ON_DEPTH, Verdict::Fail, "with 600 jobs waiting in a paused queue");
    watched.expect(&ON_BILLING, Verdict::Pass, "while the other queue is paused");
    post("/resume?queue=tasks");
    until(&worker, "tasks", "worked off", |api| api.depth() == 0.0);
    quiet(&worker, "tasks");
    watched.watch(360).await;
    let soon: Vec<&str> = ON_DEPTH.iter().copied().filter(|gate| *gate != "steady-at-10").collect();
    watched.expect(&soon, Verdict::Pass, "once the flood is worked off");

    // Jobs fail, and the failed set grows by them.
    for queue in ["tasks", "billing"] {
        post(&format!("/add?queue={queue}&count=200&fail=1"));
        quiet(&worker, queue);
    }
    watched.watch(30).await;
    watched.expect(&ON_FAILURES, Verdict::Fail, "when 200 jobs failed");
    watched.expect(&ON_BILLING, Verdict::Fail, "when 200 billing jobs failed");
    watched.expect(&ON_FAILED_SET, Verdict::Fail, "when 200 jobs failed");

    drop(worker);
    watched.watch(60).await;
    watched.expect(&all, Verdict::Unknown, "without a worker");
    for gate in &watched.watch.gates {
        if all.contains(&own_name(&gate.def.id)) {
            let judged = watched.watch.judge(&gate.def.id, watched.now).unwrap();
            assert_eq!(judged.reason.code, "unreachable", "{}: {}", gate.def.id, judged.reason.text);
        }
    }
}
