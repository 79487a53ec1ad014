//! Supervisors in processes of their own: each test starts itself once more in that part.

use std::ffi::OsString;
use std::fs;

use rustix::process::{Signal, getsid, kill_process, kill_process_group};

use super::*;

/// Where it names a directory, the process is the supervisor of the script in it.
const PART: &str = "GONOGO_TEST_SUPERVISES";

/// A run's directory with a script, a claim and an output.
struct Stage(tempfile::TempDir);

impl Stage {
    fn with(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("script"), script.replace("DIR", dir.path().to_str().unwrap())).unwrap();
        Self(dir)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts this test again as the supervisor, and gives its process.
    async fn start(&self, test: &str) -> Pid {
        let part = format!("{PART}={}", self.0.path().display());
        let this = std::env::current_exe().unwrap().into_os_string();
        let test = format!("exec::tests::detached::{test}");
        let arguments: [OsString; 5] =
            [part.into(), this, test.into(), "--exact".into(), "--nocapture".into()];
        let executor = Executor::Real(Spawner::new("/usr/bin/env".into()));
        match executor.start(&sh("told by the script"), &arguments, &self.at("claim")).await.unwrap() {
            Begun::Supervised(pid) => Pid::from_raw(pid).unwrap(),
            Begun::Exercise(text) => panic!("{text}"),
        }
    }

    async fn result(&self) -> String {
        until("the result is written down", || self.at("result").exists()).await;
        fs::read_to_string(self.at("result")).unwrap()
    }
}

/// Plays the supervisor where the process was started as one; true says that it was.
async fn plays_the_supervisor() -> bool {
    let Some(dir) = std::env::var_os(PART).map(PathBuf::from) else { return false };
    settle().unwrap();
    let job = sh(&fs::read_to_string(dir.join("script")).unwrap());
    let outcome = supervise(&job, &dir.join("output"), &dir.join("claim")).await.unwrap();
    let result = format!("{} | {}", outcome.status, outcome.tail);
    fs::write(dir.join(".result"), result).unwrap();
    fs::rename(dir.join(".result"), dir.join("result")).unwrap();
    true
}

#[tokio::test]
async fn a_supervisor_leaves_the_session_and_survives_a_hang_up() {
    if plays_the_supervisor().await {
        return;
    }
    let stage = Stage::with("echo begun; while ! [ -e DIR/go ]; do sleep 0.02; done; echo done");
    let pid = stage.start("a_supervisor_leaves_the_session_and_survives_a_hang_up").await;
    assert_eq!(getsid(Some(pid)).unwrap(), pid, "it leads a session of its own");
    until("the program has begun", || tail(&stage.at("output"), 99).is_ok_and(|t| t == "begun\n")).await;
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT] {
        kill_process_group(pid, signal).unwrap();
    }
    sleep(Duration::from_millis(100)).await;
    assert!(claim::is_alive(&stage.at("claim")), "a reopened screen finds it");
    fs::write(stage.at("go"), "").unwrap();
    assert_eq!(stage.result().await, "exited with 0 | begun\ndone\n");
    until("it is gone", || !claim::is_alive(&stage.at("claim"))).await;
    assert_eq!(claim::life(&stage.at("claim")).unwrap(), claim::Life::Gone);
}

#[tokio::test]
async fn cancelling_ends_the_command_and_its_supervisor_tells() {
    if plays_the_supervisor().await {
        return;
    }
    let stage = Stage::with(
        "exec 2>/dev/null; trap 'echo asked; exit 0' TERM; echo begun; while :; do sleep 0.05; done",
    );
    stage.start("cancelling_ends_the_command_and_its_supervisor_tells").await;
    until("the program has begun", || tail(&stage.at("output"), 99).is_ok_and(|t| t == "begun\n")).await;
    claim::cancel(&stage.at("claim")).unwrap();
    assert_eq!(stage.result().await, "ended by signal 15 | begun\nasked\n");
    until("it is gone", || !claim::is_alive(&stage.at("claim"))).await;
    assert!(claim::cancel(&stage.at("claim")).is_err());
}

#[tokio::test]
async fn a_killed_supervisor_is_known_to_be_gone_and_its_program_lives_until_it_writes() {
    if plays_the_supervisor().await {
        return;
    }
    let stage =
        Stage::with("echo $$ > DIR/pids; while ! [ -e DIR/go ]; do sleep 0.02; done; echo; : > DIR/survived");
    let pid =
        stage.start("a_killed_supervisor_is_known_to_be_gone_and_its_program_lives_until_it_writes").await;
    let program = pids(&stage.at("pids"), 1).await[0];
    kill_process(pid, Signal::KILL).unwrap();
    until("its supervisor is gone", || !claim::is_alive(&stage.at("claim"))).await;
    assert_eq!(claim::life(&stage.at("claim")).unwrap(), claim::Life::Gone);
    sleep(Duration::from_millis(100)).await;
    assert!(runs(program), "nobody tells the program");
    fs::write(stage.at("go"), "").unwrap();
    until("writing ends it", || !runs(program)).await;
    assert!(!stage.at("survived").exists() && !stage.at("result").exists());
}
