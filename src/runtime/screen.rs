//! The terminal: entered once, drawn as whole frames, restored on every way out.
//!
//! Bytes go through a writer thread with one frame in flight: a terminal that nobody reads blocks
//! that thread and not the loop, and no diff is ever dropped, because no frame is drawn until the
//! last one is written.

use std::fs::File;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc::UnboundedSender;

/// The longest that restoring may take: an unread terminal must not keep the program.
const RESTORE: Duration = Duration::from_millis(300);

/// Whether the terminal is ours at the moment, for the panic hook.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The bytes of the frame that is being made.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The screen of an interactive room.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Bytes>>,
    bytes: Bytes,
    writer: mpsc::Sender<Vec<u8>>,
    in_flight: usize,
    title: String,
}

impl Screen {
    /// Takes the terminal. `written` hears of each frame that has been written.
    ///
    /// # Errors
    /// The system's, where the terminal cannot be set up.
    pub(super) fn enter(written: UnboundedSender<io::Result<()>>) -> io::Result<Self> {
        let bytes = Bytes::default();
        let mut out = File::from(stdout().as_fd().try_clone_to_owned()?);
        let (writer, frames) = mpsc::channel::<Vec<u8>>();
        std::thread::Builder::new().name("writer".into()).spawn(move || {
            for frame in frames {
                if written.send(out.write_all(&frame)).is_err() {
                    return;
                }
            }
        })?;
        restore_on_panic();
        let terminal = Terminal::new(CrosstermBackend::new(bytes.clone()))?;
        let mut screen = Self { terminal, bytes, writer, in_flight: 0, title: String::new() };
        screen.take_over()?;
        Ok(screen)
    }

    fn take_over(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        queue!(self.bytes, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))?;
        // A new one knows nothing of what was on the screen before, so that the next frame is whole.
        // (`Terminal::clear` would ask the terminal where its cursor is, and wait for the answer.)
        self.terminal = Terminal::new(CrosstermBackend::new(self.bytes.clone()))?;
        self.send();
        Ok(())
    }

    /// Whether everything drawn so far has been written.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// A frame has been written.
    pub(super) fn written(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Draws one frame and hands it to the writer as one synchronized update, whose end is sent even
    /// if drawing fails.
    ///
    /// # Errors
    /// The system's, where the size of the terminal cannot be had: it is gone.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame)) -> io::Result<()> {
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(view).map(|_| ());
        queue!(self.bytes, EndSynchronizedUpdate)?;
        self.send();
        drawn
    }

    /// Puts a text into the clipboard of whoever looks, where the terminal allows it (OSC 52).
    ///
    /// # Errors
    /// None that a buffer can have.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        queue!(self.bytes, CopyToClipboard::to_clipboard_from(text))?;
        self.send();
        Ok(())
    }

    /// Rings the bell, and says why where nobody looks: OSC 9 makes a notification of it.
    ///
    /// # Errors
    /// None that a buffer can have.
    pub(super) fn call(&mut self, text: &str) -> io::Result<()> {
        let text = crate::model::text::harmless_line(text, 200);
        write!(self.bytes, "\u{7}\u{1b}]9;gonogo: {text}\u{7}")?;
        self.send();
        Ok(())
    }

    /// Sets the terminal's title, where it has changed; it travels with the next frame.
    ///
    /// # Errors
    /// None that a buffer can have.
    pub(super) fn title(&mut self, title: &str) -> io::Result<()> {
        if self.title != title {
            title.clone_into(&mut self.title);
            queue!(self.bytes, SetTitle(title))?;
        }
        Ok(())
    }

    /// Gives the terminal back, within [`RESTORE`].
    pub(super) fn restore(&mut self, written: &mut tokio::sync::mpsc::UnboundedReceiver<io::Result<()>>) {
        if !ENTERED.swap(false, Ordering::SeqCst) {
            return;
        }
        let _ = queue_restore(&mut self.bytes);
        self.send();
        let until = std::time::Instant::now() + RESTORE;
        while self.in_flight > 0 && std::time::Instant::now() < until {
            match written.try_recv() {
                Ok(_) => self.written(),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        let _ = disable_raw_mode();
    }

    /// Takes the terminal again after [`Screen::restore`], and draws everything anew.
    ///
    /// # Errors
    /// As [`Screen::enter`].
    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.take_over()
    }

    fn send(&mut self) {
        if self.writer.send(self.bytes.take()).is_ok() {
            self.in_flight += 1;
        }
    }
}

fn queue_restore(out: &mut impl Write) -> io::Result<()> {
    queue!(out, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show)?;
    out.flush()
}

/// A panic, on whatever thread, gives the terminal back, says its message and ends the program.
fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if ENTERED.swap(false, Ordering::SeqCst) {
            let (done, restored) = mpsc::channel();
            std::thread::spawn(move || {
                let _ = queue_restore(&mut stdout());
                let _ = done.send(());
            });
            let _ = restored.recv_timeout(RESTORE);
            let _ = disable_raw_mode();
            before(panic);
            std::process::exit(101);
        }
        before(panic);
    }));
}
