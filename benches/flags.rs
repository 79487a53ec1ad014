//! What it costs to decode the answers of flag providers, in CPU of this thread: the goal stands beside
//! each figure. The answers are large: 5,000 flags, where a launch tracks a handful or all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use gonogo::sources::{flags::unleash, identity};
use rustix::time::{ClockId, clock_gettime};

const FLAGS: usize = 5_000;
const TRACKED: usize = 20;
const RUNS: usize = 15;

fn main() {
    // Cargo's test runner asks benches for their tests; there are none.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let (of_unleash, of_identity) = (unleash_answer(), identity_answer());
    let some: Vec<String> = (0..TRACKED).map(|n| format!("flag-{}", n * 200)).collect();
    println!("{FLAGS} flags; best of {RUNS}, CPU of one thread\n");
    println!("{:<44}{:>9}{:>12}{:>10}", "", "MB", "figure", "goal");
    let row = |name: &str, bytes: usize, took: Duration| {
        println!(
            "{name:<44}{:>9.1}{:>9.1} ms{:>10}",
            bytes as f64 / 1e6,
            took.as_secs_f64() * 1e3,
            "< 20 ms"
        );
    };
    let told = unleash::decode(&of_unleash, &some, "production").unwrap();
    assert_eq!(told.flags.len(), TRACKED);
    assert_eq!(unleash::decode(&of_unleash, &[], "production").unwrap().flags.len(), FLAGS);
    assert_eq!(identity::decode(&of_identity, &[]).unwrap().len(), FLAGS);
    let few = best(|| unleash::decode(&of_unleash, &some, "production").unwrap());
    row("unleash, 20 of them tracked", of_unleash.len(), few);
    let all = best(|| unleash::decode(&of_unleash, &[], "production").unwrap());
    row("unleash, all of them tracked", of_unleash.len(), all);
    let few = best(|| identity::decode(&of_identity, &some).unwrap());
    row("identity, 20 of them tracked", of_identity.len(), few);
    let all = best(|| identity::decode(&of_identity, &[]).unwrap());
    row("identity, all of them tracked", of_identity.len(), all);
}

/// As Unleash 7 writes it: every third flag has a constraint, every fifth has variants.
fn unleash_answer() -> Vec<u8> {
    let mut text = String::from(r#"{"version":2,"features":["#);
    for n in 0..FLAGS {
        let comma = if n > 0 { "," } else { "" };
        let constraint = if n % 3 == 0 {
            r#"{"contextName":"region","operator":"IN","values":["eu","ch","uk"],"inverted":false,"caseInsensitive":false}"#
        } else {
            ""
        };
        let variants = if n % 5 == 0 {
            r#"{"name":"a","weight":500,"stickiness":"userId","weightType":"variable"},{"name":"b","weight":500,"stickiness":"userId","weightType":"variable"}"#
        } else {
            ""
        };
        let _ = write!(
            text,
            r#"{comma}{{"name":"flag-{n}","type":"release","enabled":true,"project":"default","stale":false,"strategies":[{{"name":"flexibleRollout","constraints":[{constraint}],"parameters":{{"groupId":"flag-{n}","rollout":"{}","stickiness":"default"}},"variants":[{variants}]}}],"variants":[],"description":"What the flag is for, in some words","impressionData":false}}"#,
            n % 101
        );
    }
    text.push_str(r#"],"query":{"environment":"production","inlineSegmentConstraints":true},"meta":{"revisionId":10,"etag":"\"67e24428:10:v1\"","queryHash":"67e24428"}}"#);
    text.into_bytes()
}

fn identity_answer() -> Vec<u8> {
    let mut text =
        String::from(r#"{"environment":"production","revision":7,"missing":[],"next_cursor":null,"flags":["#);
    for n in 0..FLAGS {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}{{"key":"flag-{n}","kind":"release","value_type":"boolean","owner":"team-{}","tags":["tasks"],"archived":false,"stale":false,"state":{{"enabled":true,"rollout":{{"mode":"percent","percent":{},"unit":"org","exact":true}},"rules":[{{"id":"r1","name":"enterprise","enabled":true,"when":[{{"attribute":"org.plan","op":"in","values":["enterprise"]}}],"percent":100}}],"targets":{{"include":["org_acme"],"exclude":[]}},"variants":[{{"key":"on","weight_percent":25}},{{"key":"off","weight_percent":75}}],"off_variant":"off","prerequisites":[],"schedule":null,"observed":{{"window_s":300,"on":24,"off":76,"at":"2026-11-23T02:27:42Z"}},"version":3,"updated_at":"2026-11-23T02:27:42Z","updated_by":{{"id":"ravi","kind":"user","display":"Ravi"}}}}}}"#,
            n % 17,
            n % 101
        );
    }
    text.push_str("]}");
    text.into_bytes()
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn best<T>(work: impl Fn() -> T) -> Duration {
    let runs = (0..RUNS).map(|_| {
        let before = cpu();
        let kept = black_box(work());
        let took = cpu().saturating_sub(before);
        drop(kept);
        took
    });
    runs.min().unwrap_or_default()
}
