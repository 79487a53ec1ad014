//! Fixtures in the language of Prometheus' own tests: `load`, series with value sequences, `eval`.
//!
//! `GONOGO_PROMQL_SUITE` names a directory with more of them, such as Prometheus' own.

mod format;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gonogo::model::{Labels, Time, value};
use gonogo::promql::{self, Expr, History, Limits, Value};

use format::{Expected, Row, millis};

#[test]
fn fixtures_of_series_and_expressions_hold() {
    let files = fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promql"));
    let mut suite = Suite::default();
    for file in &files {
        suite.file(file);
    }
    assert!(suite.wrong.is_empty(), "{}", suite.wrong.join("\n"));
    assert_eq!(suite.skipped, 0, "gonogo's own fixtures are all in scope");
    assert!(files.len() >= 5 && suite.evals >= 100, "{} evals in {} files", suite.evals, files.len());
    if let Some(dir) = std::env::var_os("GONOGO_PROMQL_SUITE") {
        let mut suite = Suite::default();
        let files = fixtures(Path::new(&dir));
        for file in &files {
            suite.file(file);
        }
        println!("{} evals in {} files, {} out of scope", suite.evals, files.len(), suite.skipped);
        assert!(suite.wrong.is_empty(), "{} differ:\n{}", suite.wrong.len(), suite.wrong.join("\n"));
    }
}

fn fixtures(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "test"));
    files.sort();
    files
}

#[derive(Default)]
struct Suite {
    evals: usize,
    /// Evals that need what gonogo has not: native histograms, experimental functions.
    skipped: usize,
    wrong: Vec<String>,
}

impl Suite {
    fn file(&mut self, path: &Path) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let mut history = empty();
        let mut lines = text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let line = line.split_once(" # ").map_or(line, |(line, _)| line).trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut block = Vec::new();
            while let Some((_, more)) =
                lines.next_if(|(_, l)| l.starts_with([' ', '\t']) && !l.trim().is_empty())
            {
                if !more.trim().starts_with('#') {
                    block.push(more.trim());
                }
            }
            match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
                ("clear", _) => history = empty(),
                ("load" | "load_with_nhcb", step) => {
                    load(&mut history, step, &block);
                }
                (verb, what) if verb.starts_with("eval") => {
                    let expected = Expected::read(verb, &block);
                    match eval(what, &expected, &history) {
                        Ok(true) => self.evals += 1,
                        Ok(false) => self.skipped += 1,
                        Err(error) => self.wrong.push(format!("{name}:{}: {what}: {error}", number + 1)),
                    }
                }
                (verb, _) => panic!("{name}:{}: {verb} is no verb", number + 1),
            }
        }
    }
}

fn empty() -> History {
    History::capture(Limits { keep: Duration::MAX, max_series: 10_000 })
}

/// Loads a block; of a series that is in it twice the last counts.
fn load(history: &mut History, step: &str, block: &[&str]) {
    let step = millis(step.trim());
    let series: BTreeMap<Labels, &str> = block.iter().map(|line| format::series(line)).collect();
    for (labels, values) in series {
        for (i, value) in format::sequence(values).unwrap_or_default().into_iter().enumerate() {
            if let Some(value) = value {
                let at = Time::from_millis(step * i64::try_from(i).unwrap());
                assert!(history.push(&labels, at, value), "{labels} {values}");
            }
        }
    }
}

/// When an `eval` evaluates.
enum Moments {
    One(Time),
    Many { start: Time, end: Time, step: Duration },
}

