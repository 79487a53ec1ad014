//! Every gate and trigger: pass in calm, fail under the inject beside it, unknown without its source.

use std::collections::{BTreeMap, BTreeSet};

use gonogo::model::{GateId, SourceId, Verdict};

use super::{Room, inject, own_name, scenario};

/// What goes wrong, with the flag at so many percent, and every gate that must fail of it. A trigger is named
/// as its gate is: `trigger:ID`.
struct Trouble {
    percent: f64,
    injects: &'static [&'static str],
    fails: &'static [&'static str],
}

const fn at_25(injects: &'static [&'static str], fails: &'static [&'static str]) -> Trouble {
    Trouble { percent: 25.0, injects, fails }
}

const TABLE: &[Trouble] = &[
    at_25(
        &["kind = \"api-errors\"\npercent = 30"],
        &[
            "api-errors",
            "api-healthy",
            "soak-15m",
            "soak-24h",
            "errors-recovered",
            "spike-errors-gone",
            "spike-burn-low",
            "inc-errors-low",
            "dry-api-healthy",
            "trigger:burn",
            "trigger:errors",
            "trigger:dry-errors",
        ],
    ),
    at_25(&["kind = \"api-slow\""], &["api-latency", "fast-at-100", "spike-fast-again"]),
    at_25(
        &["kind = \"worker-stall\""],
        &[
            "queue-depth",
            "oldest-job",
            "queue-idle-healthy",
            "steady-at-1",
            "steady-at-10",
            "steady-at-50",
            "soak-1h",
            "fill-queue-short",
            "fill-nobody-waits",
            "noisy-others-served",
            "stall-oldest-falls",
            "stall-depth-falls",
            "dry-queue-short",
            "dry-steady-at-25",
            "trigger:oldest-high",
            "trigger:dry-oldest",
        ],
    ),
    at_25(
        &["kind = \"end-to-end-broken\""],
        &[
            "synthetic-steady",
            "synthetic-again",
            "inc-work-flows",
            "stall-synthetic-done",
            "dry-recovered",
            "trigger:synthetic-late",
            "trigger:dry-synthetic",
        ],
    ),
    at_25(
        &["kind = \"billing-starved\""],
        &[
            "billing-untouched",
            "billing-unaffected",
            "billing-recovered",
            "fill-billing-waits-not",
            "inc-billing-safe",
            "invoices-flow",
            "trigger:billing-starved",
        ],
    ),
    at_25(&["kind = \"billing-poison\""], &["billing-jobs-ok", "billing-jobs-recovered"]),
    at_25(
        &["kind = \"poison-jobs\"\npercent = 60"],
        &[
            "steady-at-25",
            "fill-failures-low",
            "dead-letters-none",
            "fill-dead-letters-none",
            "failed-not-growing",
            "spike-failed-set",
            "trigger:dead-letters-grow",
        ],
    ),
    at_25(&["kind = \"replicas-lost\"\ncount = 8"], &["replicas-enough", "stall-workers-there"]),
    at_25(&["kind = \"worker-restarts\"\nevery = \"50s\""], &["workers-steady"]),
    at_25(
        &["kind = \"redis-full\""],
        &[
            "redis-headroom",
            "redis-noeviction",
            "fill-room-in-redis",
            "stall-redis-ok",
            "trigger:redis-filling",
        ],
    ),
    at_25(
        &["kind = \"boundary-open\""],
        &["boundary-refused", "inc-boundaries-hold", "trigger:boundary-open"],
    ),
    at_25(&["kind = \"access-denied\"\ntenant = \"initech\"\npercent = 50"], &["denials-normal"]),
    at_25(&["kind = \"access-denied\"\npercent = 100"], &["usage-arrives"]),
    at_25(&["kind = \"audit-lost\""], &["audit-complete"]),
    at_25(&["kind = \"switch-errors\""], &["org-switch-works"]),
    at_25(&["kind = \"identity-errors\""], &["tokens-issued"]),
    at_25(&["kind = \"scope-withheld\""], &["scopes-granted"]),
    at_25(&["kind = \"escalations\""], &["escalations-few", "inc-customers-closed"]),
    at_25(&["kind = \"alert-storm\""], &["watchdog-alive", "inc-alerts-work", "no-page", "trigger:paged"]),
    at_25(&["kind = \"pages-undelivered\""], &["pages-delivered"]),
    at_25(
        &[
            "kind = \"silenced\"\nalert = \"TasksApiErrorsHigh\"",
            "kind = \"silenced\"\nalert = \"TasksSyntheticLate\"",
        ],
        &["silences-few"],
    ),
    at_25(&["kind = \"noisy-tenant\""], &["tenants-even", "noisy-share-normal"]),
    at_25(&["kind = \"flag-moved\"\npercent = 60"], &["flag-at-plan"]),
    at_25(&["kind = \"flag-moved\"\npercent = 100"], &["flag-known"]),
    Trouble {
        percent: 0.0,
        injects: &["kind = \"flag-moved\"\npercent = 50"],
        fails: &["flag-confirmed", "nobody-sees-tasks"],
    },
    // With the flag at 0 % only the synthetic task makes jobs: a backlog is what a launch has left.
    Trouble {
        percent: 0.0,
        injects: &["kind = \"worker-stall\"", "kind = \"flag-moved\"\npercent = 50"],
        fails: &["queue-drained"],
    },
    Trouble {
        percent: 100.0,
        injects: &["kind = \"flag-moved\"\npercent = 0"],
        fails: &["seen-at-10", "seen-at-100"],
    },
];

