//! What speaks the Prometheus API, and what only looks like it.
//!
//! The answers of Thanos, Mimir and newer `VictoriaMetrics` are fixtures, written after their
//! documentation and issues; they show that such an answer is read, not that the engine sends it. A
//! real Prometheus and a real `VictoriaMetrics` are asked in `real` and `victoria`.

use gonogo::model::FaultCode;
use gonogo::sources::prometheus::{Value, decode};

fn refused(body: &str) -> (FaultCode, String) {
    let fault = decode(body.as_bytes()).unwrap_err();
    (fault.code, fault.text)
}

fn vector(result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#)
}

/// The value of the only row.
fn value(text: &str) -> Result<f64, String> {
    match decode(vector(&format!(r#"[{{"metric":{{}},"value":[1764684000.5,{text}]}}]"#)).as_bytes()) {
        Ok(reply) => {
            let Value::Vector(rows) = reply.value else { panic!("{:?}", reply.value) };
            let [(_, at, value)] = rows.as_slice() else { panic!("{rows:?}") };
            assert_eq!(at.millis(), 1_764_684_000_500);
            Ok(*value)
        }
        Err(fault) => Err(fault.text),
    }
}

#[test]
fn a_recorded_answer_of_each_engine_is_read_with_its_doubts() {
    for (engine, body, rows, warnings, infos) in [
        (
            "Prometheus 3, a rate of what may be no counter",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1764684131.204,"0.2"]}]},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]}"#,
            1,
            vec![],
            1,
        ),
        (
            "Thanos with a store down, and its analysis",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"cluster":"eu","replica":"0"},"value":[1764684131.204,"3"]}],"analysis":{"name":"x","children":[]}},"warnings":["No StoreAPIs matched for this query","receive series from Addr: thanos-store:10901 LabelSets: {} : rpc error: code = Unavailable"]}"#,
            1,
            vec![
                "No StoreAPIs matched for this query",
                "receive series from Addr: thanos-store:10901 LabelSets: {} : rpc error: code = Unavailable",
            ],
            0,
        ),
        (
            "VictoriaMetrics, whole",
            r#"{"status":"success","isPartial":false,"data":{"resultType":"vector","result":[{"metric":{},"value":[1764684131,"5"]}]},"stats":{"seriesFetched":"146","executionTimeMsec":4},"trace":{"duration_msec":0.1,"message":"x","children":[{"message":"y"}]}}"#,
            1,
            vec![],
            0,
        ),
        (
            "a VictoriaMetrics cluster that lacks a storage node",
            r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]},"stats":{"seriesFetched":"0"}}"#,
            0,
            vec!["the server says that its answer is partial"],
            0,
        ),
        (
            "Mimir, which may say null for nothing",
            r#"{"status":"success","data":{"resultType":"vector","result":null},"warnings":null,"infos":[]}"#,
            0,
            vec![],
            0,
        ),
    ] {
        let reply = decode(body.as_bytes()).unwrap_or_else(|fault| panic!("{engine}: {fault}"));
        let Value::Vector(found) = reply.value else { panic!("{engine}") };
        assert_eq!((found.len(), reply.infos.len()), (rows, infos), "{engine}");
        assert_eq!(reply.warnings, warnings, "{engine}");
    }
}

