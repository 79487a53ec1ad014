//! Signing in: against npm's oidc-provider, and against issuers that break as no real one does.

mod many;
mod real;
mod rights;
mod room;
mod scripted;
mod secrets;
mod tls;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use super::node::Node;
use super::servers;

/// What the issuer of `tests/node/oidc.js` calls its API.
const RESOURCE: &str = "https://flags.example.com/launch";

/// The issuer, and the port that a test steers it on.
struct Issuer {
    url: String,
    steering: u16,
    _node: Node,
}

impl Issuer {
    /// Starts one; `None` where its packages are not installed.
    fn start(options: &[&str]) -> Option<Self> {
        let node = Node::start("oidc.js", options, &["oidc-provider"])?;
        let (port, steering) = node.first_line.split_once(' ').expect("two ports");
        let scheme = if options.iter().any(|o| o.starts_with("cert=")) { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{port}");
        Some(Self { url, steering: steering.parse().unwrap(), _node: node })
    }

    fn steer(&self, path: &str) {
        let (status, body) = servers::request(self.steering, "POST", path, "").unwrap();
        assert_eq!(status, 200, "{path}: {body}");
    }

    fn approve(&self, code: &str) {
        self.steer(&format!("/approve?user_code={code}"));
    }

    fn count(&self, what: &str) -> u64 {
        let (_, body) = servers::request(self.steering, "GET", "/counts", "").unwrap();
        serde_json::from_str::<Value>(&body).unwrap()[what].as_u64().unwrap()
    }

    /// `[credential.me]` of this issuer, and a source that takes its tokens.
    fn config(&self, more: &str) -> String {
        config(&self.url, &format!("http://127.0.0.1:{}/metrics", self.steering), more)
    }
}

/// A launch whose person signs in at an issuer; `more` goes into the credential.
fn config(issuer: &str, metrics: &str, more: &str) -> String {
    format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"staging\"\n\
         [source.flags]\nkind = \"scrape\"\nurls = [\"{metrics}\"]\nevery = \"1s\"\ntimeout = \"20s\"\ncredential = \"me\"\n\
         [[signal]]\nid = \"up\"\nboard = \"api\"\ntitle = \"up\"\nsource = \"flags\"\nquery = \"tasks_up\"\n\
         [credential.me]\nkind = \"device\"\nissuer = \"{issuer}\"\nclient-id = \"gonogo\"\n\
         scopes = [\"openid\", \"offline_access\", \"flags:read\", \"audit:read\"]\nroles = \"/roles\"\n\
         role-names = {{ captain = [\"launch-commander\"] }}\n{more}\n"
    )
}

/// A user's home with a launch config in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("gonogo.toml"), config).unwrap();
        Self(home)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn gonogo(&self, args: &[&str]) -> Command {
        let mut command = servers::tied(env!("CARGO_BIN_EXE_gonogo"));
        command.args(args).current_dir(self.path()).env("HOME", self.path()).env("USER", "ana");
        command.env_remove("GONOGO_CONFIG");
        for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
        command.env("XDG_STATE_HOME", self.path().join("state"));
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.gonogo(args).output().unwrap()
    }

    /// The one file of a sign-in.
    fn cache(&self) -> PathBuf {
        let dir = self.path().join("state/gonogo/sign-in");
        let mut all: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.retain(|path| path.extension().is_some_and(|e| e == "json"));
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Signs in, with `approve` in the place of the person's browser.
    fn sign_in(&self, approve: impl FnOnce(&str)) {
        let mut login = Login::begin(self);
        approve(&login.code);
        let last = login.next();
        assert_eq!(last["step"], "signed-in", "{last}");
        assert!(login.child.wait().unwrap().success());
    }

    /// Makes the token in the file look as if it had been got long ago.
    fn age(&self) {
        let path = self.cache();
        let mut kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        kept["got"] = (kept["got"].as_i64().unwrap() - 10 * 3_600_000).into();
        fs::write(&path, kept.to_string()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }
}

/// `gonogo login --output json`, waiting for the person.
struct Login {
    child: Child,
    lines: BufReader<ChildStdout>,
    code: String,
}

impl Login {
    fn begin(home: &Home) -> Self {
        let mut command = home.gonogo(&["login", "--output", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut login = Self { child, lines, code: String::new() };
        let first = login.next();
        assert_eq!(first["step"], "code", "{first}");
        first["user_code"].as_str().unwrap().clone_into(&mut login.code);
        login
    }

    /// The next step.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}
