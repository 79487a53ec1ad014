//! `gonogo flags`.

use std::fmt::Write as _;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::http::canned::{self, Canned, ok};

const FLAGS: &str = r#"{"environment":"production","revision":7,"missing":[],"flags":[
    {"key":"tasks.enabled","kind":"release","state":{"enabled":true,"rollout":{"mode":"percent","percent":25.5,"unit":"org","exact":true},
     "rules":[{"id":"beta","name":"Beta","enabled":true,"when":[{"attribute":"org.plan","op":"in","values":["enterprise"]}],"percent":100,"variant":"on"}],
     "schedule":{"next":{"at":"2026-11-23T03:00:00Z","percent":50}},
     "observed":{"window_s":300,"on":24,"off":76,"at":"2026-11-23T02:40:00Z"},
     "updated_at":"2026-11-23T02:27:42Z","updated_by":{"id":"ravi","kind":"user","display":"Ravi"}}},
    {"key":"tasks.beta","kind":"release","state":{"enabled":true,"rollout":{"mode":"rules","percent":null,"exact":false}}}]}"#;

/// Runs `gonogo flags` on a launch that tracks these flags at this service.
fn flags(url: &str, keys: &[&str], json: bool) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("launch.toml");
    let mut text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"production\"\n\
         [source.identity]\nkind = \"identity\"\nurl = \"{url}\"\n"
    );
    for key in keys {
        writeln!(text, "[[flag]]\nkey = \"{key}\"\nsource = \"identity\"").unwrap();
    }
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    command.arg("flags").arg("--config").arg(&config);
    if json {
        command.args(["--output", "json"]);
    }
    command.output().unwrap()
}

fn service() -> Canned {
    Canned::new(|seen, _| {
        if seen.path().contains("/flags?") {
            ok("application/json", FLAGS)
        } else {
            canned::answer(404, "", "")
        }
    })
}

#[test]
fn flags_are_told_as_json_with_a_percentage_that_says_its_kind() {
    let output = flags(&service().url(""), &["tasks.enabled", "tasks.beta"], true);
    let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["age_seconds"].take().as_f64().is_some_and(|age| age >= 0.0));
    assert_eq!(
        document,
        json!({
            "environment": "production",
            "age_seconds": null,
            "flags": [
                {"key": "tasks.enabled", "source": "identity", "environment": "production", "enabled": true,
                 "percent": {"kind": "known", "value": "25.5"}, "unit": "org",
                 "observed": {"percent": "24", "n": 100, "window_seconds": 300.0,
                              "at": "2026-11-23T02:40:00.000Z", "drift": null, "stale": true},
                 "updated_at": "2026-11-23T02:27:42.000Z", "updated_by": "Ravi",
                 "next": {"at": "2026-11-23T03:00:00.000Z", "percent": "50"},
                 "rules": [{"name": "Beta", "when": "org.plan in (enterprise)",
                            "percent": {"kind": "known", "value": "100"}, "variant": "on", "enabled": true}],
                 "variants": [], "elsewhere": null, "archived": false, "stale": false},
                {"key": "tasks.beta", "source": "identity", "environment": "production", "enabled": true,
                 "percent": {"kind": "unknown", "value": null}, "unit": "", "observed": null,
                 "updated_at": null, "updated_by": null, "next": null, "rules": [], "variants": [],
                 "elsewhere": null, "archived": false, "stale": false},
            ],
            "missing": [],
            "not_shown": [],
            "remarks": [],
            "errors": [],
        })
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn flags_are_told_as_a_table() {
    let output = flags(&service().url(""), &["tasks.enabled"], false);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("  ").filter(|c| !c.is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(rows[0], ["FLAG", "STATE", "ROLLOUT", "OBSERVED", "CHANGED", "BY"]);
    assert_eq!(rows[1][..4], ["tasks.enabled", "on", "25.5 % of orgs", "24.0 % (n 100) stale"]);
    assert_eq!((rows.len(), output.status.code()), (2, Some(0)));
}

#[test]
fn a_tracked_flag_that_does_not_exist_is_a_no() {
    let output = flags(&service().url(""), &["tasks.enabled", "tasks.typo"], true);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((document["missing"].clone(), output.status.code()), (json!(["tasks.typo"]), Some(1)));
    assert!(String::from_utf8_lossy(&output.stderr).contains("flag tasks.typo does not exist in production"));
}

#[test]
fn a_service_that_cannot_be_reached_is_no_verdict() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = flags(&format!("http://127.0.0.1:{port}"), &["tasks.enabled"], true);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["errors"], json!([{"code": "unreachable", "text": "identity: refused"}]));
    assert_eq!((document["age_seconds"].clone(), output.status.code()), (Value::Null, Some(3)));
}

/// What a token that sees one project only does not show is not said to be missing, and the second
/// credential is used as it is in the room.
#[test]
fn what_is_not_shown_is_no_verdict_and_the_admin_api_is_asked_too() {
    const FEATURES: &str = r#"{"version":2,"query":{"environment":"production","project":["tasks"]},
        "features":[{"name":"tasks.enabled","enabled":true,"strategies":[{"name":"default"}]}]}"#;
    let server = Canned::new(|seen, _| match (seen.path(), seen.header("authorization")) {
        ("/api/client/features", _) => ok("application/json", FEATURES),
        (path, Some("the-admins")) if path.contains("events") => {
            ok("application/json", r#"{"events":[{"type":"feature-created","createdBy":"ravi"}]}"#)
        }
        _ => canned::answer(403, "", ""),
    });
    let dir = tempfile::tempdir().unwrap();
    for (name, token) in [("client", "the-clients"), ("admin", "the-admins")] {
        std::fs::write(dir.path().join(name), token).unwrap();
    }
    let config = dir.path().join("launch.toml");
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"production\"\n\
         [credential.client]\nkind = \"bearer\"\nfile = \"{0}/client\"\n[credential.admin]\nkind = \"bearer\"\nfile = \"{0}/admin\"\n\
         [source.flags]\nkind = \"unleash\"\nurl = \"{1}\"\ncredential = \"client\"\nadmin-credential = \"admin\"\n\
         [[flag]]\nkey = \"tasks.enabled\"\nsource = \"flags\"\n[[flag]]\nkey = \"mail.new\"\nsource = \"flags\"\n",
        dir.path().display(),
        server.url("")
    );
    std::fs::write(&config, text).unwrap();
    let run = |command: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        run.args([command, "--output", "json", "--config"]).arg(&config).output().unwrap()
    };
    let output = run("flags");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).expect(&said);
    assert_eq!((&document["missing"], &document["not_shown"]), (&json!([]), &json!(["mail.new"])));
    assert_eq!(document["flags"][0]["updated_by"], "ravi");
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("flag mail.new is not among what the provider shows in production"), "{said}");
    for output in [&output, &run("sources")] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("flags: admin API: other environments are not told: forbidden"), "{said}");
    }
}
