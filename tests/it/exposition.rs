//! Exposition text: fixtures, any slicing of the bytes, and `prometheus-parse` as second opinion.

mod against_prometheus;

use std::fmt::Write as _;
use std::path::Path;

use gonogo::model::value;
use gonogo::sources::exposition::{Format, MAX_LINE, Reader, Sample, SampleRef, Summary, Wanted};
use proptest::prelude::*;

/// Input and what must come of it, in one file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// What it shows.
    about: String,
    format: String,
    input: String,
    /// Names to filter by; without it all lines are judged.
    wanted: Option<Vec<String>>,
    /// `series value`, or `series value @milliseconds`.
    samples: Vec<String>,
    /// `name type help`.
    #[serde(default)]
    families: Vec<String>,
    /// `line code`.
    #[serde(default)]
    unreadable: Vec<String>,
    #[serde(default)]
    duplicates: u64,
    complete: bool,
    /// Sample lines seen, wanted or not.
    series_sent: Option<u64>,
}

fn everything(_: &[u8]) -> bool {
    true
}

/// Reads `slices` one after the other.
fn read<'b>(
    reader: Reader<'_, impl Wanted>,
    slices: impl IntoIterator<Item = &'b [u8]>,
) -> (Vec<Sample>, Summary) {
    let mut reader = reader;
    let mut samples = Vec::new();
    for slice in slices {
        reader.feed(slice, &mut |sample| samples.push(sample.to_sample()));
    }
    let summary = reader.finish(&mut |sample| samples.push(sample.to_sample()));
    (samples, summary)
}

fn judge(text: impl AsRef<[u8]>, format: Format) -> (Vec<String>, Summary) {
    let (samples, summary) = read(Reader::judging_all(format, &everything), [text.as_ref()]);
    (samples.iter().map(shown).collect(), summary)
}

fn shown(sample: &Sample) -> String {
    let mut out = format!("{} {}", sample.labels, value::text(sample.value));
    if let Some(at) = sample.timestamp_ms {
        let _ = write!(out, " @{at}");
    }
    out
}

fn codes(summary: &Summary) -> Vec<String> {
    summary.first_unreadable.iter().map(|u| format!("{} {}", u.line, u.code)).collect()
}

#[test]
fn every_recorded_exposition_reads_as_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/exposition");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        seen += 1;
        let fixture: Fixture = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let case = format!("{}: {}", path.display(), fixture.about);
        let format = match fixture.format.as_str() {
            "text" => Format::Text,
            "openmetrics" => Format::OpenMetrics,
            other => panic!("{case}: no format {other:?}"),
        };
        let names = fixture.wanted.clone();
        let wanted = |name: &[u8]| {
            names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted.as_bytes() == name))
        };
        let reader =
            if names.is_some() { Reader::new(format, &wanted) } else { Reader::judging_all(format, &wanted) };
        let (samples, summary) = read(reader, [fixture.input.as_bytes()]);
        assert_eq!(samples.iter().map(shown).collect::<Vec<_>>(), fixture.samples, "{case}");
        assert_eq!(codes(&summary), fixture.unreadable, "{case}");
        let families: Vec<String> = summary
            .families
            .iter()
            .map(|f| format!("{} {} {}", f.name, f.kind, f.help).trim_end().to_owned())
            .collect();
        assert_eq!(families, fixture.families, "{case}");
        assert_eq!(summary.duplicates, fixture.duplicates, "{case}");
        assert_eq!(summary.complete, fixture.complete, "{case}");
        assert_eq!(summary.bytes, fixture.input.len() as u64, "{case}");
        if let Some(sent) = fixture.series_sent {
            assert_eq!(summary.series_sent, sent, "{case}");
        }
    }
    assert!(seen >= 8, "only {seen} fixtures were found");
}

