//! Issuers that no real provider is: wrong, redirecting, slow, off by ten minutes.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Home, Login, config, said};
use crate::http::canned::{Act, Canned, Seen, answer, ok};
use crate::terminal::{Pty, Start};

/// What an issuer does with a request to its token endpoint; the number is how many came before.
type Token = Box<dyn Fn(&Seen, usize) -> Vec<Act> + Send + Sync>;

pub(super) struct Scripted {
    server: Canned,
    /// The path of each request in turn.
    asked: Arc<Mutex<Vec<String>>>,
    /// What its userinfo says, where it has one.
    userinfo: Arc<Mutex<Option<Value>>>,
}

impl Scripted {
    pub(super) fn start(token: Token) -> Self {
        Self::naming(None, token)
    }

    /// An issuer that calls itself something else.
    fn naming(other: Option<String>, token: Token) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen_paths = Arc::clone(&asked);
        let userinfo: Arc<Mutex<Option<Value>>> = Arc::default();
        let told = Arc::clone(&userinfo);
        let server = Canned::on(listener, move |seen, _| {
            let path = seen.path().to_owned();
            let before = {
                let mut all = seen_paths.lock().unwrap();
                all.push(path.clone());
                all.iter().filter(|p| **p == path).count() - 1
            };
            let json = |value: Value| ok("application/json", value.to_string());
            match path.as_str() {
                "/.well-known/openid-configuration" => json(json!({
                    "issuer": other.as_ref().unwrap_or(&url),
                    "token_endpoint": format!("{url}/token"),
                    "device_authorization_endpoint": format!("{url}/device"),
                    "userinfo_endpoint": told.lock().unwrap().as_ref().map(|_| format!("{url}/userinfo")),
                })),
                "/userinfo" => json(told.lock().unwrap().clone().unwrap_or_default()),
                "/device" => json(json!({
                    "device_code": "s3cret-device-code", "user_code": "ABCD-EFGH",
                    "verification_uri": format!("{url}/activate"), "expires_in": 60, "interval": 1,
                })),
                "/token" => token(seen, before),
                "/metrics" => ok("text/plain; version=0.0.4", "tasks_up 1\n"),
                _ => answer(404, "", ""),
            }
        });
        Self { server, asked, userinfo }
    }

    pub(super) fn url(&self) -> String {
        self.server.url("")
    }

    pub(super) fn home(&self) -> Home {
        let url = self.server.url("");
        Home::new(&config(&url, &self.server.url("/metrics"), ""))
    }

    fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|p| *p == path).count()
    }
}

pub(super) fn id_token(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part("{\"alg\":\"none\"}"), part(&claims.to_string()))
}

fn refusing(error: &'static str) -> Token {
    Box::new(move |_, _| {
        let body = json!({ "error": error, "error_description": "because" }).to_string();
        answer(400, "Content-Type: application/json\r\n", body)
    })
}

/// What `gonogo login` says at its end, and its exit code.
fn ending(home: &Home) -> (Option<i32>, Value) {
    let mut login = Login::begin(home);
    let last = login.next();
    (login.child.wait().unwrap().code(), last)
}

