use std::time::Duration;

use super::*;

fn parse(text: &str) -> Expr {
    Expr::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

#[test]
fn a_filter_wants_what_the_expressions_select_and_nothing_else() {
    let exprs = [
        parse("sum by (queue) (rate(jobs_total{outcome=\"failure\"}[5m])) / on (queue) depth{state!=\"\"}"),
        parse("absent({__name__=~\"http_.*\",code=~\"5..\"}) + time()"),
    ];
    let filter = Filter::of(&exprs);
    for (name, wanted) in [
        ("jobs_total", true),
        ("depth", true),
        ("http_requests", true),
        ("jobs", false),
        ("time", false),
        ("https", false),
        ("jobs_totals", false),
        ("", false),
    ] {
        assert_eq!(filter.wants_name(name.as_bytes()), wanted, "{name}");
    }
    for (series, wanted) in [
        (labels(&[("__name__", "jobs_total"), ("outcome", "failure")]), true),
        (labels(&[("__name__", "jobs_total"), ("outcome", "success")]), false),
        (labels(&[("__name__", "depth"), ("state", "waiting")]), true),
        (labels(&[("__name__", "depth")]), false),
        (labels(&[("__name__", "http_a"), ("code", "503")]), true),
        (labels(&[("__name__", "http_a"), ("code", "200")]), false),
    ] {
        assert_eq!(filter.wants(&series), wanted, "{series}");
    }
    assert!(filter.wants_name(b"http_\xff"), "a name that is no text has to be judged");
}

#[test]
fn a_selector_without_a_name_wants_every_name_and_no_expression_none() {
    let nameless = Filter::of(&[parse("{job=\"api\"}")]);
    assert!(nameless.wants_name(b"anything") && !nameless.wants(&labels(&[("job", "web")])));
    let none = Filter::of(&[parse("vector(1)")]);
    assert!(!none.wants_name(b"up") && !none.wants(&Labels::none()));
    let all = Filter::everything();
    assert!(all.wants_name(b"up") && all.wants(&Labels::none()));
    let unlike = Filter::of(&[parse("{__name__!=\"up\",job=\"a\"}")]);
    assert!(!unlike.wants_name(b"up") && unlike.wants_name(b"down"));
}

#[test]
fn freshness_asks_for_the_samples_behind_each_selector_once() {
    for (text, labels, asked) in [
        (
            "max by (queue) (depth{state=\"waiting\"})",
            &["queue"][..],
            &["min by (queue) (timestamp(depth{state=\"waiting\"}))"][..],
        ),
        (
            "rate(a[5m] offset 1h) / rate(a[1h] @ 5) + {__name__=~\"b|c\",x!~\"y\"}",
            &["__name__", "x", "a.b"],
            &[
                "min by (x, \"a.b\") (timestamp(a))",
                "min by (x, \"a.b\") (timestamp({__name__=~\"b|c\",x!~\"y\"}))",
            ],
        ),
        (
            "sum({\"my.metric\",path=\"C:\\\\x\\\"y\\n\"})",
            &[],
            &["min by () (timestamp({__name__=\"my.metric\",path=\"C:\\\\x\\\"y\\n\"}))"],
        ),
        ("ns:rule{a='b'}", &["a"], &["min by (a) (timestamp(ns:rule{a=\"b\"}))"]),
        ("time() - vector(1)", &["a"], &[]),
    ] {
        let fresh = parse(text).freshness(labels);
        assert_eq!(fresh, asked, "{text}");
        for again in &fresh {
            assert!(parse(again).check_local().is_ok(), "{again}");
        }
    }
}

#[test]
fn a_window_is_the_longest_chain_of_range_subquery_and_offset() {
    for (text, seconds) in [
        ("up", 0),
        ("time()", 0),
        ("rate(a[5m])", 300),
        ("a offset 10m", 600),
        ("a offset -10m", 0),
        ("rate(a[5m] offset 1h) + rate(a[30m])", 3900),
        ("max_over_time(rate(a[5m])[1h:1m] offset 2m)", 4020),
        ("topk(scalar(count_over_time(a[7m])), b)", 420),
        ("predict_linear(a[6h], 60) < 0 or sum by (x) (rate(a[1h]))", 21_600),
    ] {
        assert_eq!(parse(text).window(), Duration::from_secs(seconds), "{text}");
    }
}

#[test]
fn what_only_a_server_evaluates_is_named_with_its_place() {
    for (text, blamed) in [
        ("1 + histogram_sum(rate(a[5m]))", "histogram_sum"),
        ("sum(info(a)) + mad_over_time(a[5m])", "info"),
        ("limitk by (a) (3, b)", "limitk"),
        ("sort_by_label(a, \"b\")", "sort_by_label"),
        ("rate(double_exponential_smoothing(a[5m], 0.5, 0.5)[5m:])", "double_exponential_smoothing"),
    ] {
        let expr = parse(text);
        let error = expr.check_local().unwrap_err();
        assert_eq!(&text[error.offset..error.offset + error.len], blamed, "{text}");
        assert!(error.text.contains(blamed) && error.text.contains("Prometheus"), "{}", error.text);
        let history = History::new(Limits { keep: Duration::ZERO, max_series: 1 });
        assert!(matches!(instant(&expr, &history, Time::from_millis(0)), Err(EvalError::Failed(_))));
    }
    assert!(parse("histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))").check_local().is_ok());
}

#[test]
fn no_text_however_long_or_deep_overflows_the_stack() {
    let history = History::new(Limits { keep: Duration::ZERO, max_series: 1 });
    let deepest = |open: &str, close: &str| {
        let taken = (1..5000)
            .take_while(|n| Expr::parse(&format!("{}1{}", open.repeat(*n), close.repeat(*n))).is_ok());
        let n = taken.last().unwrap();
        let expr = parse(&format!("{}1{}", open.repeat(n), close.repeat(n)));
        assert!(instant(&expr, &history, Time::from_millis(0)).is_ok());
        expr.clone().freshness(&[]);
        n
    };
    assert_eq!(deepest("(", ")"), 64);
    assert_eq!(deepest("-", ""), 250);
    assert_eq!(deepest("1 + ", ""), 250);
    assert_eq!(deepest("1 ^ ", ""), 250);
    assert_eq!(deepest("vector(1) + (", ")"), 64);
    assert_eq!(deepest("-(1 + ", ")"), 64);
    for huge in ["(".repeat(50_000), "-".repeat(50_000), "a".repeat(50_000), "é".repeat(5_000)] {
        assert!(Expr::parse(&huge).unwrap_err().text.contains("KiB"));
    }
}

#[test]
fn no_expression_however_small_keeps_the_program_busy() {
    let mut history = History::capture(Limits { keep: Duration::MAX, max_series: 10 });
    history.push(&labels(&[("__name__", "a")]), Time::from_millis(0), 1.0);
    let endless = parse("sum_over_time(vector(time())[100y:1ms])");
    let error = instant(&endless, &history, Time::from_millis(5_000)).unwrap_err();
    assert!(error.to_string().contains("too many samples"), "{error}");
    let doubled = (0..60)
        .fold(String::from("a"), |inner, _| format!("label_join({inner}, \"x\", \"-\", \"x\", \"x\")"));
    let error = instant(&parse(&doubled), &history, Time::from_millis(0)).unwrap_err();
    assert!(error.to_string().contains("more than a megabyte"), "{error}");
    let step = Duration::from_millis(1);
    let error =
        range(&parse("a"), &history, Time::from_millis(0), Time::from_millis(20_000), step).unwrap_err();
    assert!(error.to_string().contains("11000 points"), "{error}");
    assert!(range(&parse("a"), &history, Time::MIN, Time::from_millis(0), step).is_err());
}
