//! Each kind of inject against the same product without it, a minute of both, over HTTP.

use gonogo::runtime::feed::source;
use serde_json::Value;

use super::*;
use crate::drill::get;

/// What is seen of a product in the fifth minute after its scenario opened.
struct Seen {
    /// The minute's increase of every series, and its value at the end.
    increase: Samples,
    last: Samples,
    now: f64,
}

impl Seen {
    /// The increase of counters, a second.
    fn rate(&self, name: &str, labels: &[&str]) -> f64 {
        sum(&self.increase, name, labels) / 60.0
    }

    fn last(&self, name: &str, labels: &[&str]) -> f64 {
        sum(&self.last, name, labels)
    }

    /// A part of what was counted, 0 to 1.
    fn share(&self, name: &str, part: &[&str], of: &[&str]) -> f64 {
        self.rate(name, part) / self.rate(name, of)
    }

    /// The mean of a histogram.
    fn mean(&self, name: &str, labels: &[&str]) -> f64 {
        self.rate(&format!("{name}_sum"), labels) / self.rate(&format!("{name}_count"), labels)
    }
}

async fn scraped(server: &Server) -> Samples {
    let mut all = Samples::new();
    for page in Page::ALL {
        let answer = get(server.addr(), page.path()).await;
        assert_eq!(answer.status, 200);
        let text = samples(&answer.body);
        // The three processes tell the same of themselves.
        all.extend(text.into_iter().filter(|(name, _)| page == Page::Worker || !name.starts_with("process")));
    }
    all
}

async fn seen(injects: &str) -> Seen {
    let scenario = scenario(injects);
    let (product, server) = served(product(&scenario, 240)).await;
    let before = scraped(&server).await;
    product.lock().unwrap().advance_to(at(&scenario, 300));
    let last = scraped(&server).await;
    let increase = last.iter().map(|(n, v)| (n.clone(), v - before.get(n).unwrap_or(&0.0))).collect();
    Seen { increase, last, now: at(&scenario, 300).seconds() }
}

/// The inject from the first minute on, and the same one long after anybody looks.
async fn with_and_without(lines: &str) -> (Seen, Seen) {
    (seen(&inject("1m", lines)).await, seen(&inject("19m", lines)).await)
}

const TASKS_QUEUE: &str = "queue=\"tasks\"";
const BILLING_QUEUE: &str = "queue=\"billing\"";
const WAITING: &str = "state=\"waiting\"";

#[tokio::test]
async fn a_stall_grows_depth_and_age_and_leaves_the_api_and_billing_as_they_were() {
    let (stalled, calm) = with_and_without("kind = \"worker-stall\"").await;
    assert_eq!(stalled.rate("tasks_jobs_finished_total", &[TASKS_QUEUE]), 0.0);
    assert!(stalled.last("tasks_queue_depth", &[TASKS_QUEUE, WAITING]) > 1_000.0);
    assert!(calm.last("tasks_queue_depth", &[TASKS_QUEUE, WAITING]) < 300.0);
    let oldest = stalled.now - stalled.last("tasks_queue_oldest_enqueued_timestamp_seconds", &[TASKS_QUEUE]);
    assert!((239.0..250.0).contains(&oldest), "the job at the head waited already: {oldest}");
    let failing =
        |seen: &Seen| seen.share("http_requests_total", &["\"tasks\"", "code=\"50"], &["\"tasks\""]);
    assert_eq!(failing(&stalled), failing(&calm));
    let billing = |seen: &Seen| seen.rate("tasks_jobs_finished_total", &[BILLING_QUEUE]);
    assert_eq!(billing(&stalled), billing(&calm));
}

#[tokio::test]
async fn half_a_stall_leaves_half_of_the_workers() {
    let (stalled, calm) = with_and_without("kind = \"worker-stall\"\npercent = 50").await;
    let active = |seen: &Seen| seen.last("tasks_queue_depth", &[TASKS_QUEUE, "state=\"active\""]);
    let workers = |seen: &Seen| seen.last("tasks_queue_workers", &[TASKS_QUEUE]);
    assert!(active(&stalled) <= workers(&stalled) / 2.0);
    assert!(workers(&stalled) > workers(&calm), "the scaler sees a backlog, and starts more");
    assert!(stalled.rate("tasks_jobs_finished_total", &[TASKS_QUEUE]) > 5.0);
}

