//! The process group of a program that was started.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

/// How often is asked whether somebody of the group is left.
const LOOK: Duration = Duration::from_millis(20);
/// How long a program may take to go after KILL: longer only where the system itself hangs.
const KILLED: Duration = Duration::from_secs(5);

/// A process group that ends when this is dropped, so that nothing outlives whoever waited for it.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group that the process leads.
    pub(super) fn led_by(id: Option<u32>) -> Self {
        Self(id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Ends the group and waits for it: TERM, and KILL for whoever is left after `grace`. Gives the
    /// signal that was needed.
    pub(super) async fn end(&self, leader: &mut Child, grace: Duration) -> Signal {
        self.send(Signal::TERM);
        let all_gone = async {
            let _ = leader.wait().await;
            while self.0.is_some_and(|group| test_kill_process_group(group).is_ok()) {
                sleep(LOOK).await;
            }
        };
        if timeout(grace, all_gone).await.is_ok() {
            return Signal::TERM;
        }
        self.kill();
        let _ = timeout(KILLED, leader.wait()).await;
        Signal::KILL
    }

    /// Ends whoever is left of the group at once.
    pub(super) fn kill(&self) {
        self.send(Signal::KILL);
    }

    fn send(&self, signal: Signal) {
        if let Some(leader) = self.0 {
            // An error says that nobody is left.
            let _ = kill_process_group(leader, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
