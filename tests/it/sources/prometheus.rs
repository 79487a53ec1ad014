//! Sources that are Prometheus servers, canned.

use std::time::Duration;

use gonogo::model::{FaultCode, SourceDef, SourceKind};

use super::{answer, at, fault, points, shown, source, source_def};
use crate::http::canned::{self, Act, Canned, Seen, ok};

const JSON: &str = "application/json";

fn def(server: &Canned) -> SourceDef {
    source_def(SourceKind::Prometheus { url: server.url("/prefix/"), alerts: false })
}

/// The query of a request, decoded enough for comparison.
fn query(seen: &Seen) -> String {
    let form =
        if seen.body.is_empty() { seen.path().split_once('?').map_or("", |(_, q)| q) } else { &seen.body };
    let value =
        form.split('&').find_map(|pair| pair.strip_prefix("query=")).unwrap_or_default().replace('+', " ");
    let mut out = Vec::new();
    let mut bytes = value.bytes();
    while let Some(b) = bytes.next() {
        let digit = |b: Option<u8>| char::from(b.unwrap()).to_digit(16).unwrap() as u8;
        out.push(if b == b'%' { digit(bytes.next()) << 4 | digit(bytes.next()) } else { b });
    }
    String::from_utf8(out).unwrap()
}

fn success(result_type: &str, result: &str) -> Vec<Act> {
    ok(JSON, format!(r#"{{"status":"success","data":{{"resultType":"{result_type}","result":{result}}}}}"#))
}

/// A server whose clock is 100 s ahead: depth of queue a, taken 7 s before it was asked.
fn ahead(seen: &Seen) -> Vec<Act> {
    let now = at(100.0).seconds();
    if seen.path().ends_with("/status/buildinfo") {
        return ok(JSON, r#"{"status":"success","data":{"version":"2.42.0","revision":"x"}}"#);
    }
    match (seen.path().rsplit('/').next().unwrap(), query(seen)) {
        ("query_range", _) => success(
            "matrix",
            &format!(r#"[{{"metric":{{"queue":"a"}},"values":[[{now},"5"],[{now},"+Inf"]]}}]"#),
        ),
        (_, q) if q.contains("timestamp") => {
            success("vector", &format!(r#"[{{"metric":{{"queue":"a"}},"value":[{now},"{}"]}}]"#, now - 7.0))
        }
        _ => success("vector", &format!(r#"[{{"metric":{{"queue":"a"}},"value":[{now},"3"]}}]"#)),
    }
}

#[tokio::test]
async fn the_age_of_a_sample_is_told_by_the_servers_clock_and_not_by_ours() {
    let server = Canned::new(|seen, _| ahead(seen));
    let mut source = source(&def(&server), &["max by (queue) (depth)"], &[]);
    let first = answer(&mut source, at(0.0)).await;
    assert_eq!(shown(points(&first, 0)), [r#"{queue="a"} 3"#]);
    assert_eq!(points(&first, 0)[0].sampled, at(-7.0));
    let offset = first.notes.clock_offset.unwrap();
    assert!((98.0..=100.0).contains(&offset), "{offset}");
    let [(labels, samples)] = first.signals[0].history.as_slice() else { panic!("{first:?}") };
    assert_eq!((labels.get("queue"), samples.len(), samples[1].1), (Some("a"), 2, f64::INFINITY));
    assert!(samples[0].0 <= at(2.0), "history is told by our clock");

    let asked = server.seen();
    assert_eq!(asked[0].path(), "/prefix/api/v1/query");
    assert!(
        asked.iter().all(|seen| {
            let aside = seen.path().ends_with("/status/buildinfo");
            aside || seen.head.starts_with("POST") && !seen.body.contains("&time=")
        }),
        "{asked:?}"
    );
    assert_eq!(first.notes.engine.as_deref(), Some("Prometheus 2.42.0"));
    let second = answer(&mut source, at(5.0)).await;
    assert_eq!(second.notes.engine.as_deref(), Some("Prometheus 2.42.0"), "asked once, told always");
    assert!(second.signals[0].history.is_empty(), "history is sent once");
    // Value and age, in one go now that the labels are known.
    assert_eq!(server.seen().len(), asked.len() + 2);
}

#[tokio::test]
async fn scalars_strings_infinities_and_missing_fields_are_read_for_what_they_are() {
    let server = Canned::new(|seen, _| match query(seen).as_str() {
        "1" => success("scalar", r#"[1764684000.5,"1"]"#),
        "\"x\"" => success("string", r#"[1764684000,"x"]"#),
        "m[5m]" => success("matrix", "[]"),
        "none" => {
            ok(JSON, r#"{"status":"success","isPartial":false,"data":{"result":null,"resultType":"vector"}}"#)
        }
        "hist" => success("vector", r#"[{"metric":{},"histogram":[1764684000,{"count":"1"}]}]"#),
        q if q.contains("timestamp") => success("vector", "[]"),
        // Result before its type, a value as a bare number, no labels at all.
        _ => ok(
            JSON,
            r#"{"data":{"result":[{"value":[1764684000,-0.5]},{"metric":{"a":"-"},"value":[1764684000.123,"-Inf"]},{"metric":{"a":"n"},"value":[1764684000,"NaN"]}],"resultType":"vector"},"status":"success"}"#,
        ),
    });
    let mut source = source(&def(&server), &["1", "\"x\"", "m[5m]", "none", "hist", "up"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(shown(points(&answer, 0)), ["{} 1"]);
    for (place, text) in [(1, "a string is no number"), (2, "a range of samples is no single value")] {
        assert_eq!(answer.signals[place].result.as_ref().unwrap_err().text, text);
    }
    assert!(points(&answer, 3).is_empty() && points(&answer, 4).is_empty());
    assert_eq!(answer.signals[4].warnings, ["1 native histograms left out: they are no numbers"]);
    assert_eq!(shown(points(&answer, 5)), ["{} -0.5", r#"{a="-"} -inf"#, r#"{a="n"} NaN"#]);
}

#[tokio::test]
async fn a_refused_query_is_told_in_the_servers_words_and_leaves_the_others_alone() {
    let refused =
        r#"{"status":"error","errorType":"execution","error":"found duplicate series for the match group"}"#;
    let server = Canned::new(move |seen, _| match query(seen) {
        q if q.contains("bad") => canned::answer(422, "Content-Type: application/json\r\n", refused),
        _ => ahead(seen),
    });
    let mut source = source(&def(&server), &["bad", "max by (queue) (depth)"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    let fault = answer.signals[0].result.as_ref().unwrap_err();
    assert_eq!(
        (fault.code, fault.text.as_str()),
        (FaultCode::Query, "found duplicate series for the match group")
    );
    assert_eq!(points(&answer, 1).len(), 1);
}

#[tokio::test]
async fn warnings_of_the_server_are_warnings_and_its_infos_are_not() {
    let server = Canned::new(|_, _| {
        ok(
            JSON,
            r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store \u001b[31m down"],"infos":["metric might not be a counter"]}"#,
        )
    });
    let mut source = source(&def(&server), &["up"], &[]);
    assert_eq!(answer(&mut source, at(0.0)).await.signals[0].warnings, ["store \\u{1b}[31m down"]);
}

#[tokio::test]
async fn a_server_that_answers_no_signal_fails_the_poll_and_is_well_at_the_next() {
    let busy =
        r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    for (acts, code, text) in [
        (
            canned::answer(503, "Retry-After: 9\r\n", busy),
            FaultCode::TimedOut,
            "answers 503: query timed out in expression evaluation",
        ),
        (
            canned::answer(502, "Content-Type: text/html\r\n", "<html>bad gateway</html>"),
            FaultCode::Status,
            "answers 502",
        ),
        (
            canned::answer(500, "", "too many outstanding requests\n"),
            FaultCode::Status,
            "answers 500: too many outstanding requests",
        ),
        (canned::answer(401, "", ""), FaultCode::SignInNeeded, "sign-in needed: no credential is configured"),
        (
            canned::answer(429, "Retry-After: 9\r\n", ""),
            FaultCode::RateLimited,
            "asked too often, again in 9s",
        ),
        (
            canned::answer(404, "", "404 page not found\n"),
            FaultCode::Status,
            "answers 404: 404 page not found",
        ),
        (ok("text/html", "<html>sign in</html>"), FaultCode::ContentType, "answers an HTML page, not JSON"),
        (ok(JSON, "<html>sign in</html>"), FaultCode::ContentType, "answers an HTML page, not JSON"),
        (ok(JSON, ""), FaultCode::CutShort, "an empty answer"),
        (
            ok(JSON, r#"{"status":"success","data":{"resu"#),
            FaultCode::CutShort,
            "the JSON of the answer ends too early",
        ),
        (
            ok(JSON, r#"{"hello":"world"}"#),
            FaultCode::Unreadable,
            "the answer cannot be read: it holds no data",
        ),
        (vec![Act::Reset], FaultCode::Unreachable, "connection reset"),
        (vec![Act::Hang], FaultCode::TimedOut, "no answer in 400ms"),
    ] {
        let waits = matches!(code, FaultCode::RateLimited) || text.starts_with("answers 503");
        let server = Canned::new(move |seen, n| if n == 0 { acts.clone() } else { ahead(seen) });
        let mut def = def(&server);
        def.timeout = if text.starts_with("no answer") { Duration::from_millis(400) } else { def.timeout };
        let mut source = source(&def, &["max by (queue) (depth)"], &[]);
        let told = fault(&mut source, at(0.0)).await;
        assert_eq!((told.code, told.text.as_str()), (code, text));
        assert_eq!(told.retry_after, waits.then_some(Duration::from_secs(9)), "{text}");
        let well = answer(&mut source, at(5.0)).await;
        assert_eq!((points(&well, 0).len(), well.signals[0].history.len()), (1, 1), "{text}");
    }
}

#[tokio::test]
async fn one_slow_query_is_late_alone() {
    let server = Canned::new(|seen, _| if query(seen) == "slow" { vec![Act::Hang] } else { ahead(seen) });
    let mut def = def(&server);
    def.timeout = Duration::from_millis(600);
    let mut source = source(&def, &["slow", "max by (queue) (depth)"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(answer.signals[0].result.as_ref().unwrap_err().code, FaultCode::TimedOut);
    assert_eq!(points(&answer, 1).len(), 1);
}

#[tokio::test]
async fn a_large_answer_that_drips_does_not_keep_the_others_large_answers_from_coming() {
    const LARGE: usize = 300_000;
    let dripping = Canned::new(|_, _| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n";
        vec![canned::raw(head), Act::Send(vec![b' '; LARGE]), Act::Drip(vec![b' '; 60])]
    });
    let sound = Canned::new(|seen, _| {
        let now = at(100.0).seconds();
        let row = format!(r#"[{{"metric":{{}},"value":[{now},"3"]}}]"#);
        if query(seen) == "depth" { success("vector", &(row + &" ".repeat(LARGE))) } else { ahead(seen) }
    });
    let (mut slow, mut well) =
        (source(&def(&dripping), &["depth"], &[]), source(&def(&sound), &["depth"], &[]));
    let (slow, well) = tokio::join!(fault(&mut slow, at(0.0)), async {
        while dripping.sent() < LARGE as u64 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answer(&mut well, at(0.0)).await
    });
    assert_eq!(points(&well, 0).len(), 1);
    assert_eq!(slow.code, FaultCode::TimedOut);
    assert!(slow.text.contains("so slowly that others could not wait"), "{slow:?}");
}

#[tokio::test]
async fn a_server_that_takes_questions_only_by_get_is_asked_by_get() {
    let server =
        Canned::new(
            |seen, _| if seen.head.starts_with("POST") { canned::answer(405, "", "") } else { ahead(seen) },
        );
    let mut source = source(&def(&server), &["max by (queue) (depth)"], &[]);
    for n in 0..2 {
        assert_eq!(points(&answer(&mut source, at(f64::from(n) * 5.0)).await, 0).len(), 1);
    }
    assert_eq!(server.seen().iter().filter(|seen| seen.head.starts_with("POST")).count(), 1);
}

/// Four signals of the shipped config that look at the same series, and one that looks at others.
const ALIKE: [&str; 4] = [
    "sum by (queue) (rate(a[5m])) / sum by (queue) (rate(b[5m]))",
    "sum by (queue) (rate(a[1h])) / sum by (queue) (rate(b[1h]))",
    "sum by (queue) (rate(a[6h])) / sum by (queue) (rate(b[6h]))",
    "sum by (queue) (up) / count by (queue) (up)",
];

/// Ages of several questions in one answer, as a server evaluates them.
fn marked(seen: &Seen) -> Vec<Act> {
    let asked = query(seen);
    if !asked.contains("gonogo_question") {
        return ahead(seen);
    }
    let now = at(100.0).seconds();
    let rows: Vec<String> = (0..asked.matches("label_replace(").count())
        .map(|n| {
            let taken = now - 7.0 - n as f64;
            format!(r#"{{"metric":{{"queue":"a","gonogo_question":"{n}"}},"value":[{now},"{taken}"]}}"#)
        })
        .collect();
    success("vector", &format!("[{}]", rows.join(",")))
}

#[tokio::test]
async fn the_ages_of_all_signals_are_asked_in_one_request() {
    let server = Canned::new(|seen, _| marked(seen));
    let mut source = source(&def(&server), &ALIKE, &[]);
    answer(&mut source, at(0.0)).await;
    let before = server.seen().len();
    let told = answer(&mut source, at(5.0)).await;
    assert_eq!(server.seen().len() - before, ALIKE.len() + 1);
    // Of two selectors, the older sample counts: a and b are questions 0 and 1, up is the third.
    for place in 0..4 {
        assert_eq!(points(&told, place)[0].sampled, at(5.0 - if place < 3 { 8.0 } else { 9.0 }), "{place}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_joined_questions_is_asked_one_by_one_from_then_on() {
    let server = Canned::new(|seen, _| {
        if query(seen).contains("gonogo_question") {
            return canned::answer(422, "", r#"{"status":"error","errorType":"422","error":"no or here"}"#);
        }
        ahead(seen)
    });
    let mut source = source(&def(&server), &ALIKE, &[]);
    for n in 0..3 {
        let told = answer(&mut source, at(f64::from(n) * 5.0)).await;
        assert!(
            (0..4).all(|place| points(&told, place)[0].sampled == at(f64::from(n) * 5.0 - 7.0)),
            "{told:?}"
        );
    }
    let refused = server.seen().iter().filter(|seen| query(seen).contains("gonogo_question")).count();
    assert!((1..=4).contains(&refused), "{refused} tries, all of the first poll");
}

#[tokio::test]
async fn ages_that_may_be_incomplete_and_rows_that_come_twice_make_a_signal_unknown() {
    let server = Canned::new(|seen, _| {
        let asked = query(seen);
        let now = at(100.0).seconds();
        if asked.contains("timestamp") {
            let body = r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store down"]}"#;
            return ok(JSON, body);
        }
        let row = format!(r#"{{"metric":{{"queue":"a"}},"value":[{now},"1"]}}"#);
        success("vector", &if asked == "twice" { format!("[{row},{row}]") } else { format!("[{row}]") })
    });
    let mut source = source(&def(&server), &["max by (queue) (depth)", "twice"], &[]);
    // By its own clock: a server that says no `Date` is doubted where it evaluates at another time.
    let told = answer(&mut source, at(100.0)).await;
    assert_eq!(told.signals[0].warnings, ["store down"]);
    let fault = told.signals[1].result.as_ref().unwrap_err();
    assert_eq!(fault.text, r#"the answer cannot be read: two values for {queue="a"}"#);
}

#[tokio::test]
async fn the_words_of_gateways_are_told_and_those_of_pages_are_not() {
    for (status, body, text) in [
        (403, r#"{"message":"no tenant"}"#, "forbidden: no tenant"),
        (502, r#"{"error":{"message":"upstream is gone"}}"#, "answers 502: upstream is gone"),
        (500, "internal error: org id is needed\n", "answers 500: internal error: org id is needed"),
        (504, "<html><h1>504</h1></html>", "answers 504"),
        (
            429,
            r#"{"status":"error","errorType":"too_many_requests","error":"limit of 5"}"#,
            "asked too often: limit of 5",
        ),
    ] {
        let server = Canned::new(move |_, _| canned::answer(status, "", body));
        let told = fault(&mut source(&def(&server), &["up"], &[]), at(0.0)).await;
        assert_eq!(told.text, text);
    }
}

#[tokio::test]
async fn why_nothing_is_told_is_asked_once_and_again_when_it_changes() {
    let server = Canned::new(|seen, n| {
        let asked = query(seen);
        let now = at(100.0).seconds();
        let row = |mark: &str, value: f64| {
            format!(r#"[{{"metric":{{"gonogo_question":"{mark}"}},"value":[{now},"{value}"]}}]"#)
        };
        match asked.as_str() {
            // Of the selector: its count, its last sample, the count of its metric.
            q if q.contains("count(") && n < 8 => success("vector", &row("1", now - 720.0)),
            q if q.contains("count(") => success("vector", &row("0", 3.0)),
            q if q.contains("timestamp") && n >= 8 => {
                success("vector", &format!(r#"[{{"metric":{{}},"value":[{now},"{now}"]}}]"#))
            }
            _ => success("vector", "[]"),
        }
    });
    let mut source = source(&def(&server), &["depth{q=\"a\"} > 5"], &[]);
    let explained =
        |server: &Canned| server.seen().iter().filter(|seen| query(seen).contains("count(")).count();
    let why = |told: &gonogo::model::Answer| told.notes.absences[0].1.clone();
    let first = answer(&mut source, at(0.0)).await;
    assert_eq!(why(&first), format!("depth{{q=\"a\"}} died, last seen at {}", at(-720.0).clock()));
    let mut told = answer(&mut source, at(5.0)).await;
    assert_eq!((why(&told), explained(&server)), (why(&first), 1));
    for n in 2..6 {
        told = answer(&mut source, at(f64::from(n) * 5.0)).await;
    }
    assert_eq!(why(&told), "series are there, the expression leaves none of them");
    assert_eq!(explained(&server), 2);
}
