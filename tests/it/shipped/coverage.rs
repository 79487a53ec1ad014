//! Gates that ask whether every replica is scraped. Asked of a server they fail when one is not; where gonogo
//! scrapes by itself they are unknown, as everything is that a missing replica has a part in. Neither is GO.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gonogo::engine::Judgement;
use gonogo::model::{SourceId, Verdict};
use gonogo::runtime::Clock;

use super::{Room, inject, scenario};
use crate::servers::{Prometheus, installed};

/// Those on the worker's source, and the one on the API's.
pub(super) const GATES: [&str; 5] =
    ["worker-coverage", "telemetry-complete", "dry-scraped", "inc-can-we-see", "api-coverage"];

/// What is scraped with two replicas, and the gates that watch it.
const SCRAPED: [(&str, &[&str]); 2] = [("worker", GATES.split_at(4).0), ("api", GATES.split_at(4).1)];

fn unscraped(page: &str) -> String {
    inject("1m", &format!("kind = \"coverage\"\npage = \"{page}\""))
}

/// The table of a source in the demo's config, as it is written there.
fn table<'c>(config: &'c str, source: &str) -> &'c str {
    let from = config.find(&format!("[source.{source}]\n")).unwrap();
    let rest = &config[from..];
    &rest[..rest.find("\n\n").unwrap()]
}

#[tokio::test]
async fn a_replica_that_a_server_does_not_reach_fails_them() {
    if !installed("prometheus") {
        return;
    }
    for (page, gates) in SCRAPED {
        let mut server = None;
        let mut room = Room::with(&scenario(25.0, &unscraped(page)), |config, address| {
            let job = |path: &str| {
                format!(
                    "{{job_name: '{page}{}', metrics_path: '/{path}', scrape_interval: 1s, \
                     static_configs: [{{targets: ['{address}'], labels: {{service: {page}}}}}], \
                     relabel_configs: [{{target_label: job, replacement: {page}}}, \
                     {{target_label: instance, replacement: '{path}'}}]}}",
                    path.len()
                )
            };
            let jobs = [format!("{page}/metrics"), format!("{page}/2/metrics")].map(|path| job(&path));
            let prometheus = Prometheus::start(&format!("scrape_configs: [{}]", jobs.join(", ")), None);
            let asked = format!(
                "[source.{page}]\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"5s\"\ntimeout = \"10s\"",
                prometheus.url
            );
            server = Some(prometheus);
            let scraped = table(&config, page).to_owned();
            config.replace(&scraped, &asked)
        })
        .await;
        let clock = Clock::wall();
        let source = BTreeSet::from([SourceId::from(page)]);
        // A product that stands still in calm, and then with the replica gone; the server's clock is the wall's.
        for is_calm in [true, false] {
            let moment = room.at(if is_calm { 0 } else { 120 });
            room.product.lock().unwrap().advance_to(moment);
            let patience = Instant::now() + Duration::from_mins(1);
            loop {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let now = clock.now();
                room.ask(now, &source).await;
                let told: Vec<_> = gates.iter().map(|gate| room.judge(&room.gate(gate), now)).collect();
                // A hold is proven elsewhere.
                let passes =
                    |judged: &Judgement| judged.verdict == Verdict::Pass || judged.reason.code == "holding";
                let fails = |judged: &Judgement| judged.verdict == Verdict::Fail;
                let right = if is_calm { told.iter().all(passes) } else { told.iter().all(fails) };
                if right {
                    break;
                }
                assert!(Instant::now() < patience, "{page}, calm: {is_calm}: {told:?}");
            }
        }
        drop(server);
    }
}

#[tokio::test]
async fn a_replica_that_gonogo_does_not_reach_leaves_them_unknown_and_says_which() {
    for (page, gates) in SCRAPED {
        let mut room = Room::with(&scenario(25.0, &unscraped(page)), |config, address| {
            let one = format!("[\"http://{address}/{page}/metrics\"]");
            assert!(config.contains(&one));
            let two = format!("[\"http://{address}/{page}/metrics\", \"http://{address}/{page}/2/metrics\"]");
            config.replace(&one, &two)
        })
        .await;
        let source = BTreeSet::from([SourceId::from(page)]);
        for seconds in (-65..=60).step_by(5) {
            room.poll(room.at(seconds), &source).await;
            for gate in gates {
                let judged = room.judge(&room.gate(gate), room.at(seconds));
                let words = &judged.reason.text;
                match seconds {
                    ..0 => {}
                    0..60 => assert_eq!(judged.verdict, Verdict::Pass, "{gate}: {words}"),
                    _ => {
                        let told = words.starts_with("1 of 2 targets") && words.contains("503");
                        assert_eq!(judged.verdict, Verdict::Unknown);
                        assert!(judged.reason.code == "partial" && told, "{gate}: {words}");
                    }
                }
            }
        }
    }
}
