//! Endpoints: what is asked, and what is made of their answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::gonogo;

/// Serves one connection with `answer`, which gets the request and the stream.
fn serve(answer: impl FnOnce(String, &mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0; 1];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            request.push(byte[0]);
        }
        answer(String::from_utf8_lossy(&request).into_owned(), &mut stream);
        let _ = stream.shutdown(Shutdown::Write);
        // Wait for the other side, so that no reset overtakes what was sent.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let _ = stream.read(&mut byte);
    });
    at
}

/// Serves one answer with a length.
fn serve_text(head: &'static str, body: &'static [u8]) -> String {
    let at = serve(move |_, stream| {
        let length = body.len();
        let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(body);
    });
    format!("http://{at}/metrics")
}

#[test]
fn an_endpoint_is_read_in_the_dialect_that_its_content_type_names() {
    let text = serve_text("200 OK\r\nContent-Type: text/plain; version=0.0.4", b"a 1 1500\n");
    let page = gonogo(&[&text, "--output", "json"], b"");
    assert_eq!((page.exit, &page.json()["samples"][0]["timestamp_ms"]), (0, &json!(1500)), "{}", page.err);
    let open = serve_text(
        "200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0",
        b"a 1 1.5\n# EOF\n",
    );
    let page = gonogo(&[&open, "--output", "json"], b"");
    assert_eq!((page.exit, &page.json()["samples"][0]["timestamp_ms"]), (0, &json!(1500)), "{}", page.err);
    let bare = serve_text("200 OK", b"a 1");
    assert_eq!(gonogo(&[&bare], b"").exit, 0, "no content type and no last newline are taken for text");
}

#[test]
fn the_request_asks_for_openmetrics_first_and_bytes_are_counted_after_decoding_gzip() {
    let at = serve(|request, stream| {
        let asked = request.to_ascii_lowercase();
        assert!(asked.starts_with("get /metrics http/1.1"), "{request}");
        assert!(asked.contains("accept: application/openmetrics-text"), "{request}");
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all("up{a=\"b\"} 1\n".repeat(1000).as_bytes()).unwrap();
        let packed = gz.finish().unwrap();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        for chunk in packed.chunks(7) {
            let _ = write!(stream, "{:x}\r\n", chunk.len());
            let _ = stream.write_all(chunk);
            let _ = stream.write_all(b"\r\n");
        }
        let _ = stream.write_all(b"0\r\n\r\n");
    });
    let ran = gonogo(&[&format!("http://{at}/metrics"), "--output", "json"], b"");
    let page = ran.json();
    assert_eq!(
        (ran.exit, &page["bytes"], &page["complete"]),
        (0, &json!(12_000), &json!(true)),
        "{}",
        ran.err
    );
}

#[test]
fn an_endpoint_that_answers_with_a_page_or_an_error_or_not_at_all_ends_with_3() {
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/metrics", listener.local_addr().unwrap())
    };
    let silent = serve(|_, _| {});
    let hanging = serve(|_, stream| {
        let _ = stream.read(&mut [0; 1]);
    });
    for (url, code) in [
        (serve_text("200 OK\r\nContent-Type: text/html", b"<html>"), "content-type"),
        (serve_text("200 OK\r\nContent-Type: text/plain", b"<!DOCTYPE html>"), "content-type"),
        (serve_text("200 OK\r\nContent-Type: application/json", b"{\"a\":1}"), "content-type"),
        (serve_text("404 Not Found", b"no"), "status"),
        (serve_text("500 Internal Server Error", b"up 1\n"), "status"),
        (serve_text("401 Unauthorized", b"up 1\n"), "sign-in-needed"),
        (refused, "unreachable"),
        (format!("http://{silent}/metrics"), "unreachable"),
        (format!("http://{hanging}/metrics"), "timed-out"),
    ] {
        let ran = gonogo(&[&url, "--timeout", "700ms", "--output", "json"], b"");
        let page = ran.json();
        assert_eq!((ran.exit, page["reason"]["code"].as_str().unwrap()), (3, code), "{}", ran.err);
        assert_eq!((&page["samples"], &page["bytes"]), (&json!([]), &json!(0)));
        assert!(ran.err.starts_with("gonogo: http://127.0.0.1:"), "{}", ran.err);
    }
}

#[test]
fn a_body_that_breaks_off_is_shown_as_far_as_it_came_and_ends_with_1() {
    let at = serve(|_, stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nup 1\nup{{a=\""
        );
    });
    let ran = gonogo(&[&format!("http://{at}/metrics"), "--output", "json"], b"");
    let page = ran.json();
    assert_eq!(
        (ran.exit, &page["complete"], &page["reason"]["code"]),
        (1, &json!(false), &json!("cut-short"))
    );
    assert_eq!(page["samples"][0]["name"], "up");

    let endless = serve(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
        while stream.write_all(b"up{a=\"b\"} 1\n").is_ok() {}
    });
    let ran = gonogo(&[&format!("http://{endless}/"), "--max-bytes", "64KiB", "--output", "json"], b"");
    let page = ran.json();
    assert_eq!((ran.exit, &page["reason"]["code"]), (1, &json!("too-large")), "{}", ran.err);
    assert!(page["bytes"].as_u64().unwrap() <= 65_536);
}

#[test]
fn an_answer_without_a_content_type_or_with_another_character_set_is_read_and_remarked_on() {
    for (head, code) in
        [("200 OK", "no-content-type"), ("200 OK\r\nContent-Type: text/plain; charset=iso-8859-1", "charset")]
    {
        let page = gonogo(&[&serve_text(head, b"a 1\n"), "--output", "json"], b"");
        let stricter = page.json()["stricter"].clone();
        assert_eq!(
            (page.exit, &stricter[0]["reason"]["code"], &stricter[0]["line"]),
            (0, &json!(code), &json!(0))
        );
    }
    let html = serve_text("200 OK\r\nContent-Type: text/html", b"a 1\n");
    let page = gonogo(&[&html], b"");
    assert!(page.exit == 3 && page.err.contains("--format text"), "{}", page.err);
}
