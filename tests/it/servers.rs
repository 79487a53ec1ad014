//! Real servers that tests compare with, each on a free loopback port and killed with the test.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether a program is installed. Where it is not, says so by name, and fails where servers are required.
pub fn installed(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        let required = std::env::var("GONOGO_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
        assert!(!required, "{program} is not installed and GONOGO_REQUIRE_SERVERS=1");
        eprintln!("not compared with a real server: {program} is not installed");
    }
    found
}

/// A command whose process dies with this one, whatever becomes of it.
pub fn tied(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]).stdin(Stdio::null());
    command
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A running Prometheus server.
pub struct Prometheus {
    /// Its base URL, without a slash at the end.
    pub url: String,
    port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Prometheus {
    /// Starts a server with this configuration file's text, over a database directory or an empty
    /// one, and waits until it is ready.
    pub fn start(config: &str, data: Option<&Path>) -> Prometheus {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let data = data.map_or_else(|| dir.path().join("data"), Path::to_path_buf);
        let log = fs::File::create(dir.path().join("log")).unwrap();
        // Another process may take the port between asking for it and using it.
        for _ in 0..3 {
            let port = free_port();
            let mut child = tied("prometheus")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.tsdb.path={}", data.display()))
                .arg("--storage.tsdb.retention.time=100y")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .stdout(log.try_clone().unwrap())
                .stderr(log.try_clone().unwrap())
                .spawn()
                .unwrap();
            let patience = Instant::now() + Duration::from_mins(1);
            while child.try_wait().unwrap().is_none() && Instant::now() < patience {
                if request(port, "GET", "/-/ready", "").is_some_and(|(status, _)| status == 200) {
                    return Prometheus { url: format!("http://127.0.0.1:{port}"), port, child, _dir: dir };
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("prometheus does not start: {}", fs::read_to_string(dir.path().join("log")).unwrap());
    }

    /// Asks the HTTP API: `query` or `query_range`, with form parameters. The answer as JSON,
    /// whatever its status.
    pub fn api(&self, endpoint: &str, parameters: &[(&str, &str)]) -> serde_json::Value {
        let form: Vec<String> = parameters.iter().map(|(k, v)| format!("{k}={}", percent(v))).collect();
        let (_, body) = request(self.port, "POST", &format!("/api/v1/{endpoint}"), &form.join("&"))
            .expect("the server answers");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database directory made of `OpenMetrics` text; `None` where `promtool` is not installed.
pub fn database(openmetrics: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    if !installed("promtool") || !installed("prometheus") {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let capture = dir.path().join("capture.om");
    fs::write(&capture, openmetrics).unwrap();
    let data = dir.path().join("data");
    let output = tied("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&capture, &data])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((dir, data))
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// One request over HTTP/1.0, whose answer ends with the connection.
pub fn request(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
