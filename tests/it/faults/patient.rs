//! A server that answers well, can be made sick, and can be healed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use super::list::{Case, Kind, Sickness};
use crate::http::canned::{Act, Canned, Seen, ok};
use crate::http::tls;

pub const TEXT: &str = "text/plain; version=0.0.4";
pub const JSON: &str = "application/json";

/// The server of one case for one kind of source.
pub struct Patient {
    case: &'static Case,
    kind: Kind,
    sick: Arc<AtomicBool>,
    url: String,
    ward: Ward,
}

/// What keeps the server.
enum Ward {
    /// In threads of its own.
    Here,
    /// A port where nobody listens until it is healed.
    Closed(Mutex<Option<Canned>>, SocketAddr),
    /// It does not exist.
    Nowhere,
}

pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

impl Patient {
    /// A server that is well.
    pub fn new(case: &'static Case, kind: Kind) -> Self {
        let sick = Arc::new(AtomicBool::new(false));
        let (url, ward) = match case.sickness {
            Sickness::Answers(acts) => {
                let server = canned(kind, &sick, acts);
                (server.url(""), Ward::Here)
            }
            Sickness::Refuses => {
                // An address of this machine that nothing else here listens on.
                let listener = TcpListener::bind(kind.quiet_address()).unwrap();
                let address = listener.local_addr().unwrap();
                drop(listener);
                (format!("http://{address}"), Ward::Closed(Mutex::new(None), address))
            }
            Sickness::NoSuchHost => ("http://no-such-host.invalid".into(), Ward::Nowhere),
            Sickness::Certificate(name) => {
                let port = over_tls(kind, &sick, name);
                (format!("https://127.0.0.1:{port}"), Ward::Here)
            }
        };
        Self { case, kind, sick, url, ward }
    }

    /// `s02-hang-in-body`; so short that a list shows it whole, or at least what tells it apart.
    pub fn name(&self) -> String {
        let place = super::list::CASES.iter().position(|case| case.name == self.case.name).unwrap();
        format!("{}{place:02}-{}", self.kind.word(), self.case.name)
    }

    pub fn case(&self) -> &'static Case {
        self.case
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it can ever be well.
    pub fn can_be_well(&self) -> bool {
        !matches!(self.ward, Ward::Nowhere)
    }

    /// Whether it is well now; what refuses is sick from the beginning, for a listener cannot be
    /// taken back from its thread.
    pub fn begins_well(&self) -> bool {
        matches!(self.ward, Ward::Here)
    }

    pub fn fall_sick(&self) {
        self.sick.store(true, Ordering::SeqCst);
    }

    pub fn heal(&self) {
        self.sick.store(false, Ordering::SeqCst);
        if let Ward::Closed(server, address) = &self.ward {
            let mut server = server.lock().unwrap();
            if server.is_none() {
                let listener = TcpListener::bind(address).unwrap();
                let kind = self.kind;
                *server = Some(Canned::on(listener, move |seen, _| well(kind, seen)));
            }
        }
    }

    /// The keys of its table in a config that say where it is.
    pub fn address(&self) -> String {
        let url = &self.url;
        match self.kind {
            Kind::Scrape => format!("kind = \"scrape\"\nurls = [\"{url}/metrics\"]\n"),
            Kind::Prometheus => format!("kind = \"prometheus\"\nurl = \"{url}\"\n"),
            Kind::Identity => format!("kind = \"identity\"\nurl = \"{url}\"\n"),
        }
    }

    /// Further keys of its table.
    pub fn settings(&self) -> String {
        let ca = match self.case.sickness {
            Sickness::Certificate(_) => {
                let path: PathBuf = tls::file("ca.pem");
                format!("ca-file = \"{}\"\n", path.display())
            }
            _ => String::new(),
        };
        format!("{}{ca}", self.case.settings)
    }

