//! Scrape sources.

use std::time::Duration;

use gonogo::model::{FaultCode, Labels, SourceKind};

use super::{answer, at, fault, points, scrape_of, shown, source, source_def};
use crate::http::canned::{self, Act, Canned, ok, raw};

const TEXT: &str = "text/plain; version=0.0.4";

fn depth(a: &str, b: &str) -> Vec<Act> {
    ok(TEXT, format!("# TYPE depth gauge\ndepth{{queue=\"a\"}} {a}\ndepth{{queue=\"b\"}} {b}\nother 1\n"))
}

#[tokio::test]
async fn a_number_on_a_socket_becomes_a_point_with_the_moment_it_was_taken() {
    let server = Canned::always(depth("3", "NaN"));
    let mut source =
        source(&scrape_of(&[server.url("/metrics")]), &["max by (queue) (depth)", "up", "time()"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(shown(points(&answer, 0)), [r#"{queue="a"} 3"#, r#"{queue="b"} NaN"#]);
    assert!(points(&answer, 0).iter().all(|p| p.sampled == at(0.0)));
    let up = format!(r#"up{{instance="{}",job="src"}} 1"#, server.instance());
    assert_eq!(shown(points(&answer, 1)), [up]);
    assert_eq!(shown(points(&answer, 2)), [format!("{{}} {}", at(0.0).seconds())]);
    assert_eq!((answer.notes.series_kept, answer.notes.series_sent), (2, 3));
    assert!(answer.signals.iter().all(|s| s.warnings.is_empty()));
    let seen = &server.seen()[0];
    assert!(seen.header("accept").unwrap().starts_with("application/openmetrics-text"));
    assert_eq!(seen.header("x-prometheus-scrape-timeout-seconds"), Some("20"));
}

#[tokio::test]
async fn a_window_is_unknown_until_it_was_seen_and_then_a_rate() {
    let server = Canned::new(|_, n| ok(TEXT, format!("jobs_total {}\n", n * 10)));
    let mut source = source(&scrape_of(&[server.url("/")]), &["rate(jobs_total[1m])"], &[]);
    for second in (0..=40).step_by(5) {
        let answer = answer(&mut source, at(f64::from(second))).await;
        let fault = answer.signals[0].result.as_ref().unwrap_err();
        assert_eq!(
            (fault.code, fault.text.ends_with("of 1m seen")),
            (FaultCode::TooLittleHistory, true),
            "{fault}"
        );
    }
    for second in (45..=120).step_by(5) {
        source.poll(at(f64::from(second))).await;
    }
    let answer = answer(&mut source, at(125.0)).await;
    let [point] = points(&answer, 0) else { panic!("{answer:?}") };
    assert!((point.value - 2.0).abs() < 0.01 && point.sampled == at(125.0), "{point:?}");
}

#[tokio::test]
async fn a_counter_that_begins_anew_is_never_a_negative_rate_nor_a_leap() {
    let server = Canned::new(|_, n| {
        let since_restart = if n < 20 { n } else { n - 20 };
        ok(TEXT, format!("jobs_total {}\n", since_restart * 10))
    });
    let mut source = source(&scrape_of(&[server.url("/")]), &["rate(jobs_total[1m])"], &[]);
    for n in 0..40_u32 {
        let answer = answer(&mut source, at(f64::from(n) * 5.0)).await;
        if n < 14 {
            continue;
        }
        let [point] = points(&answer, 0) else { panic!("{answer:?}") };
        // Two a second; what was counted between the last scrape and the restart is lost.
        let counted = if (20..32).contains(&n) { 1.6..2.01 } else { 1.99..2.01 };
        assert!(counted.contains(&point.value), "at poll {n}: {}", point.value);
    }
}

#[tokio::test]
async fn a_series_that_died_weighs_in_a_window_but_tells_its_age() {
    let server = Canned::new(|_, n| {
        ok(TEXT, if n < 30 { format!("jobs_total {n}\nalive 1\n") } else { "alive 1\n".into() })
    });
    let queries = ["increase(jobs_total[2m])", "jobs_total", "vector(0)", "absent(jobs_total)"];
    let mut source = source(&scrape_of(&[server.url("/")]), &queries, &[]);
    for n in 0..36 {
        source.poll(at(f64::from(n) * 5.0)).await;
    }
    let answer = answer(&mut source, at(180.0)).await;
    let [point] = points(&answer, 0) else { panic!("{answer:?}") };
    // The last sample was taken at 145 s; the search for it may take it for older, never for newer.
    assert!(point.sampled <= at(145.0) && point.sampled >= at(130.0), "{}", point.sampled);
    assert!(points(&answer, 1).is_empty(), "a dead series answers nothing by itself");
    assert_eq!(points(&answer, 2)[0].sampled, at(180.0), "nothing stands behind a constant");
    assert_eq!(points(&answer, 3)[0].sampled, at(180.0), "absence is seen now");
}

#[tokio::test]
async fn a_timestamp_of_the_endpoint_is_the_moment_the_sample_was_taken() {
    let stamped = at(-60.0).millis();
    let server = Canned::always(ok(TEXT, format!("depth 5 {stamped}\n")));
    let mut source = source(&scrape_of(&[server.url("/")]), &["depth"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(points(&answer, 0)[0].sampled, at(-60.0));
}

#[tokio::test]
async fn the_sources_own_labels_win_and_what_clashes_is_exported() {
    let server = Canned::always(ok(TEXT, "depth{job=\"inner\",service=\"x\"} 1\n"));
    let labels = Labels::from_pairs([("service", "worker")]);
    let def = source_def(SourceKind::Scrape { urls: vec![server.url("/")], labels });
    let mut source = source(&def, &[r#"depth{job="src",service="worker",exported_job="inner"}"#], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(points(&answer, 0)[0].labels.get("exported_service"), Some("x"));
}

#[tokio::test]
async fn one_target_of_three_that_fails_is_a_warning_on_every_signal_and_its_series_end() {
    let sick = Canned::new(|_, n| if n == 1 { canned::answer(503, "", "") } else { ok(TEXT, "depth 1\n") });
    let well = [Canned::always(ok(TEXT, "depth 2\n")), Canned::always(ok(TEXT, "depth 3\n"))];
    let urls = [sick.url("/"), well[0].url("/"), well[1].url("/")];
    let mut source = source(&scrape_of(&urls), &["sum(depth)", "sum(up)", "time()"], &[]);
    let value = |a: &gonogo::model::Answer, n| points(a, n)[0].value;
    let first = answer(&mut source, at(0.0)).await;
    assert_eq!((value(&first, 0), value(&first, 1)), (6.0, 3.0));
    let second = answer(&mut source, at(5.0)).await;
    assert_eq!((value(&second, 0), value(&second, 1)), (5.0, 2.0));
    let warning = format!("1 of 3 targets: {} answers 503", sick.instance());
    assert!(second.signals.iter().all(|s| s.warnings == [warning.clone()]), "{second:?}");
    let third = answer(&mut source, at(10.0)).await;
    assert_eq!((value(&third, 0), third.signals[0].warnings.len()), (6.0, 0));
}

#[tokio::test]
async fn whatever_a_target_sends_instead_of_metrics_is_named_and_the_next_poll_is_well() {
    let cut = raw(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 999\r\n\r\ndepth{queue=\"a\"} 99\n",
    );
    let big = format!("depth{{queue=\"a\"}} 99\n{}", "# nothing to see here\n".repeat(1 << 20));
    let html = "<!DOCTYPE html><html><body>depth 4</body></html>";
    let openmetrics = "application/openmetrics-text; version=1.0.0";
    for (acts, code, text) in [
        (ok("text/html; charset=utf-8", html), FaultCode::ContentType, "answers an HTML page, not metrics"),
        (ok(TEXT, html), FaultCode::ContentType, "answers an HTML page, not metrics"),
        (ok("application/json", "{}"), FaultCode::ContentType, "answers application/json, not metrics"),
        (
            ok(TEXT, "Service Unavailable\n"),
            FaultCode::ContentType,
            "answers text without metrics: \"Service Unavailable\"",
        ),
        (ok(TEXT, "OK"), FaultCode::ContentType, "answers text without metrics: \"OK\""),
        (
            ok(TEXT, "error 503\nno healthy upstream\ntry again later\n"),
            FaultCode::ContentType,
            "answers text without metrics: \"no healthy upstream\"",
        ),
        (
            ok(TEXT, "{\"status\":\"error\"}\n"),
            FaultCode::ContentType,
            "answers text without metrics: \"{\\\"status\\\":\\\"error\\\"}\"",
        ),
        (
            ok(TEXT, b"\x1f\x8b\x08\0".as_slice()),
            FaultCode::ContentType,
            "answers gzip without saying so (Content-Encoding), not metrics",
        ),
        (
            canned::answer(200, "Content-Type: text/plain\r\nContent-Encoding: br\r\n", "depth 1\n"),
            FaultCode::ContentType,
            "the body is compressed with br, which was not asked for",
        ),
        (canned::answer(404, "", html), FaultCode::Status, "answers 404"),
        (canned::answer(500, "", ""), FaultCode::Status, "answers 500"),
        (ok(TEXT, ""), FaultCode::CutShort, "an empty answer"),
        (vec![], FaultCode::Unreachable, "connection closed without an answer"),
        (vec![cut.clone()], FaultCode::CutShort, "cut short: the body ends too early"),
        (vec![cut, Act::Reset], FaultCode::CutShort, "cut short: connection reset"),
        (
            ok(TEXT, "depth{queue=\"a\"} 99\ndepth{que"),
            FaultCode::CutShort,
            "cut short: it ends within a line",
        ),
        (ok(openmetrics, "depth{queue=\"a\"} 99\n"), FaultCode::CutShort, "cut short: it has no # EOF"),
        (ok(TEXT, big), FaultCode::TooLarge, "body larger than 16 MiB (max-body)"),
    ] {
        let server = Canned::new(move |_, n| if n == 1 { acts.clone() } else { depth("3", "4") });
        let mut source = source(&scrape_of(&[server.url("/")]), &["depth", "up"], &[]);
        answer(&mut source, at(0.0)).await;
        let told = fault(&mut source, at(5.0)).await;
        assert_eq!((told.code, told.text.as_str()), (code, text));
        let history = source.scrape().unwrap().history();
        let up = gonogo::promql::Expr::parse("up == 0 unless on () depth").unwrap();
        let value = gonogo::promql::instant(&up, history, at(5.0)).unwrap();
        assert!(
            matches!(value, gonogo::promql::Value::Vector(rows) if rows.len() == 1),
            "{text}: up is 0, nothing else is kept"
        );
        let well = answer(&mut source, at(10.0)).await;
        assert_eq!(points(&well, 0)[0].value, 3.0, "{text}");
    }
}

#[tokio::test]
async fn an_unreadable_line_with_a_wanted_name_is_a_warning_until_a_scrape_is_clean() {
    let server = Canned::new(|_, n| match n {
        0 => ok(TEXT, b"depth{queue=\"a\"} 1\ndepth{queue=\"b\"} many\nother many\n\xff\xfe 3\n".as_slice()),
        _ => depth("1", "2"),
    });
    let mut source = source(&scrape_of(&[server.url("/")]), &["depth"], &[]);
    let first = answer(&mut source, at(0.0)).await;
    let [warning] = first.signals[0].warnings.as_slice() else { panic!("{first:?}") };
    assert!(warning.starts_with("2 lines unreadable, first at line 2: "), "{warning}");
    assert_eq!((first.notes.unreadable, points(&first, 0).len()), (2, 1));
    assert!(answer(&mut source, at(5.0)).await.signals[0].warnings.is_empty());
}

#[tokio::test]
async fn more_series_than_may_be_kept_are_left_out_and_said() {
    let body = (0..50).map(|n| format!("depth{{queue=\"{n}\"}} 1")).collect::<Vec<_>>().join("\n");
    let server = Canned::always(ok(TEXT, body));
    let mut def = scrape_of(&[server.url("/")]);
    def.max_series = 20;
    let mut source = source(&def, &["count(depth)", "up"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(answer.signals[0].warnings, ["33 series left out (max-series)"]);
    assert_eq!((points(&answer, 0)[0].value, points(&answer, 1)[0].value), (17.0, 1.0));
    assert_eq!(answer.notes.series_cut, 33);
}

#[tokio::test]
async fn a_target_that_hangs_ends_with_the_time_out_whatever_the_others_do() {
    let hung = Canned::always(vec![Act::Hang]);
    let well = Canned::always(depth("1", "2"));
    let mut def = scrape_of(&[hung.url("/"), well.url("/")]);
    def.timeout = Duration::from_millis(300);
    let mut source = source(&def, &["depth"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(
        answer.signals[0].warnings,
        [format!("1 of 2 targets: {} no answer in 300ms", hung.instance())]
    );
    assert_eq!(points(&answer, 0).len(), 2);
}

#[tokio::test]
async fn an_expression_that_cannot_be_evaluated_here_is_refused_by_name() {
    let signals = [super::signal("p99", "histogram_quantiles(depth)")];
    let def = scrape_of(&["http://127.0.0.1:1/".into()]);
    let client = gonogo::http::Client::new(gonogo::http::Options::default());
    let fault = gonogo::sources::Source::new(&def, &signals, &[], client).err().unwrap();
    assert!(fault.text.starts_with("signal p99: "), "{fault}");
}

#[tokio::test]
async fn a_text_that_holds_metrics_but_none_that_is_wanted_is_no_error_page() {
    for body in [
        "up_since 1\nother{a=\"b\"} 2\n",
        "# HELP depth x\n# TYPE depth gauge\n",
        "other 1\nodd x\n",
        "a 1\nb 2\nc oops\n",
    ] {
        let server = Canned::always(ok(TEXT, body));
        let mut source = source(&scrape_of(&[server.url("/")]), &["depth"], &[]);
        let answer = answer(&mut source, at(0.0)).await;
        assert!(points(&answer, 0).is_empty() && answer.signals[0].warnings.is_empty(), "{body}");
    }
}

#[tokio::test]
async fn a_gzip_body_is_decoded_though_nobody_asked_for_it_on_loopback() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, b"depth 7\n").unwrap();
    let whole = encoder.finish().unwrap();
    let head = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
    let cut = whole[..whole.len() - 3].to_vec();
    let body = whole.clone();
    let server =
        Canned::new(move |_, n| canned::answer(200, head, if n == 1 { cut.clone() } else { body.clone() }));
    let mut source = source(&scrape_of(&[server.url("/")]), &["depth"], &[]);
    assert_eq!(points(&answer(&mut source, at(0.0)).await, 0)[0].value, 7.0);
    let told = fault(&mut source, at(5.0)).await;
    assert_eq!(
        (told.code, told.text.as_str()),
        (FaultCode::CutShort, "cut short: the compressed body is not whole")
    );
    let seen = server.seen();
    assert_eq!(seen[0].header("accept-encoding"), Some("identity"));
    assert_eq!(
        seen[0].header("accept"),
        Some(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        )
    );
}

#[tokio::test]
async fn another_character_set_is_named_beside_the_lines_that_are_no_utf_8() {
    let body = b"depth{queue=\"gr\xfcn\"} 1\ndepth 2\n".as_slice();
    let server = Canned::always(ok("text/plain; charset=iso-8859-1", body));
    let mut source = source(&scrape_of(&[server.url("/")]), &["depth"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    let [warning] = answer.signals[0].warnings.as_slice() else { panic!("{answer:?}") };
    assert!(warning.ends_with("(the answer claims iso-8859-1)"), "{warning}");
}

#[tokio::test]
async fn series_that_the_matchers_do_not_pick_cost_no_place_and_duplicates_are_left_out() {
    let lines: Vec<String> = (0..500).map(|n| format!("depth{{queue=\"{n}\"}} {n}\n")).collect();
    let server = Canned::always(ok(TEXT, lines.concat() + "depth{queue=\"7\"} 99\n"));
    let mut def = scrape_of(&[server.url("/")]);
    def.max_series = 20;
    let mut source = source(&def, &["depth{queue=~\"7|8\"}"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    let values: Vec<f64> = points(&answer, 0).iter().map(|p| p.value).collect();
    assert_eq!((values, answer.notes.series_cut), (vec![7.0, 8.0], 0));
}

#[tokio::test]
async fn a_line_over_max_line_makes_its_signals_unknown_and_names_the_setting() {
    let server = Canned::always(ok(TEXT, format!("depth{{a=\"{}\"}} 1\ndepth 2\n", "x".repeat(5000))));
    let mut def = scrape_of(&[server.url("/")]);
    def.max_line = 4096;
    let mut source = source(&def, &["depth"], &[]);
    let answer = answer(&mut source, at(0.0)).await;
    assert_eq!(
        answer.signals[0].warnings,
        ["1 line unreadable, first at line 1: the line is longer than 4 KiB (max-line)"]
    );
}

#[tokio::test]
async fn a_poll_that_hangs_is_told_of_when_it_begins_and_holds_up_no_other_source() {
    let hung = Canned::always(vec![Act::Hang]);
    let well = Canned::always(depth("1", "2"));
    let mut sources = vec![scrape_of(&[hung.url("/")])];
    sources[0].id = "hung".into();
    for n in 0..10 {
        let mut def = scrape_of(&[well.url("/")]);
        def.id = format!("well{n}").as_str().into();
        sources.push(def);
    }
    let launch = std::sync::Arc::new(gonogo::model::Launch { sources, ..Default::default() });
    let (room, mut messages) = tokio::sync::mpsc::channel(64);
    let clock = gonogo::runtime::Clock::wall();
    let _polls = gonogo::runtime::Feed::Polling(None).start(&launch, &clock, room).unwrap();
    let mut watch = gonogo::engine::Watch::new(&launch, []);
    let answered =
        |watch: &gonogo::engine::Watch| watch.sources.iter().filter(|s| s.last_good.is_some()).count();
    while answered(&watch) < 10 || watch.sources[0].asking.is_none() {
        match messages.recv().await.unwrap() {
            gonogo::app::Msg::Asked(id, at) => watch.asked(&id, at),
            gonogo::app::Msg::Polled(poll) => {
                assert_ne!(poll.source.as_str(), "hung", "its time-out has not come");
                watch.observe(&poll);
            }
            _ => {}
        }
    }
    let hung = &watch.sources[0];
    let asked = hung.asking.unwrap();
    assert_eq!(hung.waiting(asked), None, "not yet worth a word");
    assert_eq!(hung.waiting(asked.after(Duration::from_secs(2))), Some(Duration::from_secs(2)));
}
