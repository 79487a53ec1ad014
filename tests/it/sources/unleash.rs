//! A real Unleash server, with `PostgreSQL`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::http::credential::{Bearer, Secret};
use gonogo::http::{Asked, Client, Credential};
use gonogo::model::provider::{FlagSource, Provider};
use gonogo::model::{Answer, FaultCode, Flag, Percent, SourceKind};
use gonogo::sources::{self, Source};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{answer, at, fault, flag_defs, source_def};
use crate::node::Node;
use crate::postgres::Postgres;

const ADMIN: &str = "*:*.admin-secret-of-the-test";
const PRODUCTION: &str = "*:production.client-secret-of-the-test";
const DEVELOPMENT: &str = "*:development.client-secret-of-the-test";

/// How long something may take that the server does in its own time.
const PATIENCE: Duration = Duration::from_mins(1);

/// A token that the test knows.
pub struct Fixed(pub &'static str);

impl Secret for Fixed {
    fn secret<'a>(&'a self, _refused: Option<&'a SecretString>) -> Asked<'a, SecretString> {
        Box::pin(std::future::ready(Ok(SecretString::from(self.0))))
    }
}

pub fn bearer(token: &'static str) -> Arc<dyn Credential> {
    Arc::new(Bearer::new(Arc::new(Fixed(token))))
}

struct Unleash {
    node: Node,
    _database: Postgres,
}

impl Unleash {
    fn start() -> Option<Self> {
        let database = Postgres::start()?;
        let node = Node::start("unleash.js", &[&database.port.to_string()], &["unleash-server"])?;
        Some(Self { node, _database: database })
    }

    /// Asks its API as a token; the status and the body.
    fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.node.port())).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/api/admin/projects/default/features{path}");
        let (status, told) = self.call(method, &path, ADMIN, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
        serde_json::from_str(&told).unwrap_or(Value::Null)
    }

    /// A flag that is on in production by these strategies; their ids.
    fn flag(&self, name: &str, strategies: &[Value]) -> Vec<String> {
        self.admin("POST", "", &json!({ "name": name, "type": "release" }));
        let path = format!("/{name}/environments/production");
        let add = |s: &Value| {
            self.admin("POST", &format!("{path}/strategies"), s)["id"].as_str().unwrap().to_owned()
        };
        let ids = strategies.iter().map(add).collect();
        self.admin("POST", &format!("{path}/on"), &Value::Null);
        ids
    }

    fn source(&self, keys: &[&str], token: &'static str, admin: Option<&'static str>) -> Source {
        let kind = SourceKind::Flags(Box::new(FlagSource {
            url: format!("http://127.0.0.1:{}", self.node.port()),
            environment: "production".into(),
            beside: Vec::new(),
            provider: Provider::Unleash { project: "default".into(), admin: None },
        }));
        let def = source_def(kind);
        let flags = flag_defs(keys);
        let client = Client::new(sources::options(&def, Some(bearer(token))));
        Source::new(&def, &[], &flags, client).unwrap().with_admin(admin.map(bearer), def.timeout)
    }
}

fn flexible(rollout: u32, more: &Value) -> Value {
    let mut strategy = json!({
        "name": "flexibleRollout",
        "parameters": { "rollout": rollout.to_string(), "stickiness": "userId", "groupId": "g" },
    });
    strategy.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    strategy
}

