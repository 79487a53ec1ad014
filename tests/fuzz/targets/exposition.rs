//! Exposition text of any bytes, cut into slices anywhere: no panic, the same samples however it is cut,
//! and every line accounted for.
#![no_main]

use gonogo::sources::exposition::{Format, Reader, Sample, Summary};
use libfuzzer_sys::fuzz_target;

/// The first byte says the dialect and the width of the slices; the rest is the text.
fn read(text: &[u8], format: Format, width: usize, judge: bool) -> (Vec<Sample>, Summary) {
    let everything = |_: &[u8]| true;
    let mut reader =
        if judge { Reader::judging_all(format, &everything) } else { Reader::new(format, &everything) };
    let mut samples = Vec::new();
    for slice in text.chunks(width) {
        reader.feed(slice, &mut |sample| samples.push(sample.to_sample()));
    }
    let summary = reader.finish(&mut |sample| samples.push(sample.to_sample()));
    (samples, summary)
}

fuzz_target!(|data: &[u8]| {
    let Some((head, text)) = data.split_first() else { return };
    let format = if head & 1 == 0 { Format::Text } else { Format::OpenMetrics };
    let width = usize::from(head >> 1).max(1);
    let judge = head & 2 == 0;
    let (cut, told) = read(text, format, width, judge);
    let (whole, all) = read(text, format, text.len().max(1), judge);
    // NaN is not itself: compare what is printed.
    assert_eq!(format!("{cut:?}"), format!("{whole:?}"), "a cut changes what is read");
    assert_eq!(format!("{told:?}"), format!("{all:?}"), "a cut changes what is told");
    assert!(told.series_sent >= cut.len() as u64 + told.duplicates, "samples out of nothing");
    assert!(told.lines as usize <= text.len() + 1);
});
