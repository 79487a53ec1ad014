//! The list: what a server does, and the sentence that the user sees.

use std::sync::LazyLock;

use super::acts::{
    bomb, cut_json, either, elsewhere, endless_line, five_million, flips, huge, list, stamped, too_short,
    until, utf16,
};
use super::patient::{JSON, TEXT, now, prometheus};
use crate::http::canned::{Act, Canned, Seen, answer, ok, raw};

/// The kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Scrape,
    Prometheus,
    Identity,
}

use Kind::{Identity, Prometheus, Scrape};

impl Kind {
    /// Where a port that was free stays free: the ports of the other tests are on 127.0.0.1.
    pub fn quiet_address(self) -> &'static str {
        match self {
            Scrape => "127.0.0.77:0",
            Prometheus => "127.0.0.78:0",
            Identity => "127.0.0.79:0",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Scrape => "s",
            Prometheus => "p",
            Identity => "i",
        }
    }
}

/// What is wrong with a server.
#[derive(Clone, Copy)]
pub enum Sickness {
    /// It answers so.
    Answers(fn(&Seen, usize) -> Vec<Act>),
    /// Nobody listens.
    Refuses,
    /// Its name does not exist.
    NoSuchHost,
    /// It presents this certificate.
    Certificate(&'static str),
}

/// One fault.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    pub sickness: Sickness,
    /// What the user reads, in the order of the kinds, the last for all further ones; `|` between what may
    /// come as well.
    pub words: &'static [&'static str],
    /// Keys of the source's table.
    pub settings: &'static str,
}

impl Case {
    /// Whether the poll itself is well, and only what it brought is doubted: such a source is fresh, and
    /// its gate unknown.
    pub fn is_doubt(&self) -> bool {
        let doubts = ["duplicate", "an-hour", "evaluated", "nan", "infinite", "less-than", "a-megabyte"];
        doubts.iter().any(|name| self.name.starts_with(name))
    }

    /// Whether it keeps a processor busy for seconds.
    pub fn is_heavy(&self) -> bool {
        let heavy = [
            "gzip-bomb",
            "endless-line",
            "five-million-series",
            "huge-",
            "a-megabyte",
            "more-than-a-megabyte",
        ];
        heavy.iter().any(|name| self.name.starts_with(name))
    }

    /// The sentence for a kind.
    pub fn words(&self, kind: Kind) -> &'static str {
        let place = self.kinds.iter().position(|k| *k == kind).unwrap();
        self.words.get(place).or(self.words.last()).unwrap()
    }
}

const ALL: &[Kind] = &[Scrape, Prometheus, Identity];
const JSONS: &[Kind] = &[Prometheus, Identity];
const TEXTS: &[Kind] = &[Scrape];
/// Long enough for a sound answer on a busy machine, short enough for a test.
const HURRY: &str = "timeout = \"2s\"\n";
/// A signal's own time-out and that of its body strike in the same moment.
const IN_BODY: &[&str] = &["answer incomplete after 2s", "answer incomplete after 2s|no answer in 2s"];
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
pub const DEPTH: &str = "depth{queue=\"a\"} 3\n";

/// Where a redirect would lead a credential; nobody may ever come.
pub static THIEF: LazyLock<Canned> = LazyLock::new(|| Canned::always(ok(TEXT, DEPTH)));

const fn case(
    name: &'static str,
    kinds: &'static [Kind],
    answers: fn(&Seen, usize) -> Vec<Act>,
    words: &'static [&'static str],
) -> Case {
    Case { name, kinds, sickness: Sickness::Answers(answers), words, settings: "timeout = \"20s\"\n" }
}

const fn hurried(case: Case) -> Case {
    Case { settings: HURRY, ..case }
}

