//! Where credentials, headers and cookies go when a server sends the client somewhere else: on the same
//! host and port everything follows, to anywhere else nothing, not even a request.

use std::fmt::Write as _;
use std::process::Command;

use super::canned::{Act, Canned, Seen, answer, ok};
use super::{client, fetch, get, with_token};
use gonogo::http::{Options, Request};
use gonogo::model::FaultCode;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
/// A header for tenancy, a key, and a session.
const HEADERS: [(&str, &str); 3] =
    [("X-Scope-OrgID", "tasks"), ("X-API-Key", "k3y"), ("Cookie", "session=c00kie")];
/// `Basic` of `ops:pa55`.
const BASIC: &str = "Basic b3BzOnBhNTU=";

fn headers() -> Vec<(String, String)> {
    HEADERS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Redirects `/from` to a place and plants a cookie, `/over` to `/from`, and nothing else.
fn sending_to(status: u16, location: &str) -> impl Fn(&Seen, usize) -> Vec<Act> + Send + Sync + 'static {
    let header = format!("Location: {location}\r\nSet-Cookie: planted=1; Path=/\r\n");
    move |seen, _| match seen.path() {
        "/from" => answer(status, &header, ""),
        "/over" => answer(307, "Location: /from\r\n", ""),
        _ => ok("text/plain", "here"),
    }
}

/// The URL with `ops:pa55` in it.
fn with_basic(url: &str) -> String {
    url.replace("http://", "http://ops:pa55@")
}

fn assert_presented(seen: &Seen, authorization: &str) {
    for (name, value) in HEADERS {
        assert_eq!(seen.header(name), Some(value), "{}", seen.head);
    }
    assert_eq!(seen.header("authorization"), Some(authorization), "{}", seen.head);
}

#[tokio::test]
async fn on_the_same_host_and_port_every_header_follows_and_what_the_server_plants_does_not() {
    for status in STATUSES {
        // The user in the location is not the one of the config, and takes nobody's place.
        for location in ["/to", "to?a=b", "//ops2:other@HOST/to", "http://ops2:other@HOST/to#x"] {
            let (_file, options) = with_token("s3cret");
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let location = location.replace("HOST", &listener.local_addr().unwrap().to_string());
            let server = Canned::on(listener, sending_to(status, &location));
            let bearer = client(Options { headers: headers(), ..options });
            let basic = client(Options { headers: headers(), ..Options::default() });
            let from = server.url("/from");
            assert_eq!(fetch(&bearer, &from).await.unwrap(), "here");
            assert_eq!(fetch(&basic, &with_basic(&from)).await.unwrap(), "here");
            let seen = server.seen();
            assert_eq!(seen.len(), 4, "{status} to {location}");
            for (seen, authorization) in seen.iter().zip(["Bearer s3cret", "Bearer s3cret", BASIC, BASIC]) {
                assert_presented(seen, authorization);
            }
        }
    }
}

#[tokio::test]
async fn to_another_host_or_port_goes_nothing_at_all_however_the_place_is_written() {
    let thief = Canned::always(ok("text/plain", "thanks"));
    let port = thief.instance().split_once(':').unwrap().1.to_owned();
    let (_file, options) = with_token("s3cret");
    let bearer = client(Options { headers: headers(), ..options });
    let basic = client(Options { headers: headers(), ..Options::default() });
    let post = |url: String| Request { form: Some(vec![("query".into(), "up".into())]), ..get(&url) };
    for status in STATUSES {
        for (location, told) in [
            (format!("http://127.0.0.1:{port}/to"), "redirects to another port, 127.0.0.1:"),
            (format!("//127.0.0.1:{port}/to"), "redirects to another port, 127.0.0.1:"),
            (format!("\\\\127.0.0.1:{port}\\to"), "redirects to another port, 127.0.0.1:"),
            (format!("https://127.0.0.1:{port}/to"), "redirects to another port, 127.0.0.1:"),
            (format!("http://localhost:{port}/to"), "redirects to another host, localhost, not followed"),
            (
                format!("http://ops:pa55@localhost:{port}/to"),
                "redirects to another host, localhost, not followed",
            ),
            // The host before the @ is a user.
            (
                format!("http://127.0.0.1:80@localhost:{port}/to"),
                "redirects to another host, localhost, not followed",
            ),
        ] {
            let server = Canned::new(sending_to(status, &location));
            // At once, and after a redirect that may be followed; as a question and as a form.
            for path in ["/from", "/over"] {
                let from = server.url(path);
                let faults = [
                    fetch(&bearer, &from).await.unwrap_err(),
                    fetch(&basic, &with_basic(&from)).await.unwrap_err(),
                    bearer.send(&post(from.clone())).await.err().unwrap(),
                    basic.send(&post(with_basic(&from))).await.err().unwrap(),
                ];
                for fault in faults {
                    assert_eq!(fault.code, FaultCode::Status, "{status} to {location}: {fault}");
                    assert!(fault.text.starts_with(told), "{status} to {location}: {fault}");
                    assert!(!fault.text.contains("pa55") && !fault.text.contains("s3cret"), "{fault}");
                }
            }
            let seen = server.seen();
            assert_eq!(seen.len(), 4 + 8);
            assert!(seen.iter().all(|seen| ["/from", "/over"].contains(&seen.path())), "{seen:?}");
        }
    }
    assert!(thief.seen().is_empty(), "{:?}", thief.seen());
}

