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
use gonogo::sources::schedule::{first_delay, next_delay};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep_until;

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

/// Prints what a child has measured, for its parent: polls, seconds of processor time, bytes, and how
/// late polls were in milliseconds.
///
/// When a poll was due nobody outside knows: pauses are drawn evenly from 0.9 to 1 of an interval. But
/// how long they are is known of all of them together: the mean of the gaps between polls is that of
/// the pauses and the mean lateness, and the tail of the gaps is longer by that of the lateness, but
/// for what hides in shorter pauses, for which the longest gap is told beside.
fn report(polls: usize, cpu: f64, mut gaps: Vec<f64>) {
    gaps.sort_by(f64::total_cmp);
    let drawn = |rank: usize| {
        let part = (rank as f64 + 0.5) / gaps.len() as f64;
        next_delay(EVERY, None, part).as_secs_f64() * 1000.0
    };
    let mean = gaps.iter().enumerate().map(|(rank, gap)| gap - drawn(rank)).sum::<f64>() / gaps.len() as f64;
    let rank = (gaps.len() - 1) * 99 / 100;
    let longest = gaps[gaps.len() - 1] - EVERY.as_secs_f64() * 1000.0;
    println!("{polls} {cpu} {} {mean} {} {longest}", used().1, gaps[rank] - drawn(rank));
}

fn address() -> String {
    std::env::var("GONOGO_POLLING_ADDRESS").unwrap()
}

/// A bare client: a connection for each endpoint, a request written, an answer read to its last byte;
/// with the phases and the jitter that gonogo's polls have.
async fn bare() {
    let (address, length) = (address(), body().len());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let begun = tokio::time::Instant::now();
    for n in 0..ENDPOINTS {
        let (address, tell) = (address.clone(), tell.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            sleep_until(begun + first_delay(n, ENDPOINTS, EVERY)).await;
            let mut before = None;
            let request = format!("GET /{n} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain\r\n\r\n");
            let mut answer = vec![0; 16 * 1024];
            loop {
                let began = tokio::time::Instant::now();
                let gap = before.replace(began).map(|before| began - before);
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
                let _ = gap.map(|gap| tell.send((Instant::now(), gap)));
                sleep_until(began + next_delay(EVERY, None, fastrand::f64())).await;
            }
        });
    }
    measure(async move || told.recv().await.unwrap()).await;
}

/// Counts what `next` brings, and how long after the one before each poll began, for the time that is
/// measured.
async fn measure(mut next: impl AsyncFnMut() -> (Instant, Duration)) {
    let from = Instant::now() + WARM;
    let until = from + MEASURED;
    let (mut polls, mut gaps, mut before) = (0, Vec::new(), None);
    loop {
        let (ended, gap) = next().await;
        if ended < from {
            continue;
        }
        let began = *before.get_or_insert_with(|| used().0);
        if ended >= until {
            return report(polls, used().0 - began, gaps);
        }
        polls += 1;
        gaps.push(gap.as_secs_f64() * 1000.0);
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
            let poll = match messages.recv().await {
                Some(Msg::Polled(poll)) => poll,
                Some(_) => continue,
                None => panic!("nothing polls any more"),
            };
            assert!(poll.outcome.is_ok(), "{poll:?}");
            watch.observe(&poll);
            let asked = poll.asked.seconds();
            let before = last.insert(poll.source.clone(), asked);
            let Some(before) = before else { continue };
            return (Instant::now(), Duration::from_secs_f64((asked - before).max(0.0)));
        }
    })
    .await;
}

struct Measured {
    polls: f64,
    cpu: f64,
    memory: f64,
    mean: f64,
    p99: f64,
    /// The longest gap, beyond the interval.
    longest: f64,
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
    let [polls, cpu, memory, mean, p99, longest] = all[..] else { panic!("{role} ended early: {text:?}") };
    Measured { polls, cpu, memory, mean, p99, longest }
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
            "{name:10}  {:.0} polls/s  {:.1} % of a processor, {:.0} µs a poll  {:.1} MiB  late on average {:.2} ms, p99 {:.2} ms, longest gap {:+.2} ms beyond the interval",
            m.polls / MEASURED.as_secs_f64(),
            100.0 * m.cpu / MEASURED.as_secs_f64(),
            1e6 * m.cpu / m.polls,
            m.memory / f64::from(1 << 20),
            m.mean,
            m.p99,
            m.longest
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
