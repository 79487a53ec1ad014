//! Real programs: how they end, what they write, what reaches them, and what outlives what.

mod detached;
mod writing;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};
use tokio::time::sleep;

use super::program::program;
use super::supervise::claimed;
use super::*;

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A job that is a script. A shell whose child is ended by a signal may say so on its stderr.
fn sh(script: &str) -> Job {
    Job { argv: argv(&["/bin/sh", "-c", script]), env: Vec::new(), timeout: LONG, dir: None }
}

/// Runs a job with this process's environment, and gives its output file, too.
async fn ran(job: &Job) -> (Outcome, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.log");
    let outcome = program(job, |name| std::env::var_os(name), &path, std::future::pending()).await;
    let output = std::fs::read(path).unwrap_or_default();
    (outcome, String::from_utf8_lossy(&output).into_owned())
}

/// Whether a process runs; one that ended and was not collected does not.
pub(super) fn runs(pid: Pid) -> bool {
    let zombie = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
        .is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(pid).is_ok() && !zombie
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONG, "never: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The numbers that a script wrote into a file.
async fn pids(path: &Path, count: usize) -> Vec<Pid> {
    let read = || -> Vec<Pid> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
    };
    until("the script tells its processes", || read().len() >= count).await;
    read()
}

#[tokio::test]
async fn a_program_ends_as_it_ends() {
    for (script, want) in [
        ("exit 0", Status::Exited(0)),
        ("exit 3", Status::Exited(3)),
        ("exit 255", Status::Exited(255)),
        ("kill -TERM $$", Status::Signalled(15)),
        ("kill -KILL $$", Status::Signalled(9)),
    ] {
        let (outcome, output) = ran(&sh(script)).await;
        assert_eq!((outcome.status, output.as_str()), (want, ""), "{script}");
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!((outcome.output_bytes, outcome.output_sha256.as_str()), (0, empty));
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_told_and_leaves_no_doubt() {
    let missing = Job { argv: argv(&["gonogo-no-such-program"]), ..sh("") };
    let nowhere = Job { dir: Some("/no/such/place".into()), ..sh("true") };
    let odd = Job { argv: argv(&["a\0b"]), ..sh("") };
    for (job, want) in [
        (missing, "gonogo-no-such-program cannot be started: "),
        (nowhere, "/bin/sh cannot be started in /no/such/place: no such directory"),
        (Job { argv: Vec::new(), ..sh("") }, "no program is named"),
        (odd, "a\0b cannot be started: "),
    ] {
        let Status::NotStarted(why) = ran(&job).await.0.status else { panic!("{want}") };
        assert!(why.starts_with(want), "{why}");
    }
    let unwritable = program(&sh("true"), |_| None, Path::new("/no/such/file"), std::future::pending()).await;
    let Status::NotStarted(why) = unwritable.status else { panic!("{unwritable:?}") };
    assert!(why.starts_with("the output file /no/such/file cannot be created: "), "{why}");
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let odd = ["a b", "\"q\" 'r'", "; rm -rf x", "$(date) `date` $HOME", "*", "", "new\nline", "--", "größe"];
    let script = r#"for a; do printf '<%s>' "$a"; done"#;
    let argv = [argv(&["/bin/sh", "-c", script, "name"]), argv(&odd)].concat();
    let (outcome, output) = ran(&Job { argv, ..sh("") }).await;
    assert_eq!(outcome.status, Status::Exited(0));
    assert_eq!(output, odd.map(|argument| format!("<{argument}>")).concat());
}

#[tokio::test]
async fn nothing_of_the_environment_leaks() {
    let lookup = |name: &str| match name {
        "PATH" => Some("/usr/bin:/bin".into()),
        "HOME" => Some("/nowhere/ana".into()),
        "FLAG_COLOUR" => Some("blue".into()),
        "UNSET" => None,
        _ => Some(format!("leaked {name}").into()),
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.log");
    let job = Job {
        argv: argv(&["env"]),
        env: vec!["FLAG_COLOUR".into(), "UNSET".into()],
        timeout: LONG,
        dir: Some(dir.path().to_owned()),
    };
    let outcome = program(&job, lookup, &path, std::future::pending()).await;
    let output = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    let want = [
        "FLAG_COLOUR=[redacted]",
        "HOME=/nowhere/ana",
        "LANG=leaked LANG",
        "LC_ALL=leaked LC_ALL",
        "PATH=/usr/bin:/bin",
        "TERM=dumb",
        "TZ=leaked TZ",
        "USER=leaked USER",
    ];
    assert_eq!((outcome.status, lines.as_slice()), (Status::Exited(0), want.as_slice()));
}

#[tokio::test]
async fn a_program_has_no_input_a_group_of_its_own_and_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.log");
    let job = Job {
        dir: Some(dir.path().to_owned()),
        ..sh("cat; echo $$ > pid; while ! [ -e go ]; do sleep 0.02; done; pwd -P")
    };
    let asking = async {
        let leader = pids(&dir.path().join("pid"), 1).await[0];
        assert_eq!(rustix::process::getpgid(Some(leader)).unwrap(), leader);
        std::fs::write(dir.path().join("go"), "").unwrap();
    };
    let running = program(&job, |name| std::env::var_os(name), &path, std::future::pending());
    let (outcome, ()) = tokio::join!(running, asking);
    let here = dir.path().canonicalize().unwrap();
    assert_eq!((outcome.status, outcome.tail), (Status::Exited(0), format!("{}\n", here.display())));
}

#[tokio::test]
async fn a_program_that_ignores_term_ends_at_its_time_with_its_grandchild() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pids");
    // The grandchild ignores TERM, too.
    let script = format!(
        "exec 2>/dev/null; trap 'echo asked' TERM; (trap '' TERM; sh -c 'echo $$ >> {0}; while :; do sleep 1; done') & \
         echo $$ >> {0}; while :; do sleep 0.1; done",
        file.display()
    );
    let (outcome, output) = ran(&Job { timeout: Duration::from_millis(500), ..sh(&script) }).await;
    assert_eq!((outcome.status, output.as_str()), (Status::TimedOut, "asked\n"));
    assert!((Duration::from_millis(5500)..Duration::from_secs(20)).contains(&outcome.took));
    for pid in pids(&file, 2).await {
        until("everybody is gone", || !runs(pid)).await;
    }
}

#[tokio::test]
async fn a_program_that_obeys_at_its_time_is_not_waited_for_and_did_not_succeed() {
    let job = Job {
        timeout: Duration::from_millis(300),
        ..sh("exec 2>/dev/null; trap 'echo bye; exit 0' TERM; while :; do sleep 0.1; done")
    };
    let (outcome, output) = ran(&job).await;
    assert_eq!((outcome.status, output.as_str()), (Status::TimedOut, "bye\n"));
    assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
}

#[tokio::test]
async fn what_a_program_leaves_behind_in_its_group_ends_with_it() {
    let (outcome, output) = ran(&sh("sleep 600 & echo $!")).await;
    assert_eq!(outcome.status, Status::Exited(0));
    let left = Pid::from_raw(output.trim().parse().unwrap()).unwrap();
    until("it is gone", || !runs(left)).await;
}

#[tokio::test]
async fn a_cancelled_program_was_ended_by_a_signal_whatever_it_says() {
    for (script, want) in [
        ("trap 'exit 0' TERM; while :; do sleep 0.1; done", 15),
        ("exec sleep 600", 15),
        ("trap '' TERM; while :; do sleep 0.1; done", 9),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000001.log");
        let outcome = program(&sh(script), |_| None, &path, sleep(Duration::from_millis(300))).await;
        assert_eq!(outcome.status, Status::Signalled(want), "{script}");
    }
}

#[tokio::test]
async fn a_command_is_run_once() {
    let dir = tempfile::tempdir().unwrap();
    let (claim, mark) = (dir.path().join("000001.claim"), dir.path().join("runs"));
    let job = sh(&format!("echo ran >> {}", mark.display()));
    let mut refused = 0;
    for number in 0..3 {
        let output: PathBuf = dir.path().join(format!("{number}.log"));
        match claimed(&job, &output, &claim, std::future::pending()).await {
            Ok(outcome) => assert_eq!((number, outcome.status), (0, Status::Exited(0))),
            Err(SuperviseError::Claimed { claim: by }) => {
                assert_eq!(by, claim);
                assert!(!output.exists());
                refused += 1;
            }
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!((refused, std::fs::read_to_string(mark).unwrap().as_str()), (2, "ran\n"));
    let nowhere = claimed(&job, &dir.path().join("x.log"), Path::new("/no/such/claim"), sleep(LONG)).await;
    assert!(matches!(nowhere, Err(SuperviseError::Claim { .. })));
}
