//! Notices that the terminal is gone.
//!
//! When a pty closes without SIGHUP (no controlling terminal, SIGHUP ignored), crossterm's reader
//! spins at 100 % and tells nobody, and a write may block for ever. So a thread of its own asks the
//! system for a hang-up and for nothing else.

use std::fs::File;
use std::io::{IsTerminal, stdin};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::UnboundedSender;

/// How long the loop may take to leave by itself before the process is ended from here.
const GRACE: Duration = Duration::from_millis(500);

/// The exit code of a program that SIGHUP ends.
pub(super) const HUNG_UP: i32 = 129;

/// Watches the terminal; sends once when it is gone, and ends the process if that was not enough.
///
/// # Errors
/// The system's, where there is no terminal to watch or no thread to be had.
pub(super) fn watch(lost: UnboundedSender<()>) -> std::io::Result<()> {
    let tty = terminal()?;
    std::thread::Builder::new().name("tty-watch".into()).spawn(move || {
        wait_for_hang_up(&tty);
        let _ = lost.send(());
        std::thread::sleep(GRACE);
        std::process::exit(HUNG_UP);
    })?;
    Ok(())
}

/// The terminal that keys come from.
fn terminal() -> std::io::Result<OwnedFd> {
    if stdin().is_terminal() {
        return stdin().as_fd().try_clone_to_owned();
    }
    File::open("/dev/tty").map(OwnedFd::from)
}

fn wait_for_hang_up(tty: &OwnedFd) {
    loop {
        let mut asked = [PollFd::new(tty, PollFlags::empty())];
        match poll(&mut asked, None) {
            Ok(_) => {
                let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                if asked.iter().any(|fd| fd.revents().intersects(gone)) {
                    return;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