pub static CASES: &[Case] = &[
    hurried(case("hang-before-header", ALL, |_, _| vec![Act::Hang], &["no answer in 2s"])),
    hurried(case(
        "hang-in-header",
        ALL,
        |_, _| vec![raw("HTTP/1.1 200 OK\r\nContent-"), Act::Hang],
        &["no answer in 2s"],
    )),
    hurried(case("hang-in-body", ALL, |_, _| vec![raw(LONG), raw(DEPTH), Act::Hang], IN_BODY)),
    hurried(case("one-byte-a-second", ALL, |_, _| vec![raw(LONG), Act::Drip(DEPTH.into())], IN_BODY)),
    case("reset-in-body", ALL, |_, _| vec![raw(LONG), raw(DEPTH), Act::Reset], &["connection reset"]),
    Case { name: "refused", kinds: ALL, sickness: Sickness::Refuses, words: &["refused"], settings: "" },
    Case {
        name: "no-such-host",
        kinds: ALL,
        sickness: Sickness::NoSuchHost,
        words: &["no such host|the name server does not answer|no answer in"],
        settings: "",
    },
    case(
        "truncated-chunked",
        ALL,
        |_, _| vec![raw(CHUNKED), raw("13\r\ndepth{queue=\"a\"} 3\n\r\n")],
        &["cut short: the body ends too early"],
    ),
    case("broken-chunk", ALL, |_, _| vec![raw(CHUNKED), raw("zz\r\n")], &["cut short: "]),
    case(
        "content-length-too-long",
        ALL,
        |_, _| vec![raw(LONG), raw(DEPTH)],
        &["cut short: the body ends too early"],
    ),
    case(
        "content-length-too-short",
        ALL,
        too_short,
        &[
            "cut short: it ends within a line",
            "the JSON of the answer ends too early",
            "the JSON of the answer ends too early",
        ],
    ),
    case(
        "a-part-only",
        ALL,
        |_, _| answer(206, "Content-Range: bytes 0-18/99\r\n", DEPTH),
        &["cut short: answers 206, a part of the whole"],
    ),
    case(
        "rate-limited-in-seconds",
        ALL,
        |_, _| answer(429, "Retry-After: 1\r\n", ""),
        &["asked too often, again in 1s"],
    ),
    case("rate-limited-until", ALL, until, &["asked too often, again in 1s"]),
    case("status-500", ALL, |_, _| answer(500, "", "oops"), &["answers 500"]),
    case(
        "status-502",
        ALL,
        |_, _| answer(502, "Content-Type: text/html\r\n", "<html>bad gateway</html>"),
        &["answers 502"],
    ),
    case("status-503", ALL, |_, _| answer(503, "Retry-After: 0\r\n", ""), &["answers 503"]),
    case("redirect-loop", ALL, |_, _| answer(302, "Location: /again\r\n", ""), &["redirects without end"]),
    case(
        "redirect-to-another-port",
        ALL,
        |_, _| elsewhere(&THIEF.url("/steal")),
        &["redirects to another port, 127.0.0.1:"],
    ),
    case(
        "redirect-to-another-host",
        ALL,
        |_, _| elsewhere(&THIEF.url("/steal").replace("127.0.0.1", "localhost")),
        &["redirects to another host, localhost, not followed"],
    ),
    case(
        "html-with-200",
        ALL,
        |_, _| ok("text/html", "<!doctype html><title>Sign in</title>"),
        &[
            "answers an HTML page, not metrics",
            "answers an HTML page, not JSON",
            "answers an HTML page, not JSON",
        ],
    ),
    case(
        "html-under-another-name",
        ALL,
        |_, _| ok(TEXT, "\n <!doctype html><title>Sign in</title>"),
        &[
            "answers an HTML page, not metrics",
            "answers an HTML page, not JSON",
            "answers an HTML page, not JSON",
        ],
    ),
    case("empty-200", ALL, |_, _| answer(200, "", ""), &["an empty answer"]),
    case("blank-200", ALL, |_, _| answer(200, "", "\n\n \n"), &["an empty answer"]),
    case(
        "unasked-encoding",
        ALL,
        |_, _| answer(200, "Content-Encoding: br\r\n", "\u{b}\u{2}"),
        &["the body is compressed with br, which was not asked for"],
    ),
    case(
        "wrong-charset",
        ALL,
        |_, _| ok("text/plain; charset=utf-16", utf16(DEPTH)),
        &["answers text in utf-16, and metrics are UTF-8", "the answer cannot be read"],
    ),
    case(
        "invalid-utf-8",
        ALL,
        |_, _| ok(TEXT, b"depth{queue=\"caf\xe9\"} 3\n"),
        &[
            "no metrics can be read, line 1: the line is not UTF-8 from byte 17 on",
            "the answer cannot be read",
        ],
    ),
    Case {
        settings: "timeout = \"20s\"\nmax-body = \"8MiB\"\n",
        ..case("gzip-bomb", ALL, |_, _| bomb(), &["body larger than 8 MiB (max-body)"])
    },
    Case {
        settings: "timeout = \"20s\"\nmax-body = \"8MiB\"\n",
        ..case("endless-line", ALL, |_, _| endless_line(), &["body larger than 8 MiB (max-body)"])
    },
    Case {
        settings: "timeout = \"20s\"\n",
        ..case(
            "five-million-series",
            TEXTS,
            |_, _| five_million(),
            &["series left out|answer incomplete after 20s"],
        )
    },
    case(
        "duplicate-series",
        TEXTS,
        |_, _| ok(TEXT, format!("{DEPTH}depth{{queue=\"a\"}} 9000\n")),
        &["1 series sent twice with different values"],
    ),
    case("an-hour-ahead", TEXTS, |_, _| ok(TEXT, stamped(3600.0)), &["ahead of this clock"]),
    case("an-hour-behind", TEXTS, |_, _| ok(TEXT, stamped(-3600.0)), &["behind this clock"]),
    case(
        "evaluated-an-hour-ahead",
        &[Prometheus],
        |s, _| ok(JSON, prometheus(s, now() + 3600.0, "3")),
        &["ahead of this clock"],
    ),
    case(
        "evaluated-an-hour-behind",
        &[Prometheus],
        |s, _| ok(JSON, prometheus(s, now() - 3600.0, "3")),
        &["behind this clock"],
    ),
    case("nan", &[Scrape, Prometheus], |s, _| either(s, "NaN"), &["value is NaN"]),
    case("infinite", &[Scrape, Prometheus], |s, _| either(s, "+Inf"), &["value is +Inf"]),
    case("less-than-infinite", &[Scrape, Prometheus], |s, _| either(s, "-Inf"), &["value is -Inf"]),
    case(
        "a-megabyte-of-label",
        TEXTS,
        |_, _| ok(TEXT, format!("depth{{queue=\"{}\"}} 3\n", "x".repeat(1_000_000))),
        &["1 series left out: labels too long"],
    ),
    case(
        "more-than-a-megabyte",
        TEXTS,
        |_, _| ok(TEXT, format!("depth{{queue=\"{}\"}} 3\n", "x".repeat(1 << 20))),
        &["no metrics can be read, line 1: the line is longer than 1024 KiB (max-line)"],
    ),
    Case {
        name: "self-signed",
        kinds: ALL,
        sickness: Sickness::Certificate("self-signed.pem"),
        words: &["unknown issuer"],
        settings: "timeout = \"20s\"\n",
    },
    Case {
        name: "expired-certificate",
        kinds: ALL,
        sickness: Sickness::Certificate("expired.pem"),
        words: &["certificate expired"],
        settings: "timeout = \"20s\"\n",
    },
    Case {
        name: "certificate-of-another-host",
        kinds: ALL,
        sickness: Sickness::Certificate("elsewhere.pem"),
        words: &["certificate is for another host"],
        settings: "timeout = \"20s\"\n",
    },
    case("deep-json", JSONS, |_, _| ok(JSON, "[".repeat(1_000_000)), &["the answer cannot be read"]),
    case(
        "deep-json-within",
        JSONS,
        |_, _| ok(JSON, format!("{{\"data\":{}", "{\"a\":".repeat(200_000))),
        &["the answer cannot be read|ends too early"],
    ),
    case(
        "huge-json",
        JSONS,
        |_, _| huge("{\"data\":\"", "x"),
        &["body larger than 16 MiB (max-body)|answer incomplete after 20s|no answer in 20s"],
    ),
    case(
        "huge-list-of-numbers",
        JSONS,
        |_, _| ok(JSON, list("1", 7_000_000)),
        &["the answer cannot be read"],
    ),
    case(
        "huge-list-of-series",
        JSONS,
        |_, _| ok(JSON, list("{\"metric\":{\"a\":\"b\"},\"value\":[1,\"1\"]}", 300_000)),
        &["the answer cannot be read"],
    ),
    case("truncated-json", JSONS, |s, _| cut_json(s), &["the JSON of the answer ends too early"]),
    case(
        "json-of-another-shape",
        JSONS,
        |_, _| ok(JSON, r#"{"status":"ok","items":[1,2,3]}"#),
        &["the answer cannot be read"],
    ),
    case("json-that-is-a-list", JSONS, |_, _| ok(JSON, "[]"), &["the answer cannot be read"]),
    case("json-null", JSONS, |_, _| ok(JSON, "null"), &["the answer cannot be read"]),
    case("flips", ALL, flips, &["answers 500"]),
];
