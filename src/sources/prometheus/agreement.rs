//! The shorter way of reading an answer comes to what the longer one does, or leaves the answer to it.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::reply::{decode, decode_any, decode_plain};
use super::wire::plain;

/// What a reading came to, to the last bit: `NaN` is equal to itself here, and `0` is not `-0`.
fn told<T: std::fmt::Debug>(read: T) -> String {
    format!("{read:?}")
}

fn beginning() -> impl Strategy<Value = String> {
    let usual = select(vec![
        r#"{"status":"success","data":{"resultType":"KIND","result":["#,
        r#"{"status":"success","isPartial":false,"data":{"resultType":"KIND","result":["#,
    ]);
    let odd = select(vec![
        r#"{"status":"success","isPartial":true,"data":{"resultType":"KIND","result":["#,
        r#"{"status":"error","data":{"resultType":"KIND","result":["#,
        r#"{"status":"success","data":{"result":["#,
        r#" {"status":"success","data":{"resultType":"KIND","result":["#,
        r#"{"status":"success","data":{"resultType":"KIND","result": ["#,
        r#"{"status":"success","warnings":["x"],"data":{"resultType":"KIND","result":["#,
    ]);
    prop_oneof![12 => usual, 1 => odd].prop_map(str::to_owned)
}

fn end() -> impl Strategy<Value = String> {
    let usual = select(vec![
        "]}}",
        r#"]},"warnings":["store down"],"infos":["x"]}"#,
        r#"],"stats":{"seriesFetched":"3"}}}"#,
        r#"],"analysis":null},"isPartial":true,"trace":{"a":[1,{}]}}"#,
        "]}}\n",
    ]);
    let odd = select(vec![
        "]}",
        "",
        "]}}x",
        r#"],"result":[]}}"#,
        r#"],"resultType":"vector"}}"#,
        r#"]},"data":{}}"#,
        r#"]},"error":"half"}"#,
        r#"]},"status":"success"}"#,
        r#"]},"error":7}"#,
        "]},\"x\":\"\u{1}\"}",
    ]);
    prop_oneof![12 => usual, 1 => odd].prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "é",
        "\\\"",
        "\\\\",
        "\\u00e9",
        "\\u003c\\n",
        "\\ud800",
        "\\x",
        "\u{1}",
        "a\\",
        "\u{202e}",
        "[[",
        "]}",
    ]);
    prop_oneof![60 => "[a-z_]{1,4}", 1 => odd.prop_map(str::to_owned)]
}

fn metric() -> impl Strategy<Value = String> {
    let pair = (text(), text()).prop_map(|(name, value)| format!(r#""{name}":"{value}""#));
    let few = proptest::collection::vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(",")));
    let many = (250..260).prop_map(|count| {
        let pairs: Vec<String> = (0..count).map(|n| format!(r#""a{n}":"x""#)).collect();
        format!("{{{}}}", pairs.join(","))
    });
    prop_oneof![60 => few, 1 => many, 1 => Just("null".to_owned()), 1 => Just("[]".to_owned())]
}

fn time() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "0",
        "00",
        "01.5",
        "-1",
        "-0.5",
        "1.",
        ".5",
        "1e3",
        "1e999",
        "1.5e-3",
        "\"1\"",
        "null",
        "1 ",
        "+1",
        "999999999999",
        "9999999999999",
        "99999999999999999999",
        "9223372036854775.807",
        "9e15",
        "1.0005",
        "1764684131.2045",
        "0.0000000000000000000000000000000001",
        "true",
        "",
    ]);
    prop_oneof![
        300 => (0_u64..3_000_000_000_000).prop_map(|ms| format!("{}", ms as f64 / 1e3)),
        80 => "[1-9][0-9]{0,14}(\\.[0-9]{1,9})?",
        1 => odd.prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "3",
        "null",
        "\"0x1p-2\"",
        "\"1_0\"",
        "\" 1\"",
        "\"1e999\"",
        "\"-0\"",
        "\"\\u0033\"",
        "\"inf\"",
        "\"nan\"",
        "\"infinity\"",
        "\"+1\"",
        "\".5\"",
        "\"5.\"",
        "\".\"",
        "\"00\"",
        "\"\"",
        "{}",
        "1e999",
        "\"4.9e-324\"",
        "\"1.7976931348623157e+308\"",
        "\"NaN\"",
        "\"+Inf\"",
        "\"-Inf\"",
        "\"1e+06\"",
        "\"é\"",
    ]);
    prop_oneof![
        120 => any::<f64>().prop_map(|value| format!("\"{value:?}\"")),
        80 => (any::<u32>(), 1_u32..1000).prop_map(|(a, b)| format!("\"{}\"", f64::from(a) / f64::from(b))),
        40 => "\"-?[0-9]{1,20}(\\.[0-9]{1,22})?(e[+-]?[0-9]{1,2})?\"",
        2 => odd.prop_map(str::to_owned),
    ]
}

