//! What an identity service tells beside flags: organisations, entitlements, roles, changes,
//! impersonation, each part on its own account.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::drill::{Access, DEMO_SEED, DEMO_START, Product, Server};
use gonogo::model::identity::{AuditOutcome, IdentityAnswer, OrgStatus, PrincipalKind};
use gonogo::model::{Answer, FaultCode, SourceKind, Time};
use gonogo::sources::Source;

use super::{answer, at, fault, source, source_def};
use crate::http::canned::{self, Act, Canned, Seen, ok};

const EVERYTHING: &str = r#"["flags","orgs","roles","entitlements","audit","impersonation"]"#;

fn meta(contract: &str, environments: &str, capabilities: &str) -> Vec<Act> {
    let body = format!(
        r#"{{"contract":"{contract}","service":{{"name":"identity","version":"7"}},"environments":{environments},
        "capabilities":{capabilities},"poll":{{"min_interval_s":7}}}}"#
    );
    ok("application/json", body)
}

fn flags() -> Vec<Act> {
    ok("application/json", r#"{"environment":"production","revision":1,"flags":[]}"#)
}

fn tagged(seen: &Seen, tag: &str, body: &str) -> Vec<Act> {
    if seen.header("if-none-match") == Some(tag) {
        return canned::answer(304, "", "");
    }
    canned::answer(200, &format!("Content-Type: application/json\r\nETag: {tag}\r\n"), body)
}

/// A whole service; what `script` answers comes before what it would say.
fn service(script: impl Fn(&Seen) -> Option<Vec<Act>> + Send + Sync + 'static) -> Canned {
    Canned::new(move |seen, _| {
        if let Some(acts) = script(seen) {
            return acts;
        }
        let path = seen.path().strip_prefix("/launch/v1/").unwrap();
        match path {
            "meta" => meta("launch-identity/1", r#"["production"]"#, EVERYTHING),
            "whoami" => ok("application/json", r#"{"subject":{"id":"ada"},"scopes":[]}"#),
            _ if path.starts_with("flags?") => flags(),
            "orgs" => tagged(
                seen,
                "\"o1\"",
                r#"{"orgs":[{"id":"org_a","slug":"a","status":"active"}],"next_cursor":"p2"}"#,
            ),
            "orgs?cursor=p2" => tagged(
                seen,
                "\"o2\"",
                r#"{"orgs":[{"id":"org_b","slug":"b","status":"sleepy"}],"next_cursor":null}"#,
            ),
            "roles" => tagged(
                seen,
                "\"r1\"",
                r#"{"roles":[{"key":"member","scopes":["tasks:read"]}],"scopes":[{"key":"tasks:read","introduced_in":"2026-11-01"}]}"#,
            ),
            "audit-events?limit=200" => ok(
                "application/json",
                r#"{"head":"ev_2","has_more":false,"events":[
                    {"id":"ev_1","actor":{"id":"x","kind":"robot"},"action":"a.b"},
                    {"id":"ev_2","actor":{"id":"ravi","kind":"user"},"action":"flag.rollout_changed","outcome":"success",
                     "before":{"percent":10},"after":{"percent":25}}]}"#,
            ),
            "audit-events?limit=200&after=ev_2" => {
                tagged(seen, "\"e2\"", r#"{"head":"ev_2","has_more":false,"events":[]}"#)
            }
            "impersonation-sessions?active=true" => tagged(
                seen,
                "\"i1\"",
                r#"{"sessions":[{"id":"imp_1","actor":{"id":"sam","kind":"user","display":"Sam"},
                "subject":{"id":"u_42","display":"Eve","org_id":"org_b"},"reason":"ticket 981","read_only":true,
                "started_at":"2025-12-02T14:00:00Z","expires_at":"2025-12-02T14:30:00Z","ended_at":null}]}"#,
            ),
            _ => match path.strip_prefix("orgs/").and_then(|p| p.strip_suffix("/entitlements")) {
                Some(org) => tagged(
                    seen,
                    "\"t1\"",
                    &format!(r#"{{"org_id":"{org}","entitlements":[{{"key":"tasks","granted":true}}]}}"#),
                ),
                None => canned::answer(404, "", ""),
            },
        }
    })
}

fn of(server: &Canned) -> Source {
    let kind = SourceKind::Identity {
        url: server.url(""),
        environment: "production".into(),
        grants: false,
        beside: Vec::new(),
    };
    source(&source_def(kind), &[], &[])
}

