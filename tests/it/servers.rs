//! Real servers that tests compare with, each on a free loopback port and killed with the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
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
        Self::start_with(config, data, &[], "")
    }

    /// As [`Prometheus::start`], with more flags, and the path under which they make it serve.
    pub fn start_with(config: &str, data: Option<&Path>, flags: &[&str], prefix: &str) -> Prometheus {
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
                // What fired before an Alertmanager was found is sent again soon, not after a minute.
                .arg("--rules.alert.resend-delay=1s")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .args(flags)
                .stdout(log.try_clone().unwrap())
                .stderr(log.try_clone().unwrap())
                .spawn()
                .unwrap();
            let patience = Instant::now() + Duration::from_mins(1);
            while child.try_wait().unwrap().is_none() && Instant::now() < patience {
                if request(port, "GET", &format!("{prefix}/-/ready"), "")
                    .is_some_and(|(status, _)| status == 200)
                {
                    let url = format!("http://127.0.0.1:{port}{prefix}");
                    return Prometheus { url, port, child, _dir: dir };
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("prometheus does not start: {}", fs::read_to_string(dir.path().join("log")).unwrap());
    }

    /// Asks the HTTP API by GET: `targets`, `metadata`. The answer as JSON, whatever its status.
    pub fn api_get(&self, endpoint: &str) -> serde_json::Value {
        let (_, body) =
            request(self.port, "GET", &format!("/api/v1/{endpoint}"), "").expect("the server answers");
        serde_json::from_str(&body).unwrap()
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

/// A connection to a server that is kept for many questions.
pub struct Line(BufReader<TcpStream>);

impl Prometheus {
    /// A connection for many questions.
    pub fn line(&self) -> Line {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.set_nodelay(true).unwrap();
        Line(BufReader::new(stream))
    }
}

impl Line {
    /// As [`Prometheus::api`].
    pub fn api(&mut self, endpoint: &str, parameters: &[(&str, &str)]) -> serde_json::Value {
        let form: Vec<String> = parameters.iter().map(|(k, v)| format!("{k}={}", percent(v))).collect();
        let form = form.join("&");
        let request = format!(
            "POST /api/v1/{endpoint} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.text_line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(bytes) = line.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = usize::from_str_radix(self.text_line().trim(), 16).unwrap();
                self.bytes(size, &mut body);
                self.text_line();
                if size == 0 {
                    break;
                }
            }
        } else {
            self.bytes(length, &mut body);
        }
        serde_json::from_slice(&body).unwrap()
    }

    fn text_line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn bytes(&mut self, count: usize, body: &mut Vec<u8>) {
        let from = body.len();
        body.resize(from + count, 0);
        self.0.read_exact(&mut body[from..]).unwrap();
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

/// A running Alertmanager.
pub struct Alertmanager {
    /// Its base URL, without a slash at the end.
    pub url: String,
    port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Alertmanager {
    /// Starts a server with this configuration file's text and waits until it is ready.
    pub fn start(config: &str) -> Alertmanager {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alertmanager.yml");
        fs::write(&file, config).unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        // Another process may take the port between asking for it and using it.
        for _ in 0..3 {
            let port = free_port();
            let mut child = tied("prometheus-alertmanager")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.path={}", dir.path().join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address=")
                .stdout(log.try_clone().unwrap())
                .stderr(log.try_clone().unwrap())
                .spawn()
                .unwrap();
            let patience = Instant::now() + Duration::from_mins(1);
            while child.try_wait().unwrap().is_none() && Instant::now() < patience {
                if request(port, "GET", "/-/ready", "").is_some_and(|(status, _)| status == 200) {
                    return Alertmanager { url: format!("http://127.0.0.1:{port}"), port, child, _dir: dir };
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("alertmanager does not start: {}", fs::read_to_string(dir.path().join("log")).unwrap());
    }

    /// Posts JSON to the API v2; the answer's status and body.
    pub fn post(&self, endpoint: &str, json: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "POST /api/v2/{endpoint} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{json}",
            json.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Sends DELETE to the API v2; the answer's status.
    pub fn delete(&self, endpoint: &str) -> u16 {
        request(self.port, "DELETE", &format!("/api/v2/{endpoint}"), "").expect("the server answers").0
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
