//! Providers of flags against servers that answer as real ones do, and worse.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::http::credential::Header;
use gonogo::http::{Client, Credential};
use gonogo::model::provider::{FlagSource, JsonMap, OfrepDef, Provider};
use gonogo::model::{Fault, FaultCode, FlagDef, Percent, SourceKind};
use gonogo::sources::{self, Source};

use super::unleash::{Fixed, bearer};
use super::{answer, at, fault, flag_defs, source_def};
use crate::http::canned::{self, Act, Canned, Seen, ok};

const TOKEN: &str = "s3cret-token-of-the-test";

fn unleash() -> Provider {
    Provider::Unleash { project: "default".into(), admin: None }
}

fn ofrep(keys: u32) -> Provider {
    let context = serde_json::Map::new();
    Provider::Ofrep(OfrepDef { bulk: true, context, keys, seed: "s".into(), on: Vec::new() })
}

fn launch_darkly() -> Provider {
    Provider::LaunchDarkly { project: "default".into(), on: Vec::new() }
}

fn json_map() -> Provider {
    Provider::Json(JsonMap {
        list: "/flags".into(),
        key: Some("/key".into()),
        enabled: "/on".into(),
        percent_scale: 100.0,
        environment: Some("/env".into()),
        ..JsonMap::default()
    })
}

fn source_of(server: &Canned, provider: Provider, keys: &[&str]) -> Source {
    let kind = SourceKind::Flags(Box::new(FlagSource {
        url: server.url(""),
        environment: "production".into(),
        beside: vec!["staging".into()],
        provider,
    }));
    let def = source_def(kind);
    let flags = flag_defs(keys);
    Source::new(&def, &[], &flags, Client::new(sources::options(&def, Some(bearer(TOKEN))))).unwrap()
}

fn features(environment: &str, features: &str) -> String {
    format!(r#"{{"version":2,"features":[{features}],"query":{{"environment":"{environment}"}}}}"#)
}

fn rollout(key: &str, percent: &str) -> String {
    format!(
        r#"{{"name":"{key}","enabled":true,"strategies":[{{"name":"flexibleRollout","parameters":{{"rollout":"{percent}"}}}}]}}"#
    )
}

/// What each provider says where all is well.
fn well(provider: &Provider) -> String {
    match provider {
        Provider::Unleash { .. } => features("production", &rollout("tasks", "25")),
        Provider::Ofrep(_) => r#"{"flags":[{"key":"tasks","value":true,"reason":"SPLIT"}]}"#.into(),
        Provider::LaunchDarkly { .. } => {
            r#"{"items":[{"key":"tasks","variations":[{"value":true},{"value":false}],
            "environments":{"production":{"on":true,"lastModified":1764000000000,"fallthrough":{"variation":0}}}}],"totalCount":1}"#
                .into()
        }
        Provider::Json(_) => r#"{"env":"production","flags":[{"key":"tasks","on":true}]}"#.into(),
    }
}

/// Answers these acts first, and well ever after.
async fn first(provider: Provider, acts: Vec<Act>) -> Fault {
    let (turn, body) = (AtomicUsize::new(0), well(&provider));
    let server = Canned::new(move |seen, _| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => acts.clone(),
        _ if seen.path().contains("auditlog") => ok("application/json", r#"{"items":[]}"#),
        _ => ok("application/json", &body),
    });
    let mut source = source_of(&server, provider, &["tasks"]);
    let told = fault(&mut source, at(0.0)).await;
    assert!(!told.text.contains("s3cret"), "{told}");
    let next = answer(&mut source, at(5.0)).await.flags.unwrap();
    assert!(next.flags[0].enabled, "the next poll is well");
    told
}

fn json(status: u16, headers: &str, body: &str) -> Vec<Act> {
    canned::answer(status, &format!("Content-Type: application/json\r\n{headers}"), body)
}