fn parts(answer: Answer) -> IdentityAnswer {
    answer.identity.unwrap()
}

fn problem(status: u16, headers: &str, more: &str) -> Vec<Act> {
    let body = format!(r#"{{"type":"about:blank","title":"No","status":{status}{more}}}"#);
    canned::answer(status, &format!("Content-Type: application/problem+json\r\n{headers}"), body)
}

fn asked(server: &Canned, part: &str) -> usize {
    let is = |seen: &Seen| seen.path().strip_prefix("/launch/v1/").unwrap().starts_with(part);
    server.seen().iter().filter(|seen| is(seen)).count()
}

#[tokio::test]
async fn every_part_is_told_and_what_is_not_known_reads_as_other() {
    let server = service(|_| None);
    let mut source = of(&server);
    let told = parts(answer(&mut source, at(0.0)).await);
    let orgs = told.orgs.unwrap().outcome.unwrap().orgs;
    let named: Vec<_> = orgs.iter().map(|o| (o.id.as_str(), o.name.as_str(), o.status)).collect();
    assert_eq!(named, [("org_a", "a", OrgStatus::Active), ("org_b", "b", OrgStatus::Other)]);
    let granted: Vec<_> = told
        .entitlements
        .iter()
        .map(|(id, part)| (id.as_str(), part.outcome.as_ref().unwrap().grants("tasks", at(0.0))))
        .collect();
    assert_eq!(granted, [("org_a", true), ("org_b", true)]);
    let roles = told.roles.unwrap().outcome.unwrap();
    assert_eq!(
        (roles.roles[0].name.as_str(), roles.scopes[0].introduced_in.as_str()),
        ("member", "2026-11-01")
    );
    let news = told.audit.unwrap().outcome.unwrap();
    assert!(news.anew && !news.more);
    let events = news.events;
    assert_eq!((events[0].actor.kind, events[0].outcome), (PrincipalKind::Other, AuditOutcome::Other));
    assert_eq!((events[1].before.as_str(), events[1].after.as_str()), ("percent 10", "percent 25"));
    let sessions = told.impersonations.unwrap().outcome.unwrap();
    assert_eq!((sessions[0].subject.as_str(), sessions[0].read_only), ("Eve", Some(true)));
    assert_eq!((told.meta, told.whoami, told.remarks), (None, None, Vec::<String>::new()));
    assert_eq!(source.least_interval(), Duration::from_secs(7));
}

#[tokio::test]
async fn an_unchanged_poll_costs_three_small_questions_and_what_changes_seldom_is_asked_seldom() {
    let server = service(|_| None);
    let mut source = of(&server);
    answer(&mut source, at(0.0)).await;
    answer(&mut source, at(5.0)).await;
    let before = server.seen().len();
    let next = parts(answer(&mut source, at(10.0)).await);
    let seen = server.seen().split_off(before);
    let mut paths: Vec<&str> = seen.iter().map(Seen::path).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "/launch/v1/audit-events?limit=200&after=ev_2",
            "/launch/v1/flags?environment=production&limit=200",
            "/launch/v1/impersonation-sessions?active=true",
        ]
    );
    assert!(seen.iter().filter(|s| !s.path().contains("flags")).all(|s| s.header("if-none-match").is_some()));
    assert!(next.orgs.is_none() && next.roles.is_none() && next.entitlements.is_empty());
    assert_eq!(next.audit.unwrap().outcome.unwrap().events, []);
    assert_eq!(next.impersonations.unwrap().outcome.unwrap().len(), 1);

    // After a minute the rest is asked for again, and confirmed by 304s that mean the same.
    let before = server.seen().len();
    let later = parts(answer(&mut source, at(61.0)).await);
    let seen = server.seen().split_off(before);
    let tags = seen.iter().filter(|s| s.header("if-none-match").is_some()).count();
    assert_eq!((seen.len(), tags), (9, 7), "{:?}", seen.iter().map(Seen::path).collect::<Vec<_>>());
    assert_eq!(later.orgs.unwrap().outcome.unwrap().orgs.len(), 2);
    assert!(later.entitlements.iter().all(|(_, part)| part.outcome.is_ok()));
}