#[tokio::test]
async fn slow_workers_take_longer_and_lost_replicas_are_missing() {
    let (slow, calm) = with_and_without("kind = \"worker-slow\"\nfactor = 4").await;
    let took = |seen: &Seen| seen.mean("tasks_job_duration_seconds", &[TASKS_QUEUE]);
    assert!(took(&slow) > 2.0 * took(&calm), "{} {}", took(&slow), took(&calm));
    let replicas =
        |at| product(&scenario(&inject(at, "kind = \"replicas-lost\"\ncount = 4")), 300).replicas();
    let ((wanted, running), calm) = (replicas("1m"), replicas("19m"));
    assert_eq!((wanted - running, calm.0 - calm.1), (4, 0), "however many the scaler adds");
}

#[tokio::test]
async fn restarts_set_counters_back_again_and_again_and_billing_s_too() {
    let lines = "kind = \"worker-restarts\"\nevery = \"50s\"";
    let (restarted, calm) = with_and_without(lines).await;
    for queue in [TASKS_QUEUE, BILLING_QUEUE] {
        let finished = |seen: &Seen| seen.last("tasks_jobs_finished_total", &[queue]);
        assert!(finished(&restarted) < finished(&calm) / 4.0, "{queue}");
    }
    let since = restarted.now - restarted.last("process_start_time_seconds", &[]);
    assert_eq!((since, calm.now - calm.last("process_start_time_seconds", &[])), (40.0, 600.0));
}

#[tokio::test]
async fn poison_jobs_end_in_the_failed_set_and_others_do_not() {
    let (poisoned, calm) = with_and_without("kind = \"poison-jobs\"\npercent = 30").await;
    let letters = |seen: &Seen| seen.last("tasks_dead_letter_jobs", &[TASKS_QUEUE]);
    assert!(letters(&poisoned) > 200.0 && letters(&calm) == 0.0, "{}", letters(&poisoned));
    let kept = |seen: &Seen| seen.last("tasks_queue_depth", &[TASKS_QUEUE, "state=\"failed\""]);
    assert!(kept(&poisoned) > kept(&calm) + 200.0, "{} {}", kept(&poisoned), kept(&calm));
    let failing = poisoned.share("tasks_jobs_finished_total", &[TASKS_QUEUE, "failure"], &[TASKS_QUEUE]);
    assert!((0.2..0.4).contains(&failing), "{failing}");
}

#[tokio::test]
async fn poison_among_billing_jobs_leaves_the_tasks_queue_as_it_was() {
    let (poisoned, calm) = with_and_without("kind = \"billing-poison\"\npercent = 20").await;
    let failing = |seen: &Seen, queue| seen.share("tasks_jobs_finished_total", &[queue, "failure"], &[queue]);
    let share = failing(&poisoned, BILLING_QUEUE);
    assert!((0.1..0.3).contains(&share) && failing(&calm, BILLING_QUEUE) < 0.01, "{share}");
    assert_eq!(failing(&poisoned, TASKS_QUEUE), failing(&calm, TASKS_QUEUE));
    let kept = |seen: &Seen, queue| seen.last("tasks_queue_depth", &[queue, "state=\"failed\""]);
    assert!(kept(&poisoned, BILLING_QUEUE) > kept(&calm, BILLING_QUEUE) + 20.0);
    assert_eq!(kept(&poisoned, TASKS_QUEUE), kept(&calm, TASKS_QUEUE));
}

#[tokio::test]
async fn errors_slowness_and_denials_fall_on_the_service_that_is_named() {
    let code = |seen: &Seen, service: &str, code: &str| {
        seen.share("http_requests_total", &[service, &format!("code=\"{code}")], &[service])
    };
    let (failing, calm) = with_and_without("kind = \"api-errors\"\nservice = \"portal\"\npercent = 10").await;
    assert!((0.08..0.12).contains(&code(&failing, "\"portal\"", "50")));
    assert_eq!(code(&failing, "\"tasks\"", "50"), code(&calm, "\"tasks\"", "50"));

    let (slow, calm) = with_and_without("kind = \"api-slow\"").await;
    let took = |seen: &Seen, service| seen.mean("http_request_duration_seconds", &[service]);
    assert!(took(&slow, "\"tasks\"") > 7.0 * took(&calm, "\"tasks\""));
    assert_eq!(took(&slow, "\"portal\""), took(&calm, "\"portal\""));

    let lines = "kind = \"access-denied\"\ntenant = \"initech\"\npercent = 50";
    let (denied, calm) = with_and_without(lines).await;
    let refused = |seen: &Seen| seen.rate("http_requests_total", &["\"tasks\"", "code=\"403\"", "initech"]);
    assert!(refused(&denied) > 1.0 && refused(&calm) == 0.0);
    // Beside it only the tenant is refused that always is.
    let all = |seen: &Seen| seen.rate("http_requests_total", &["\"tasks\"", "code=\"403\""]);
    assert!((all(&denied) - all(&calm) - refused(&denied)).abs() < 1e-9);
    let entitled = |seen: &Seen| seen.rate("tasks_entitlement_denials_total", &["initech"]);
    assert!(entitled(&denied) > entitled(&calm) + 1.0);
}