#[test]
fn an_issuer_that_calls_itself_otherwise_is_refused_before_anything_is_asked() {
    let other = Scripted::naming(Some("https://evil.example.com".into()), refusing("never"));
    let out = other.home().run(&["login"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        said(&out).contains("wrong issuer: the discovery document says https://evil.example.com"),
        "{}",
        said(&out)
    );
    // A slash at the end makes another issuer.
    let slash = Scripted::naming(None, refusing("never"));
    let home = Home::new(&config(&slash.server.url("/"), &slash.server.url("/metrics"), ""));
    assert!(said(&home.run(&["login"])).contains("wrong issuer"));
    assert_eq!((other.count("/device"), slash.count("/device")), (0, 0));
}

#[test]
fn a_token_endpoint_that_redirects_gets_nothing_more() {
    let thief = Canned::always(ok("application/json", "{\"access_token\":\"x\"}"));
    for location in [thief.url("/token"), "/metrics".to_owned()] {
        let header = format!("Location: {location}\r\n");
        let issuer = Scripted::start(Box::new(move |_, _| answer(307, &header, "")));
        let (code, last) = ending(&issuer.home());
        let text = last["reason"]["text"].as_str().unwrap().to_owned();
        assert!(
            text.contains("redirects to 127.0.0.1") && text.contains("configured address only"),
            "{text}"
        );
        assert_eq!(code, Some(3));
        assert_eq!((issuer.count("/token"), issuer.count("/metrics")), (1, 0));
    }
    assert!(thief.seen().is_empty());
}

#[test]
fn a_code_that_ends_and_a_page_of_html_are_told_and_slow_down_is_heeded() {
    let (code, last) = ending(&Scripted::start(refusing("expired_token")).home());
    assert_eq!((code, last["reason"]["code"].as_str()), (Some(4), Some("timed-out")), "{last}");
    let (code, last) = ending(&Scripted::start(refusing("invalid_client")).home());
    assert_eq!(
        (code, last["reason"]["text"].as_str()),
        (Some(1), Some("the sign-in: invalid_client: because"))
    );
    let html = Scripted::start(Box::new(|_, _| ok("text/html", "<html>s3cret</html>")));
    let (code, last) = ending(&html.home());
    assert_eq!(last["reason"]["code"], "content-type", "{last}");
    assert_eq!(code, Some(1));
    let slow = Scripted::start(Box::new(|seen, before| match before {
        0 => refusing("slow_down")(seen, 0),
        _ => refusing("access_denied")(seen, 0),
    }));
    let (code, _) = ending(&slow.home());
    assert_eq!((code, slow.count("/token")), (Some(1), 2));
}

#[test]
fn a_clock_ten_minutes_off_is_told_and_spoils_nothing() {
    for (offset, side) in [(600, "ahead of"), (-600, "behind")] {
        let issuer = Arc::new(Mutex::new(String::new()));
        let named = Arc::clone(&issuer);
        let server = Scripted::start(Box::new(move |_, _| {
            let there = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(offset);
            let claims = json!({
                "iss": *named.lock().unwrap(), "aud": "gonogo", "sub": "u1", "preferred_username": "ada",
                "exp": there.as_second() + 60, "roles": [],
            });
            let body = json!({
                "access_token": "s3cret-token", "token_type": "Bearer", "expires_in": 60, "id_token": id_token(&claims),
            });
            let date = there.strftime("%a, %d %b %Y %H:%M:%S GMT");
            answer(200, &format!("Content-Type: application/json\r\nDate: {date}\r\n"), body.to_string())
        }));
        *issuer.lock().unwrap() = server.server.url("");
        let home = server.home();
        home.sign_in(|_| {});
        let who = said(&home.run(&["whoami"]));
        assert!(who.contains("signed in as ada") && who.contains(&format!("{side} this one")), "{who}");
        assert_eq!(home.run(&["sources"]).status.code(), Some(0));
        let sent = server.server.seen();
        let sent = sent.iter().rfind(|seen| seen.path() == "/metrics").unwrap();
        assert_eq!(sent.header("authorization"), Some("Bearer s3cret-token"));
    }
}

#[test]
fn roles_that_the_id_token_lacks_are_asked_of_userinfo_which_must_be_about_the_same_person() {
    for (subject, good) in [("u1", true), ("u2", false)] {
        let issuer = Arc::new(Mutex::new(String::new()));
        let named = Arc::clone(&issuer);
        let server = Scripted::start(Box::new(move |_, _| {
            let claims = json!({
                "iss": *named.lock().unwrap(), "aud": "gonogo", "sub": "u1",
                "exp": jiff::Timestamp::now().as_second() + 60,
            });
            let body =
                json!({ "access_token": "s3cret-token", "expires_in": 60, "id_token": id_token(&claims) });
            ok("application/json", body.to_string())
        }));
        *issuer.lock().unwrap() = server.server.url("");
        *server.userinfo.lock().unwrap() =
            Some(json!({ "sub": subject, "preferred_username": "ada", "roles": ["launch-commander"] }));
        let home = server.home();
        let mut login = Login::begin(&home);
        let last = login.next();
        assert_eq!(last["step"] == "signed-in", good, "{last}");
        if good {
            assert_eq!((last["name"].as_str(), &last["roles"]), (Some("ada"), &json!(["captain"])));
        } else {
            assert!(last["reason"]["text"].as_str().unwrap().contains("about somebody else"), "{last}");
        }
    }
}

#[test]
fn a_room_that_is_left_in_the_middle_of_a_refresh_keeps_its_new_token() {
    let server = Scripted::start(Box::new(|seen, _| {
        let body = |n| json!({ "access_token": format!("a{n}"), "refresh_token": format!("r{n}"), "expires_in": 600 });
        if seen.body.contains("grant_type=refresh_token") {
            std::thread::sleep(std::time::Duration::from_secs(2));
            return ok("application/json", body(2).to_string());
        }
        ok("application/json", body(1).to_string())
    }));
    let home = server.home();
    home.sign_in(|_| {});
    home.age();
    let before = server.count("/token");
    let (path, state) = (home.path().display().to_string(), home.path().join("state").display().to_string());
    let env = [("HOME", path.as_str()), ("XDG_STATE_HOME", state.as_str())];
    let line = format!("cd {path} && exec $GONOGO");
    let mut pty = Pty::start(&Start { line: &line, env: &env, ..Start::default() });
    pty.until("a refresh under way", |_| server.count("/token") > before);
    pty.type_now("q");
    assert!(pty.ended().0.success());
    assert!(fs::read_to_string(home.cache()).unwrap().contains("\"r2\""));
}

#[test]
fn an_api_that_takes_no_token_does_not_make_the_issuer_give_one_for_each_poll() {
    let numbered = |n: usize| json!({ "access_token": format!("a{n}"), "refresh_token": format!("r{n}"), "expires_in": 86_400 });
    let server =
        Scripted::start(Box::new(move |_, before| ok("application/json", numbered(before).to_string())));
    let refusing = Canned::new(|seen, _| match seen.header("authorization") {
        Some("Bearer a1") => ok("text/plain; version=0.0.4", "tasks_up 1\n"),
        _ => answer(401, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n", ""),
    });
    let config = config(&server.server.url(""), &refusing.url("/metrics"), "");
    let home = Home::new(&config);
    home.sign_in(|_| {});
    // A new token is believed to be good.
    for _ in 0..2 {
        assert!(said(&home.run(&["sources"])).contains("the token is not accepted: invalid_token"));
    }
    assert_eq!(server.count("/token"), 1);
    // One that has been used for a while may have been taken back: it is renewed, once.
    let path = home.cache();
    let mut kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    kept["got"] = (kept["got"].as_i64().unwrap() - 120_000).into();
    fs::write(&path, kept.to_string()).unwrap();
    assert_eq!(home.run(&["sources"]).status.code(), Some(0));
    assert_eq!(server.count("/token"), 2);
}

#[test]
fn a_kept_sign_in_that_others_could_read_is_refused_with_what_to_do() {
    let issuer = Scripted::start(Box::new(|_, _| {
        ok("application/json", json!({ "access_token": "s3cret", "expires_in": 600 }).to_string())
    }));
    let home = issuer.home();
    home.sign_in(|_| {});
    let cache = home.cache();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o644)).unwrap();
    for args in [["sources"].as_slice(), &["whoami"]] {
        let text = said(&home.run(args));
        assert!(text.contains("may be read by others (mode 0644)"), "{text}");
        assert!(text.contains(&format!("chmod 600 {}", cache.display())), "{text}");
    }
    assert_eq!(issuer.count("/metrics"), 0, "it was not sent either");
    // Signing out helps too.
    assert!(home.run(&["logout"]).status.success());
    home.sign_in(|_| {});
    let cache = home.cache();
    let moved = home.path().join("moved");
    fs::rename(&cache, &moved).unwrap();
    symlink(&moved, &cache).unwrap();
    assert!(said(&home.run(&["sources"])).contains("is a symbolic link: remove it"));
}

