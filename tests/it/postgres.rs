//! A database server (`PostgreSQL`) with a cluster of its own in a temporary folder, killed with the test.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::servers::free_port;

/// A running server. Whoever can reach loopback may do everything in it.
pub struct Postgres {
    /// Its port on loopback; the user is `postgres`, and so is the database.
    pub port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

/// Where its programs are: on the path, else where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for version in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        folders.push(version.path().join("bin"));
    }
    let found =
        folders.into_iter().find(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file());
    if found.is_none() {
        let required = std::env::var("GONOGO_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
        assert!(!required, "postgresql is not installed and GONOGO_REQUIRE_SERVERS=1");
        eprintln!("not compared with a real server: postgresql is not installed");
    }
    found
}

impl Postgres {
    /// Starts a server and waits until it takes connections; `None` where it is not installed.
    pub fn start() -> Option<Postgres> {
        let programs = programs()?;
        let dir = tempfile::tempdir().unwrap();
        // It refuses to run as root, and its user must reach its folder.
        let root = rustix::process::geteuid().is_root();
        let run = |program: &str| {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL"]).stdin(Stdio::null());
            if root {
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            }
            command.arg(programs.join(program)).current_dir(dir.path());
            command
        };
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let data = dir.path().join("data");
        let made = run("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let log = dir.path().join("log");
        // Another process may take the port between asking for it and using it.
        for _ in 0..3 {
            let port = free_port();
            let mut child = run("postgres")
                .arg("-D")
                .arg(&data)
                .args([
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "unix_socket_directories=",
                    "-c",
                    "fsync=off",
                ])
                .args(["-p", &port.to_string()])
                .stdout(Stdio::null())
                .stderr(fs::File::create(&log).unwrap())
                .spawn()
                .unwrap();
            let patience = Instant::now() + Duration::from_mins(1);
            while child.try_wait().unwrap().is_none() && Instant::now() < patience {
                let ready = fs::read_to_string(&log).unwrap().contains("ready to accept connections");
                if ready && TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(Postgres { port, child, _dir: dir });
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("postgres does not start: {}", fs::read_to_string(&log).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