fn sample() -> impl Strategy<Value = String> {
    let odd = select(vec!["[]", "[1]", r#"[1,"2",3]"#, "{}", r#"[ 1,"2"]"#, r#"[1, "2"]"#, ""]);
    let usual = (time(), value()).prop_map(|(time, value)| format!("[{time},{value}]"));
    prop_oneof![400 => usual, 1 => odd.prop_map(str::to_owned)]
}

fn series(many: bool) -> impl Strategy<Value = String> {
    let samples = proptest::collection::vec(sample(), usize::from(many)..20);
    let usual = (metric(), samples, sample()).prop_map(move |(metric, all, one)| {
        if many {
            format!(r#"{{"metric":{metric},"values":[{}]}}"#, all.join(","))
        } else {
            format!(r#"{{"metric":{metric},"value":{one}}}"#)
        }
    });
    let odd = select(vec![
        "{}",
        "7",
        r#""x""#,
        r#"{"metric":{}}"#,
        r#"{"metric":{},"values":[]}"#,
        r#"{"metric":{},"values":[[1,"1"]]}"#,
        r#"{"metric":{},"value":[1,"1"]}"#,
        r#"{"metric":{},"value":[1,"1"],"x":[]}"#,
        r#"{"metric":{},"histogram":[1,{"count":"1"}]}"#,
        r#"{"metric":{},"values":[[1,"1"]],"histograms":[[2,{"count":"1"}]]}"#,
        r#"{"value":[1,"1"],"metric":{"a":"b"}}"#,
        r#"{"metric":{},"value":[1,"1"],"value":[1,"1"]}"#,
    ]);
    prop_oneof![40 => usual, 1 => odd.prop_map(str::to_owned)]
}

/// A place in a body, and the byte that is put there instead of another or before it.
fn flaw() -> impl Strategy<Value = Option<(proptest::sample::Index, u8, bool)>> {
    let bytes = b"[]{}\",:0.e- \\\n\0\xff\xc3xN".to_vec();
    proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), select(bytes), any::<bool>()))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let list = |many| proptest::collection::vec(series(many), 0..5).prop_map(|all| all.join(","));
    let kinds = prop_oneof![
        12 => any::<bool>().prop_map(|many| (if many { "matrix" } else { "vector" }, many)),
        1 => (select(vec!["matrix", "vector", "scalar", "streams", ""]), any::<bool>()),
    ];
    let parts = kinds.prop_flat_map(move |(kind, many)| (beginning(), Just(kind), list(many), end(), flaw()));
    parts.prop_map(|(beginning, kind, list, end, flaw)| {
        let mut body = format!("{}{list}{end}", beginning.replace("KIND", kind)).into_bytes();
        if let Some((place, byte, instead)) = flaw {
            let place = place.index(body.len());
            body.splice(place..place + usize::from(instead), [byte]);
        }
        body
    })
}

#[test]
fn the_shorter_way_comes_to_what_the_longer_one_does_or_leaves_it_the_answer() {
    let config = ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() };
    let (short, filled, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |what: &Cell<u32>| what.set(what.get() + 1);
    TestRunner::new(config)
        .run(&body(), |body| {
            let any = decode_any(&body);
            prop_assert_eq!(told(decode(&body)), told(&any));
            if any.is_err() {
                count(&refused);
            }
            if let Some(reply) = plain(&body).and_then(decode_plain) {
                count(&short);
                if !reply.value.is_empty() {
                    count(&filled);
                }
                prop_assert_eq!(told(Ok::<_, ()>(reply)), told(any));
            }
            Ok(())
        })
        .unwrap();
    // All three happen often, or nothing was compared.
    let seen = (short.get(), filled.get(), refused.get());
    assert!(seen.0 > 1000 && seen.1 > 500 && seen.2 > 1000, "{seen:?} of 6000");
}

#[test]
fn what_servers_write_goes_the_shorter_way() {
    let vector = r#"{"metric":{"__name__":"up","job":"a\"b"},"value":[1764684131.204,"1"]}"#;
    let matrix = r#"{"metric":{},"values":[[1764684131,"1.5"],[1764684146.5,"+Inf"]]}"#;
    for (beginning, kind, series, end) in [
        (r#"{"status":"success","#, "vector", vector, "]}}"),
        (r#"{"status":"success","#, "matrix", matrix, r#"]},"warnings":["x"]}"#),
        (
            r#"{"status":"success","isPartial":false,"#,
            "matrix",
            matrix,
            r#"]},"stats":{"seriesFetched":"1"}}"#,
        ),
        (r#"{"status":"success","#, "vector", "", r#"],"analysis":{}}}"#),
    ] {
        let body = format!(r#"{beginning}"data":{{"resultType":"{kind}","result":[{series}{end}"#);
        let reply = plain(body.as_bytes()).and_then(decode_plain);
        let Some(reply) = reply else { panic!("{body} went the longer way") };
        assert_eq!(told(Ok::<_, ()>(reply)), told(decode_any(body.as_bytes())));
    }
}