#[test]
fn bytes_that_are_no_text_make_a_line_unreadable_and_nothing_else() {
    let (samples, summary) = judge(b"a{l=\"\xff\"} 1\nb 2\n", Format::Text);
    assert_eq!(samples, ["b 2"]);
    assert_eq!(codes(&summary), ["1 not-utf8"]);
    assert_eq!(summary.first_unreadable[0].line_text, "a{l=\"\u{fffd}\"} 1");

    let (samples, summary) =
        judge(b"\0\na\0 1\na 0 1\0\nn{l=\"a\0b\"} 4\n# HELP n \xfe\n# \xff remark\n", Format::Text);
    assert_eq!(samples, ["n{l=\"a\0b\"} 4"]);
    assert_eq!(codes(&summary), ["1 bad-name", "2 bad-name", "3 bad-timestamp", "5 not-utf8"]);
}

#[test]
fn a_bad_line_counts_only_if_its_name_is_wanted_or_cannot_be_read() {
    let wanted = |name: &[u8]| name == b"wanted" || name == b"my.wanted";
    let text = b"wanted x\nother x\nother{ x\n\xffother 1\noth\xffer 1\nwan-ted 1\nwanted{a=\"\xff\"} 1\n\
        {\"my.other\",b=} 1\n{\"my.wanted\",b=} 1\n{b=\"c\"} 1\n{\"my.other\xff\"} 1\nother\nwanted\n";
    let (samples, summary) = read(Reader::new(Format::Text, &wanted), [&text[..]]);
    assert_eq!(samples, []);
    assert_eq!(
        codes(&summary),
        [
            "1 bad-value",
            "4 not-utf8",
            "5 not-utf8",
            "6 bad-name",
            "7 not-utf8",
            "9 bad-label",
            "10 bad-name",
            "11 not-utf8",
            "13 no-value"
        ]
    );
    assert_eq!((summary.lines, summary.series_sent), (13, 13));
}

#[test]
fn a_text_that_breaks_off_in_a_line_is_not_complete_even_if_nobody_wants_that_line() {
    let wanted = |name: &[u8]| name == b"wanted";
    for (text, complete, unreadable) in [
        ("wanted 1\nother{a=\"b\"} 2", true, 0),
        ("wanted 1\nother{a=\"b", false, 0),
        ("wanted 1\nother ", false, 0),
        ("wanted 1\nother", false, 1),
        ("wanted 1\nwanted{a=\"", false, 1),
        ("wanted 1\n# HELP wan", true, 0),
        ("", true, 0),
    ] {
        let (_, summary) = read(Reader::new(Format::Text, &wanted), [text.as_bytes()]);
        assert_eq!((summary.complete, summary.unreadable), (complete, unreadable), "{text:?}");
    }
}

#[test]
fn a_line_without_end_is_unreadable_and_the_next_one_is_read_in_bounded_memory() {
    let endless = vec![b'x'; MAX_LINE / 4];
    let mut reader = Reader::judging_all(Format::Text, &everything);
    let mut samples = Vec::new();
    let mut keep = |sample: SampleRef<'_>| samples.push(shown(&sample.to_sample()));
    reader.feed(b"a{l=\"", &mut keep);
    for _ in 0..64 {
        reader.feed(&endless, &mut keep);
    }
    reader.feed(b"\"} 1\nb 2\n", &mut keep);
    let summary = reader.finish(&mut keep);
    assert_eq!(samples, ["b 2"]);
    assert_eq!(codes(&summary), ["1 too-long"]);
    assert!(summary.first_unreadable[0].line_text.chars().count() <= 200);

    let mut longest = b"a{l=\"".to_vec();
    longest.resize(MAX_LINE - 4, b'x');
    longest.extend_from_slice(b"\"} 1\n");
    longest.remove(5);
    assert_eq!(judge(&longest, Format::Text).1.unreadable, 0, "a line of the greatest length is read");
}

#[test]
fn unreadable_lines_are_all_counted_and_the_first_are_kept() {
    let text = "bad!\n".repeat(500);
    let (_, summary) = read(Reader::new(Format::Text, &everything), [text.as_bytes()]);
    assert_eq!((summary.unreadable, summary.first_unreadable.len()), (500, 100));
}

