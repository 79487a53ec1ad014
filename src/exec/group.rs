//! The process group of a program that was started.

use rustix::process::{Pid, Signal, kill_process_group};

/// A process group that ends when this is dropped, so that nothing outlives whoever waited for it.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group that the process leads.
    pub(super) fn led_by(id: Option<u32>) -> Self {
        Self(id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Asks the group to end.
    pub(super) fn terminate(&self) {
        self.send(Signal::TERM);
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
        self.send(Signal::KILL);
    }
}