#[test]
fn every_form_in_which_go_prints_a_float_is_that_number_and_nothing_else_is_one() {
    for (text, number) in [
        (r#""3""#, 3.0),
        (r#""-0""#, -0.0),
        (r#""1e+06""#, 1e6),
        (r#""4.9e-324""#, 5e-324),
        (r#""1.7976931348623157e+308""#, f64::MAX),
        (r#""+Inf""#, f64::INFINITY),
        (r#""-Inf""#, f64::NEG_INFINITY),
        (r#""\u0033""#, 3.0),
        ("3", 3.0),
        ("-2.5e1", -25.0),
    ] {
        assert_eq!(value(text).map(f64::to_bits), Ok(number.to_bits()), "{text}");
    }
    assert!(value(r#""NaN""#).unwrap().is_nan());
    for text in [
        r#""""#,
        r#"" 3""#,
        r#""3 ""#,
        r#""1,5""#,
        r#""0x1p-2""#,
        r#""1_000""#,
        r#""1e999""#,
        r#""three""#,
        "null",
        "true",
        "{}",
        "[3]",
        "1e999",
        r#""3","4""#,
    ] {
        let told = value(text).unwrap_err();
        assert!(told.starts_with("the answer cannot be read"), "{text}: {told}");
    }
}

#[test]
fn a_row_of_another_shape_than_promised_makes_the_whole_answer_unreadable() {
    let good = r#"{"metric":{"a":"b"},"value":[1,"1"]}"#;
    for bad in [
        "{}",
        "null",
        "7",
        r#""x""#,
        r#"{"metric":{"a":"c"}}"#,
        r#"{"metric":{"a":"c"},"value":null}"#,
        r#"{"metric":{"a":"c"},"value":[]}"#,
        r#"{"metric":{"a":"c"},"value":[1]}"#,
        r#"{"metric":{"a":"c"},"value":["1","1"]}"#,
        r#"{"metric":{"a":"c"},"value":[1e300,"1"]}"#,
        r#"{"metric":{"a":"c"},"value":[1,"1"],"value":[1,"0"]}"#,
        r#"{"metric":{"a":"c"},"values":[[1,"1"]]}"#,
        r#"{"metric":{"a":"c"},"value":[1,"1"],"values":[[1,"1"]]}"#,
        r#"{"metric":{"a":"c","a":"d"},"value":[1,"1"]}"#,
        r#"{"metric":{"a":1},"value":[1,"1"]}"#,
        r#"{"metric":["a"],"value":[1,"1"]}"#,
    ] {
        for body in [vector(&format!("[{good},{bad}]")), vector(&format!("[{bad},{good}]"))] {
            assert_eq!(refused(&body).0, FaultCode::Unreadable, "{bad}");
        }
    }
    for data in [
        r#"{"resultType":"scalar","result":[1,"1","2"]}"#,
        r#"{"resultType":"scalar","result":["1",1]}"#,
        r#"{"resultType":"scalar","result":[]}"#,
        r#"{"resultType":"string","result":[1,2]}"#,
        r#"{"resultType":"streams","result":[]}"#,
        r#"{"result":[]}"#,
        r#"{"resultType":"vector","result":{}}"#,
        r#"{"resultType":"vector","result":[],"result":[]}"#,
        r#"{"resultType":"matrix","result":[{"metric":{},"value":[1,"1"]}]}"#,
        r#"{"resultType":"matrix","result":[{"values":[[1,"1"],[2]]}]}"#,
        "[]",
        "null",
    ] {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        assert_eq!(refused(&body).0, FaultCode::Unreadable, "{data}");
    }
}

#[test]
fn a_failure_is_told_in_its_own_words_whatever_comes_with_it() {
    for (body, code, text) in [
        (
            r#"{"status":"error","errorType":"execution","error":"too many samples","data":{"resultType":"vector","result":7}}"#,
            FaultCode::Query,
            "too many samples",
        ),
        (r#"{"status":"error","errorType":"timeout","error":"slow"}"#, FaultCode::TimedOut, "slow"),
        (r#"{"status":"error","errorType":"canceled","error":"gone"}"#, FaultCode::TimedOut, "gone"),
        (r#"{"status":"error","errorType":"bad_data"}"#, FaultCode::Query, "bad_data"),
        (r#"{"status":"error"}"#, FaultCode::Query, "the query failed"),
        (
            r#"{"status":"success","error":"half","data":{"resultType":"vector","result":[]}}"#,
            FaultCode::Query,
            "half",
        ),
        (r#"{"status":"success"}"#, FaultCode::Unreadable, "the answer cannot be read: it holds no data"),
        (
            r#"{"data":{"resultType":"vector","result":[]}}"#,
            FaultCode::Unreadable,
            "the answer cannot be read: it holds no data",
        ),
    ] {
        assert_eq!(refused(body), (code, text.to_owned()), "{body}");
    }
}

#[test]
fn a_warning_is_never_lost_whatever_its_shape() {
    let read = |warnings: &str| {
        let body = format!(
            r#"{{"status":"success","warnings":{warnings},"data":{{"resultType":"vector","result":[]}}}}"#
        );
        decode(body.as_bytes()).unwrap().warnings
    };
    assert_eq!(read(r#""store down""#), ["store down"]);
    assert_eq!(
        read(r#"["a",{"b":1},null]"#),
        ["a", "a remark that cannot be read", "a remark that cannot be read"]
    );
    assert_eq!(read(r#"{"code":1}"#), ["a remark that cannot be read"]);
    assert_eq!(read("[]").len() + read("null").len() + read("{}").len(), 0);
    let many = read(&format!("[{}\"x\"]", "\"x\",".repeat(99)));
    assert_eq!((many.len(), many[20].as_str()), (21, "and 80 more"));
    assert!(read(&format!("[\"{}\"]", "long ".repeat(5000)))[0].chars().count() <= 300);
}

#[test]
fn a_series_with_native_histograms_beside_its_floats_says_so() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"a":"b"},"values":[[1,"1"]],"histograms":[[2,{"count":"1","sum":"2"}]]}]}}"#;
    let reply = decode(body.as_bytes()).unwrap();
    assert_eq!(reply.histograms, 1);
    let Value::Matrix(series) = reply.value else { panic!() };
    assert_eq!(series[0].1.len(), 1);
}

#[test]
fn depth_truncation_and_noise_are_faults_and_no_panics() {
    let whole = vector(r#"[{"metric":{"a":"b"},"value":[1.5,"1"]},{"metric":{"a":"c"},"value":[1,"NaN"]}]"#);
    for end in 0..whole.len() {
        decode(&whole.as_bytes()[..end]).unwrap_err();
    }
    for place in 0..whole.len() {
        for byte in [0, b'"', b'[', b'}', b'\\', 0xff] {
            let mut broken = whole.clone().into_bytes();
            broken[place] = byte;
            let _ = decode(&broken);
        }
    }
    for deep in ["[".repeat(200_000), r#"{"data":"#.repeat(200_000), r#"{"a":"#.repeat(200_000)] {
        let body = format!(r#"{{"status":"success","data":{deep}"#);
        assert_ne!(refused(&body).0, FaultCode::Query);
        refused(&format!(r#"{{"status":"success","x":{deep}"#));
    }
    refused(&format!("{whole}x"));
}
