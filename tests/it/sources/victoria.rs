//! A real `VictoriaMetrics`, which speaks the API with an accent.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gonogo::http::{Client, Options};
use gonogo::model::{SourceKind, Time};
use gonogo::sources::prometheus::{Api, Value};

use super::real::wall;
use super::{answer, points, shown, source, source_def};
use crate::servers::{free_port, installed, tied};

struct Victoria {
    port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Victoria {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let port = free_port();
        let child = tied("victoria-metrics")
            .arg(format!("-storageDataPath={}", dir.path().join("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg("-search.latencyOffset=0s")
            .args(["-retentionPeriod=100y", "-memory.allowedBytes=64MB"])
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let victoria = Self { port, child, _dir: dir };
        let patience = Instant::now() + Duration::from_mins(1);
        while !victoria.send("GET", "/health", "").is_some_and(|answer| answer.contains("200 OK")) {
            assert!(Instant::now() < patience, "victoria-metrics does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        victoria
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_real_victoria_metrics_tells_values_ages_and_its_name() {
    if !installed("victoria-metrics") {
        return;
    }
    let server = Victoria::start();
    let now = wall();
    let mut text = String::new();
    for queue in ["a", "b", "c"] {
        for ago in [70, 40, 10] {
            let at = now.before(Duration::from_secs(ago)).millis();
            let _ = write!(
                text,
                "depth{{queue=\"{queue}\"}} {ago} {at}\njobs_total{{queue=\"{queue}\"}} {} {at}\n",
                100 - ago
            );
        }
    }
    let sent = server.send("POST", "/api/v1/import/prometheus", &text).unwrap();
    assert!(sent.contains("204"), "{sent}");
    let def = source_def(SourceKind::Prometheus { url: server.url(), alerts: false });
    let queries = [
        "max by (queue) (depth)",
        "sum by (queue) (increase(jobs_total[1m]))",
        "vector(3)",
        "scalar(vector(4))",
        "depth > 5000",
        "no_such_metric",
        "depth{queue=\"zz\"}",
        "sum(",
    ];
    let patience = Instant::now() + Duration::from_mins(1);
    let told = loop {
        // Samples are searchable a moment after they were taken in.
        let told = answer(&mut source(&def, &queries, &[]), wall()).await;
        if points(&told, 0).len() == 3 && points(&told, 1).len() == 3 {
            break told;
        }
        assert!(Instant::now() < patience, "{told:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut depths = shown(points(&told, 0));
    depths.sort();
    assert_eq!(depths, [r#"{queue="a"} 10"#, r#"{queue="b"} 10"#, r#"{queue="c"} 10"#]);
    for point in points(&told, 0).iter().chain(points(&told, 1)) {
        let taken = now.before(Duration::from_secs(10));
        let off = point.sampled.seconds() - taken.seconds();
        assert!(off.abs() < 5.0, "{point:?} is not of {taken}");
    }
    // A scalar comes as a vector of one.
    assert_eq!(
        (shown(points(&told, 2)), shown(points(&told, 3))),
        (vec!["{} 3".into()], vec!["{} 4".into()])
    );
    let why = |place: usize| {
        let of = told.notes.absences.iter().find(|(id, _)| id.as_str() == place.to_string());
        of.map_or("", |(_, why)| why.as_str())
    };
    assert_eq!(why(4), "series are there, the expression leaves none of them");
    assert_eq!(why(5), "no no_such_metric in the last 1h");
    assert_eq!(why(6), "none of the 3 series of depth is depth{queue=\"zz\"}");
    let refused = told.signals[7].result.as_ref().unwrap_err();
    assert!(refused.text.contains("sum("), "{refused}");
    assert_eq!(told.notes.engine.as_deref(), Some("VictoriaMetrics"));

    let api = Api::new(&server.url(), Client::new(Options::default()));
    let list = api
        .series("depth", now.before(Duration::from_hours(1)), Time::from_millis(now.millis() + 1000))
        .await
        .unwrap();
    assert_eq!(list.series.len(), 3);
    let range =
        api.range("depth", now.before(Duration::from_secs(60)), now, Duration::from_secs(15)).await.unwrap();
    assert!(matches!(range.value, Value::Matrix(series) if series.len() == 3));
}