pub(super) fn granting(rest: &Value) -> Vec<Act> {
    let mut body =
        json!({ "access_token": "s3cret-token", "refresh_token": "s3cret-refresh", "expires_in": 600 });
    for (name, value) in rest.as_object().unwrap() {
        body[name] = value.clone();
    }
    ok("application/json", body.to_string())
}

fn is_refresh(seen: &Seen) -> bool {
    seen.body.contains("grant_type=refresh_token")
}

#[test]
fn who_no_source_asks_for_is_renewed_before_they_are_told_and_is_over_where_that_fails() {
    let broken = Arc::new(Mutex::new(false));
    let breaks = Arc::clone(&broken);
    let server = Scripted::start(Box::new(move |seen, _| {
        if is_refresh(seen) && *breaks.lock().unwrap() {
            return answer(503, "Retry-After: 60\r\n", "");
        }
        granting(&json!({}))
    }));
    let home = server.home();
    home.sign_in(|_| {});
    home.age();
    let before = server.count("/token");
    assert_eq!(home.run(&["whoami"]).status.code(), Some(0));
    assert_eq!(server.count("/token"), before + 1);
    assert_eq!(home.run(&["whoami"]).status.code(), Some(0));
    assert_eq!(server.count("/token"), before + 1, "it is not due any more");
    *broken.lock().unwrap() = true;
    home.age();
    let who = home.run(&["whoami"]);
    assert_eq!(who.status.code(), Some(1), "{}", said(&who));
    assert!(said(&who).contains("cannot be renewed (renewing the sign-in: answers 503)"), "{}", said(&who));
    // The issuer asked for peace; the kind stays.
    let polled = home.run(&["sources", "--output", "json"]);
    let polled: Value = serde_json::from_slice(&polled.stdout).unwrap();
    let source = &polled["sources"][0];
    assert_eq!(source["reason"]["code"], "status", "{source}");
    assert_eq!(source["retry_after_seconds"], 60.0, "{source}");
}

