//! What the sample rooms launch: the product's signals, flags, gates and checklist.

use std::time::Duration;

use gonogo::checklist::{Item, Kind, Template};
use gonogo::model::gate::{FlagCondition, Idle, Threshold, Watched};
use gonogo::model::{
    Board, Condition, FlagDef, GateDef, Labels, Launch, Op, SignalDef, SourceDef, SourceKind, Unit,
};

use super::at;

fn source(id: &str, kind: SourceKind) -> SourceDef {
    SourceDef {
        id: id.into(),
        kind,
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(3),
        max_body: 64 << 20,
        max_series: 10_000,
        max_history: std::time::Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: gonogo::model::launch::Route::default(),
        allow_http: false,
    }
}

fn scrape(url: &str) -> SourceKind {
    SourceKind::Scrape { urls: vec![url.into()], labels: Labels::none() }
}

fn signal(id: &str, board: Board, title: &str, source: &str, unit: Unit, warn: &str, bad: &str) -> SignalDef {
    let limit = |text: &str| Threshold::parse(text).ok();
    SignalDef {
        id: id.into(),
        board,
        title: title.into(),
        source: source.into(),
        query: format!("max by (queue) (tasks_{}{{state=\"waiting\"}})", id.replace('-', "_")),
        unit,
        warn: limit(warn),
        bad: limit(bad),
        max_age: Duration::from_secs(15),
        empty: (board == Board::Queues).then(|| "no jobs are waiting".into()),
        infinite: Some("not draining".into()),
        nan: Some("idle".into()),
    }
}

fn gate(id: &str, signal: &str, matching: &[(&str, &str)], op: Op, value: f64, hold: u64) -> GateDef {
    GateDef {
        id: id.into(),
        title: format!("{id} is as it must be"),
        condition: Condition::Signal(signal.into()),
        matching: matching.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        op,
        value,
        clear: None,
        hold: Duration::from_secs(hold),
        max_age: None,
        expect_series: None,
        min_volume: None,
        idle: Idle::Unknown,
        allow_infinite: false,
        watch: Watched::default(),
    }
}

pub fn launch() -> Launch {
    use Board::{Api, Flags, Identity, Queues, Tenants, Usage};
    use Unit::{Jobs, PerSecond, Seconds};
    let flag_gate = GateDef {
        condition: Condition::Flag(Box::new(FlagCondition {
            key: "tasks.enabled".into(),
            enabled: Some(true),
            percent: true,
            ..FlagCondition::default()
        })),
        ..gate("flag-25", "", &[], Op::Equal, 25.0, 0)
    };
    Launch {
        product: "Tasks".into(),
        version: "0.1.4".into(),
        environment: "production".into(),
        t0: Some(at(3600)),
        sources: vec![
            source("worker", scrape("http://127.0.0.1:9464/metrics")),
            source("api", scrape("http://127.0.0.1:9465/metrics")),
            source(
                "identity",
                SourceKind::Identity {
                    url: "http://127.0.0.1:9466".into(),
                    environment: "production".into(),
                    grants: false,
                    beside: Vec::new(),
                },
            ),
        ],
        signals: vec![
            signal("depth", Queues, "depth", "worker", Jobs, "> 300", "> 500"),
            signal("oldest", Queues, "oldest", "worker", Seconds, "> 30", "> 120"),
            signal("in", Queues, "in", "worker", PerSecond, "", ""),
            signal("out", Queues, "out", "worker", PerSecond, "", ""),
            signal("drain", Queues, "drain", "worker", Seconds, "", ""),
            signal("failed", Queues, "failed", "worker", Unit::Percent, "> 1", "> 5"),
            signal("5xx", Api, "5xx", "api", Unit::Percent, "> 0.5", "> 1"),
            signal("rate", Api, "rate", "api", PerSecond, "", ""),
            signal("p50", Api, "p50", "api", Seconds, "", ""),
            signal("p95", Api, "p95", "api", Seconds, "> 0.5", "> 1"),
            signal("p99", Api, "p99", "api", Seconds, "", ""),
            signal("burn", Api, "burn", "api", Unit::None, "> 6", "> 14.4"),
            signal("seen", Flags, "tasks.enabled seen", "api", Unit::Percent, "", ""),
            signal("tenants", Tenants, "5xx", "api", PerSecond, "", "> 1"),
            signal("usage", Usage, "events", "worker", PerSecond, "", ""),
            signal("signins", Identity, "sign-ins", "identity", PerSecond, "", ""),
        ],
        flags: vec![
            FlagDef {
                key: "tasks.enabled".into(),
                source: "identity".into(),
                observed: Some("seen".into()),
                evaluations: None,
            },
            FlagDef {
                key: "tasks.bulk-edit".into(),
                source: "identity".into(),
                observed: None,
                evaluations: None,
            },
            FlagDef {
                key: "billing.v2".into(),
                source: "identity".into(),
                observed: None,
                evaluations: None,
            },
        ],
        gates: vec![
            gate("api-errors", "5xx", &[("service", "tasks")], Op::Less, 1.0, 120),
            gate("queue-age", "oldest", &[], Op::Less, 120.0, 0),
            gate("p95", "p95", &[], Op::Less, 1.0, 0),
            flag_gate,
        ],
        ..Launch::default()
    }
}