fn moments(what: &str) -> Option<(Moments, &str)> {
    let moment = |text: &str| Time::from_millis(millis(text));
    let mut rest = what.trim();
    let mut next = || {
        let (first, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        Some(first)
    };
    if next()? == "range" {
        next()?;
        let start = moment(next()?);
        next()?;
        let end = moment(next()?);
        next()?;
        let step = Duration::from_millis(u64::try_from(millis(next()?)).unwrap());
        return Some((Moments::Many { start, end, step }, rest));
    }
    next()?;
    let at = moment(next()?);
    Some((Moments::One(at), rest))
}

/// Evaluates and compares. False: it asks for what gonogo does not evaluate.
fn eval(what: &str, expected: &Expected, history: &History) -> Result<bool, String> {
    let (moments, text) = moments(what).ok_or("no expression")?;
    let expr = Expr::parse(text).map_err(|e| e.to_string());
    if expected.foreign || expr.as_ref().is_ok_and(|expr| expr.check_local().is_err()) {
        return Ok(false);
    }
    let outcome = expr.and_then(|expr| evaluated(&expr, &moments, history));
    if expected.fails {
        let error = outcome.err().ok_or("did not fail")?;
        let said = expected.says.iter().all(|part| error.contains(part.as_str()));
        return if said { Ok(true) } else { Err(format!("failed with {error}")) };
    }
    let found = match outcome? {
        Answer::Text(text) if expected.string.as_ref() == Some(&text) => return Ok(true),
        Answer::Text(text) => return Err(format!("found {text:?}")),
        Answer::Rows(rows) => rows,
    };
    let sorted = |mut rows: Vec<Row>| {
        if !expected.ordered {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
        }
        rows
    };
    let (found, wanted) = (sorted(found), sorted(expected.rows.clone()));
    if !agree(&found, &wanted) {
        return Err(format!("\n  found  {}\n  wanted {}", shown(&found), shown(&wanted)));
    }
    Ok(true)
}

enum Answer {
    Text(String),
    Rows(Vec<Row>),
}

fn evaluated(expr: &Expr, moments: &Moments, history: &History) -> Result<Answer, String> {
    match *moments {
        Moments::Many { start, end, step } => ranged(expr, history, start, end, step).map(Answer::Rows),
        Moments::One(at) => match promql::instant(expr, history, at).map_err(|e| e.to_string())? {
            Value::String(text) => Ok(Answer::Text(text)),
            Value::Scalar(value) => Ok(Answer::Rows(vec![(Labels::none(), vec![Some(value)])])),
            Value::Vector(samples) => {
                let rows: Vec<Row> = samples.into_iter().map(|(l, v)| (l, vec![Some(v)])).collect();
                also_as_a_range(expr, history, at, &rows)?;
                Ok(Answer::Rows(rows))
            }
            other @ Value::Matrix(_) => Err(format!("{other:?} is no vector")),
        },
    }
}

/// The answer at one moment is that of a range around it, too.
fn also_as_a_range(expr: &Expr, history: &History, at: Time, rows: &[Row]) -> Result<(), String> {
    if expr.text().contains("start()") || expr.text().contains("end()") {
        return Ok(());
    }
    let minute = Duration::from_secs(60);
    // At the moments beside it the expression may have no answer.
    let Ok(range) = promql::range(expr, history, at.before(minute), at.after(minute), minute) else {
        return Ok(());
    };
    let mut found: Vec<Row> = range
        .into_iter()
        .filter_map(|(labels, points)| {
            let (_, value) = points.into_iter().find(|(time, _)| *time == at)?;
            Some((labels, vec![Some(value)]))
        })
        .collect();
    let mut rows = rows.to_vec();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if agree(&found, &rows) {
        Ok(())
    } else {
        Err(format!("as a range {}, not {}", shown(&found), shown(&rows)))
    }
}

fn ranged(
    expr: &Expr,
    history: &History,
    start: Time,
    end: Time,
    step: Duration,
) -> Result<Vec<Row>, String> {
    let matrix = promql::range(expr, history, start, end, step).map_err(|e| e.to_string())?;
    let steps = (end.millis() - start.millis()) / step.as_millis() as i64 + 1;
    let row = |points: &[(Time, f64)]| {
        let by_time: BTreeMap<Time, f64> = points.iter().copied().collect();
        (0..steps).map(|i| by_time.get(&start.after(step * i as u32)).copied()).collect::<Vec<_>>()
    };
    Ok(matrix.iter().map(|(labels, points)| (labels.clone(), row(points))).collect())
}

fn agree(found: &[Row], wanted: &[Row]) -> bool {
    found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(a, b)| {
            // Trailing moments without a value may be left out.
            let moments = a.1.len().max(b.1.len());
            let at = |row: &[Option<f64>], i: usize| row.get(i).copied().flatten();
            a.0 == b.0 && (0..moments).all(|i| nearly(at(&a.1, i), at(&b.1, i)))
        })
}

fn nearly(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn shown(rows: &[Row]) -> String {
    let row = |(labels, values): &Row| {
        let values: Vec<String> = values.iter().map(|v| v.map_or("_".into(), value::text)).collect();
        format!("{labels} {}", values.join(" "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}
