//! Bodies of the Prometheus HTTP API of any bytes: no panic, and no more numbers than the text can hold.
#![no_main]

use gonogo::sources::prometheus::{Value, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(reply) = decode(body) else { return };
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
