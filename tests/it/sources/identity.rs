//! Identity sources.

use gonogo::model::{FaultCode, Percent, SourceDef, SourceKind};

use super::{answer, at, fault, source, source_def};
use crate::http::canned::{self, Act, Canned, Seen, ok};

const META: &str = r#"{"contract":"launch-identity/1","service":{"name":"identity","version":"2026.11.23"},
    "server_time":"2026-11-23T02:27:42.202Z","environments":["staging","production"],"capabilities":["flags","magic"],
    "poll":{"min_interval_s":5},"unheard":{"of":1}}"#;
const WHOAMI: &str = r#"{"subject":{"id":"ada","kind":"user","display":"Ada"},"org_id":"org_acme",
    "roles":["launch-commander"],"scopes":["flags:read"],"expires_at":"2026-11-23T03:27:42Z","impersonator":null}"#;

fn flag(key: &str, percent: u32) -> String {
    format!(
        r#"{{"key":"{key}","kind":"release","state":{{"enabled":true,"rollout":{{"mode":"percent","percent":{percent},
        "unit":"org","exact":true}},"updated_at":"2026-11-23T02:27:42Z","updated_by":{{"id":"ravi","kind":"user","display":"Ravi"}}}}}}"#
    )
}

fn flags(etag: &str, flags: &[String], more: &str) -> Vec<Act> {
    let headers = format!("Content-Type: application/json\r\nETag: \"{etag}\"\r\n");
    let body = format!(r#"{{"environment":"production","revision":7,"flags":[{}]{more}}}"#, flags.join(","));
    canned::answer(200, &headers, body)
}

/// Everything but the flags, which `script` answers.
fn service(script: impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static) -> Canned {
    Canned::new(move |seen, _| match seen.path() {
        "/launch/v1/meta" => ok("application/json", META),
        "/launch/v1/whoami" => ok("application/json", WHOAMI),
        path if path.starts_with("/launch/v1/flags?") => script(seen),
        _ => canned::answer(404, "", ""),
    })
}

fn def(server: &Canned) -> SourceDef {
    source_def(SourceKind::Identity {
        url: server.url(""),
        environment: "production".into(),
        grants: false,
        beside: Vec::new(),
    })
}

fn problem(status: u16, title: &str, more: &str) -> Vec<Act> {
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{status}{more}}}"#);
    canned::answer(status, "Content-Type: application/problem+json\r\n", body)
}

fn count(server: &Canned, path: &str) -> usize {
    server.seen().iter().filter(|seen| seen.path().starts_with(path)).count()
}

