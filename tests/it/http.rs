//! The HTTP client against servers that fail in every way there is.

pub mod canned;
mod redirects;
pub mod tls;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use canned::{Act, Canned, answer, ok, raw};
use gonogo::http::credential::{Basic, Bearer, File, Form, Header};
use gonogo::http::{Client, Options, Request};
use gonogo::model::{Fault, FaultCode};

const SHORT: Duration = Duration::from_secs(2);

fn client(options: Options) -> Client {
    Client::new(Options {
        timeout: if options.timeout.is_zero() { Duration::from_secs(20) } else { options.timeout },
        ..options
    })
}

fn get(url: &str) -> Request {
    Request { url: url.to_owned(), ..Request::default() }
}

/// The whole text of an answer, or what went wrong on the way.
async fn fetch(client: &Client, url: &str) -> Result<String, Fault> {
    let mut response = client.send(&get(url)).await?;
    match response.fault() {
        Some(fault) => Err(fault),
        None => response.text().await,
    }
}

async fn fault_of(acts: Vec<Act>, options: Options) -> (FaultCode, String) {
    let server = Canned::always(acts);
    let fault = fetch(&client(options), &server.url("/")).await.unwrap_err();
    (fault.code, fault.text)
}

fn hurried() -> Options {
    Options { timeout: SHORT, ..Options::default() }
}

#[tokio::test]
async fn a_server_that_hangs_is_told_apart_by_where_it_hangs() {
    let head = raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n");
    for (acts, text) in [
        (vec![Act::Hang], "no answer in 2s"),
        (vec![head.clone(), Act::Hang], "no answer in 2s"),
        (vec![head, raw("\r\nhalf"), Act::Hang], "answer incomplete after 2s"),
    ] {
        assert_eq!(fault_of(acts, hurried()).await, (FaultCode::TimedOut, text.into()));
    }
}