#[tokio::test]
async fn a_surge_asks_more_of_all_and_a_noisy_tenant_more_for_itself() {
    let asked = |seen: &Seen, labels: &[&str]| seen.rate("http_requests_total", labels);
    let (surge, calm) = with_and_without("kind = \"traffic-surge\"\nfactor = 3").await;
    for service in ["\"tasks\"", "\"portal\"", "\"identity\""] {
        let times = asked(&surge, &[service]) / asked(&calm, &[service]);
        assert!((2.7..3.3).contains(&times), "{service}: {times}");
    }
    let (noisy, calm) = with_and_without("kind = \"noisy-tenant\"\ntenant = \"hooli\"").await;
    let share = |seen: &Seen| seen.share("http_requests_total", &["\"tasks\"", "\"hooli\""], &["\"tasks\""]);
    assert!(share(&noisy) > 0.4 && share(&calm) < 0.15, "{} {}", share(&noisy), share(&calm));
    let enqueued = |seen: &Seen| seen.rate("tasks_jobs_enqueued_total", &[TASKS_QUEUE]);
    assert!(enqueued(&noisy) > 1.5 * enqueued(&calm), "its requests make jobs too");

    let loud = scenario(&inject("1m", "kind = \"noisy-tenant\"\ntenant = \"hooli\""));
    let loud = product(&loud, 300);
    let waiting: u32 = loud.waiting_by_tenant().map(|(_, jobs)| jobs).sum();
    let own = loud.waiting_by_tenant().find(|(tenant, _)| *tenant == "hooli").unwrap().1;
    assert!(waiting > 20 && 4 * own > waiting, "{own} of {waiting}");
}

#[tokio::test]
async fn a_starved_billing_queue_grows_and_makes_no_invoices() {
    let (starved, calm) = with_and_without("kind = \"billing-starved\"").await;
    let waiting = |seen: &Seen| seen.last("tasks_queue_depth", &[BILLING_QUEUE, WAITING]);
    assert!(waiting(&starved) > 300.0 && waiting(&calm) < 60.0);
    let invoices = |seen: &Seen| seen.rate("usage_events_total", &["invoice"]);
    assert!(invoices(&starved) == 0.0 && invoices(&calm) > 1.0);
}

#[tokio::test]
async fn a_broken_synthetic_task_is_never_finished_while_jobs_are() {
    let (broken, calm) = with_and_without("kind = \"end-to-end-broken\"").await;
    let age = |seen: &Seen| seen.now - seen.last("tasks_synthetic_last_success_timestamp_seconds", &[]);
    assert!(age(&broken) > 180.0 && age(&calm) < 90.0, "{} {}", age(&broken), age(&calm));
    assert_eq!(
        broken.rate("tasks_jobs_finished_total", &["success"]),
        calm.rate("tasks_jobs_finished_total", &["success"])
    );
}

#[tokio::test]
async fn redis_fills_up_and_throws_jobs_away_where_its_policy_lets_it() {
    let used =
        |seen: &Seen| seen.last("redis_memory_used_bytes", &[]) / seen.last("redis_memory_max_bytes", &[]);
    let evicted = |seen: &Seen| seen.rate("redis_evicted_keys_total", &[]);
    let policy = |seen: &Seen, policy| seen.last("redis_instance_info", &[policy]);
    let (full, calm) = with_and_without("kind = \"redis-full\"").await;
    assert!(used(&full) > 0.96 && used(&calm) < 0.5, "{} {}", used(&full), used(&calm));
    assert!(evicted(&full) > 0.0 && evicted(&calm) == 0.0);
    assert_eq!((policy(&full, "allkeys-lru"), policy(&calm, "noeviction")), (1.0, 1.0));
    let (kept, _) = with_and_without("kind = \"redis-full\"\npolicy = \"noeviction\"").await;
    assert!(used(&kept) > 0.96 && evicted(&kept) == 0.0 && policy(&kept, "noeviction") == 1.0);
}

