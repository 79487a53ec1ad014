//! What the servers of the list do.

use std::io::Write;
use std::sync::LazyLock;

use super::list::DEPTH;
use super::patient::{JSON, TEXT, flags, now, prometheus};
use crate::http::canned::{Act, Seen, answer, ok, raw};

pub fn too_short(seen: &Seen, _: usize) -> Vec<Act> {
    let (body, length) = match seen.path() {
        "/metrics" => ("depth{queue=\"b\"} 1\ndepth{queue=\"a\"} 312\n".to_owned(), 38),
        path if path.contains("query") => (prometheus(seen, now(), "3"), 60),
        _ => (flags("x", ""), 60),
    };
    vec![raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"))]
}

fn http_date(ahead: i64) -> String {
    let at = jiff::Timestamp::from_second(now() as i64 + ahead).unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub fn until(_: &Seen, _: usize) -> Vec<Act> {
    answer(429, &format!("Date: {}\r\nRetry-After: {}\r\n", http_date(0), http_date(1)), "")
}

pub fn elsewhere(url: &str) -> Vec<Act> {
    answer(302, &format!("Location: {url}\r\n"), "")
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Members of one mebibyte each, a thousandth of it on the wire: ten gigabytes in all.
pub fn bomb() -> Vec<Act> {
    static MEMBER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&DEPTH.repeat((1 << 20) / DEPTH.len()).into_bytes()).unwrap();
        encoder.finish().unwrap()
    });
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n";
    vec![raw(head), Act::Pour(10_240, |_| MEMBER.clone())]
}

pub fn endless_line() -> Vec<Act> {
    vec![raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndepth{queue=\""), Act::Endless(vec![b'x'; 65_536])]
}

pub fn five_million() -> Vec<Act> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n";
    let lines = |thousand: u64| {
        let mut lines = String::with_capacity(40_000);
        for n in thousand * 1000..(thousand + 1) * 1000 {
            lines += "depth{queue=\"q";
            lines += &n.to_string();
            lines += "\"} 1\n";
        }
        lines.into_bytes()
    };
    vec![raw(head), Act::Pour(5_000, lines)]
}

pub fn stamped(by: f64) -> String {
    format!("depth{{queue=\"a\"}} 3 {}\n", ((now() + by) * 1000.0) as i64)
}

pub fn either(seen: &Seen, value: &str) -> Vec<Act> {
    match seen.path() {
        "/metrics" => ok(TEXT, format!("depth{{queue=\"a\"}} {value}\n")),
        _ => ok(JSON, prometheus(seen, now(), value)),
    }
}

pub fn huge(begin: &str, more: &str) -> Vec<Act> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nConnection: close\r\n\r\n{begin}");
    vec![raw(head), Act::Endless(more.repeat(65_536).into_bytes())]
}

/// What looks like an answer of either kind, with a list of so many elements.
pub fn list(element: &str, count: usize) -> String {
    let elements = vec![element; count].join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{elements}]}}}}"#)
}

pub fn cut_json(seen: &Seen) -> Vec<Act> {
    let body = if seen.path().contains("query") { prometheus(seen, now(), "3") } else { flags("x", "") };
    ok(JSON, &body[..body.len() / 2])
}

/// Good and bad in turn; the tests ask it when it is bad.
pub fn flips(_: &Seen, _: usize) -> Vec<Act> {
    answer(500, "", "")
}