#[test]
fn the_text_of_an_unreadable_line_cannot_steer_a_terminal() {
    let (_, summary) = judge("a \u{1b}[31m\u{202e}x\n", Format::Text);
    let bad = &summary.first_unreadable[0];
    assert!(!format!("{}{}", bad.text, bad.line_text).chars().any(|c| c.is_control() || c == '\u{202e}'));
}

/// Names that the second opinion knows.
fn plain_name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_]{0,12}"
}

/// A sample line in the grammar that `prometheus-parse` reads rightly, and its parts.
fn plain_line() -> impl Strategy<Value = String> {
    let label = (plain_name(), "[a-zA-Z0-9 /.:_ü-]{1,12}");
    let labels = prop::collection::btree_map(
        label.0.prop_filter("reserved", |name| name != "__name__"),
        label.1,
        0..4,
    );
    let number = prop_oneof![
        any::<i32>().prop_map(|n| n.to_string()),
        prop::num::f64::NORMAL.prop_map(|n| n.to_string()),
        (1_u32..999, -30_i32..30).prop_map(|(m, e)| format!("{m}e{e}")),
        Just("NaN".to_owned()),
        Just("+Inf".to_owned()),
        Just("-Inf".to_owned()),
    ];
    let stamp = prop::option::of(1_i64..4_000_000_000_000);
    (plain_name(), labels, number, stamp).prop_map(|(name, labels, number, stamp)| {
        let mut line = name;
        if !labels.is_empty() {
            let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
            let _ = write!(line, "{{{}}}", pairs.join(","));
        }
        let _ = write!(line, " {number}");
        if let Some(stamp) = stamp {
            let _ = write!(line, " {stamp}");
        }
        line
    })
}