/// Polls until the answer is as wanted; the server makes changes known in its own time.
async fn until(
    source: &mut Source,
    seconds: &mut f64,
    step: f64,
    wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let patience = Instant::now() + PATIENCE;
    loop {
        *seconds += step;
        let told = answer(source, at(*seconds)).await;
        if wanted(&told) {
            return told;
        }
        assert!(Instant::now() < patience, "{told:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn flag<'a>(answer: &'a Answer, key: &str) -> &'a Flag {
    answer.flags.as_ref().unwrap().flags.iter().find(|flag| flag.key == key).unwrap()
}

#[tokio::test]
async fn a_real_unleash_tells_flags_authors_environments_and_what_callers_got() {
    let Some(server) = Unleash::start() else { return };
    let keys = ["tasks.enabled", "tasks.some", "tasks.eu", "tasks.both", "tasks.child"];
    let mut source = server.source(&keys, PRODUCTION, Some(ADMIN));
    let mut now = 0.0;
    let told = answer(&mut source, at(now)).await.flags.unwrap();
    assert_eq!((told.flags.len(), told.missing.len()), (0, 5), "nothing is there yet, which is not off");

    let eu = json!({ "constraints": [{ "contextName": "region", "operator": "IN", "values": ["eu"] }] });
    server.flag("tasks.enabled", &[json!({ "name": "default" })]);
    let variants = json!({ "title": "first", "variants": [
        { "name": "a", "weight": 250, "weightType": "fix", "stickiness": "userId" },
        { "name": "b", "weight": 750, "weightType": "variable", "stickiness": "userId" }] });
    let ids = server.flag("tasks.some", &[flexible(25, &variants)]);
    server.flag("tasks.eu", &[flexible(50, &eu)]);
    server.flag("tasks.both", &[flexible(10, &json!({})), flexible(100, &eu)]);
    server.flag("tasks.child", &[json!({ "name": "default" })]);
    let (status, told) = server.call(
        "POST",
        "/api/admin/projects/default/features/tasks.child/dependencies",
        ADMIN,
        &json!({ "feature": "tasks.some", "enabled": true }),
    );
    assert_eq!(status, 200, "{told}");
    server.admin("POST", "/tasks.some/environments/development/strategies", &json!({ "name": "default" }));
    server.admin("POST", "/tasks.some/environments/development/on", &Value::Null);

    let whole = |answer: &Answer| {
        let flags = &answer.flags.as_ref().unwrap().flags;
        flags.len() == 5
            && flags.iter().all(|flag| flag.enabled)
            && flags.iter().any(|flag| !flag.prerequisites.is_empty())
            && flags.iter().any(|flag| flag.elsewhere.iter().any(|other| other.enabled == Some(true)))
    };
    let told = until(&mut source, &mut now, 61.0, whole).await;
    let percents: Vec<String> = keys.iter().map(|key| flag(&told, key).percent.text()).collect();
    assert_eq!(percents, ["100 %", "25 %", "unknown", "≥ 10 %", "unknown"]);
    let some = flag(&told, "tasks.some");
    assert_eq!((some.unit.as_str(), some.rules[0].name.as_str()), ("user", "first"));
    assert_eq!(some.variants, [("a".to_owned(), Some(25.0)), ("b".to_owned(), Some(75.0))]);
    let development = &some.elsewhere[0];
    assert_eq!(development.environment, "development");
    assert_eq!((development.enabled, development.percent), (Some(true), Percent::Known { value: 100.0 }));
    assert_eq!(flag(&told, "tasks.enabled").elsewhere[0].enabled, Some(false));
    assert_eq!((some.updated_by.as_deref(), &some.updated_by_id), (Some("ravi"), &None));
    assert!(some.updated_at.is_some());
    assert_eq!(flag(&told, "tasks.eu").rules[0].when, "region in (eu)");
    assert_eq!(flag(&told, "tasks.child").prerequisites, ["tasks.some"]);
    assert_eq!(told.notes.remarks, Vec::<String>::new());
    let caps = told.flags.as_ref().unwrap().caps;
    assert!(caps.author && caps.environments && caps.observed && caps.missing && caps.conditional);

    // Unchanged, a poll costs a 304.
    for _ in 0..3 {
        now += 5.0;
        let again = answer(&mut source, at(now)).await;
        assert!(again.notes.not_modified);
        assert_eq!(again.flags, told.flags);
    }

    // A change is seen within two polls of the usual interval.
    let path = format!("/tasks.some/environments/production/strategies/{}", ids[0]);
    server.admin("PUT", &path, &flexible(50, &variants));
    let mut seen = Vec::new();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        now += 5.0;
        seen.push(flag(&answer(&mut source, at(now)).await, "tasks.some").percent);
    }
    assert_eq!(seen.last(), Some(&Percent::Known { value: 50.0 }), "{seen:?}");

    // What callers report comes back as what they got.
    let since = jiff::Timestamp::now();
    let bucket = json!({ "appName": "worker", "instanceId": "1", "bucket": {
        "start": since.to_string(), "stop": since.to_string(),
        "toggles": { "tasks.some": { "yes": 48, "no": 52, "variants": {} } } } });
    let (status, body) = server.call("POST", "/api/client/metrics", PRODUCTION, &bucket);
    assert_eq!(status, 202, "{body}");
    let counted = |answer: &Answer| flag(answer, "tasks.some").observed.is_some_and(|o| o.count() > 0);
    let told = until(&mut source, &mut now, 61.0, counted).await;
    assert_eq!(flag(&told, "tasks.some").observed.unwrap().percent(), Some(48.0));

    // A flag that vanishes is missing, and the others are told as before.
    let (status, _) =
        server.call("DELETE", "/api/admin/projects/default/features/tasks.eu", ADMIN, &Value::Null);
    assert_eq!(status, 202);
    let gone = |answer: &Answer| answer.flags.as_ref().unwrap().missing == ["tasks.eu"];
    let told = until(&mut source, &mut now, 5.0, gone).await;
    assert_eq!(told.flags.unwrap().flags.len(), 4);

    // Each wrong token says what is wrong with it.
    for (token, code, text) in [
        (
            ADMIN,
            FaultCode::WrongEnvironment,
            "does not say for which environment it answers: an admin token gets development here: use a client (backend) token of production",
        ),
        (
            DEVELOPMENT,
            FaultCode::WrongEnvironment,
            "answers for environment development, not production: an admin token gets development here: use a client (backend) token of production",
        ),
        (
            "*:production.wrong-secret",
            FaultCode::SignInNeeded,
            "sign-in needed: the token is not accepted: This endpoint requires an API token. Please add an authorization header to your request with a valid token",
        ),
    ] {
        let told = fault(&mut server.source(&keys, token, None), at(0.0)).await;
        assert_eq!((told.code, told.text.as_str()), (code, text));
    }

    // Without the right to the admin API the flags are told all the same, and less of them.
    let mut limited = server.source(&["tasks.some"], PRODUCTION, Some(PRODUCTION));
    let told = answer(&mut limited, at(0.0)).await;
    assert_eq!(flag(&told, "tasks.some").percent, Percent::Known { value: 50.0 });
    let caps = told.flags.unwrap().caps;
    assert!(caps.percent && !caps.author && !caps.environments && !caps.observed);
    assert_eq!(
        told.notes.remarks,
        ["other environments are", "who changed flags is", "what callers got is"].map(|what| format!(
            "admin API: {what} not told: forbidden: invalid token: expected a different token type for this endpoint"
        ))
    );
}
