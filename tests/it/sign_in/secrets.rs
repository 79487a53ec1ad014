//! Secrets planted everywhere are found nowhere.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{Home, Login};
use crate::http::canned::{Act, Canned, Seen, answer, ok};
use crate::terminal::{Pty, Start};

/// In every planted secret, and nowhere else.
const MARK: &str = "PLANTED";

/// A server that is issuer and API at once, gives marked tokens, and repeats in its errors whatever it was
/// sent.
fn server() -> Canned {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let polls = Arc::new(Mutex::new(0));
    Canned::on(listener, move |seen: &Seen, _| -> Vec<Act> {
        let json = |value: serde_json::Value| ok("application/json", value.to_string());
        match seen.path().split('?').next().unwrap_or_default() {
            "/.well-known/openid-configuration" => json(json!({
                "issuer": url, "token_endpoint": format!("{url}/token"),
                "device_authorization_endpoint": format!("{url}/device"), "revocation_endpoint": format!("{url}/revoke"),
            })),
            "/device" => json(json!({
                "device_code": "PLANTED-device-code", "user_code": "ABCD-EFGH", "verification_uri": format!("{url}/activate"),
                "expires_in": 60, "interval": 1,
            })),
            "/token" if seen.body.contains("refresh_token") => {
                let mut polls = polls.lock().unwrap();
                *polls += 1;
                // A refresh that breaks off in the middle of its JSON, then one that is refused.
                if *polls == 1 {
                    return ok(
                        "application/json",
                        "{\"access_token\":\"PLANTED-broken\",\"refresh_token\":\"PLANTED",
                    );
                }
                let repeated = format!("not {} of {:?}", seen.body, seen.header("authorization"));
                let body = json!({ "error": "invalid_grant", "error_description": repeated });
                answer(400, "Content-Type: application/json\r\n", body.to_string())
            }
            "/token" if seen.body.contains("client_credentials") => {
                json(json!({ "access_token": "PLANTED-program", "token_type": "Bearer", "expires_in": 60 }))
            }
            "/token" => json(json!({
                "access_token": "PLANTED-access", "refresh_token": "PLANTED-refresh", "token_type": "Bearer",
                "expires_in": 60, "scope": "openid flags:read",
            })),
            "/ok" => ok("text/plain; version=0.0.4", "tasks_up 1\n"),
            _ => {
                let sent = seen.header("authorization").or(seen.header("x-api-key")).unwrap_or("nothing");
                let challenge = format!("error=\"invalid_token\", error_description=\"not {sent}\"");
                let headers = format!(
                    "WWW-Authenticate: Basic {challenge}\r\nWWW-Authenticate: Bearer {challenge}\r\n"
                );
                answer(401, &headers, format!("{{\"status\":\"error\",\"error\":\"not {sent}\"}}"))
            }
        }
    })
}

fn launch(url: &str) -> String {
    let mut text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"staging\"\nidentity = \"me\"\n\
         [credential.me]\nkind = \"device\"\nissuer = \"{url}\"\nclient-id = \"gonogo\"\ncommand = [\"cat\", \"secret-of-client\"]\n\
         [credential.worker]\nkind = \"client-credentials\"\nissuer = \"{url}\"\nclient-id = \"worker\"\nenv = \"CLIENT_SECRET\"\n\
         [credential.bearer]\nkind = \"bearer\"\nenv = \"BEARER\"\n\
         [credential.basic]\nkind = \"basic\"\nuser = \"ops\"\nfile = \"password\"\n\
         [credential.header]\nkind = \"header\"\nheader = \"X-API-Key\"\nenv = \"API_KEY\"\n\
         [credential.two-lines]\nkind = \"bearer\"\nenv = \"TWO_LINES\"\n"
    );
    for name in ["me", "worker", "bearer", "basic", "header", "two-lines"] {
        for path in ["ok", "denied"] {
            let _ = write!(
                text,
                "[source.{name}-{path}]\nkind = \"scrape\"\nurls = [\"{url}/{path}?of={name}\"]\nevery = \"1s\"\ntimeout = \"10s\"\ncredential = \"{name}\"\n"
            );
        }
    }
    text + "[[signal]]\nid = \"up\"\nboard = \"api\"\ntitle = \"up\"\nsource = \"me-ok\"\nquery = \"tasks_up\"\n\
            [[gate]]\nid = \"up\"\nsignal = \"up\"\nop = \">\"\nvalue = 0\n"
}

