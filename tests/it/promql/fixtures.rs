//! Fixtures in the language of Prometheus' own tests: `load`, series with value sequences, `eval`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use gonogo::model::{Labels, Time, duration, value};
use gonogo::promql::{self, Expr, History, Limits, Value};

/// Prometheus' mark for the end of a series.
const STALE: u64 = 0x7ff0_0000_0000_0002;

#[test]
fn fixtures_of_series_and_expressions_hold() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promql");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "test"));
    files.sort();
    let mut evals = 0;
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        evals += run(&name, &std::fs::read_to_string(file).unwrap(), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 5 && evals >= 100, "{evals} evals in {} files", files.len());
}

/// Runs one file; returns how many expressions it held.
fn run(name: &str, text: &str, wrong: &mut Vec<String>) -> usize {
    let mut history = empty();
    let mut lines = text.lines().enumerate().peekable();
    let mut evals = 0;
    while let Some((number, line)) = lines.next() {
        let line = line.split_once(" # ").map_or(line, |(line, _)| line).trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut block = Vec::new();
        while let Some((_, more)) = lines.next_if(|(_, l)| l.starts_with([' ', '\t'])) {
            if !more.trim().is_empty() && !more.trim().starts_with('#') {
                block.push(more.trim());
            }
        }
        match line.split_once(' ').unwrap_or((line, "")) {
            ("clear", _) => history = empty(),
            ("load", step) => block.iter().for_each(|series| load(&mut history, step, series)),
            (verb, what) if verb.starts_with("eval") => {
                evals += 1;
                if let Err(error) = eval(verb, what, &block, &history) {
                    wrong.push(format!("{name}:{}: {what}: {error}", number + 1));
                }
            }
            (verb, _) => panic!("{name}:{}: {verb} is no verb", number + 1),
        }
    }
    evals
}

fn empty() -> History {
    History::capture(Limits { keep: Duration::MAX, max_series: 10_000 })
}

fn load(history: &mut History, step: &str, line: &str) {
    let step = duration::parse(step).unwrap();
    let (labels, values) = series(line);
    for (i, value) in sequence(values).into_iter().enumerate() {
        if let Some(value) = value {
            let at = Time::from_millis(0).after(step * u32::try_from(i).unwrap());
            assert!(history.push(&labels, at, value), "{line}");
        }
    }
}

/// `name{a="b"} rest`.
fn series(line: &str) -> (Labels, &str) {
    let open = line.find('{').filter(|open| !line[..*open].contains(' '));
    let (name, pairs, rest) = match open {
        None => line.split_once(' ').map(|(name, rest)| (name, "", rest)).unwrap(),
        Some(open) => {
            let close = open + line[open..].find('}').unwrap();
            (&line[..open], &line[open + 1..close], &line[close + 1..])
        }
    };
    let pairs = pairs.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (label, value) = pair.trim().split_once('=').unwrap();
        (label.trim().to_owned(), value.trim().trim_matches('"').replace("\\n", "\n"))
    });
    (Labels::from_pairs(pairs.chain([("__name__".to_owned(), name.to_owned())])), rest.trim())
}

