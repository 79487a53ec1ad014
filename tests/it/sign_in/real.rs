//! Against a real issuer.

use std::fs;

use super::{Home, Issuer, Login, RESOURCE, json, said};
use crate::checklist::template;

#[test]
fn a_person_signs_in_polls_signs_events_and_signs_out() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(&format!("resource = \"{RESOURCE}\"")));
    let before = home.run(&["sources"]);
    assert!(said(&before).contains("sign in: press S or run gonogo login me"), "{}", said(&before));
    assert_eq!(home.run(&["whoami"]).status.code(), Some(1));

    home.sign_in(|code| issuer.approve(code));
    let who = home.run(&["whoami", "--output", "json"]);
    let who = (who.status.code(), json(&who));
    assert_eq!(who.0, Some(0));
    assert_eq!(who.1["name"], "ada");
    assert_eq!(who.1["roles"], serde_json::json!(["captain"]));
    assert_eq!(who.1["claimed_roles"], serde_json::json!(["launch-commander", "qa"]));
    assert_eq!(who.1["scopes"], serde_json::json!(["flags:read", "audit:read"]));
    assert_eq!(who.1["withheld_scopes"], serde_json::json!([]));
    let polled = home.run(&["sources"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));

    fs::create_dir(home.path().join("checklists")).unwrap();
    fs::write(home.path().join("checklists/plain.toml"), template("plain", &["one", "two"])).unwrap();
    let run = json(&home.run(&["checklist", "start", "plain", "--output", "json"]));
    let run = run["run"].as_str().unwrap().to_owned();
    let ticked = home.run(&["checklist", "tick", &run, "one", "--as", "captain"]);
    assert!(ticked.status.success(), "{}", said(&ticked));
    let shown = said(&home.run(&["checklist", "show", &run, "--output", "json"]));
    assert!(shown.contains("\"ada\"") && !shown.contains("unverified"), "{shown}");
    for (args, why) in [
        (["--by", "bob"], "--by bob is refused: you are signed in as ada"),
        (["--as", "qa"], "ada may not act as qa: the issuer gives these roles: captain"),
    ] {
        let refused = home.run(&[["checklist", "tick", &run, "two"].as_slice(), &args].concat());
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }

    let out = home.run(&["logout", "--output", "json"]);
    assert_eq!(json(&out)["revoked"], true, "{}", said(&out));
    assert_eq!(home.run(&["whoami"]).status.code(), Some(1));
    assert!(said(&home.run(&["sources"])).contains("sign in: press S"));
    assert_eq!(issuer.count("invalid_grant"), 0);
}

#[test]
fn a_person_who_says_no_is_told_so() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(""));
    let mut login = Login::begin(&home);
    issuer.steer(&format!("/deny?user_code={}", login.code));
    let last = login.next();
    assert_eq!((last["step"].as_str(), last["reason"]["code"].as_str()), (Some("failed"), Some("denied")));
    assert_eq!(login.child.wait().unwrap().code(), Some(1));
}

#[test]
fn the_program_signs_in_by_itself() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let config = issuer.config("").replace("credential = \"me\"", "credential = \"worker\"")
        + &format!(
            "[credential.worker]\nkind = \"client-credentials\"\nissuer = \"{}\"\nclient-id = \"worker:1\"\nenv = \"WORKER\"\nscopes = [\"flags:read\"]\n",
            issuer.url
        );
    let home = Home::new(&config);
    let polled = home.gonogo(&["sources"]).env("WORKER", "s3cret client/secret+%").output().unwrap();
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    let wrong = home.gonogo(&["sources"]).env("WORKER", "s3cret").output().unwrap();
    assert!(said(&wrong).contains("the sign-in: invalid_client"), "{}", said(&wrong));
    assert!(!said(&wrong).contains("s3cret"), "{}", said(&wrong));
    assert_eq!(issuer.count("client_credentials"), 1);
}

#[test]
fn a_scope_that_the_server_drops_without_a_word_is_told() {
    let Some(issuer) = Issuer::start(&["drop=audit:read"]) else { return };
    let home = Home::new(&issuer.config(""));
    home.sign_in(|code| issuer.approve(code));
    let who = home.run(&["whoami"]);
    assert!(said(&who).contains("the server did not grant audit:read"), "{}", said(&who));
}

#[test]
fn a_refresh_rotates_and_an_opaque_token_after_a_jwt_is_told() {
    let Some(issuer) = Issuer::start(&["opaque=1"]) else { return };
    let home = Home::new(&issuer.config(&format!("resource = \"{RESOURCE}\"")));
    home.sign_in(|code| issuer.approve(code));
    assert!(!said(&home.run(&["whoami"])).contains("opaque"));
    for rounds in 1..=2 {
        home.age();
        let polled = home.run(&["sources"]);
        assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
        assert_eq!(issuer.count("refresh_token"), rounds);
    }
    let who = said(&home.run(&["whoami"]));
    assert!(who.contains("after the refresh the server gives an opaque token"), "{who}");
    assert_eq!(issuer.count("invalid_grant"), 0);
}

#[test]
fn a_refresh_token_whose_time_is_over_ends_the_sign_in() {
    let Some(issuer) = Issuer::start(&["ttl=1", "refresh-ttl=2"]) else { return };
    let home = Home::new(&issuer.config(""));
    home.sign_in(|code| issuer.approve(code));
    std::thread::sleep(std::time::Duration::from_secs(3));
    let polled = said(&home.run(&["sources"]));
    assert!(polled.contains("the sign-in has ended (invalid_grant"), "{polled}");
}

#[test]
fn a_sign_in_that_the_issuer_has_ended_is_told_with_what_to_do() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(""));
    home.sign_in(|code| issuer.approve(code));
    issuer.steer("/expire");
    home.age();
    let polled = said(&home.run(&["sources"]));
    assert!(polled.contains("the sign-in has ended (invalid_grant"), "{polled}");
    assert!(polled.contains("press S or run gonogo login me"), "{polled}");
    let who = home.run(&["whoami"]);
    assert_eq!(who.status.code(), Some(1));
    assert!(said(&who).contains("gonogo login me signs ada in again"), "{}", said(&who));
    // It is not asked again and again with a refresh token that is known to be worthless.
    let _ = home.run(&["sources"]);
    assert_eq!(issuer.count("invalid_grant"), 1);
}