const ENVIRONMENT: [(&str, &str); 4] = [
    ("CLIENT_SECRET", "PLANTED-client-secret"),
    ("BEARER", "PLANTED-bearer"),
    ("API_KEY", "PLANTED-api-key"),
    ("TWO_LINES", "PLANTED-one\nPLANTED-two"),
];

struct Searched {
    home: Home,
    outputs: usize,
}

impl Searched {
    fn run(&mut self, args: &[&str]) -> Output {
        let output = self.home.gonogo(args).envs(ENVIRONMENT).output().unwrap();
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(MARK), "{args:?} on {stream}:\n{text}");
            self.outputs += bytes.len();
        }
        output
    }
}

/// Every file below, with its bytes; of a file that others may read the mark must not be there.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all
}

#[test]
fn planted_secrets_are_in_no_output_log_screen_capture_or_ledger() {
    let server = server();
    let home = Home::new(&launch(&server.url("")));
    for (name, secret) in [("password", "PLANTED password\n"), ("secret-of-client", "PLANTED-of-command\n")] {
        fs::write(home.path().join(name), secret).unwrap();
    }
    fs::create_dir(home.path().join("checklists")).unwrap();
    let template = crate::checklist::template("plain", &["one"]);
    fs::write(home.path().join("checklists/plain.toml"), template).unwrap();
    let mut it = Searched { home, outputs: 0 };

    // Signed out, then signed in, with every verb that polls, prints or writes.
    it.run(&["sources"]);
    let mut login = Login::begin(&it.home);
    let last = login.next();
    assert_eq!(last["step"], "signed-in", "{last}");
    assert!(!last.to_string().contains(MARK), "{last}");
    assert!(login.child.wait().unwrap().success());
    for output in ["text", "json"] {
        for args in [["sources"].as_slice(), &["whoami"], &["check", "--timeout", "5s"], &["config", "check"]]
        {
            it.run(&[args, &["--output", output]].concat());
        }
    }
    let sent: Vec<String> = server.seen().iter().map(|seen| format!("{}{}", seen.head, seen.body)).collect();
    for secret in ["PLANTED-access", "PLANTED-bearer", "PLANTED-api-key", "PLANTED-program"] {
        assert!(sent.iter().any(|text| text.contains(secret)), "{secret} was never sent: nothing was tried");
    }
    it.run(&["query", "tasks_up", "--source", "bearer-ok"]);
    it.run(&["record", "--out", "capture.om", "--for", "2s"]);
    let run = it.run(&["checklist", "start", "plain", "--output", "json"]);
    let run: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    it.run(&["checklist", "tick", run["run"].as_str().unwrap(), "one"]);
    it.run(&["--once"]);

    // A refresh that breaks off, and one that is refused, on the screen too.
    it.home.age();
    let (path, state) =
        (it.home.path().display().to_string(), it.home.path().join("state").display().to_string());
    let mut env = vec![("HOME", path.as_str()), ("XDG_STATE_HOME", state.as_str()), ("USER", "ana")];
    env.extend(ENVIRONMENT);
    let line = format!("cd {path} && exec $GONOGO 2> stderr-of-room");
    let mut pty = Pty::start(&Start { line: &line, env: &env, ..Start::default() });
    pty.press("s");
    pty.until_shows("sign-in has ended");
    pty.press("q");
    pty.ended();
    assert!(!String::from_utf8_lossy(&pty.raw()).contains(MARK));
    it.run(&["sources"]);
    it.run(&["logout"]);
    assert!(it.outputs > 2_000, "the verbs said something");

    // A file that cannot be used, with secrets in it, is not repeated either.
    it.run(&["login", "none"]);
    let cache = it.home.path().join("state/gonogo/sign-in");
    for (path, bytes) in files(it.home.path()) {
        let planted = path.ends_with("password") || path.ends_with("secret-of-client");
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(MARK) && !planted {
            assert!(path.starts_with(&cache), "{} holds a secret", path.display());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }
}