/// `1 2 _ stale 5+10x3 7x2 _x4 NaN`.
fn sequence(text: &str) -> Vec<Option<f64>> {
    let mut values = Vec::new();
    for word in text.split_whitespace() {
        let times = |text: &str| text.parse::<usize>().unwrap();
        match word.split_once('x').filter(|(_, n)| n.parse::<usize>().is_ok()) {
            Some(("_", n)) => values.extend(vec![None; times(n)]),
            Some((first, n)) => {
                let sign = first
                    .char_indices()
                    .skip(1)
                    .find(|(i, c)| matches!(c, '+' | '-') && !first[..*i].ends_with(['e', 'E']));
                let (start, growth) = match sign {
                    Some((i, _)) => (number(&first[..i]), number(&first[i..])),
                    None => (number(first), 0.0),
                };
                values.extend((0..=times(n)).map(|i| Some(start + growth * i as f64)));
            }
            None if word == "_" => values.push(None),
            None if word == "stale" => values.push(Some(f64::from_bits(STALE))),
            None => values.push(Some(number(word))),
        }
    }
    values
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn eval(verb: &str, what: &str, block: &[&str], history: &History) -> Result<(), String> {
    let words: Vec<&str> = what.splitn(3, ' ').collect();
    let [kind, _, rest] = words[..] else { return Err("no expression".into()) };
    let moment = |text: &str| Time::from_millis(0).after(duration::parse(text).unwrap());
    let outcome = if kind == "range" {
        // `range from 0 to 10m step 5m EXPR`
        let parts: Vec<&str> = rest.splitn(6, ' ').collect();
        let [start, _, end, _, step, text] = parts[..] else {
            return Err("range from … to … step … EXPR".into());
        };
        let (start, end, step) = (moment(start), moment(end), duration::parse(step).unwrap());
        Expr::parse(text)
            .map_err(|e| e.to_string())
            .and_then(|expr| promql::range(&expr, history, start, end, step).map_err(|e| e.to_string()))
            .map(|matrix| {
                let steps = (end.millis() - start.millis()) / step.as_millis() as i64 + 1;
                let row = |points: &[(Time, f64)]| {
                    let by_time: BTreeMap<Time, f64> = points.iter().copied().collect();
                    (0..steps)
                        .map(|i| by_time.get(&start.after(step * i as u32)).copied())
                        .collect::<Vec<_>>()
                };
                matrix.iter().map(|(labels, points)| (labels.clone(), row(points))).collect::<Vec<_>>()
            })
    } else {
        let (at, text) = rest.split_once(' ').ok_or("no expression")?;
        Expr::parse(text)
            .map_err(|e| e.to_string())
            .and_then(|expr| promql::instant(&expr, history, moment(at)).map_err(|e| e.to_string()))
            .map(|value| match value {
                Value::Scalar(value) => vec![(Labels::none(), vec![Some(value)])],
                Value::Vector(samples) => samples.into_iter().map(|(l, v)| (l, vec![Some(v)])).collect(),
                other => panic!("{text}: {other:?}"),
            })
    };
    if verb == "eval_fail" {
        let error = outcome.err().ok_or("did not fail")?;
        let said = block.iter().all(|part| error.contains(part));
        return if said { Ok(()) } else { Err(format!("failed with {error}")) };
    }
    let found = outcome?;
    let wanted: Vec<Row> = block.iter().map(|line| row(line)).collect();
    let sorted = |mut rows: Vec<Row>| {
        if verb != "eval_ordered" {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
        }
        rows
    };
    let (found, wanted) = (sorted(found), sorted(wanted));
    let same = found.len() == wanted.len()
        && found
            .iter()
            .zip(&wanted)
            .all(|(a, b)| a.0 == b.0 && a.1.len() == b.1.len() && rows_agree(&a.1, &b.1));
    if same { Ok(()) } else { Err(format!("\n  found  {}\n  wanted {}", shown(&found), shown(&wanted))) }
}

/// A series and its value at each moment.
type Row = (Labels, Vec<Option<f64>>);

/// A row of the expected block: a series with its values, or a bare number.
fn row(line: &str) -> Row {
    if let Ok(value) = line.parse() {
        return (Labels::none(), vec![Some(value)]);
    }
    let (labels, values) = series(line);
    (labels, sequence(values))
}

fn rows_agree(a: &[Option<f64>], b: &[Option<f64>]) -> bool {
    a.iter().zip(b).all(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (a, b) => a.is_none() && b.is_none(),
    })
}

fn shown(rows: &[Row]) -> String {
    let row = |(labels, values): &Row| {
        let values: Vec<String> = values.iter().map(|v| v.map_or("_".into(), value::text)).collect();
        format!("{labels} {}", values.join(" "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}
