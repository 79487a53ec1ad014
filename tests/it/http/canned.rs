//! A server on loopback that says what it was told to say, and breaks as it was told to break.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One thing that a server does with a connection.
#[derive(Clone)]
pub enum Act {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Says nothing more, and keeps the connection open until the client gives up.
    Hang,
    /// Breaks the connection so that the client sees a reset.
    Reset,
    /// Sends these bytes again and again until the client gives up.
    Endless(Vec<u8>),
    /// Sends these bytes, one each second.
    Drip(Vec<u8>),
    /// Sends what is made for each number below the count, made while it is sent.
    Pour(u64, fn(u64) -> Vec<u8>),
    /// Reads the next request on the same connection.
    KeepAlive,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Seen {
    /// The path with its query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (n, v) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| v.trim())
        })
    }
}

/// The server; it runs until the test ends.
pub struct Canned {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicU64>,
}

impl Canned {
    /// Serves `script`, which gets each request and how many came before it.
    pub fn new(script: impl Fn(&Seen, usize) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// The same on a listener that is there already.
    pub fn on(
        listener: TcpListener,
        script: impl Fn(&Seen, usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let (script, held, counted) = (Arc::new(script), seen.clone(), sent.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen, sent) = (script.clone(), held.clone(), counted.clone());
                thread::spawn(move || while connection(&stream, script.as_ref(), &seen, &sent).is_some() {});
            }
        });
        Self { port, seen, sent }
    }

    /// The same acts for every request.
    pub fn always(acts: Vec<Act>) -> Self {
        Self::new(move |_, _| acts.clone())
    }

    /// A URL on the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Its host and port.
    pub fn instance(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests that came.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Bytes that the system took for sending.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Serves one request; `Some` where another may follow.
fn connection(
    mut stream: &TcpStream,
    script: &(impl Fn(&Seen, usize) -> Vec<Act> + ?Sized),
    seen: &Mutex<Vec<Seen>>,
    sent: &AtomicU64,
) -> Option<()> {
    // The last byte of the head, and the body, stay unread until it is known that the connection shall not be
    // reset: closing a socket with unread bytes is what resets it.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.extend(byte);
    }
    let mut request = Seen { head: String::from_utf8(head).unwrap(), body: String::new() };
    let length: usize = request.header("content-length").map_or(0, |v| v.parse().unwrap());
    let mut rest = vec![0; length + 1];
    loop {
        match stream.peek(&mut rest).ok()? {
            0 => return None,
            count if count == rest.len() => break,
            _ => thread::yield_now(),
        }
    }
    request.body = String::from_utf8(rest.split_off(1)).unwrap();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let acts = script(&request, number);
    if !acts.iter().any(|act| matches!(act, Act::Reset)) {
        stream.read_exact(&mut vec![0; length + 1]).ok()?;
    }
    for act in acts {
        match act {
            Act::Send(bytes) => {
                stream.write_all(&bytes).ok()?;
                sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            Act::Hang => while stream.read(&mut [0; 64]).ok()? > 0 {},
            Act::Reset => return None,
            Act::Endless(bytes) => loop {
                stream.write_all(&bytes).ok()?;
                sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            },
            Act::Drip(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte]).ok()?;
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Act::Pour(count, make) => {
                for number in 0..count {
                    let bytes = make(number);
                    stream.write_all(&bytes).ok()?;
                    sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
            }
            Act::KeepAlive => return Some(()),
        }
    }
    None
}

/// Sends text as it is.
pub fn raw(text: impl AsRef<[u8]>) -> Act {
    Act::Send(text.as_ref().to_vec())
}

/// A whole answer with more headers, each ended by CRLF.
pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} Because\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    vec![raw(head), raw(body)]
}

/// A whole 200.
pub fn ok(content_type: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    answer(200, &format!("Content-Type: {content_type}\r\n"), body)
}