#[tokio::test]
async fn each_part_fails_on_its_own_account_with_what_it_needs() {
    for (part, scope) in [
        ("orgs", "orgs:read"),
        ("roles", "entitlements:read"),
        ("audit-events", "audit:read"),
        ("impersonation-sessions", "impersonation:read"),
        ("orgs/", "entitlements:read"),
    ] {
        for by_challenge in [false, true] {
            let server = service(move |seen| {
                let path = seen.path().strip_prefix("/launch/v1/").unwrap();
                let name = path.split_once('?').map_or(path, |(name, _)| name);
                let refused = if part == "orgs/" { name.starts_with("orgs/") } else { name == part };
                let challenge = format!("WWW-Authenticate: Bearer scope=\"{scope}\"\r\n");
                let required = format!(r#","required_scope":"{scope}""#);
                let (headers, more) =
                    if by_challenge { (challenge.as_str(), "") } else { ("", required.as_str()) };
                refused.then(|| problem(403, headers, more))
            });
            let mut source = of(&server);
            let whole = answer(&mut source, at(0.0)).await;
            assert!(whole.flags.is_some());
            let told = parts(whole);
            let faults = [
                ("orgs", told.orgs.as_ref().and_then(|p| p.outcome.as_ref().err().cloned())),
                ("roles", told.roles.as_ref().and_then(|p| p.outcome.as_ref().err().cloned())),
                ("audit-events", told.audit.as_ref().and_then(|p| p.outcome.as_ref().err().cloned())),
                (
                    "impersonation-sessions",
                    told.impersonations.as_ref().and_then(|p| p.outcome.as_ref().err().cloned()),
                ),
                ("orgs/", told.entitlements.first().and_then(|(_, p)| p.outcome.as_ref().err().cloned())),
            ];
            for (name, told) in faults {
                let told =
                    told.map(|fault| (fault.code, fault.text.split(": No").next().unwrap().to_owned()));
                let expected =
                    (name == part).then(|| (FaultCode::Forbidden, format!("forbidden: needs {scope}")));
                assert_eq!(told, expected, "{name} where {part} is refused");
            }
            // What is refused is not asked for in every poll.
            let before = asked(&server, part);
            answer(&mut source, at(5.0)).await;
            assert_eq!(asked(&server, part) - before, 0, "{part}");
            let later = parts(answer(&mut source, at(65.0)).await);
            if part == "orgs/" {
                assert_eq!(later.entitlements.len(), 1, "one is enough to see whether it is allowed now");
            }
        }
    }
}

#[tokio::test]
async fn a_part_that_asks_for_rest_gets_it_while_the_others_are_asked_on() {
    for (status, header, seconds) in [
        (429, "Retry-After: 90\r\n", 90.0),
        (503, "Retry-After: 90\r\n", 90.0),
        (429, "Date: Tue, 02 Dec 2025 14:00:00 GMT\r\nRetry-After: Tue, 02 Dec 2025 14:01:30 GMT\r\n", 90.0),
    ] {
        let server =
            service(move |seen| seen.path().contains("audit-events").then(|| problem(status, header, "")));
        let mut source = of(&server);
        let told = parts(answer(&mut source, at(0.0)).await);
        let fault = told.audit.unwrap().outcome.unwrap_err();
        assert_eq!(fault.retry_after, Some(Duration::from_secs(90)), "{header}");
        for second in [5.0, 60.0, seconds - 1.0] {
            assert!(parts(answer(&mut source, at(second)).await).audit.is_none());
        }
        assert_eq!((asked(&server, "audit-events"), asked(&server, "impersonation-sessions")), (1, 4));
        assert!(parts(answer(&mut source, at(seconds)).await).audit.is_some());
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_and_never_taken_for_an_empty_one() {
    for (acts, code, text) in [
        (ok("text/html", "<html>sign in</html>"), FaultCode::ContentType, "answers an HTML page, not JSON"),
        (ok("application/json", ""), FaultCode::CutShort, "an empty answer"),
        (
            ok("application/json", "{\"orgs\":[{\"id\":"),
            FaultCode::CutShort,
            "the JSON of the answer ends too early",
        ),
        (
            ok("application/json", "{\"orgs\":[],\"next_cursor\":\"p2\"}"),
            FaultCode::Unreadable,
            "the pages of organisations have no end",
        ),
        (
            ok("application/json", "{\"orgs\":[{\"id\":\"\"}]}"),
            FaultCode::Unreadable,
            "an organisation has no id",
        ),
        (canned::answer(304, "", ""), FaultCode::Status, "answers 304 without cause"),
        (canned::answer(500, "", "oops"), FaultCode::Status, "answers 500"),
    ] {
        let server = service(move |seen| seen.path().starts_with("/launch/v1/orgs").then(|| acts.clone()));
        let whole = answer(&mut of(&server), at(0.0)).await;
        assert!(whole.flags.is_some());
        let told = parts(whole).orgs.unwrap().outcome.unwrap_err();
        assert_eq!((told.code, told.text.as_str()), (code, text));
    }
}

#[tokio::test]
async fn what_the_service_does_not_list_is_not_asked_for() {
    let server = service(|seen| {
        let lists = meta("launch-identity/1", "[]", r#"["audit","flags","teleport"]"#);
        seen.path().ends_with("/meta").then_some(lists)
    });
    let told = parts(answer(&mut of(&server), at(0.0)).await);
    assert!(told.audit.is_some());
    assert!(told.orgs.is_none() && told.roles.is_none() && told.impersonations.is_none());
    let mut parts: Vec<String> = server
        .seen()
        .iter()
        .map(|s| s.path().trim_start_matches("/launch/v1/").split('?').next().unwrap().to_owned())
        .collect();
    parts.sort();
    assert_eq!(parts, ["audit-events", "flags", "meta", "whoami"]);
}

#[tokio::test]
async fn flags_that_the_service_does_not_offer_are_no_flags_that_are_off() {
    let lists = |capabilities: &'static str| {
        service(move |seen| {
            seen.path().ends_with("/meta").then(|| meta("launch-identity/1", "[]", capabilities))
        })
    };
    let with_flag = |server: &Canned| {
        let kind = SourceKind::Identity {
            url: server.url(""),
            environment: "production".into(),
            grants: false,
            beside: Vec::new(),
        };
        source(&source_def(kind), &[], &["tasks.enabled"])
    };
    let server = lists(r#"["orgs"]"#);
    let told = fault(&mut with_flag(&server), at(0.0)).await;
    assert_eq!(told.text, "the service does not offer flags");
    // Nobody asks for one: the rest is told.
    let whole = answer(&mut of(&server), at(0.0)).await;
    assert!(whole.flags.is_none() && parts(whole).orgs.is_some());
    assert_eq!(asked(&server, "flags"), 0);
    // A list that is empty says nothing.
    let whole = answer(&mut with_flag(&lists("[]")), at(0.0)).await;
    assert_eq!(whole.flags.unwrap().missing, ["tasks.enabled"]);
}

#[tokio::test]
async fn another_contract_or_environment_is_told_in_words() {
    for (contract, text) in [
        (
            "launch-identity/2",
            "the service speaks launch-identity/2; this version of gonogo reads launch-identity/1",
        ),
        (
            "",
            "the service does not say which contract it speaks; this version of gonogo reads launch-identity/1",
        ),
    ] {
        let server =
            service(move |seen| seen.path().ends_with("/meta").then(|| meta(contract, "[]", EVERYTHING)));
        let told = fault(&mut of(&server), at(0.0)).await;
        assert_eq!((told.code, told.text.as_str()), (FaultCode::Unreadable, text));
    }
    let words = "the service does not list environment production, only staging, dev";
    let elsewhere = |seen: &Seen| {
        seen.path().ends_with("/meta").then(|| meta("launch-identity/1", r#"["staging","dev"]"#, EVERYTHING))
    };
    let told = parts(answer(&mut of(&service(elsewhere)), at(0.0)).await);
    assert_eq!(told.remarks, [words]);
    let server = service(move |seen| {
        let bad = seen.path().contains("/flags?").then(|| problem(400, "", ""));
        elsewhere(seen).or(bad)
    });
    let told = fault(&mut of(&server), at(0.0)).await;
    assert_eq!((told.code, told.text.as_str()), (FaultCode::WrongEnvironment, words));
}

#[tokio::test]
async fn the_audit_tail_is_followed_page_by_page_and_begun_anew_where_the_log_was() {
    let event = |n: u32| format!(r#"{{"id":"ev_{n:04}","actor":{{"id":"a","kind":"user"}},"action":"x"}}"#);
    let page = move |from: u32, to: u32, more: bool, head: u32| {
        let events: Vec<String> = (from..=to).map(event).collect();
        let body = format!(r#"{{"head":"ev_{head:04}","has_more":{more},"events":[{}]}}"#, events.join(","));
        ok("application/json", body)
    };
    let server = service(move |seen| {
        Some(match seen.path().strip_prefix("/launch/v1/audit-events?limit=200")? {
            "" => page(1, 3, false, 3),
            "&after=ev_0003" => page(3, 5, true, 7), // The 3 is told again.
            "&after=ev_0005" => page(6, 7, false, 7),
            // The log was begun anew: its newest lies before the 7.
            "&after=ev_0007" => page(1, 0, false, 3),
            other => panic!("{other}"),
        })
    });
    let mut source = of(&server);
    let mut ids = Vec::new();
    for second in [0.0, 5.0, 10.0] {
        let news = parts(answer(&mut source, at(second)).await).audit.unwrap().outcome.unwrap();
        assert_eq!(news.missed, second == 10.0, "only where the log was begun anew");
        ids.push((news.anew, news.events.iter().map(|e| e.id.clone()).collect::<Vec<_>>().join(" ")));
    }
    assert_eq!(
        ids,
        [
            (true, "ev_0001 ev_0002 ev_0003".to_owned()),
            (false, "ev_0004 ev_0005 ev_0006 ev_0007".to_owned()),
            (true, "ev_0001 ev_0002 ev_0003".to_owned()),
        ]
    );
}

#[tokio::test]
async fn no_event_of_a_long_poll_is_passed_over_and_a_place_that_is_gone_is_a_gap() {
    let page = |from: u32, more: bool| {
        let event =
            |n: u32| format!(r#"{{"id":"ev_{n:04}","actor":{{"id":"a","kind":"user"}},"action":"x"}}"#);
        let events: Vec<String> = (from..from + 200).map(event).collect();
        ok("application/json", format!(r#"{{"has_more":{more},"events":[{}]}}"#, events.join(",")))
    };
    let server = service(move |seen| {
        let after = seen.path().strip_prefix("/launch/v1/audit-events?limit=200")?;
        Some(match after.strip_prefix("&after=ev_") {
            None => page(0, false),
            Some("0999") => canned::answer(410, "", ""),
            Some(last) => {
                let last: u32 = last.parse().unwrap();
                page(last + 1, last < 799)
            }
        })
    });
    let mut source = of(&server);
    let mut told = async |second| parts(answer(&mut source, at(second)).await).audit.unwrap().outcome;
    assert_eq!(told(0.0).await.unwrap().events.len(), 200);
    let news = told(5.0).await.unwrap();
    assert_eq!((news.events.len(), news.events[0].id.as_str(), news.missed), (800, "ev_0200", false));
    assert_eq!(told(10.0).await.unwrap_err().text, "answers 410");
    let news = told(15.0).await.unwrap();
    assert_eq!((news.anew, news.missed, news.events.len()), (true, true, 200));
}

#[tokio::test]
async fn flags_that_are_refused_and_that_nobody_asks_for_cost_no_other_part() {
    for (status, more, why) in [
        (403, r#","required_scope":"flags:read""#, "forbidden: needs flags:read"),
        (404, "", "answers 404: No"),
    ] {
        let server = service(move |seen| seen.path().contains("/flags?").then(|| problem(status, "", more)));
        let whole = answer(&mut of(&server), at(0.0)).await;
        assert_eq!(whole.notes.remarks, [format!("flags are not told: {why}")]);
        assert_eq!((whole.flags.is_none(), whole.flags_fault.unwrap().text), (true, why.to_owned()));
        assert!(whole.identity.unwrap().orgs.unwrap().outcome.is_ok());
    }
    // Where nothing answers as such a service does, that is no remark.
    let nothing = service(|_| Some(canned::answer(404, "", "")));
    assert_eq!(fault(&mut of(&nothing), at(0.0)).await.text, "answers 404");
}

#[tokio::test]
async fn what_was_told_while_flags_were_not_is_told_with_the_next_answer() {
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let server = service(move |seen| {
        let first =
            seen.path().contains("/flags?") && turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        first.then(|| canned::answer(503, "", ""))
    });
    let mut source = of(&server);
    assert_eq!(fault(&mut source, at(0.0)).await.text, "answers 503");
    let told = parts(answer(&mut source, at(5.0)).await);
    let news = told.audit.unwrap().outcome.unwrap();
    assert_eq!((news.anew, news.events.len()), (true, 2));
    assert_eq!((told.orgs.unwrap().asked, told.entitlements.len()), (at(0.0), 2));
}

#[tokio::test]
async fn many_organisations_are_asked_about_in_turn_and_none_twice_before_all() {
    let server = service(|seen| {
        (seen.path() == "/launch/v1/orgs").then(|| {
            let orgs: Vec<String> = (0..30).map(|n| format!(r#"{{"id":"org_{n}"}}"#)).collect();
            ok("application/json", format!(r#"{{"orgs":[{}]}}"#, orgs.join(",")))
        })
    });
    let mut source = of(&server);
    let mut ids = Vec::new();
    let mut counts = Vec::new();
    for second in [0.0, 5.0, 10.0, 15.0, 20.0] {
        let told = parts(answer(&mut source, at(second)).await).entitlements;
        counts.push(told.len());
        ids.extend(told.into_iter().map(|(id, _)| id));
    }
    assert_eq!(counts, [8, 8, 8, 6, 0]);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

fn product(minutes: u64) -> Product {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(DEMO_START.after(Duration::from_mins(minutes)));
    product
}

async fn poll_of(server: &Server, now: Time) -> (Source, IdentityAnswer) {
    let kind = SourceKind::Identity {
        url: server.base_url(),
        environment: "production".into(),
        grants: false,
        beside: Vec::new(),
    };
    let mut source = source(&source_def(kind), &[], &["tasks.enabled"]);
    let told = parts(answer(&mut source, now).await);
    (source, told)
}

#[tokio::test]
async fn the_simulated_service_tells_every_part_and_each_change_of_its_flag_once() {
    let shared = Arc::new(Mutex::new(product(22)));
    let server = Server::start(shared.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let (mut source, told) = poll_of(&server, DEMO_START.after(Duration::from_mins(22))).await;
    assert_eq!(told.orgs.unwrap().outcome.unwrap().orgs.len(), 22);
    assert!(told.roles.unwrap().outcome.unwrap().scopes.iter().any(|s| s.key == "tasks:write"));
    let session = told.impersonations.unwrap().outcome.unwrap();
    assert_eq!((session.len(), session[0].org_id.as_deref()), (1, Some("org_globex")));
    let changes = |news: &[gonogo::model::identity::AuditEvent]| -> Vec<String> {
        let flags = news.iter().filter(|e| e.action == "flag.rollout_changed");
        flags.map(|e| format!("{} {} → {}", e.actor.display, e.before, e.after)).collect()
    };
    let first = told.audit.unwrap().outcome.unwrap();
    assert_eq!(changes(&first.events), ["Ravi percent 5 → percent 10", "Ravi percent 10 → percent 25"]);

    shared.lock().unwrap().advance_to(DEMO_START.after(Duration::from_mins(34)));
    let later = parts(answer(&mut source, DEMO_START.after(Duration::from_mins(34))).await);
    let news = later.audit.unwrap().outcome.unwrap();
    assert_eq!(changes(&news.events), ["Ravi percent 25 → percent 50"]);
    assert!(news.events.iter().any(|e| e.action == "impersonation.ended" && e.impersonation_id.is_some()));
    assert_eq!(later.impersonations.unwrap().outcome.unwrap(), []);
    let again = parts(answer(&mut source, DEMO_START.after(Duration::from_mins(35))).await);
    assert_eq!(again.audit.unwrap().outcome.unwrap().events, []);
}

#[tokio::test]
async fn a_token_without_a_scope_costs_the_simulated_service_only_that_part() {
    let scopes = ["flags:read", "orgs:read"].map(str::to_owned).to_vec();
    let access = Access { token: None, scopes };
    let shared = Arc::new(Mutex::new(product(20)));
    let server = Server::start_as(shared, ([127, 0, 0, 1], 0).into(), access).await.unwrap();
    let (_, told) = poll_of(&server, DEMO_START.after(Duration::from_mins(20))).await;
    assert!(told.orgs.unwrap().outcome.is_ok());
    assert_eq!(told.audit.unwrap().outcome.unwrap_err().text, "forbidden: needs audit:read");
    assert_eq!(told.roles.unwrap().outcome.unwrap_err().text, "forbidden: needs entitlements:read");
    assert_eq!(told.impersonations.unwrap().outcome.unwrap_err().text, "forbidden: needs impersonation:read");
    let entitlements = told.entitlements;
    assert!(entitlements.iter().all(|(_, p)| p.outcome.as_ref().unwrap_err().code == FaultCode::Forbidden));
    assert_eq!(entitlements.len(), 8);
}
