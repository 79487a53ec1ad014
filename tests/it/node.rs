//! Real servers that are npm packages, started by the scripts in `tests/node/`.
//!
//! The packages are looked for in `$GONOGO_NODE_MODULES`, else in `target/node/node_modules`, where
//! `npm install --prefix target/node …` puts them. A script's first line on standard output says that it
//! is ready, and what a test needs to know of it (a port).

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::servers::{installed, tied};

/// How long a script may take until it is ready, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where these packages are. Where Node or one of them is missing, says so by name, and fails where servers
/// are required.
fn modules(packages: &[&str]) -> Option<PathBuf> {
    if !installed("node") {
        return None;
    }
    let folder = std::env::var_os("GONOGO_NODE_MODULES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/node/node_modules"),
        PathBuf::from,
    );
    let missing: Vec<&str> =
        packages.iter().copied().filter(|name| !folder.join(name).join("package.json").is_file()).collect();
    if missing.is_empty() {
        return Some(folder);
    }
    let missing = missing.join(", ");
    let required = std::env::var("GONOGO_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
    assert!(!required, "npm packages are not installed and GONOGO_REQUIRE_SERVERS=1: {missing}");
    eprintln!("not compared with a real server: npm packages are not installed: {missing}");
    None
}

/// A running script; it ends with this value, or with the test's process.
pub struct Node {
    /// What it said on its first line.
    pub first_line: String,
    child: Child,
    _log: tempfile::TempDir,
}

impl Node {
    /// Starts `tests/node/SCRIPT` with its arguments and waits until it is ready; `None` where Node or one of
    /// the packages it needs is not installed.
    pub fn start(script: &str, args: &[&str], packages: &[&str]) -> Option<Node> {
        let modules = modules(packages)?;
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut child = tied("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node").join(script))
            .args(args)
            .env("NODE_PATH", &modules)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = output.read_line(&mut line);
            let _ = tell.send(line.trim().to_owned());
            // What it says later is read too, so that it never waits for a reader.
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        });
        let first_line = told.recv_timeout(PATIENCE).unwrap_or_default();
        let node = Node { first_line, child, _log: dir };
        let complaint = fs::read_to_string(&log).unwrap_or_default();
        assert!(!node.first_line.is_empty(), "{script} is not ready: {complaint}");
        Some(node)
    }

    /// The port that it said on its first line.
    pub fn port(&self) -> u16 {
        self.first_line.parse().unwrap_or_else(|_| panic!("no port: {}", self.first_line))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