#[tokio::test]
async fn a_body_that_drips_for_ever_ends_with_the_time_out() {
    let server = Canned::new(|_, _| {
        std::iter::once(raw("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
            .chain(std::iter::repeat_n(raw("a"), 10))
            .chain([Act::Hang])
            .collect()
    });
    let fault = fetch(&client(hurried()), &server.url("/")).await.unwrap_err();
    assert_eq!((fault.code, fault.text.as_str()), (FaultCode::TimedOut, "answer incomplete after 2s"));
}

#[tokio::test]
async fn a_server_that_is_not_there_refuses_and_a_host_without_a_name_does_not_exist() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let fault = fetch(&client(Options::default()), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert_eq!((fault.code, fault.text.as_str()), (FaultCode::Unreachable, "refused"));
    let fault = fetch(&client(Options::default()), "https://no-such-host.invalid/").await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unreachable);
    assert!(["no such host", "the name server does not answer"].contains(&fault.text.as_str()), "{fault}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_apart_by_where_it_breaks() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
    for (acts, code, text) in [
        (vec![Act::Reset], FaultCode::Unreachable, "connection reset"),
        (vec![], FaultCode::Unreachable, "connection closed without an answer"),
        (
            vec![raw("HTTP/1.1 200 OK\r\nContent-")],
            FaultCode::Unreachable,
            "connection closed without an answer",
        ),
        (vec![raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")], FaultCode::Unreadable, "what answers does not speak HTTP"),
        (vec![raw(long), Act::Reset], FaultCode::CutShort, "cut short: connection reset"),
        (vec![raw(long)], FaultCode::CutShort, "cut short: the body ends too early"),
        (vec![raw(chunked)], FaultCode::CutShort, "cut short: the body ends too early"),
        (vec![raw(chunked), raw("zz\r\n")], FaultCode::CutShort, "cut short"),
    ] {
        let (found, told) = fault_of(acts, Options::default()).await;
        assert!(found == code && told.starts_with(text), "{found:?} {told}, not {code:?} {text}");
    }
}

#[tokio::test]
async fn an_endless_body_is_left_at_the_cap_and_not_read_to_its_end() {
    let cap = 1 << 20;
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let piece = if head.contains("chunked") {
            format!("2000\r\n{}\r\n", "x".repeat(0x2000))
        } else {
            "x".repeat(8192)
        };
        let server = Canned::always(vec![raw(head), Act::Endless(piece.into_bytes())]);
        let client = client(Options { max_body: cap, ..Options::default() });
        let mut response = client.send(&get(&server.url("/"))).await.unwrap();
        let mut read = 0;
        let fault = loop {
            match response.slice().await {
                Ok(slice) => read += slice.unwrap().len() as u64,
                Err(fault) => break fault,
            }
        };
        drop(response);
        assert_eq!(
            (fault.code, fault.text.as_str()),
            (FaultCode::TooLarge, "body larger than 1 MiB (max-body)")
        );
        assert!(read <= cap);
        // What lies in the buffers of the two sockets comes on top of the cap; nothing else does.
        assert!(server.sent() < 32 << 20, "{} bytes were taken of ten gigabytes", server.sent());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compressed_bodies_are_decoded_whole_or_not_at_all() {
    let header = "Content-Encoding: gzip\r\n";
    let text = "a line among many\n".repeat(20_000);
    let whole = gzip(text.as_bytes());
    let server = Canned::always(answer(200, header, &whole));
    assert_eq!(fetch(&client(Options::default()), &server.url("/")).await.unwrap(), text);
    let two = [gzip(b"one "), gzip(b"two")].concat();
    let server = Canned::always(answer(200, header, two));
    assert_eq!(fetch(&client(Options::default()), &server.url("/")).await.unwrap(), "one two");

    let without_trailer = &whole[..whole.len() - 8];
    let half = &whole[..whole.len() / 2];
    for cut in [without_trailer, half] {
        let (code, text) = fault_of(answer(200, header, cut), Options::default()).await;
        assert_eq!(
            (code, text.as_str()),
            (FaultCode::CutShort, "cut short: the compressed body is not whole")
        );
    }
    let mut damaged = whole.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 0xff;
    assert_eq!(fault_of(answer(200, header, &damaged), Options::default()).await.0, FaultCode::CutShort);
    assert_eq!(
        fault_of(answer(200, header, "no gzip at all"), Options::default()).await.0,
        FaultCode::Unreadable
    );
}

#[tokio::test]
async fn a_small_body_that_swells_is_stopped_at_the_cap_on_decoded_bytes() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let options = Options { max_body: 1 << 20, ..Options::default() };
    let (code, _) = fault_of(answer(200, "Content-Encoding: gzip\r\n", bomb), options).await;
    assert_eq!(code, FaultCode::TooLarge);
}

#[tokio::test]
async fn slices_are_small_enough_for_others_to_get_their_turn() {
    let server = Canned::always(ok("text/plain", vec![b'x'; 3 << 20]));
    let mut response = client(Options::default()).send(&get(&server.url("/"))).await.unwrap();
    let mut total = 0;
    while let Some(slice) = response.slice().await.unwrap() {
        assert!(slice.len() <= 256 * 1024);
        total += slice.len();
    }
    assert_eq!(total, 3 << 20);
}

#[tokio::test]
async fn statuses_keep_their_kind_and_the_wait_that_was_asked_for() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n";
    let scope = "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"flags:read\"\r\n";
    for (status, headers, code, text, wait) in [
        (404, "", FaultCode::Status, "answers 404", None),
        (500, "", FaultCode::Status, "answers 500", None),
        (503, "Retry-After: 7\r\n", FaultCode::Status, "answers 503", Some(7)),
        (429, "Retry-After: 120\r\n", FaultCode::RateLimited, "asked too often, again in 2m", Some(120)),
        (429, date, FaultCode::RateLimited, "asked too often, again in 30s", Some(30)),
        (429, "", FaultCode::RateLimited, "asked too often", None),
        (403, scope, FaultCode::Forbidden, "forbidden: needs flags:read", None),
        (401, "", FaultCode::SignInNeeded, "sign-in needed: no credential is configured", None),
        (300, "", FaultCode::Status, "answers 300", None),
    ] {
        let server = Canned::always(answer(status, headers, "why not"));
        let fault = fetch(&client(Options::default()), &server.url("/")).await.unwrap_err();
        assert_eq!((fault.code, fault.text.as_str()), (code, text));
        assert_eq!(fault.retry_after, wait.map(Duration::from_secs), "{status}");
    }
    let server = Canned::always(answer(304, "ETag: \"a\"\r\n", ""));
    let request = Request { etag: Some("\"a\"".into()), ..get(&server.url("/")) };
    let response = client(Options::default()).send(&request).await.unwrap();
    assert_eq!((response.status, response.fault(), response.etag.as_deref()), (304, None, Some("\"a\"")));
    assert_eq!(server.seen()[0].header("if-none-match"), Some("\"a\""));
}

fn with_token(token: &str) -> (tempfile::NamedTempFile, Options) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), token).unwrap();
    let headers = vec![("X-Scope-OrgID".to_owned(), "tasks".to_owned())];
    let credential = Some(Arc::new(Bearer::new(Arc::new(File::new(file.path(), Form::Token))))
        as Arc<dyn gonogo::http::Credential>);
    (file, Options { credential, headers, ..Options::default() })
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_with_everything() {
    let server = Canned::new(|seen, _| match seen.path() {
        "/a" => answer(307, "Location: /b?x=1\r\n", ""),
        _ => ok("text/plain", "here"),
    });
    let (_file, options) = with_token("s3cret");
    let request = Request { form: Some(vec![("query".into(), "a b".into())]), ..get(&server.url("/a")) };
    let mut response = client(options).send(&request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "here");
    let second = &server.seen()[1];
    assert_eq!((second.path(), second.body.as_str()), ("/b?x=1", "query=a+b"));
    assert_eq!(second.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(second.header("x-scope-orgid"), Some("tasks"));
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_and_learns_no_credential() {
    let thief = Canned::always(ok("text/plain", "thanks"));
    let location = format!("Location: {}\r\n", thief.url("/steal?me"));
    let server = Canned::always(answer(302, &location, ""));
    let (_file, options) = with_token("s3cret");
    let fault = fetch(&client(options), &server.url("/")).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Status);
    assert!(fault.text.starts_with("redirects to another port"), "{fault}");
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn redirects_have_an_end() {
    let server = Canned::always(answer(302, "Location: /again\r\n", ""));
    let fault = fetch(&client(Options::default()), &server.url("/")).await.unwrap_err();
    assert_eq!(fault.text, "redirects without end");
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_never_told() {
    let (file, options) = with_token("old");
    let path = file.path().to_owned();
    let server = Canned::new(move |seen, _| {
        std::fs::write(&path, "new").unwrap();
        match seen.header("authorization") {
            Some("Bearer new") => ok("text/plain", "welcome"),
            _ => answer(401, "", ""),
        }
    });
    assert_eq!(fetch(&client(options), &server.url("/")).await.unwrap(), "welcome");
    assert_eq!(server.seen().len(), 2);

    let never = Canned::always(answer(401, "", ""));
    let (_file, options) = with_token("s3cret");
    let fault = fetch(&client(options), &never.url("/")).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.text.as_str()),
        (FaultCode::SignInNeeded, "sign-in needed: the token is not accepted")
    );
    assert_eq!(never.seen().len(), 1, "there was no other to try");
}

#[tokio::test]
async fn of_two_challenges_the_one_that_fits_is_told_and_what_was_sent_is_not_repeated() {
    let basic = "WWW-Authenticate: Basic realm=\"ops\"\r\n";
    let bearer = "error=\"invalid_token\", error_description=\"s3cret has ended\", scope=\"flags:read\"";
    for headers in [
        format!("{basic}WWW-Authenticate: Bearer {bearer}\r\n"),
        format!("WWW-Authenticate: Basic realm=\"ops\", Bearer {bearer}\r\n"),
    ] {
        let server = Canned::always(answer(401, &headers, ""));
        let (_file, options) = with_token("s3cret");
        let fault = fetch(&client(options), &server.url("/")).await.unwrap_err();
        assert_eq!(
            fault.text,
            "sign-in needed: the token is not accepted: invalid_token: [redacted] has ended; needs scope flags:read"
        );
    }
    let server = Canned::always(answer(401, basic, ""));
    let (_file, options) = with_token("s3cret");
    let fault = fetch(&client(options), &server.url("/")).await.unwrap_err();
    assert_eq!(fault.text, "sign-in needed: the token is not accepted; the server asks for Basic");
}

#[tokio::test]
async fn a_proof_is_carried_as_its_kind_says_and_json_is_posted() {
    let server = Canned::always(ok("text/plain", "here"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "open sesame\n").unwrap();
    let words = || Arc::new(File::new(file.path(), Form::Words));
    let with = |credential: Arc<dyn gonogo::http::Credential>| Options {
        credential: Some(credential),
        ..Options::default()
    };
    fetch(&client(with(Arc::new(Basic::new("Aladdin", words())))), &server.url("/")).await.unwrap();
    fetch(&client(with(Arc::new(Header::new("X-API-Key", words())))), &server.url("/")).await.unwrap();
    let (_file, options) = with_token("tok");
    let raw = client(Options { raw_token: true, ..options });
    let json = Request { json: Some("{\"a\":1}".into()), ..get(&server.url("/")) };
    raw.send(&json).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!((seen[1].header("x-api-key"), seen[1].header("authorization")), (Some("open sesame"), None));
    assert_eq!(seen[2].header("authorization"), Some("tok"));
    assert!(seen[2].head.starts_with("POST "), "{}", seen[2].head);
    assert_eq!(
        (seen[2].header("content-type"), seen[2].body.as_str()),
        (Some("application/json"), "{\"a\":1}")
    );
}

#[tokio::test]
async fn a_header_credential_stays_with_its_host() {
    let thief = Canned::always(ok("text/plain", "thanks"));
    let location = format!("Location: {}\r\n", thief.url("/"));
    let server = Canned::always(answer(307, &location, ""));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "k3y").unwrap();
    let key = Header::new("X-API-Key", Arc::new(File::new(file.path(), Form::Words)));
    let options = Options { credential: Some(Arc::new(key)), ..Options::default() };
    assert!(fetch(&client(options), &server.url("/")).await.is_err());
    assert_eq!(server.seen()[0].header("x-api-key"), Some("k3y"));
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn a_proxy_is_gone_through_but_not_to_this_machine_nor_to_hosts_that_are_left_out() {
    let proxy = Canned::always(ok("text/plain", "by proxy"));
    let options = |no_proxy: &[&str]| Options {
        proxy: Some(proxy.url("")),
        no_proxy: no_proxy.iter().map(|host| (*host).to_owned()).collect(),
        allow_http: true,
        ..hurried()
    };
    let url = "http://metrics.example.invalid/x";
    assert_eq!(fetch(&client(options(&["other.invalid"])), url).await.unwrap(), "by proxy");
    assert_eq!(proxy.seen()[0].path(), url);
    assert!(fetch(&client(options(&[".example.invalid"])), url).await.is_err());
    let here = Canned::always(ok("text/plain", "here"));
    assert_eq!(fetch(&client(options(&[])), &here.url("/")).await.unwrap(), "here");
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn a_password_in_the_url_is_sent_and_appears_in_no_error() {
    let server = Canned::always(answer(503, "", ""));
    let url = server.url("/").replace("http://", "http://Aladdin:open%20sesame@");
    let fault = fetch(&client(Options::default()), &url).await.unwrap_err();
    assert_eq!(fault.text, "answers 503");
    assert_eq!(server.seen()[0].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let fault = fetch(&client(Options::default()), "http://192.0.2.1/metrics").await.unwrap_err();
    assert_eq!(fault.text, "plain http to 192.0.2.1 is refused: use https, or set allow-http = true");
}

#[tokio::test]
async fn over_loopback_nothing_is_compressed() {
    let server = Canned::always(ok("text/plain", ""));
    fetch(&client(Options::default()), &server.url("/")).await.unwrap();
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
    assert!(server.seen()[0].header("user-agent").unwrap().starts_with("gonogo/"));
}

#[tokio::test]
async fn a_server_that_closes_an_idle_connection_at_the_wrong_moment_costs_no_poll() {
    // Every connection serves one request, says it would serve more, and is closed by the next.
    let server = Canned::new(|_, number| match number {
        0 => vec![raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"), Act::KeepAlive],
        1 => vec![],
        _ => ok("text/plain", "two"),
    });
    let client = client(Options::default());
    assert_eq!(fetch(&client, &server.url("/")).await.unwrap(), "one");
    assert_eq!(fetch(&client, &server.url("/")).await.unwrap(), "two");
}

#[tokio::test]
async fn what_failed_once_is_well_at_the_next_request() {
    let server = Canned::new(|_, number| match number {
        0 => vec![raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"), Act::Reset],
        1 => vec![Act::Hang],
        2 => answer(503, "", ""),
        _ => ok("text/plain", "well"),
    });
    let client = client(hurried());
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(fetch(&client, &server.url("/")).await.unwrap_err().code);
    }
    assert_eq!(codes, [FaultCode::CutShort, FaultCode::TimedOut, FaultCode::Status]);
    assert_eq!(fetch(&client, &server.url("/")).await.unwrap(), "well");
}