fn item(id: &str, section: &str, title: &str, after: &[&str]) -> Item {
    Item {
        id: id.into(),
        section: section.into(),
        title: title.into(),
        kind: Kind::Check,
        owner: Some("captain".into()),
        after: after.iter().map(|a| (*a).into()).collect(),
        ..Item::default()
    }
}

pub fn template() -> Template {
    let (identity, queue, ramp, tell) = ("Identity & permissions", "Queues", "Rollout", "Communication");
    let gated = |item: Item, gate: GateDef| Item { kind: Kind::Gate(gate), ..item };
    let of =
        |id: &str, signal: &str, value, hold| gate(id, signal, &[("queue", "tasks")], Op::Less, value, hold);
    Template {
        id: "tasks-launch".into(),
        title: "Tasks v0.1.4 launch".into(),
        rollback: Some("tasks-rollback".into()),
        items: vec![
            item("flags-reviewed", identity, "Flags and roles reviewed for end users and internal personas", &[]),
            item("roles-synced", identity, "Support roles are synced to the identity service", &[]),
            item("audit-on", identity, "Audit log of flag changes is on", &[]),
            gated(item("queue-healthy", queue, "Queue can absorb the launch", &["flags-reviewed"]), of("queue-healthy", "depth", 500.0, 300)),
            gated(item("billing-steady", queue, "Billing keeps its pace", &[]), gate("billing-steady", "oldest", &[("queue", "billing")], Op::Less, 30.0, 1200)),
            Item {
                detail: Some("Run the dry run of the backfill against yesterday's snapshot and compare the counts. The two must agree to the last row; a difference of one is a difference.".into()),
                runbook: Some("backfill".into()),
                ..item("backfill-dry-run", queue, "Backfill dry run agrees with yesterday's snapshot", &[])
            },
            Item { optional: true, ..item("load-test", queue, "Load test at 3× of the expected peak", &[]) },
            item("ramp-10", ramp, "Ramp the flag to 10 %", &["queue-healthy"]),
            item("soak-10", ramp, "Soak at 10 % for half an hour", &["ramp-10"]),
            item("ramp-25", ramp, "Ramp the flag to 25 %", &["soak-10", "billing-steady"]),
            item("ramp-100", ramp, "Ramp the flag to 100 %", &["ramp-25"]),
            item("support-briefed", tell, "Support is briefed and has the internal FAQ", &[]),
            item("status-page", tell, "Status page says what is coming", &[]),
            item("customers-told", tell, "Customers are told", &["ramp-100"]),
        ],
        ..Template::default()
    }
}
