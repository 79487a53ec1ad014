//! Who may do what: verified authors, their roles, and checklists that take changes from nobody else.

use std::sync::{Arc, Mutex};

use super::scripted::{Scripted, granting, id_token};
use super::*;
use serde_json::json;

const LIST: &str = "schema = 1\nid = \"launch\"\ntitle = \"Launch\"\nrequire-identity = true\n\
    [[item]]\nid = \"ready\"\ntitle = \"Ready\"\nrole = \"captain\"\n\
    [[item]]\nid = \"reviewed\"\ntitle = \"Reviewed\"\nsignoff = { count = 2, roles = [\"captain\"] }\n";

/// An issuer that gives this person their claims at every sign-in.
fn issuer(person: &Arc<Mutex<Value>>) -> Scripted {
    let person = Arc::clone(person);
    Scripted::start(Box::new(move |seen, _| {
        let mut claims = person.lock().unwrap().clone();
        claims["iss"] = format!("http://{}", seen.header("host").unwrap()).into();
        claims["aud"] = "gonogo".into();
        claims["exp"] = 4_000_000_000_i64.into();
        granting(&json!({ "id_token": id_token(&claims) }))
    }))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_checklist_that_requires_identity_takes_changes_from_people_who_are_signed_in_and_a_hold_from_all() {
    let person = Arc::new(Mutex::new(
        json!({ "sub": "u1", "preferred_username": "ada", "roles": ["launch-commander"] }),
    ));
    let server = issuer(&person);
    let home = server.home();
    fs::write(home.path().join("launch.toml"), LIST).unwrap();
    let start = ["checklist", "start", "launch.toml", "--t0", "2199-01-01T00:00:00Z"];

    let refused = home.run(&start);
    assert_eq!(code(&refused), 1, "{}", said(&refused));
    assert!(said(&refused).contains("ana is unverified") && said(&refused).contains("gonogo login"));

    home.sign_in(|_| {});
    let started = home.run(&[start.as_slice(), &["--output", "json"]].concat());
    let run = json(&started)["run"].as_str().unwrap().to_owned();
    let sign = |role: &str| home.run(&["checklist", "sign", &run, "reviewed", "--as", role]);
    assert!(
        said(&home.run(&["checklist", "tick", &run, "ready", "--by", "raj"])).contains("signed in as ada")
    );
    assert!(said(&sign("sre")).contains("may not act as sre"), "{}", said(&sign("sre")));
    assert_eq!(code(&home.run(&["checklist", "tick", &run, "ready", "--as", "captain"])), 0);
    assert_eq!(code(&sign("captain")), 0);

    // Another name of the same person is no second signer.
    person.lock().unwrap()["preferred_username"] = "ada.l".into();
    home.sign_in(|_| {});
    let again = sign("captain");
    assert!(code(&again) == 1 && said(&again).contains("another person must"), "{}", said(&again));

    let exported = json(&home.run(&["checklist", "export", &run, "--output", "json"]));
    let tick = exported["events"].as_array().unwrap().iter().find(|e| e["kind"] == "tick").unwrap();
    assert_eq!((&tick["by"], &tick["sub"]), (&json!("ada"), &json!("u1")), "{tick}");
    assert_eq!(tick["iss"], server.url(), "{tick}");
    assert_eq!(code(&home.run(&["checklist", "verify", &run])), 0);

    assert_eq!(code(&home.run(&["logout"])), 0);
    for verb in [["note", "hm"], ["scrub", "--reason=hm"]] {
        let args = ["checklist", verb[0], &run, verb[1]];
        let refused = home.run(&args);
        assert!(code(&refused) == 1 && said(&refused).contains("unverified"), "{args:?}: {}", said(&refused));
    }
    let held = home.run(&["checklist", "hold", &run, "--reason", "trouble"]);
    assert_eq!(code(&held), 0, "{}", said(&held));
}

#[test]
fn a_launch_can_require_identity_of_every_checklist_and_an_unreadable_config_starts_none() {
    let server = issuer(&Arc::new(Mutex::new(json!({ "sub": "u1", "preferred_username": "ada" }))));
    let home = server.home();
    fs::write(home.path().join("launch.toml"), LIST.replace("require-identity = true\n", "")).unwrap();
    let start = ["checklist", "start", "launch.toml", "--ledger", "runs"];
    assert_eq!(code(&home.run(&start)), 0);
    let config = home.path().join("gonogo.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[launch]\n", "[launch]\nrequire-identity = true\n")).unwrap();
    assert!(said(&home.run(&start)).contains("ana is unverified"), "{}", said(&home.run(&start)));
    home.sign_in(|_| {});
    assert_eq!(code(&home.run(&start)), 0);
    fs::write(&config, "schema = 1\n[launch]\n").unwrap();
    assert_ne!(code(&home.run(&start)), 0);
}