/// Gates that do not pass at 25 %, and how far the flag is rolled out where they do.
const PASSES_AT: &[(f64, &[&str])] =
    &[(0.0, &["flag-confirmed", "nobody-sees-tasks", "queue-drained"]), (100.0, &["seen-at-100"])];

/// How the sources of the demo are called among the injects.
const PAGES: [(&str, &str); 8] = [
    ("worker", "worker"),
    ("api", "api"),
    ("identity-metrics", "identity-metrics"),
    ("redis", "redis"),
    ("pager", "pager"),
    ("identity", "identity"),
    ("prometheus", "rules"),
    ("alertmanager", "alerts"),
];

fn elsewhere(room: &Room) -> BTreeSet<GateId> {
    PASSES_AT.iter().flat_map(|(_, gates)| gates.iter().map(|name| room.gate(name))).collect()
}

/// Every gate has its place in the table or among those of coverage, and nothing is named that is no gate.
#[tokio::test]
async fn every_gate_and_trigger_of_every_list_has_an_inject_that_makes_it_fail() {
    let room = Room::open(&scenario(25.0, &inject("59m", "kind = \"api-slow\""))).await;
    let mut named: Vec<&str> = TABLE.iter().flat_map(|trouble| trouble.fails).copied().collect();
    named.extend(super::coverage::GATES);
    let gates = room.gates();
    let there: BTreeSet<&str> = gates.iter().map(own_name).collect();
    assert_eq!(there.len(), gates.len(), "two gates have one name: {gates:?}");
    assert!(there.len() > 80, "{}", there.len());
    let missing: Vec<&&str> = there.iter().filter(|gate| !named.contains(gate)).collect();
    assert!(missing.is_empty(), "no inject is named that makes these fail: {missing:?}");
    named.retain(|gate| !there.contains(gate));
    assert!(named.is_empty(), "there are no such gates: {named:?}");
}