#[tokio::test]
async fn boundaries_the_audit_log_and_the_pager_fail_each_in_its_own_metric() {
    let lines = "kind = \"boundary-open\"\nboundary = \"product\"";
    let (open, calm) = with_and_without(lines).await;
    let refused = |seen: &Seen, boundary| seen.last("tasks_boundary_probe_refused", &[boundary]);
    assert_eq!(
        [refused(&open, "\"product\""), refused(&open, "\"tenant\""), refused(&calm, "\"product\"")],
        [0.0, 1.0, 1.0]
    );
    for (kind, name, labels) in [
        ("switch-errors", "identity_org_switches_total", &["result=\"failure\""][..]),
        ("pages-undelivered", "alertmanager_notifications_failed_total", &["pagerduty"]),
    ] {
        let (hit, calm) = with_and_without(&format!("kind = \"{kind}\"\ncount = 6")).await;
        assert_eq!((hit.rate(name, labels), calm.rate(name, labels)), (0.1, 0.0), "{kind}");
    }
    let (lost, calm) = with_and_without("kind = \"audit-lost\"\ncount = 6").await;
    let unaudited = |seen: &Seen| {
        seen.last("identity_impersonations_total", &[])
            - seen.last("identity_audit_events_total", &["impersonation"])
    };
    assert_eq!((unaudited(&lost), unaudited(&calm)), (30.0, 0.0));
    let (silenced, calm) = with_and_without("kind = \"silenced\"\nalert = \"TasksApiErrorsHigh\"").await;
    let silences = |seen: &Seen| seen.last("alertmanager_silences", &["active"]);
    assert_eq!((silences(&silenced), silences(&calm)), (2.0, 1.0));
}

#[tokio::test]
async fn identity_errors_fail_sign_ins_and_tokens() {
    let (failing, calm) = with_and_without("kind = \"identity-errors\"\npercent = 40").await;
    let tokens =
        |seen: &Seen| seen.share("identity_token_requests_total", &["result=\"error\""], &["result"]);
    let sign_ins = |seen: &Seen| seen.share("identity_signins_total", &["result=\"failure\""], &["result"]);
    assert!((0.3..0.5).contains(&tokens(&failing)) && tokens(&calm) < 0.05);
    assert!(sign_ins(&failing) > 0.25 && sign_ins(&calm) < 0.15);
}

#[tokio::test]
async fn escalations_are_open_until_they_end_and_raise_their_alert() {
    let lines = "kind = \"escalations\"\ncount = 5";
    let (open, calm) = with_and_without(lines).await;
    let high = |seen: &Seen| seen.last("support_escalations_open", &["product=\"tasks\"", "high"]);
    assert_eq!((high(&open), high(&calm)), (5.0, 0.0));
    let over = seen(&inject("1m", &format!("{lines}\nuntil = \"2m\""))).await;
    assert_eq!(high(&over), 0.0);
}

#[tokio::test]
async fn a_flag_that_is_moved_is_told_by_identity_and_one_that_is_stuck_is_not_taken_up() {
    let flag = |flags: &Value| {
        let all = flags["flags"].as_array().unwrap();
        all.iter().find(|flag| flag["key"] == "tasks.enabled").unwrap()["state"].clone()
    };
    let moved = "kind = \"flag-moved\"\npercent = 60\nby = \"mallory\"";
    let stuck = "kind = \"flag-stuck\"";
    let (_product, server) =
        served(product(&scenario(&(inject("30s", stuck) + &inject("1m", moved))), 300)).await;
    let told = flag(&get(server.addr(), "/launch/v1/flags?environment=production").await.json());
    assert_eq!((&told["rollout"]["percent"], &told["updated_by"]["id"]), (&60.0.into(), &"mallory".into()));
    assert_eq!(told["updated_at"], "2025-12-02T14:06:00.000Z");
    let (on, off) = (told["observed"]["on"].as_f64().unwrap(), told["observed"]["off"].as_f64().unwrap());
    assert!((23.0..27.0).contains(&(100.0 * on / (on + off))), "callers still act on 25 %: {on} {off}");

    let (moved, calm) = with_and_without(moved).await;
    let orgs = |seen: &Seen| seen.last("usage_active_organisations", &["tasks"]);
    assert!(orgs(&moved) > 240.0 && orgs(&calm) == 105.0);
}

