//! A real terminal for the program: a pty whose output is kept raw and as a screen.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a test waits for something that must come; a limit, not a measure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a pty.
pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    /// Reads the pty, and holds it open, until it is told to stop and one more frame came.
    reader: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

struct Seen {
    raw: Vec<u8>,
    screen: vt100::Parser,
}

/// How the program is started.
pub struct Start<'a> {
    /// The shell line that becomes the program; `$GONOGO` is its path.
    pub line: &'a str,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Whether the pty is the program's controlling terminal.
    pub controlling: bool,
    /// Whether anybody reads what the program writes.
    pub read: bool,
    /// Environment beside the usual.
    pub env: &'a [(&'a str, &'a str)],
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self { line: "exec $GONOGO demo", size: (160, 48), controlling: true, read: true, env: &[] }
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Pty {
    pub fn start(start: &Start) -> Self {
        let pair = native_pty_system().openpty(pty_size(start.size)).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", start.line]);
        // Another build of the program can be watched, to measure one that is optimised.
        let built = std::env::var("GONOGO_BUILD");
        command.env("GONOGO", built.as_deref().unwrap_or(env!("CARGO_BIN_EXE_gonogo")));
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env_remove("GONOGO_CONFIG");
        command.cwd(std::env::temp_dir());
        for (name, value) in start.env {
            command.env(name, value);
        }
        command.set_controlling_tty(start.controlling);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = Arc::new(Mutex::new(Seen {
            raw: Vec::new(),
            screen: vt100::Parser::new(cells(start.size.1), cells(start.size.0), 0),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let mut reading = None;
        if start.read {
            let stop = Arc::clone(&stop);
            let mut reader = pair.master.try_clone_reader().unwrap();
            let seen = Arc::clone(&seen);
            reading = Some(std::thread::spawn(move || {
                let mut bytes = vec![0; 65_536];
                while let Ok(n @ 1..) = reader.read(&mut bytes) {
                    let mut seen = seen.lock().unwrap();
                    seen.raw.extend_from_slice(&bytes[..n]);
                    seen.screen.process(&bytes[..n]);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            }));
        }
        let keys = pair.master.take_writer().unwrap();
        Self { master: Some(pair.master), keys: Some(keys), child, seen, reader: reading, stop }
    }

    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    /// Waits until the screen is as asked for, and returns it.
    pub fn until(&mut self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the program ended ({status:?}) before {what}:\n{screen}");
            }
            assert!(Instant::now() < until, "{what} did not come:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn until_shows(&mut self, text: &str) -> String {
        self.until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Types, with the pause a person makes: a dialog ignores what comes within 300 ms.
    pub fn press(&mut self, keys: &str) {
        std::thread::sleep(Duration::from_millis(400));
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Types at once.
    pub fn type_now(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// The row that a list has marked as selected.
    pub fn marked_row(&self) -> Option<u16> {
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen.screen();
        (0..screen.size().0.get()).find(|row| screen.cell(*row, 0).is_some_and(|cell| cell.contents() == "▸"))
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        self.seen.lock().unwrap().screen.screen_mut().set_size(cells(size.1), cells(size.0));
        self.master.as_ref().unwrap().resize(pty_size(size)).unwrap();
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Closes the pty, as a dropped ssh connection does.
    pub fn hang_up(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.keys = None;
        self.master = None;
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }

    /// Waits for the end and says how long it took.
    pub fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it did not end; the screen:\n{}", self.screen());
    }

    /// Whether the line discipline is the shell's again: lines and echo.
    pub fn is_cooked(&self) -> bool {
        let termios = self.master.as_ref().unwrap().get_termios().unwrap();
        let flags = format!("{:?}", termios.local_flags);
        flags.contains("ICANON") && flags.contains("ECHO")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(count).unwrap()
}