#[tokio::test]
async fn flags_the_subject_and_the_service_are_told() {
    let server =
        service(|_| flags("r7", &[flag("tasks.enabled", 25)], r#","missing":[],"next_cursor":null"#));
    let mut source = source(&def(&server), &[], &["tasks.enabled"]);
    let answer = answer(&mut source, at(0.0)).await;
    let told = answer.flags.unwrap();
    assert_eq!(
        (told.environment.as_str(), told.flags[0].percent),
        ("production", Percent::Known { value: 25.0 })
    );
    assert_eq!(told.flags[0].updated_by.as_deref(), Some("Ravi"));
    assert_eq!(answer.whoami.unwrap().roles, ["launch-commander"]);
    let meta = answer.meta.unwrap();
    assert_eq!((meta.service.as_str(), meta.min_interval_s), ("identity 2026.11.23", Some(5)));
    assert!(answer.notes.clock_offset.is_some());
    let asked = server.seen();
    let asked = asked.iter().find(|seen| seen.path().contains("flags")).unwrap();
    assert_eq!(asked.path(), "/launch/v1/flags?environment=production&key=tasks.enabled&limit=200");
}

#[tokio::test]
async fn nothing_new_is_confirmed_by_a_304_and_the_service_is_asked_who_it_is_now_and_then() {
    let server = service(|seen| match seen.header("if-none-match") {
        Some("\"r7\"") => canned::answer(304, "ETag: \"r7\"\r\n", ""),
        _ => flags("r7", &[flag("tasks.enabled", 25)], ""),
    });
    let mut source = source(&def(&server), &[], &["tasks.enabled"]);
    let first = answer(&mut source, at(0.0)).await;
    assert!(!first.notes.not_modified);
    for second in [5.0, 10.0, 59.0] {
        let next = answer(&mut source, at(second)).await;
        assert!(next.notes.not_modified && next.flags == first.flags && next.whoami == first.whoami);
    }
    assert_eq!((count(&server, "/launch/v1/whoami"), count(&server, "/launch/v1/meta")), (1, 1));
    answer(&mut source, at(61.0)).await;
    answer(&mut source, at(301.0)).await;
    assert_eq!((count(&server, "/launch/v1/whoami"), count(&server, "/launch/v1/meta")), (3, 2));
}

#[tokio::test]
async fn pages_are_followed_each_under_its_own_etag_and_have_an_end() {
    let server = service(|seen| {
        let second = seen.path().contains("cursor=two");
        let etag = if second { "p2" } else { "p1" };
        match (seen.header("if-none-match"), second) {
            (Some("\"p1\""), false) => canned::answer(304, "", ""),
            (_, false) => flags(etag, &[flag("a", 1)], r#","next_cursor":"two""#),
            (tag, true) => {
                flags(etag, &[flag("b", if tag.is_some() { 3 } else { 2 })], r#","next_cursor":null"#)
            }
        }
    });
    let mut paged = source(&def(&server), &[], &["a", "b"]);
    let values = |answer: &gonogo::model::Answer| {
        answer.flags.as_ref().unwrap().flags.iter().map(|f| f.percent.exact().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(values(&answer(&mut paged, at(0.0)).await), [1.0, 2.0]);
    let second = answer(&mut paged, at(5.0)).await;
    assert_eq!((values(&second), second.notes.not_modified), (vec![1.0, 3.0], false));

    let endless = service(|_| flags("e", &[], r#","next_cursor":"again""#));
    let told = fault(&mut source(&def(&endless), &[], &["a"]), at(0.0)).await;
    assert_eq!((told.code, told.text.as_str()), (FaultCode::Unreadable, "the pages of flags have no end"));
}

#[tokio::test]
async fn other_environments_are_asked_once_a_minute_and_one_that_fails_costs_only_itself() {
    let server = service(|seen| {
        let of = |environment: &str| seen.path().contains(&format!("environment={environment}&"));
        match seen.header("if-none-match") {
            Some("\"staging\"") => canned::answer(304, "", ""),
            _ if of("staging") => {
                let body = format!(r#"{{"environment":"staging","revision":1,"flags":[{}]}}"#, flag("a", 75));
                canned::answer(200, "Content-Type: application/json\r\nETag: \"staging\"\r\n", body)
            }
            _ if of("test") => problem(403, "Forbidden", r#","required_scope":"flags:read""#),
            _ => flags("r", &[flag("a", 10), flag("b", 20)], ""),
        }
    });
    let kind = SourceKind::Identity {
        url: server.url(""),
        environment: "production".into(),
        grants: false,
        beside: vec!["staging".into(), "test".into()],
    };
    let mut source = source(&source_def(kind), &[], &["a", "b"]);
    for second in [0.0, 5.0, 59.0, 61.0] {
        let told = answer(&mut source, at(second)).await;
        let flags = told.flags.unwrap();
        let staging: Vec<_> =
            flags.flags.iter().map(|f| (f.elsewhere.len(), f.elsewhere[0].enabled)).collect();
        assert_eq!(staging, [(1, Some(true)), (1, None)], "b does not exist there");
        assert_eq!(flags.flags[0].elsewhere[0].percent, Percent::Known { value: 75.0 });
        assert!(!flags.caps.environments);
        assert_eq!(told.notes.remarks, ["flags in test are not told: forbidden: needs flags:read"]);
    }
    assert_eq!(count(&server, "/launch/v1/flags?environment=production"), 4);
    assert_eq!(count(&server, "/launch/v1/flags?environment=staging"), 2);
    assert_eq!(count(&server, "/launch/v1/flags?environment=test"), 2);
}

#[tokio::test]
async fn a_flag_that_does_not_exist_is_missing_and_not_off() {
    let server = service(|_| flags("r", &[flag("a", 1)], r#","missing":["gone"]"#));
    let mut source = source(&def(&server), &[], &["a", "gone", "unmentioned"]);
    let told = answer(&mut source, at(0.0)).await.flags.unwrap();
    assert_eq!((told.flags.len(), told.missing), (1, vec!["gone".to_owned(), "unmentioned".to_owned()]));
}

#[tokio::test]
async fn refusals_keep_their_kind_and_the_next_poll_is_well() {
    let staging = r#"{"environment":"staging","revision":1,"flags":[]}"#;
    for (acts, code, text) in [
        (
            ok("application/json", staging),
            FaultCode::WrongEnvironment,
            "answers for environment staging, not production",
        ),
        (
            problem(403, "Forbidden", r#","required_scope":"flags:read""#),
            FaultCode::Forbidden,
            "forbidden: needs flags:read",
        ),
        (
            problem(401, "Token expired", ""),
            FaultCode::SignInNeeded,
            "sign-in needed: no credential is configured: Token expired",
        ),
        (problem(400, "No such environment", ""), FaultCode::Status, "answers 400: No such environment"),
        (problem(429, "Slow down", ""), FaultCode::RateLimited, "asked too often: Slow down"),
        (canned::answer(503, "", "<html>"), FaultCode::Status, "answers 503"),
        (ok("text/html", "<html>sign in</html>"), FaultCode::ContentType, "answers an HTML page, not JSON"),
        (
            flags("x", &[flag("tasks.enabled", 250)], ""),
            FaultCode::Unreadable,
            "flag tasks.enabled: percent 250 lies outside 0 to 100",
        ),
        (canned::answer(304, "", ""), FaultCode::Status, "answers 304 without cause"),
    ] {
        let turn = std::sync::atomic::AtomicUsize::new(0);
        let server = service(move |_| match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => acts.clone(),
            _ => flags("r", &[flag("tasks.enabled", 10)], ""),
        });
        let mut source = source(&def(&server), &[], &["tasks.enabled"]);
        let told = fault(&mut source, at(0.0)).await;
        assert_eq!((told.code, told.text.as_str()), (code, text));
        assert!(answer(&mut source, at(5.0)).await.flags.is_some(), "{text}");
    }
}

#[tokio::test]
async fn not_being_told_who_the_subject_is_makes_the_flags_worth_no_less() {
    let server = Canned::new(|seen, _| match seen.path() {
        path if path.contains("flags") => flags("r", &[flag("a", 1)], ""),
        _ => problem(403, "Forbidden", ""),
    });
    let answer = answer(&mut source(&def(&server), &[], &["a"]), at(0.0)).await;
    assert!(answer.flags.is_some() && answer.whoami.is_none() && answer.meta.is_none());
}

#[tokio::test]
async fn a_304_to_a_question_without_a_tag_tells_nothing() {
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let server = service(move |seen| {
        assert_eq!(seen.header("if-none-match"), None);
        match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => ok("application/json", r#"{"environment":"production","flags":[]}"#),
            _ => canned::answer(304, "", ""),
        }
    });
    let mut source = source(&def(&server), &[], &["tasks.enabled"]);
    assert!(answer(&mut source, at(0.0)).await.flags.is_some());
    assert_eq!(fault(&mut source, at(5.0)).await.text, "answers 304 without cause");
}