#[test]
fn a_verb_that_leaves_in_the_middle_of_a_refresh_keeps_its_new_token() {
    let server = Scripted::start(Box::new(|seen, _| {
        if is_refresh(seen) {
            std::thread::sleep(std::time::Duration::from_secs(3));
            return granting(&json!({ "refresh_token": "s3cret-rotated" }));
        }
        granting(&json!({}))
    }));
    let url = server.server.url("");
    let text = config(&url, &server.server.url("/metrics"), "").replace("\"20s\"", "\"1s\"");
    let gate = "[[gate]]\nid = \"up\"\nsignal = \"up\"\nop = \">\"\nvalue = 0\n";
    for args in
        [["sources"].as_slice(), &["query", "tasks_up", "--source", "flags"], &["check", "--timeout", "1s"]]
    {
        let home = Home::new(&format!("{text}{gate}"));
        home.sign_in(|_| {});
        home.age();
        let before = server.count("/token");
        let left = home.run(args);
        // Only this one has no time for the whole refresh; the token of the others is waited for.
        let in_time = args.first() != Some(&"check");
        assert_eq!(left.status.code() == Some(4), !in_time, "{args:?}: {}", said(&left));
        assert!(server.count("/token") > before, "{args:?}");
        let kept = fs::read_to_string(home.cache()).unwrap();
        assert!(kept.contains("s3cret-rotated"), "{args:?}: {}", said(&left));
    }
}

#[test]
fn several_sources_of_a_silent_issuer_ask_it_once() {
    let server =
        Scripted::start(Box::new(
            |seen, _| {
                if is_refresh(seen) { answer(500, "", "") } else { granting(&json!({})) }
            },
        ));
    let url = server.server.url("/metrics");
    let mut text = config(&server.server.url(""), &url, "");
    for more in ["a", "b", "c"] {
        writeln!(
            text,
            "[source.{more}]\nkind = \"scrape\"\nurls = [\"{url}\"]\nevery = \"1s\"\ntimeout = \"5s\"\ncredential = \"me\""
        )
        .unwrap();
    }
    let home = Home::new(&text);
    home.sign_in(|_| {});
    home.age();
    let before = server.count("/token");
    let polled = home.run(&["sources"]);
    assert_eq!(said(&polled).matches("renewing the sign-in: answers 500").count(), 4, "{}", said(&polled));
    assert_eq!(server.count("/token"), before + 1);
}

