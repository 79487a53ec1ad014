//! What polling a thousand endpoints each second costs, next to bare clients that fetch the same
//! bytes from the same server. The goal stands beside each number.
//!
//! The bench starts itself again: once as the server, and once for each client, so that processor
//! time and memory are those of one of them alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::app::Msg;
use gonogo::engine::Watch;
use gonogo::runtime::{Clock, Feed};
use gonogo::settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::interval_at;

const ENDPOINTS: usize = 1_000;
const WARM: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(20);
const EVERY: Duration = Duration::from_secs(1);

fn main() {
    match std::env::var("GONOGO_POLLING").as_deref() {
        Ok("server") => runtime().block_on(serve()),
        Ok("bare") => runtime().block_on(bare()),
        Ok("gonogo") => runtime().block_on(gonogo()),
        _ => compare(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Twenty series, as a small service has.
fn body() -> String {
    let mut text = String::from("# HELP depth Jobs that wait.\n# TYPE depth gauge\n");
    for n in 0..20 {
        let _ = writeln!(text, "depth{{queue=\"queue-{n}\",state=\"waiting\"}} {}", n * 7);
    }
    text
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let body = body();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer: Arc<[u8]> = (head + &body).into_bytes().into();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while stream.read(&mut bytes).await.is_ok_and(|n| n > 0) {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// What a process has used: seconds of processor time, and the most memory in bytes.
fn used() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    (ticks / 100.0, kib << 10)
}

/// Prints what a child has measured, for its parent: polls, seconds of processor time, bytes, and the
/// lateness of polls in milliseconds.
fn report(polls: usize, cpu: f64, mut late: Vec<f64>) {
    late.sort_by(f64::total_cmp);
    let at =
        |part: f64| late.get(((late.len().max(1) - 1) as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    println!("{polls} {cpu} {} {} {}", used().1, at(0.5), at(0.99));
}

fn address() -> String {
    std::env::var("GONOGO_POLLING_ADDRESS").unwrap()
}

/// A bare client: a connection for each endpoint, a request written, an answer read to its last byte.
async fn bare() {
    let (address, length) = (address(), body().len());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let begun = tokio::time::Instant::now();
    for n in 0..ENDPOINTS {
        let (address, tell) = (address.clone(), tell.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let mut ticks = interval_at(begun + EVERY.mul_f64(n as f64 / ENDPOINTS as f64), EVERY);
            let request = format!("GET /{n} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain\r\n\r\n");
            let mut answer = vec![0; 16 * 1024];
            loop {
                let due = ticks.tick().await;
                let late = due.elapsed();
                stream.write_all(request.as_bytes()).await.unwrap();
                let (mut read, mut whole) = (0, usize::MAX);
                while read < whole {
                    read += stream.read(&mut answer[read..]).await.unwrap();
                    if whole == usize::MAX
                        && let Some(end) = answer[..read].windows(4).position(|w| w == b"\r\n\r\n")
                    {
                        whole = end + 4 + length;
                    }
                }
                let _ = tell.send((due.into_std(), late));
            }
        });
    }
    measure(async move || told.recv().await.unwrap()).await;
}

/// Counts what `next` brings, and how late each was, for the time that is measured.
async fn measure(mut next: impl AsyncFnMut() -> (Instant, Duration)) {
    let from = Instant::now() + WARM;
    let until = from + MEASURED;
    let (mut polls, mut late, mut before) = (0, Vec::new(), None);
    loop {
        let (due, by) = next().await;
        if due < from {
            continue;
        }
        let began = *before.get_or_insert_with(|| used().0);
        if due >= until {
            return report(polls, used().0 - began, late);
        }
        polls += 1;
        late.push(by.as_secs_f64() * 1000.0);
    }
}

/// gonogo: polled, lexed, kept, evaluated, and judged by a gate, as in the room.
async fn gonogo() {
    let address = address();
    let mut text = String::from(
        "schema = 1\n[launch]\nproduct = \"Bench\"\nversion = \"1\"\nenvironment = \"production\"\n",
    );
    for n in 0..ENDPOINTS {
        let _ = write!(
            text,
            "[source.e{n}]\nkind = \"scrape\"\nurls = [\"http://{address}/{n}\"]\nevery = \"1s\"\n\
             [[signal]]\nid = \"e{n}\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"e{n}\"\nquery = 'max(depth)'\nunit = \"jobs\"\n\
             [[gate]]\nid = \"e{n}\"\nsignal = \"e{n}\"\nop = \"<\"\nvalue = 500\n"
        );
    }
    let (launch, _) = settings::parse("bench.toml", &text, Path::new(""), None).unwrap();
    let launch = Arc::new(launch);
    let mut watch = Watch::new(&launch, []);
    let (room, mut messages) = tokio::sync::mpsc::channel(256);
    let _polls = Feed::Polling(None).start(&launch, &Clock::wall(), room).unwrap();
    let mut last = std::collections::HashMap::new();
    measure(async move || {
        loop {
            let Some(Msg::Polled(poll)) = messages.recv().await else { panic!("nothing polls any more") };
            assert!(poll.outcome.is_ok(), "{poll:?}");
            watch.observe(&poll);
            // A poll may begin up to a tenth of an interval early, and is late beyond the interval.
            let asked = poll.asked.seconds();
            let before = last.insert(poll.source.clone(), asked);
            let Some(before) = before else { continue };
            let late = Duration::from_secs_f64((asked - before - EVERY.as_secs_f64()).max(0.0));
            return (Instant::now(), late);
        }
    })
    .await;
}

struct Measured {
    polls: f64,
    cpu: f64,
    memory: f64,
    p50: f64,
    p99: f64,
}

fn child(role: &str, address: &str) -> Measured {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command
        .env("GONOGO_POLLING", role)
        .env("GONOGO_POLLING_ADDRESS", address)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let all: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [polls, cpu, memory, p50, p99] = all[..] else { panic!("{role} ended early: {text:?}") };
    Measured { polls, cpu, memory, p50, p99 }
}

fn compare() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .env("GONOGO_POLLING", "server")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let bare = child("bare", line.trim());
    let gonogo = child("gonogo", line.trim());
    println!("{ENDPOINTS} endpoints of {} bytes each second, for {MEASURED:?}", body().len());
    for (name, m) in [("bare tokio", &bare), ("gonogo", &gonogo)] {
        println!(
            "{name:10}  {:.0} polls/s  {:.1} % of a processor, {:.0} µs a poll  {:.1} MiB  late p50 {:.2} ms p99 {:.2} ms",
            m.polls / MEASURED.as_secs_f64(),
            100.0 * m.cpu / MEASURED.as_secs_f64(),
            1e6 * m.cpu / m.polls,
            m.memory / f64::from(1 << 20),
            m.p50,
            m.p99
        );
    }
    let ratio = (gonogo.cpu / gonogo.polls) / (bare.cpu / bare.polls);
    println!("goal: a poll at most 5 times a bare one: {ratio:.1}");
    println!(
        "goal: under 64 MiB: {:.1}; late p99 under 50 ms: {:.2}",
        gonogo.memory / f64::from(1 << 20),
        gonogo.p99
    );
    server.kill().unwrap();
    server.wait().unwrap();
}