#[tokio::test]
async fn the_same_host_and_port_by_another_name_is_another_host() {
    // What a name leads to may change from one request to the next.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://localhost:{}/to", listener.local_addr().unwrap().port());
    let server = Canned::on(listener, sending_to(302, &location));
    let (_file, options) = with_token("s3cret");
    let fault = fetch(&client(options), &server.url("/from")).await.unwrap_err();
    assert_eq!(fault.text, "redirects to another host, localhost, not followed");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn no_kind_of_source_takes_its_credentials_to_another_server() {
    let thief = Canned::always(ok("text/plain", "thanks"));
    let location = format!("Location: {}\r\n", thief.url("/steal"));
    let server = Canned::always(answer(307, &location, ""));
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("token"), "s3cret\n").unwrap();
    let mut text =
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n\
                    [credential.ops]\nkind = \"bearer\"\nfile = \"token\"\n"
            .to_owned();
    for (kind, key) in [
        ("scrape", format!("urls = [\"{}\"]", server.url("/scrape"))),
        ("prometheus", format!("alerts = true\nurl = \"{}\"", server.url("/prometheus"))),
        ("alertmanager", format!("url = \"{}\"", server.url("/alertmanager"))),
        ("identity", format!("url = \"{}\"", server.url("/identity"))),
    ] {
        let _ = write!(
            text,
            "[source.{kind}]\nkind = \"{kind}\"\n{key}\nevery = \"1s\"\ncredential = \"ops\"\n\
             headers = {{ X-Scope-OrgID = \"tasks\" }}\n"
        );
    }
    for kind in ["scrape", "prometheus"] {
        let _ = write!(
            text,
            "[[signal]]\nid = \"{kind}\"\nboard = \"queues\"\ntitle = \"{kind}\"\nsource = \"{kind}\"\nquery = \"up\"\n\
             [[gate]]\nid = \"{kind}\"\nsignal = \"{kind}\"\nop = \">\"\nvalue = 0\n"
        );
    }
    text += "[[flag]]\nkey = \"f\"\nsource = \"identity\"\n[[gate]]\nid = \"f\"\nflag = \"f\"\nenabled = true\n\
             [[gate]]\nid = \"a\"\nalert = \"A\"\nsource = \"alertmanager\"\n";
    std::fs::write(place.path().join("room.toml"), text).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["check", "--config", "room.toml"])
        .current_dir(place.path())
        .env("HOME", place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    for kind in ["scrape", "prometheus", "alertmanager", "identity"] {
        let came = server.seen().into_iter().filter(|seen| seen.path().starts_with(&format!("/{kind}")));
        let came: Vec<Seen> = came.collect();
        assert!(!came.is_empty(), "{kind} was not asked\n{said}");
        for seen in came {
            assert_eq!(seen.header("authorization"), Some("Bearer s3cret"), "{kind}: {}", seen.head);
            assert_eq!(seen.header("x-scope-orgid"), Some("tasks"), "{kind}: {}", seen.head);
        }
    }
    assert!(said.contains("redirects to another port"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    assert!(thief.seen().is_empty(), "{:?}", thief.seen());
}