#[tokio::test]
async fn each_gate_fails_and_each_trigger_fires_under_its_inject_and_not_before() {
    let mut wrong = Vec::new();
    for trouble in TABLE {
        let injects: String = trouble.injects.iter().map(|lines| inject("1s", lines)).collect();
        let mut room = Room::open(&scenario(trouble.percent, &injects)).await;
        let lasting = room.lasting();
        let mut left: BTreeSet<GateId> = trouble.fails.iter().map(|name| room.gate(name)).collect();
        let sources: BTreeSet<SourceId> = left.iter().flat_map(|gate| room.watch.sources_of(gate)).collect();
        // As far back as the expressions look. Every second poll is left out, as a slow source leaves it out.
        let windows = left.iter().map(|gate| room.window(gate)).max().unwrap();
        for seconds in (-windows - 30..=0).step_by(10) {
            room.poll(room.at(seconds), &sources).await;
        }
        for gate in &left {
            let calm = room.judge(gate, room.at(0));
            if calm.verdict == Verdict::Fail {
                wrong.push(format!("{gate} fails before {}: {}", trouble.injects[0], calm.reason.text));
            }
        }
        let mut last = BTreeMap::new();
        for seconds in (10..=900).step_by(10) {
            let now = room.at(seconds);
            room.poll(now, &sources).await;
            left.retain(|gate| {
                let judged = room.judge(gate, now);
                let long = lasting.get(gate).is_none_or(|want| judged.lasting.is_some_and(|is| is >= *want));
                last.insert(gate.clone(), format!("{:?} {}", judged.verdict, judged.reason.text));
                !(judged.verdict == Verdict::Fail && long)
            });
            if left.is_empty() {
                break;
            }
        }
        wrong.extend(left.iter().map(|gate| format!("{gate} under {:?}: {}", trouble.injects, last[gate])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_gate_passes_in_calm_and_does_not_know_once_its_source_is_stopped() {
    // Windows of a quarter of an hour; holds of ten minutes, behind the five that rates look back.
    let calm_ends: i64 = 60;
    let downs = (0..).zip(&PAGES).map(|(place, (page, _))| {
        let at = format!("{}s", calm_ends + 1 + 60 * place);
        inject(&at, &format!("kind = \"source-down\"\npage = \"{page}\""))
    });
    let mut room = Room::open(&scenario(25.0, &downs.collect::<String>())).await;
    let all = room.all_sources();
    for seconds in (-930..=calm_ends).step_by(5) {
        room.poll(room.at(seconds), &all).await;
    }
    let elsewhere = elsewhere(&room);
    let gates = room.gates();
    let mut now = room.at(calm_ends);
    let mut wrong: Vec<String> = Vec::new();
    for gate in gates.iter().filter(|gate| !elsewhere.contains(*gate)) {
        let judged = room.judge(gate, now);
        if judged.verdict != Verdict::Pass {
            wrong.push(format!("{gate} in calm: {:?}, {}", judged.verdict, judged.reason.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let mut stopped: BTreeSet<SourceId> = BTreeSet::new();
    for (place, (_, source)) in (0..).zip(&PAGES) {
        stopped.insert((*source).into());
        for seconds in (5..=60).step_by(5) {
            now = room.at(calm_ends + 60 * place + seconds);
            room.poll(now, &all).await;
        }
        for gate in &gates {
            let judged = room.judge(gate, now);
            let blind = room.watch.sources_of(gate).iter().any(|source| stopped.contains(source));
            let (verdict, code) = (judged.verdict, judged.reason.code.as_str());
            let told = judged.reason.text.contains("503");
            let right = match (blind, elsewhere.contains(gate)) {
                (true, _) => verdict == Verdict::Unknown && code == "status" && told,
                (false, true) => verdict == Verdict::Fail,
                (false, false) => verdict == Verdict::Pass,
            };
            if !right {
                let words = &judged.reason.text;
                wrong.push(format!("{gate} without {stopped:?}: {verdict:?} {code} {words}"));
            }
        }
    }
    assert_eq!(stopped, all, "every source was stopped");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_speaks_of_the_flag_passes_where_the_flag_is() {
    for (percent, gates) in PASSES_AT {
        let mut room = Room::open(&scenario(*percent, &inject("59m", "kind = \"api-slow\""))).await;
        let all = room.all_sources();
        for seconds in (-420..=0).step_by(5) {
            room.poll(room.at(seconds), &all).await;
        }
        for gate in *gates {
            let judged = room.judge(&room.gate(gate), room.at(0));
            assert_eq!(judged.verdict, Verdict::Pass, "{gate} at {percent} %: {}", judged.reason.text);
        }
    }
}
