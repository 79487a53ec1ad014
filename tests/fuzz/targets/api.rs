//! Bodies of the Prometheus HTTP API of any bytes: no panic, and no more numbers than the text can hold.
#![no_main]

use gonogo::sources::prometheus::{Value, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let read = decode(body);
    // With a blank before it, it is read as any JSON is, and never the shorter way.
    let other = decode(&[b" ", body].concat());
    match (&read, &other) {
        (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Err(one), Err(other)) => assert_eq!(one.code, other.code),
        _ => panic!("{read:?} is not {other:?}"),
    }
    let Ok(reply) = read else { return };
    let samples = match &reply.value {
        Value::Scalar(..) | Value::String(..) => 1,
        Value::Vector(rows) => rows.len(),
        Value::Matrix(series) => series.iter().map(|(_, samples)| samples.len()).sum(),
    };
    // The shortest sample is `[0,"0"]`.
    assert!(samples * 7 <= body.len(), "{samples} samples out of {} bytes", body.len());
    for text in reply.warnings.iter().chain(&reply.infos) {
        assert!(!text.chars().any(char::is_control), "{text:?} would steer a terminal");
    }
});