#[tokio::test]
async fn each_refusal_has_its_sentence_and_the_next_poll_is_well() {
    const ADMIN: &str = "an admin token gets development here: use a client (backend) token of production";
    let message = r#"{"message":"no such right"}"#;
    for (provider, acts, code, text) in [
        (
            unleash(),
            json(401, "", message),
            FaultCode::SignInNeeded,
            "sign-in needed: the token is not accepted: no such right".to_owned(),
        ),
        (unleash(), json(403, "", message), FaultCode::Forbidden, "forbidden: no such right".into()),
        (
            unleash(),
            ok("text/html", "<html>"),
            FaultCode::ContentType,
            "answers an HTML page, not JSON: `url` must be Unleash's own address, before /api".into(),
        ),
        (
            unleash(),
            json(200, "", &features("development", "")),
            FaultCode::WrongEnvironment,
            format!("answers for environment development, not production: {ADMIN}"),
        ),
        (
            unleash(),
            json(200, "", r#"{"features":[],"query":{}}"#),
            FaultCode::WrongEnvironment,
            format!("does not say for which environment it answers: {ADMIN}"),
        ),
        (
            unleash(),
            json(200, "", &features("production", &rollout("tasks", "250"))),
            FaultCode::Unreadable,
            "flag tasks: percent 250 lies outside 0 to 100".into(),
        ),
        (
            unleash(),
            json(200, "", r#"{"features":[{"na"#),
            FaultCode::CutShort,
            "the JSON of the answer ends too early".into(),
        ),
        (unleash(), json(304, "", ""), FaultCode::Status, "answers 304 without cause".into()),
        (
            unleash(),
            json(429, "Retry-After: 7\r\n", ""),
            FaultCode::RateLimited,
            "asked too often, again in 7s".into(),
        ),
        (unleash(), json(503, "", "<html>"), FaultCode::Status, "answers 503".into()),
        (
            ofrep(1),
            json(401, "", ""),
            FaultCode::SignInNeeded,
            "sign-in needed: the token is not accepted".into(),
        ),
        (ofrep(1), json(403, "", ""), FaultCode::Forbidden, "forbidden".into()),
        (
            ofrep(1),
            ok("text/html", "<html>"),
            FaultCode::ContentType,
            "answers an HTML page, not JSON".into(),
        ),
        (
            ofrep(1),
            json(400, "", r#"{"errorCode":"INVALID_CONTEXT","errorDetails":"no plan"}"#),
            FaultCode::Status,
            "answers 400: no plan".into(),
        ),
        (
            ofrep(1),
            json(200, "", r#"{"flags":[{"key":"tasks","errorCode":"GENERAL","errorDetails":"broken"}]}"#),
            FaultCode::Unreadable,
            "flag tasks: GENERAL: broken".into(),
        ),
        (
            ofrep(1),
            json(
                429,
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n",
                "",
            ),
            FaultCode::RateLimited,
            "asked too often, again in 10s".into(),
        ),
        (
            launch_darkly(),
            json(401, "", r#"{"code":"unauthorized","message":"Invalid account ID header"}"#),
            FaultCode::SignInNeeded,
            "sign-in needed: the token is not accepted: Invalid account ID header".into(),
        ),
        (
            launch_darkly(),
            json(403, "", r#"{"message":"Access to the requested resource was denied"}"#),
            FaultCode::Forbidden,
            "forbidden: Access to the requested resource was denied".into(),
        ),
        (
            launch_darkly(),
            json(429, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Ratelimit-Reset: 784111787000\r\n", ""),
            FaultCode::RateLimited,
            "asked too often, again in 10s".into(),
        ),
        (
            launch_darkly(),
            ok("text/html", "<html>"),
            FaultCode::ContentType,
            "answers an HTML page, not JSON".into(),
        ),
        (
            launch_darkly(),
            json(200, "", r#"{"items":[{"key":"tasks","environments":{}}]}"#),
            FaultCode::WrongEnvironment,
            "tells flag tasks for no environment, not for production".into(),
        ),
        (
            json_map(),
            json(401, "", ""),
            FaultCode::SignInNeeded,
            "sign-in needed: the token is not accepted".into(),
        ),
        (json_map(), json(403, "", ""), FaultCode::Forbidden, "forbidden".into()),
        (
            json_map(),
            json(200, "", r#"{"env":"staging","flags":[]}"#),
            FaultCode::WrongEnvironment,
            "answers for environment staging, not production".into(),
        ),
        (
            json_map(),
            ok("text/html", "<html>"),
            FaultCode::ContentType,
            "answers an HTML page, not JSON".into(),
        ),
        (
            json_map(),
            json(429, "Retry-After: 7\r\n", ""),
            FaultCode::RateLimited,
            "asked too often, again in 7s".into(),
        ),
    ] {
        let waits = code == FaultCode::RateLimited;
        let told = first(provider, acts).await;
        assert_eq!((told.code, told.text.as_str()), (code, text.as_str()));
        assert_eq!(told.retry_after.is_some(), waits, "{text}");
    }
}

#[tokio::test]
async fn a_flag_that_vanishes_is_missing_whoever_tells() {
    for (provider, gone) in [
        (unleash(), features("production", "")),
        (ofrep(1), r#"{"flags":[]}"#.to_owned()),
        (launch_darkly(), r#"{"items":[],"totalCount":0}"#.to_owned()),
        (json_map(), r#"{"env":"production","flags":[]}"#.to_owned()),
    ] {
        let (turn, body) = (AtomicUsize::new(0), well(&provider));
        let server = Canned::new(move |seen, _| match seen.path() {
            path if path.contains("auditlog") => ok("application/json", r#"{"items":[]}"#),
            path if path.ends_with("/flags/tasks") => {
                canned::answer(404, "", r#"{"errorCode":"FLAG_NOT_FOUND"}"#)
            }
            _ if turn.fetch_add(1, Ordering::SeqCst) == 0 => ok("application/json", &body),
            _ => ok("application/json", &gone),
        });
        let name = provider.as_str();
        let mut source = source_of(&server, provider, &["tasks"]);
        let before = answer(&mut source, at(0.0)).await.flags.unwrap();
        assert_eq!((before.flags.len(), before.missing.len()), (1, 0), "{name}");
        let after = answer(&mut source, at(5.0)).await.flags.unwrap();
        assert_eq!((after.flags.len(), after.missing), (0, vec!["tasks".to_owned()]), "{name}");
    }
}

#[tokio::test]
async fn five_hundred_flags_cost_one_request_and_unchanged_a_304() {
    let mut all = String::new();
    for n in 0..500 {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(all, "{comma}{}", rollout(&format!("flag-{n}"), "25"));
    }
    let unleash_body = features("production", &all);
    let listed: Vec<String> = (0..500).map(|n| format!(r#"{{"key":"flag-{n}","on":true}}"#)).collect();
    let json_body = format!(r#"{{"env":"production","flags":[{}]}}"#, listed.join(","));
    for (provider, body) in [(unleash(), unleash_body), (json_map(), json_body)] {
        let server = Canned::new(move |seen: &Seen, _| match seen.header("if-none-match") {
            Some("\"one\"") => canned::answer(304, "ETag: \"one\"\r\n", ""),
            _ => json(200, "ETag: \"one\"\r\n", &body),
        });
        let keys: Vec<String> = (0..500).map(|n| format!("flag-{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let raw = provider.raw_token();
        let mut source = source_of(&server, provider, &keys);
        let first = answer(&mut source, at(0.0)).await;
        assert_eq!((first.flags.as_ref().unwrap().flags.len(), first.notes.not_modified), (500, false));
        let again = answer(&mut source, at(5.0)).await;
        assert!(again.notes.not_modified && again.notes.bytes == 0);
        assert_eq!(again.flags.unwrap().flags, first.flags.unwrap().flags);
        assert_eq!(server.seen().len(), 2);
        let sent = server.seen()[0].header("authorization").unwrap().to_owned();
        assert_eq!(sent, if raw { TOKEN.to_owned() } else { format!("Bearer {TOKEN}") });
    }
}

/// The worked example, asked for the answer that it shows.
#[tokio::test]
async fn the_worked_example_reads_the_answer_that_it_shows() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/flags-json.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let shown: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("#   {"))
        .take_while(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#'))
        .collect();
    let server = Canned::always(ok("application/json", shown.join("\n")));
    let launch = gonogo::settings::load(&path).unwrap().launch;
    let mut def = launch.sources[0].clone();
    let SourceKind::Flags(flags) = &mut def.kind else { panic!() };
    flags.url = server.url("/api/v1/features?limit=100");
    let client = Client::new(sources::options(&def, None));
    let mut source = Source::new(&def, &[], &launch.flags, client).unwrap();
    let told = answer(&mut source, at(0.0)).await.flags.unwrap();
    assert_eq!((told.flags.len(), told.missing.len()), (1, 0));
    let flag = &told.flags[0];
    assert_eq!((flag.key.as_str(), flag.enabled), ("tasks.enabled", true));
    assert_eq!((flag.percent, flag.updated_by.as_deref()), (Percent::Known { value: 25.0 }, None));
    assert_eq!(flag.updated_at.unwrap().rfc3339(), "2026-11-23T02:27:42.083Z");
    assert!(told.caps.percent && told.caps.changed && !told.caps.author && !told.caps.rules);
}

#[tokio::test]
async fn launchdarkly_is_asked_page_by_page_and_its_audit_log_once_a_change() {
    let item = |n: usize, at: usize| {
        format!(
            r#"{{"key":"flag-{n}","variations":[{{"value":true}},{{"value":false}}],"environments":{{
            "production":{{"on":true,"lastModified":{at},"fallthrough":{{"rollout":{{"variations":[{{"variation":0,"weight":25000}},{{"variation":1,"weight":75000}}]}}}}}},
            "staging":{{"on":false,"offVariation":1}}}}}}"#
        )
    };
    let server = Canned::new(move |seen, number| {
        let path = seen.path();
        if path.starts_with("/api/v2/auditlog") {
            return ok(
                "application/json",
                r#"{"items":[{"date":1764000060000,"member":{"firstName":"Eve"}},{"date":1764000000000,"member":{"email":"ravi@example.com","firstName":"Ravi"}}]}"#,
            );
        }
        // The flag is changed once, between the second poll and the third.
        let changed = 1_764_000_000_000 + usize::from(number >= 5);
        let items: Vec<String> = if path.contains("offset=0") {
            (0..100).map(|n| item(n, changed)).collect()
        } else {
            vec![item(100, changed)]
        };
        ok("application/json", format!(r#"{{"items":[{}],"totalCount":101}}"#, items.join(",")))
    });
    let mut source = source_of(&server, launch_darkly(), &["flag-100"]);
    for turn in 0..3 {
        let told = answer(&mut source, at(f64::from(turn) * 5.0)).await;
        let flags = told.flags.unwrap();
        let flag = &flags.flags[0];
        assert_eq!((flags.flags.len(), flag.percent), (1, Percent::Known { value: 25.0 }));
        assert_eq!(
            (flag.updated_by.as_deref(), flag.updated_by_id.as_deref()),
            (Some("Ravi"), Some("ravi@example.com"))
        );
        assert_eq!(
            (flag.elsewhere[0].environment.as_str(), flag.elsewhere[0].enabled),
            ("staging", Some(false))
        );
        assert!(flags.caps.author && flags.caps.environments && !flags.caps.conditional);
    }
    let seen = server.seen();
    let audits: Vec<&str> = seen.iter().map(Seen::path).filter(|path| path.contains("auditlog")).collect();
    assert_eq!((seen.len(), audits.len()), (8, 2), "{audits:?}");
    assert!(
        seen[0]
            .path()
            .starts_with("/api/v2/flags/default?summary=0&limit=100&offset=0&env=production&env=staging")
    );
    assert_eq!(
        (seen[0].header("authorization"), seen[0].header("ld-api-version")),
        (Some(TOKEN), Some("20240415"))
    );
}

/// The audit log may lag behind, or tell of something else first.
#[tokio::test]
async fn an_author_whose_change_it_is_not_is_not_told_and_asked_for_once_a_minute() {
    let server = Canned::new(|seen, _| match seen.path() {
        path if path.contains("auditlog") => {
            ok("application/json", r#"{"items":[{"date":1763000000000,"member":{"firstName":"Eve"}}]}"#)
        }
        _ => ok("application/json", well(&launch_darkly())),
    });
    let mut source = source_of(&server, launch_darkly(), &["tasks"]);
    for (second, audits) in [(0.0, 1), (5.0, 1), (59.0, 1), (60.0, 2), (65.0, 2)] {
        let told = answer(&mut source, at(second)).await.flags.unwrap();
        assert_eq!((told.flags[0].updated_by.as_deref(), told.caps.author), (None, true));
        let asked = server.seen().iter().filter(|s| s.path().contains("auditlog")).count();
        assert_eq!(asked, audits, "{second}");
    }
}

/// The twenty-first flag that no bulk answer holds is found too, and is not called missing before.
#[tokio::test]
async fn flags_that_no_bulk_answer_holds_are_asked_for_in_turn() {
    let server = Canned::new(|seen, _| match seen.path() {
        path if path.ends_with("/flags") => ok("application/json", r#"{"flags":[]}"#),
        path if path.ends_with("/gone") => canned::answer(404, "", r#"{"errorCode":"FLAG_NOT_FOUND"}"#),
        _ => ok("application/json", r#"{"reason":"DISABLED"}"#),
    });
    let mut keys: Vec<String> = (0..24).map(|n| format!("flag-{n}")).collect();
    keys.push("gone".into());
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut source = source_of(&server, ofrep(1), &keys);
    let first = answer(&mut source, at(0.0)).await.flags.unwrap();
    assert_eq!((first.flags.len(), first.missing.len(), first.caps.missing), (20, 5, false));
    for turn in 1..3 {
        let told = answer(&mut source, at(f64::from(turn) * 5.0)).await.flags.unwrap();
        assert_eq!((told.flags.len(), told.missing, told.caps.missing), (24, vec!["gone".into()], true));
        assert!(told.flags.iter().all(|flag| flag.switched() == Some(false)));
    }
}

/// A key whose answer leaves a flag out was asked too; and a flag that no key got may be on or off.
#[tokio::test]
async fn the_share_is_over_all_keys_and_none_is_neither_on_nor_off() {
    let server = Canned::new(|_, number| {
        let got = if number % 4 == 0 { r#"{"key":"some","value":true}"# } else { "" };
        let comma = if got.is_empty() { "" } else { "," };
        let never = r#"{"key":"never","value":false,"reason":"TARGETING_MATCH"}"#;
        ok("application/json", format!(r#"{{"flags":[{got}{comma}{never}]}}"#))
    });
    let told = answer(&mut source_of(&server, ofrep(8), &["some", "never"]), at(0.0)).await.flags.unwrap();
    let of = |key: &str| told.flags.iter().find(|flag| flag.key == key).unwrap();
    assert_eq!(
        (of("some").switched(), of("some").percent),
        (Some(true), Percent::Estimated { value: 25.0, n: 8 })
    );
    assert_eq!(
        (of("never").switched(), of("never").reach()),
        (None, Percent::Estimated { value: 0.0, n: 8 })
    );
}

#[tokio::test]
async fn a_part_that_fails_costs_only_what_it_would_have_told() {
    let server = Canned::new(|seen, _| match seen.path() {
        path if path.contains("auditlog") => json(403, "", r#"{"message":"no audit log for you"}"#),
        _ => ok("application/json", well(&launch_darkly())),
    });
    let told = answer(&mut source_of(&server, launch_darkly(), &["tasks"]), at(0.0)).await;
    assert_eq!(
        told.notes.remarks,
        ["audit log: who changed flags is not told: forbidden: no audit log for you"]
    );
    let flags = told.flags.unwrap();
    assert!(flags.flags[0].enabled && !flags.caps.author && flags.caps.percent);
}

#[tokio::test]
async fn ofrep_heeds_etags_and_takes_a_header_for_a_credential() {
    let server = Canned::new(|seen, _| match seen.header("if-none-match") {
        Some(_) => canned::answer(304, "", ""),
        None => json(200, "ETag: \"e\"\r\n", &well(&ofrep(2))),
    });
    let kind = SourceKind::Flags(Box::new(FlagSource {
        url: server.url("/prefix"),
        environment: "production".into(),
        beside: Vec::new(),
        provider: ofrep(2),
    }));
    let def = source_def(kind);
    let flags = [FlagDef { key: "tasks".into(), source: "src".into(), observed: None, evaluations: None }];
    let credential: std::sync::Arc<dyn Credential> =
        std::sync::Arc::new(Header::new("X-API-Key", std::sync::Arc::new(Fixed(TOKEN))));
    let client = Client::new(sources::options(&def, Some(credential)));
    let mut source = Source::new(&def, &[], &flags, client).unwrap();
    let first = answer(&mut source, at(0.0)).await;
    let again = answer(&mut source, at(5.0)).await;
    assert!(!first.notes.not_modified && again.notes.not_modified);
    assert!(again.flags.as_ref().unwrap().caps.conditional);
    assert_eq!(again.flags, first.flags);
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|s| s.header("x-api-key") == Some(TOKEN) && s.header("authorization").is_none()));
    assert_eq!(seen[0].path(), "/prefix/ofrep/v1/evaluate/flags");
    assert_ne!(seen[0].body, seen[1].body, "each asks for a key of its own");
    assert!(seen[0].body.contains(r#""targetingKey":"gonogo-"#), "{}", seen[0].body);
}

#[tokio::test]
async fn the_admin_api_is_asked_when_something_changed_and_once_a_minute() {
    let server = Canned::new(|seen, _| match (seen.path(), seen.header("if-none-match")) {
        ("/api/client/features", Some(_)) => canned::answer(304, "", ""),
        ("/api/client/features", None) => {
            json(200, "ETag: \"e\"\r\n", &features("production", &rollout("a/b", "25")))
        }
        (path, _) if path.starts_with("/api/admin/projects/default/features/a%2Fb") => ok(
            "application/json",
            r#"{"environments":[{"name":"production","enabled":true,"strategies":[{"name":"flexibleRollout","title":"t","disabled":true,"parameters":{"rollout":"25"}}]}]}"#,
        ),
        // As a version before 6.4, which keeps events elsewhere.
        (path, _) if path.starts_with("/api/admin/events/a%2Fb") => ok(
            "application/json",
            r#"{"events":[{"id":1,"type":"feature-created","createdAt":"2026-11-23T02:00:00Z","createdBy":"ravi","createdByUserId":3}]}"#,
        ),
        (path, _) if path.starts_with("/api/admin/client-metrics") => json(500, "", ""),
        _ => canned::answer(404, "", ""),
    });
    let mut source =
        source_of(&server, unleash(), &["a/b"]).with_admin(Some(bearer("other")), Duration::from_secs(5));
    let first = answer(&mut source, at(0.0)).await;
    let flag = &first.flags.as_ref().unwrap().flags[0];
    assert_eq!((flag.updated_by.as_deref(), flag.updated_by_id.as_deref()), (Some("ravi"), None));
    assert_eq!((flag.percent, flag.rules[0].enabled), (Percent::Known { value: 25.0 }, false));
    assert_eq!((flag.elsewhere[0].environment.as_str(), flag.elsewhere[0].enabled), ("staging", None));
    assert_eq!(first.notes.remarks, ["admin API: what callers got is not told: answers 500"]);
    assert!(!first.flags.as_ref().unwrap().caps.observed);
    let count = |server: &Canned| server.seen().iter().filter(|s| s.path().starts_with("/api/admin")).count();
    assert_eq!(count(&server), 4, "three questions, and events at two addresses");
    answer(&mut source, at(5.0)).await;
    answer(&mut source, at(59.0)).await;
    assert_eq!(count(&server), 4);
    answer(&mut source, at(60.0)).await;
    assert_eq!(count(&server), 7, "where the events are is known by now");
    let of = |path: &str| {
        server
            .seen()
            .iter()
            .find(|s| s.path().starts_with(path))
            .unwrap()
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    assert_eq!([of("/api/client"), of("/api/admin")], [TOKEN, "other"]);
}