/// What `prometheus-parse` makes of a text, in our words.
fn second_opinion(text: &str) -> Vec<String> {
    let now = "1970-01-01T00:00:00Z".parse().unwrap();
    let scrape =
        prometheus_parse::Scrape::parse_at(text.lines().map(|line| Ok(line.to_owned())), now).unwrap();
    scrape
        .samples
        .into_iter()
        .map(|sample| {
            let prometheus_parse::Value::Untyped(value) = sample.value else { panic!("no types were sent") };
            let pairs = sample.labels.iter().map(|(n, v)| (n.clone(), v.clone()));
            let labels = gonogo::model::Labels::from_pairs(
                pairs.chain([("__name__".to_owned(), sample.metric.clone())]),
            );
            let at = sample.timestamp.timestamp_millis();
            shown(&Sample { labels, value, timestamp_ms: (at != 0).then_some(at) })
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn where_prometheus_parse_reads_rightly_we_agree_with_it(lines in prop::collection::vec(plain_line(), 1..8)) {
        let lines: Vec<String> = lines.iter().enumerate().map(|(n, line)| format!("m{n}_{line}")).collect();
        let text = lines.join("\n");
        let (samples, summary) = read(Reader::judging_all(Format::Text, &everything), [text.as_bytes()]);
        prop_assert_eq!(summary.unreadable, 0, "{:?}", summary.first_unreadable);
        let ours: Vec<String> = samples.iter().map(shown).collect();
        prop_assert_eq!(ours, second_opinion(&text));
    }

    #[test]
    fn any_slicing_of_the_bytes_gives_the_same_samples_and_summary(
        pieces in prop::collection::vec(nasty_piece(), 0..24),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        openmetrics in any::<bool>(),
        judging in any::<bool>(),
    ) {
        let text: Vec<u8> = pieces.concat();
        let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
        let wanted = |name: &[u8]| judging || name == b"a" || name == b"my.name";
        let reader = || if judging { Reader::judging_all(format, &wanted) } else { Reader::new(format, &wanted) };
        let whole = told(read(reader(), [&text[..]]));
        let bytewise = told(read(reader(), text.chunks(1)));
        prop_assert_eq!(&whole, &bytewise);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let slices = at.windows(2).map(|ends| &text[ends[0]..ends[1]]);
        prop_assert_eq!(&whole, &told(read(reader(), slices)));
    }

    #[test]
    fn a_series_comes_back_as_it_was_whatever_its_labels_hold(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}",
        values in prop::collection::btree_map("[a-z][a-z0-9_]{0,6}", "\\PC{0,8}|[\\\\\"\n}{,=# \t\r]{1,8}", 0..4),
        number in any::<f64>(),
        openmetrics in any::<bool>(),
    ) {
        let labels = gonogo::model::Labels::from_pairs(
            values.into_iter().chain([("__name__".to_owned(), name)]),
        );
        let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
        let text = format!("{labels} {}\n", value::text(number));
        let (samples, summary) = read(Reader::judging_all(format, &everything), [text.as_bytes()]);
        prop_assert_eq!(summary.unreadable, 0, "{:?}", summary.first_unreadable);
        prop_assert_eq!(&samples[0].labels, &labels);
        prop_assert!(samples[0].value == number || number.is_nan() && samples[0].value.is_nan());
    }
}

/// All that was told, with values as text, so that NaN equals NaN.
fn told((samples, summary): (Vec<Sample>, Summary)) -> (Vec<String>, Summary) {
    (samples.iter().map(shown).collect(), summary)
}

/// Pieces from which good and bad lines come about.
fn nasty_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "a", "b", "a 1\n", "b 1\n", "a{l=\"", "b{l=\"", "\"", "}", "{", " ", "\t", "\n", "\r\n", "1", ",", "=", "\\",
            "# HELP a text\n", "# TYPE b counter\n", "# EOF\n", "# EOF", "#", "{\"my.name\",", "a{l=\"x\"} 2 3\n",
            "b{l=\"x\"} 2 3\n", " # {t=\"x\"} 1 2.5\n", "NaN", "+Inf", "ü",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

/// What `prometheus-parse` 0.2.5 loses, each beside what the line says. When one of these fails, it
/// was mended there, and more can go through it.
#[test]
fn each_known_loss_of_prometheus_parse_is_still_one_and_none_of_ours() {
    for (text, theirs, ours) in [
        ("a{p=\"/x{id}\"} 3", &[][..], &["a{p=\"/x{id}\"} 3"][..]),
        ("ns:rec 1", &[], &["ns:rec 1"]),
        ("u{} 4", &[], &["u 4"]),
        ("a{p=\"x,y\"} 3", &["a{p=\"x\"} 3"], &["a{p=\"x,y\"} 3"]),
        (
            "a{p=\"x,y\"} 3\na{p=\"x,z\"} 4",
            &["a{p=\"x\"} 3", "a{p=\"x\"} 4"],
            &["a{p=\"x,y\"} 3", "a{p=\"x,z\"} 4"],
        ),
        ("a{p=\"x=y\"} 3", &["a 3"], &["a{p=\"x=y\"} 3"]),
        ("a{p=\"x\\\\y\"} 3", &["a{p=\"x\\\\\\\\y\"} 3"], &["a{p=\"x\\\\y\"} 3"]),
        ("a{p=\"x\\ny\"} 3", &["a{p=\"x\\\\ny\"} 3"], &["a{p=\"x\\ny\"} 3"]),
    ] {
        assert_eq!(second_opinion(text), theirs, "prometheus-parse reads {text} otherwise now");
        let (samples, summary) = judge(text, Format::Text);
        assert_eq!(
            (samples.as_slice(), summary.unreadable),
            (&ours.iter().map(ToString::to_string).collect::<Vec<_>>()[..], 0),
            "{text}"
        );
    }
    assert_eq!(second_opinion("a abc"), [""; 0], "prometheus-parse tells of a bad value now");
    assert_eq!(codes(&judge("a abc", Format::Text).1), ["1 bad-value"]);
    let stateset = prometheus_parse::SampleType::parse("stateset");
    assert_eq!(stateset, prometheus_parse::SampleType::Untyped, "prometheus-parse knows statesets now");
    for line in ["# HELP ns:rec text", "# HELP \"my.metric\" text", "# TYPE ns:rec gauge"] {
        let line = prometheus_parse::LineInfo::parse(line);
        assert_eq!(line, prometheus_parse::LineInfo::Ignored, "prometheus-parse reads such names now");
    }
}