#[tokio::test]
async fn alerts_storm_are_lost_or_silenced_where_they_are_told() {
    async fn told(injects: &str, path: &str) -> Value {
        let (_product, server) = served(product(&scenario(injects), 300)).await;
        get(server.addr(), path).await.json()
    }
    let names = |alerts: &Value| -> Vec<String> {
        let all = alerts.as_array().unwrap().iter();
        all.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    };
    let (rules, sent) = ("/api/v1/alerts", "/alertmanager/api/v2/alerts");
    let storm = inject("1m", "kind = \"alert-storm\"\ncount = 7");
    let all = told(&storm, rules).await["data"]["alerts"].clone();
    assert_eq!((names(&all).len(), all[7]["labels"]["severity"].clone()), (8, "page".into()));
    let all = told(&storm, sent).await;
    let mut prints: Vec<_> = all.as_array().unwrap().iter().map(|a| a["fingerprint"].to_string()).collect();
    prints.sort();
    prints.dedup();
    assert_eq!((names(&all).len(), prints.len()), (8, 8));

    let lost = inject("1m", "kind = \"alerts-lost\"");
    assert_eq!(names(&told(&lost, sent).await), Vec::<String>::new());
    assert_eq!(names(&told(&lost, rules).await["data"]["alerts"]), ["Watchdog"], "the rules still fire");

    let silenced = inject("1m", "kind = \"silenced\"\nalert = \"Watchdog\"");
    let all = told(&silenced, sent).await;
    assert_eq!(
        (&all[0]["labels"]["alertname"], &all[0]["status"]["state"]),
        (&"Watchdog".into(), &"suppressed".into())
    );
    let silences = told(&silenced, "/alertmanager/api/v2/silences").await;
    assert_eq!(silences[1]["id"], all[0]["status"]["silencedBy"][0]);
    assert_eq!(silences[1]["startsAt"], "2025-12-02T14:06:00.000Z");
}

#[tokio::test]
async fn a_replica_that_is_not_scraped_answers_503_and_the_others_go_on() {
    let lines = "kind = \"coverage\"\npage = \"api\"\nuntil = \"6m\"";
    let scenario = scenario(&inject("1m", lines));
    let (product, server) = served(product(&scenario, 300)).await;
    for (path, status) in [
        ("/api/2/metrics", 503),
        ("/api/metrics", 200),
        ("/worker/2/metrics", 200),
        ("/identity/2/metrics", 200),
    ] {
        let answer = get(server.addr(), path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(status == 503 || answer.body.contains("process_start_time_seconds"));
    }
    product.lock().unwrap().advance_to(at(&scenario, 360));
    assert_eq!(get(server.addr(), "/api/2/metrics").await.status, 200, "it has ended");
}

/// Every source of the demo, in each way: the poll fails, the others do not, and it ends.
#[tokio::test]
async fn a_source_that_is_down_is_a_failed_poll_until_it_is_back() {
    let sources = [
        ("worker", "worker"),
        ("api", "api"),
        ("identity-metrics", "identity-metrics"),
        ("identity", "identity"),
        ("prometheus", "rules"),
        ("alertmanager", "alerts"),
    ];
    // What the demo scrapes no source of is asked over HTTP alone.
    for (page, path) in [("redis", "/redis/metrics"), ("pager", "/alertmanager/metrics")] {
        let down = scenario(&inject("1m", &format!("kind = \"source-down\"\npage = \"{page}\"")));
        let (_product, server) = served(product(&down, 120)).await;
        assert_eq!(get(server.addr(), path).await.status, 503);
        assert_eq!(get(server.addr(), "/alertmanager/api/v2/alerts").await.status, 200);
    }
    for how in ["503", "hang", "reset"] {
        for (page, id) in sources {
            let lines = format!("kind = \"source-down\"\npage = \"{page}\"\nhow = \"{how}\"\nuntil = \"6m\"");
            let scenario = scenario(&inject("1m", &lines));
            let (product, server) = served(product(&scenario, 50)).await;
            let mut launch = launch(&server);
            for def in &mut launch.sources {
                def.timeout = Duration::from_millis(if how == "hang" { 150 } else { 5_000 });
            }
            let mut polled = Vec::new();
            for seconds in [50, 300, 361] {
                product.lock().unwrap().advance_to(at(&scenario, seconds));
                for def in launch.sources.clone() {
                    if seconds != 300 && def.id.as_str() != id {
                        continue;
                    }
                    let mut source = source(&launch, &def).unwrap();
                    let outcome = source.poll(at(&scenario, seconds)).await.outcome;
                    if def.id.as_str() == id {
                        polled.push(outcome.map(|_| ()).map_err(|fault| fault.text));
                    } else {
                        assert!(outcome.is_ok(), "{page} {how}: {} too: {outcome:?}", def.id);
                    }
                }
            }
            let wrong = polled[1].as_ref().expect_err(page);
            assert!(how != "503" || wrong.contains("503"), "{page}: {wrong}");
            assert!(polled[0].is_ok() && polled[2].is_ok(), "{page} {how}: {polled:?}");
        }
    }
}
