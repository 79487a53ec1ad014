//! Config and checklist files, as people write them and get them wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gonogo::checklist::Template;
use gonogo::model::credential::{CredentialKind, SecretFrom};
use gonogo::model::gate::{FlagCondition, Idle};
use gonogo::model::launch::SourceKind;
use gonogo::model::{Board, Condition, Op, SignalId};
use gonogo::settings::{self, load};
use proptest::prelude::*;

/// The tests run in the package's directory, so that error texts hold no machine's paths.
const DATA: &str = "tests/data/config";

fn configs(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new(DATA).join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn gonogo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(args)
        .env_remove("GONOGO_CONFIG")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_valid_config_is_taken() {
    for path in configs("valid") {
        load(&path).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn each_provider_of_flags_has_its_keys_and_its_defaults() {
    use gonogo::model::provider::{JsonMap, OfrepDef, Provider};
    let launch = load(&Path::new(DATA).join("valid/providers-of-flags.toml")).unwrap().launch;
    let of = |id: &str| match &launch.sources.iter().find(|s| s.id.as_str() == id).unwrap().kind {
        SourceKind::Flags(flags) => (**flags).clone(),
        other => panic!("{other:?}"),
    };
    let unleash = of("unleash");
    assert_eq!(
        (unleash.url.as_str(), unleash.environment.as_str()),
        ("https://unleash.example.com", "production")
    );
    assert_eq!(unleash.beside, ["development"]);
    let Provider::Unleash { project, admin: Some(admin) } = unleash.provider else { panic!() };
    assert_eq!((project.as_str(), admin.name.as_str()), ("tasks", "admin"));
    let flagd = of("flagd");
    assert_eq!(flagd.environment, "staging");
    let context = serde_json::json!({ "plan": "team", "seats": 5, "beta": true });
    let wanted = OfrepDef {
        bulk: false,
        context: context.as_object().unwrap().clone(),
        keys: 400,
        seed: "launch-7".into(),
        on: vec!["treatment".into()],
    };
    assert_eq!(flagd.provider, Provider::Ofrep(wanted));
    let Provider::Ofrep(bare) = of("named-by-the-environment").provider else { panic!() };
    assert_eq!((bare.bulk, bare.keys, of("named-by-the-environment").url.as_str()), (true, 200, ""));
    assert_eq!(of("launchdarkly").url, "https://app.launchdarkly.com");
    let map = JsonMap {
        list: "/flags".into(),
        key: Some("/key".into()),
        enabled: "/enabled".into(),
        percent: Some("/share".into()),
        percent_scale: 1.0,
        ..JsonMap::default()
    };
    assert_eq!(of("flipt").provider, Provider::Json(map));
}

/// `GONOGO_BLESS=1 cargo test` writes the texts anew; read the difference before it is committed.
#[test]
fn every_invalid_config_is_refused_with_exactly_the_text_beside_it() {
    let mut wrong = Vec::new();
    for path in configs("invalid") {
        let Err(error) = load(&path) else { panic!("{} was taken", path.display()) };
        let found = format!("{error}\n");
        let beside = path.with_extension("error");
        if std::env::var_os("GONOGO_BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}: expected\n{expected}\nfound\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_first_finding_has_its_line_column_and_key_and_the_others_are_there_too() {
    let error = load(&Path::new(DATA).join("invalid/typo-in-key.toml")).unwrap_err();
    assert_eq!((error.line, error.column), (11, 1));
    assert!(error.message.contains("did you mean `timeout`?"), "{}", error.message);
    let keys: Vec<&str> = error.findings.iter().map(|f| f.key.as_str()).collect();
    assert_eq!(keys, ["source.worker.timout", "source.worker.max_body"]);
}

#[test]
fn a_secret_written_into_a_config_is_refused_without_being_repeated() {
    for (file, secret) in [
        ("a-token-pasted-into-the-config", "eyJhbGci"),
        ("bad-addresses", "ana:secret"),
        ("credentials-mixed-up", "ana:secret"),
        ("secrets-pasted-into-a-credential", "s3cret"),
    ] {
        let path = Path::new(DATA).join("invalid").join(file).with_extension("toml");
        assert!(fs::read_to_string(&path).unwrap().contains(secret));
        let error = load(&path).unwrap_err();
        assert!(!error.to_string().contains(secret), "{error}");
    }
}

#[test]
fn the_tasks_launch_its_checklists_and_the_names_in_them_are_right() {
    let loaded = load(Path::new("config/tasks.toml")).unwrap_or_else(|error| panic!("{error}"));
    let template = loaded.template.unwrap();
    let launch = &loaded.launch;
    assert_eq!((launch.product.as_str(), launch.version.as_str()), ("Tasks", "0.1.4"));
    assert_eq!(loaded.template_text.unwrap(), fs::read_to_string("checklists/tasks-launch.toml").unwrap());
    assert_eq!(template.id, "tasks-launch");
    let rollback = template.rollback.unwrap();
    let name = format!("checklists/{rollback}.toml");
    let rollback_text = fs::read_to_string(&name).unwrap();
    settings::template_for(&name, &rollback_text, "config/tasks.toml", launch)
        .unwrap_or_else(|error| panic!("{error}"));
    for gate in &launch.gates {
        if let Condition::Signal(id) = &gate.condition {
            assert!(launch.signal(id).is_some(), "{id}");
        }
    }
}

#[test]
fn every_config_and_checklist_in_the_repository_is_right() {
    let files = |folder: &str| {
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect::<Vec<_>>()
    };
    let files = [files("config"), files("checklists")].concat();
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        settings::check_file(&path).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn defaults_are_filled_in_and_paths_are_relative_to_the_config() {
    let path = Path::new(DATA).join("valid/durations-sizes-and-paths.toml");
    let launch = load(&path).unwrap().launch;
    assert_eq!(launch.t0.unwrap().rfc3339(), "2025-12-02T15:00:00.000Z");
    assert_eq!(launch.ledger.as_deref(), Some(Path::new(DATA).join("valid/runs").as_path()));
    let [worker, other] = launch.sources.as_slice() else { panic!("{:?}", launch.sources) };
    assert_eq!((worker.every.as_millis(), worker.timeout.as_secs()), (500, 90));
    assert_eq!((worker.max_body, worker.max_series), (64 << 20, 100));
    assert_eq!((other.every.as_secs(), other.timeout.as_secs()), (5, 3));
    assert_eq!((other.max_body, other.max_series), (1000, 20_000));
    assert_eq!((worker.max_history.as_secs(), other.max_history.as_secs()), (5400, 86_400));
    assert_eq!(other.ca_file.as_deref(), Some(Path::new(DATA).join("valid/ca.pem").as_path()));
    assert_eq!(other.headers, [("X-Scope-OrgID".to_owned(), "tasks".to_owned())]);
    let command = SecretFrom::Command(["pass", "show", "ops"].map(String::from).to_vec());
    assert_eq!(other.credential.as_ref().map(|c| &c.kind), Some(&CredentialKind::Bearer(command)));
}

#[test]
fn credentials_of_every_kind_are_read_and_the_only_device_says_who_is_there() {
    let launch = load(&Path::new(DATA).join("valid/credentials.toml")).unwrap().launch;
    assert_eq!((launch.identity.as_deref(), launch.require_identity), (Some("me"), true));
    let kinds: Vec<&str> = launch.credentials.values().map(|c| c.kind.as_str()).collect();
    assert_eq!(kinds, ["header", "device", "basic", "client-credentials"]);
    let me = launch.identity_credential().and_then(|c| c.device()).unwrap();
    assert_eq!(me.checklist_roles(&["sre-lead".into(), "other".into()]), ["captain"]);
    assert_eq!(me.resource.as_deref(), Some("https://identity.example.com/launch"));
    let flags = launch.sources.iter().find(|s| s.id.as_str() == "flags").unwrap();
    assert_eq!(flags.credential.as_ref().map(|c| c.name.as_str()), Some("me"));
    assert_eq!(flags.route.proxy.as_deref(), Some("http://proxy.example.com:3128"));
    assert_eq!(flags.route.no_proxy, [".example.org", "10.0.0.0/8"]);
    assert!(flags.route.client_cert.as_ref().unwrap().ends_with("valid/client.pem"));
}

#[test]
fn a_gate_may_look_at_a_signal_an_expression_of_its_own_or_a_flag() {
    let launch = load(&Path::new(DATA).join("valid/every-kind-of-gate.toml")).unwrap().launch;
    let [signal, query, state, percentage, both] = launch.gates.as_slice() else { panic!() };
    assert_eq!(signal.title, "The queue is short");
    assert_eq!((signal.clear, signal.idle), (Some(400.0), Idle::Pass));
    assert_eq!((signal.expect_series, signal.allow_infinite), (Some(1), true));
    assert_eq!(signal.min_volume, Some((SignalId::from("queue-depth"), 0.5)));
    assert_eq!(query.title, "on-a-query", "the id where there is no title");
    let Condition::Signal(own) = &query.condition else { panic!("{:?}", query.condition) };
    assert!(own.as_str().starts_with("gate:on-a-query:"), "{own}");
    let made = launch.signal(own).unwrap();
    assert_eq!((made.board, made.query.as_str()), (Board::Hidden, "vector(1)"));
    let flag = |enabled, percent| {
        let key = "tasks.enabled".into();
        Condition::Flag(Box::new(FlagCondition { key, enabled, percent, ..FlagCondition::default() }))
    };
    assert_eq!(state.condition, flag(Some(true), false));
    assert_eq!(percentage.condition, flag(None, true));
    assert_eq!((percentage.op, percentage.value), (Op::GreaterOrEqual, 25.0));
    assert_eq!(both.condition, flag(Some(false), true));
    assert_eq!((both.op, both.value), (Op::LessOrEqual, 0.0));
    let identity = launch.sources.iter().find(|s| s.id.as_str() == "identity").unwrap();
    let kind = SourceKind::Identity {
        url: "https://identity.example.com".into(),
        environment: "staging".into(),
        grants: false,
        beside: Vec::new(),
    };
    assert_eq!(identity.kind, kind, "the environment of the launch, the base address without its slash");
}

#[test]
fn a_checklist_gate_with_an_expression_brings_its_signal_into_the_launch() {
    let config = fs::read_to_string(Path::new(DATA).join("valid/every-kind-of-gate.toml")).unwrap();
    let checklist = "schema = 1\nid = \"l\"\ntitle = \"L\"\n[[item]]\nid = \"up\"\ntitle = \"All up\"\n\
                     kind = \"gate\"\n[item.gate]\nquery = \"min(up)\"\nsource = \"worker\"\nop = \"==\"\nvalue = 1\n";
    let (launch, template) =
        settings::parse("demo", &config, Path::new(""), Some(("list", checklist))).unwrap();
    let template = template.unwrap();
    let own = |template: &Template| match &template.gates().next().unwrap().condition {
        Condition::Signal(own) => own.clone(),
        other => panic!("{other:?}"),
    };
    let made = launch.signal(&own(&template)).unwrap();
    assert_eq!((made.query.as_str(), made.max_age.as_secs()), ("min(up)", 15));
    // A run's copy with another expression, or of another source, is not judged on this one.
    for (from, to) in [("min(up)", "max(up)"), ("worker", "other")] {
        let copy = settings::template("copy", &checklist.replace(from, to)).unwrap();
        assert_eq!(launch.signal(&own(&copy)), None, "{to}");
    }
    let copy = settings::template("copy", &checklist.replace("All up", "All of them up")).unwrap();
    assert_eq!(own(&copy), own(&template));
}

#[test]
fn a_file_that_is_no_text_is_refused_with_a_clear_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let said = |path: &Path| load(path).unwrap_err();

    let error = said(&file("latin1.toml", b"schema = 1\n[launch]\nproduct = \"caf\xe9\"\n"));
    assert_eq!((error.line, error.column), (3, 15));
    assert!(error.message.contains("0xe9 is not UTF-8"), "{error}");

    let error = said(&file("huge.toml", &vec![b'#'; 2 << 20]));
    assert_eq!(error.line, 0);
    assert!(error.message.contains("larger than"), "{error}");

    let error = said(&file("empty.toml", b""));
    assert!(error.rendered.contains("the file is empty"), "{error}");
    assert!(said(&file("blank.toml", b"\n# nothing\n")).rendered.contains("the file is empty"));

    assert!(said(dir.path()).message.contains("is a directory"));
    assert!(said(&dir.path().join("none.toml")).message.contains("no such file"));
    assert!(said(Path::new("/dev/zero")).message.contains("larger than"));
}

#[test]
fn a_config_is_looked_for_in_the_named_place_then_here_then_in_config() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path();
    let here = cwd.join("gonogo.toml");
    let below = cwd.join("config/gonogo.toml");
    let found = || settings::discover(None, cwd).filter(|p| p.starts_with(cwd));
    assert_eq!(found(), None);
    fs::create_dir(cwd.join("config")).unwrap();
    fs::write(&below, "").unwrap();
    assert_eq!(found(), Some(below));
    fs::write(&here, "").unwrap();
    assert_eq!(found(), Some(here));
    let named = Path::new("not/there.toml");
    assert_eq!(
        settings::discover(Some(named), cwd).as_deref(),
        Some(named),
        "a wrong name is not passed over"
    );
    assert!(settings::discover(Some(Path::new("")), cwd).is_some(), "an empty variable names nothing");
}

#[test]
fn where_no_config_is_found_the_places_that_were_looked_at_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["config", "path"])
        .current_dir(dir.path())
        .env_remove("GONOGO_CONFIG")
        .env("HOME", dir.path())
        .env("XDG_CONFIG_HOME", dir.path().join("user"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for place in ["gonogo.toml", "config/gonogo.toml", "--config", "$GONOGO_CONFIG"] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert!(!cfg!(target_os = "linux") || said.contains("user/gonogo/gonogo.toml"), "{said}");
}

#[test]
fn config_check_says_ok_or_what_is_wrong_by_its_exit_code() {
    let output = gonogo(&["config", "check", "config/tasks.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(": ok, Tasks 0.1.4 in production: 8 sources"));

    let output = gonogo(&["config", "check", "checklists/tasks-rollback.toml"]);
    assert!(text(&output.stdout).contains(": ok, a checklist of"), "{}", text(&output.stderr));

    let output = gonogo(&["--config", "tests/data/config/invalid/unknown-source.toml", "config", "check"]);
    assert_eq!(output.status.code(), Some(2));
    let beside = fs::read_to_string(Path::new(DATA).join("invalid/unknown-source.error")).unwrap();
    assert_eq!(text(&output.stderr), format!("{beside}1 thing is wrong\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn config_check_gives_programs_every_finding_with_its_place() {
    let file = "tests/data/config/invalid/unknown-source.toml";
    let output = gonogo(&["config", "check", file, "--output", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = format!("{file} has no source \"workr\"; did you mean `worker`?");
    let expected = serde_json::json!({
        "ok": false,
        "file": file,
        "errors": [{
            "file": file, "line": 15, "column": 10, "key": "signal[0].source", "message": message,
        }],
    });
    assert_eq!(found, expected);

    let output = gonogo(&["config", "check", "config/tasks.toml", "--output", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["ok"], true);
    assert_eq!(found["errors"], serde_json::json!([]));
}

/// The files in the repository are what editors read; `gonogo config schema` is what they must be.
#[test]
fn the_schemas_in_the_repository_are_the_ones_the_program_checks_against() {
    for (of, file) in [
        ("config", "config/gonogo.schema.json"),
        ("checklist", "checklists/checklist.schema.json"),
        ("preset", "config/preset.schema.json"),
        ("drill", "config/drill.schema.json"),
    ] {
        let output = gonogo(&["config", "schema", of]);
        assert_eq!(output.status.code(), Some(0));
        let written = fs::read_to_string(file).unwrap();
        assert!(text(&output.stdout) == written, "run: gonogo config schema {of} > {file}");
    }
}

#[test]
fn every_key_in_the_schemas_is_described_and_no_table_takes_unknown_keys() {
    fn look(schema: &serde_json::Value, at: &str) {
        let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) else { return };
        assert_eq!(schema["additionalProperties"], false, "{at}");
        for (key, property) in properties {
            assert!(property.get("description").is_some(), "{at}.{key} has no description");
        }
    }
    for schema in [
        settings::config_schema(),
        settings::checklist_schema(),
        settings::preset_schema(),
        settings::scenario_schema(),
    ] {
        look(schema, "");
        let tables = schema["$defs"].as_object().unwrap();
        assert!(!tables.is_empty());
        for (name, table) in tables {
            look(table, name);
        }
        assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
    }
}

/// A config with something changed somewhere: cut out, doubled, or replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let whole = || {
        let files =
            configs("valid").into_iter().chain(configs("invalid")).chain(["config/tasks.toml".into()]);
        files.map(|f| fs::read(f).unwrap()).collect::<Vec<_>>()
    };
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<Vec<u8>>(), 0..4u8);
    (prop::sample::select(whole()), prop::collection::vec(change, 1..5)).prop_map(|(mut bytes, changes)| {
        for (a, b, new, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
            let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
            match how {
                0 => drop(bytes.drain(from..to)),
                1 => drop(bytes.splice(from..to, new)),
                2 => {
                    let part = bytes[from..to].to_vec();
                    bytes.splice(b..b, part);
                }
                _ => {
                    let printable: Vec<u8> =
                        new.iter().map(|b| b"\"'[]{}=.\n#\\1e- a"[*b as usize % 16]).collect();
                    bytes.splice(from..from, printable);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_reading_a_config_panic_and_every_error_has_a_place_and_harmless_text(bytes in mutated()) {
        let text = String::from_utf8_lossy(&bytes);
        let config = settings::parse("c.toml", &text, Path::new(""), Some(("l.toml", &text))).map(|_| ());
        for error in [config, settings::template("l.toml", &text).map(|_| ())].into_iter().filter_map(Result::err) {
            prop_assert!(!error.findings.is_empty());
            prop_assert!(error.line >= 1 && error.column >= 1, "{}", error);
            prop_assert!(error.line <= text.matches('\n').count() + 1, "{}", error);
            let harmful = |c: char| c.is_control() && c != '\n';
            prop_assert!(!error.rendered.chars().any(harmful), "{:?}", error.rendered);
        }
    }
}