    /// Its signal or flag, and the gate on it.
    pub fn watched(&self) -> String {
        let name = self.name();
        match self.kind {
            Kind::Identity => format!(
                "[[flag]]\nkey = \"{name}\"\nsource = \"{name}\"\n\
                 [[gate]]\nid = \"{name}\"\nflag = \"{name}\"\nenabled = true\n"
            ),
            _ => format!(
                "[[signal]]\nid = \"{name}\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"{name}\"\n\
                 query = 'max by (queue) (depth)'\nunit = \"jobs\"\nmax-age = \"10s\"\n\
                 [[gate]]\nid = \"{name}\"\nsignal = \"{name}\"\nop = \"<\"\nvalue = 500\n"
            ),
        }
    }
}

fn canned(kind: Kind, sick: &Arc<AtomicBool>, acts: fn(&Seen, usize) -> Vec<Act>) -> Canned {
    let sick = Arc::clone(sick);
    Canned::new(move |seen, n| if sick.load(Ordering::SeqCst) { acts(seen, n) } else { well(kind, seen) })
}

/// What a sound server of this kind answers.
pub fn well(kind: Kind, seen: &Seen) -> Vec<Act> {
    match kind {
        Kind::Scrape => ok(TEXT, "# TYPE depth gauge\ndepth{queue=\"a\"} 3\ndepth{queue=\"b\"} 12\n"),
        Kind::Prometheus => ok(JSON, prometheus(seen, now(), "3")),
        Kind::Identity => identity(seen),
    }
}

/// A server that evaluates at `at` what it sampled in the same moment.
pub fn prometheus(seen: &Seen, at: f64, value: &str) -> String {
    let asked = format!("{}{}", seen.head, seen.body);
    if asked.contains("query_range") {
        return r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into();
    }
    let value = if asked.contains("timestamp") { at.to_string() } else { value.to_owned() };
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"queue":"a"}},"value":[{at},"{value}"]}}]}}}}"#
    )
}

/// A service whose flags are all on; it answers for whatever key is asked.
fn identity(seen: &Seen) -> Vec<Act> {
    let key = seen
        .path()
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("keys=").or(pair.strip_prefix("key=")));
    match (seen.path(), key) {
        (path, Some(key)) if path.starts_with("/launch/v1/flags") => ok(JSON, flags(key, "")),
        (path, _) if path.starts_with("/launch/v1/meta") => {
            ok(JSON, r#"{"contract":"launch-identity/1","service":{"name":"id","version":"1"}}"#)
        }
        _ => ok(JSON, r#"{"subject":{"id":"ada","kind":"user","display":"Ada"},"roles":[],"scopes":[]}"#),
    }
}

/// One flag that is on, and more of its fields.
pub fn flags(key: &str, more: &str) -> String {
    format!(
        r#"{{"environment":"production","revision":1,"missing":[],"flags":[{{"key":"{key}","state":{{"enabled":true,
        "rollout":{{"mode":"all","percent":100,"exact":true}}{more}}}}}]}}"#
    )
}

/// The same over TLS: with the named certificate while it is sick, with a sound one else.
fn over_tls(kind: Kind, sick: &Arc<AtomicBool>, bad: &str) -> u16 {
    let (good, bad, sick) = (tls::config("here.pem"), tls::config(bad), Arc::clone(sick));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = if sick.load(Ordering::SeqCst) { &bad } else { &good };
            let connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
            std::thread::spawn(move || serve(kind, connection, stream));
        }
    });
    port
}

fn serve(kind: Kind, connection: rustls::ServerConnection, stream: TcpStream) {
    let mut stream = rustls::StreamOwned::new(connection, stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        // A client that does not trust the certificate ends it here.
        if !stream.read(&mut byte).is_ok_and(|n| n > 0) {
            return;
        }
        head.push(byte[0]);
    }
    let mut seen = Seen { head: String::from_utf8(head).unwrap(), body: String::new() };
    let mut body = vec![0; seen.header("content-length").map_or(0, |v| v.parse().unwrap())];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    seen.body = String::from_utf8(body).unwrap();
    for act in well(kind, &seen) {
        if let Act::Send(bytes) = act {
            let _ = stream.write_all(&bytes);
        }
    }
    stream.conn.send_close_notify();
    let _ = stream.flush();
}