#[test]
fn what_passes_by_itself_is_waited_out_while_a_person_signs_in() {
    let server = Scripted::start(Box::new(|seen, before| match before {
        0 => refusing("server_error")(seen, 0),
        1 => answer(429, "Retry-After: 1\r\n", "{\"error\":\"slow\"}"),
        2 => answer(503, "Content-Type: application/json\r\n", "{\"error\":\"internal\"}"),
        _ => granting(&json!({})),
    }));
    let (code, last) = ending(&server.home());
    assert_eq!((code, last["step"].as_str()), (Some(0), Some("signed-in")), "{last}");
}

#[test]
fn a_kept_sign_in_that_others_could_read_is_taken_back_and_what_cannot_be_is_told() {
    let server = crate::http::canned::Canned::on(
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
        |seen, _| {
            let url = format!("http://{}", seen.header("host").unwrap());
            match seen.path() {
            "/.well-known/openid-configuration" => ok(
                "application/json",
                json!({
                    "issuer": url, "token_endpoint": format!("{url}/token"), "revocation_endpoint": format!("{url}/revoke"),
                    "device_authorization_endpoint": format!("{url}/device"),
                })
                .to_string(),
            ),
            "/device" => ok(
                "application/json",
                json!({ "device_code": "s3cret-code", "user_code": "A", "verification_uri": url, "expires_in": 60, "interval": 1 })
                    .to_string(),
            ),
            "/token" => granting(&json!({})),
            "/revoke" => answer(200, "", ""),
            _ => answer(404, "", ""),
        }
        },
    );
    let home = Home::new(&config(&server.url(""), &server.url("/metrics"), ""));
    home.sign_in(|_| {});
    fs::set_permissions(home.cache(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(home.run(&["logout"]).status.code(), Some(0));
    let revoked = || server.seen().iter().filter(|seen| seen.path() == "/revoke").count();
    assert_eq!(revoked(), 1);
    home.sign_in(|_| {});
    let cache = home.cache();
    fs::write(&cache, "damaged").unwrap();
    let out = home.run(&["logout"]);
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    assert!(said(&out).contains("nothing could be taken back"), "{}", said(&out));
    assert!(!cache.exists() && revoked() == 1);
}

#[test]
fn a_client_secret_of_a_command_is_asked_for_again_once_where_it_is_not_accepted() {
    use base64::engine::general_purpose::STANDARD;
    let good = format!("Basic {}", STANDARD.encode("worker:secret-2"));
    let server = Scripted::start(Box::new(move |seen, _| {
        if seen.header("authorization") == Some(good.as_str()) {
            return granting(&json!({}));
        }
        answer(401, "Content-Type: application/json\r\n", "{\"error\":\"invalid_client\"}")
    }));
    let url = server.server.url("");
    for (script, worked) in [("echo x >> runs; echo secret-$(grep -c x runs)", true), ("echo wrong", false)] {
        let text = config(&url, &server.server.url("/metrics"), "")
            .replace("credential = \"me\"", "credential = \"worker\"")
            + &format!(
                "[credential.worker]\nkind = \"client-credentials\"\nissuer = \"{url}\"\nclient-id = \"worker\"\n\
                 command = [\"sh\", \"-c\", \"{script}\"]\n"
            );
        let before = server.count("/token");
        let polled = Home::new(&text).run(&["sources"]);
        assert_eq!(polled.status.success(), worked, "{}", said(&polled));
        assert_eq!(server.count("/token") - before, if worked { 2 } else { 1 });
    }
}

#[test]
fn a_token_that_ends_at_once_is_used_for_a_moment() {
    let server =
        Scripted::start(Box::new(|_, _| granting(&json!({ "expires_in": 0, "scope": ["flags:read"] }))));
    let home = server.home();
    home.sign_in(|_| {});
    let polled = home.run(&["sources"]);
    assert!(polled.status.success(), "{}", said(&polled));
    assert!(server.count("/token") <= 2);
}
