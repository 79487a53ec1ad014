//! Fixtures in the language of Prometheus' own tests: `load`, series with value sequences, `eval`.
//!
//! `GONOGO_PROMQL_SUITE` names directories (with `:` between) of more of them, such as Prometheus' own;
//! of one whose name begins with 2 it is known that windows are closed at their left edges.

mod compare;
mod format;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gonogo::model::{Labels, Time};
use gonogo::promql::{self, Expr, History, Limits, Value};

use compare::Outcome;
use format::{Expected, millis};

#[test]
fn fixtures_of_series_and_expressions_hold() {
    let files = fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/promql"));
    let mut suite = Suite::new(1e-9);
    for file in &files {
        suite.file(file);
    }
    assert!(suite.wrong.is_empty(), "{}", suite.wrong.join("\n"));
    assert_eq!(suite.skipped, Vec::<String>::new(), "gonogo's own fixtures are all in scope");
    assert_eq!(suite.edges, Vec::<String>::new(), "gonogo's own fixtures are of Prometheus 3");
    assert!(files.len() >= 5 && suite.evals >= 100, "{} evals in {} files", suite.evals, files.len());
    let Some(dirs) = std::env::var_os("GONOGO_PROMQL_SUITE") else { return };
    let mut wrong = Vec::new();
    for dir in std::env::split_paths(&dirs) {
        // Prometheus compares its own to six digits.
        let mut suite = Suite::new(1e-6);
        for file in &fixtures(&dir) {
            suite.file(file);
        }
        for skipped in &suite.skipped {
            println!("out of scope: {skipped}");
        }
        println!(
            "{}: {} evals hold, {} are out of scope, {} differ at left edges only, {} differ",
            dir.display(),
            suite.evals,
            suite.skipped.len(),
            suite.edges.len(),
            suite.wrong.len()
        );
        // Only of a suite of Prometheus 2 that is no mistake.
        if !dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with('2')) {
            wrong.append(&mut suite.edges);
        }
        wrong.append(&mut suite.wrong);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn fixtures(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "test"));
    files.sort();
    files
}

struct Suite {
    /// By how much of itself a number may differ.
    digits: f64,
    evals: usize,
    /// Evals that need what gonogo has not (native histograms, experimental functions), and what it
    /// says of them.
    skipped: Vec<String>,
    /// Evals that Prometheus 2 answers otherwise, with what is at the left edge of a window.
    edges: Vec<String>,
    wrong: Vec<String>,
}

/// What has been loaded.
struct Loaded {
    history: History,
    /// Series of native histograms, which a text exposition does not carry: a sample of 1 for each.
    foreign: History,
}

impl Loaded {
    fn nothing() -> Self {
        let empty = || History::capture(Limits { keep: Duration::MAX, max_series: 10_000 });
        Self { history: empty(), foreign: empty() }
    }

    /// Loads a block; of a series that is in it twice the last counts.
    fn load(&mut self, step: &str, block: &[&str], converts: bool) {
        let step = millis(step.trim());
        let series: BTreeMap<Labels, &str> = block.iter().map(|line| format::series(line)).collect();
        for (labels, values) in series {
            let whole = format::sequence(values);
            if whole.is_none() || converts {
                // With `_with_nhcb` the buckets of a histogram become one native histogram, too.
                let name = labels.name().unwrap_or_default();
                let name = name.strip_suffix("_bucket").filter(|_| converts).unwrap_or(name);
                let rest = labels.iter().filter(|(n, _)| *n != "__name__" && (*n != "le" || !converts));
                let of_all = Labels::from_pairs(rest.chain([("__name__", name)]));
                self.foreign.push(&of_all, Time::from_millis(0), 1.0);
            }
            for (i, value) in whole.unwrap_or_default().into_iter().enumerate() {
                if let Some(value) = value {
                    let at = Time::from_millis(step * i64::try_from(i).unwrap());
                    assert!(self.history.push(&labels, at, value), "{labels} {values}");
                }
            }
        }
    }

    /// Whether the expression selects native histograms.
    fn selects_foreign(&self, expr: &Expr) -> bool {
        let far = Time::from_millis(1_000_000_000);
        expr.selectors().iter().any(|(selector, _)| {
            let ever = Expr::parse(&format!("last_over_time({selector}[50y])")).unwrap();
            match promql::instant(&ever, &self.foreign, far) {
                Ok(Value::Vector(found)) => !found.is_empty(),
                _ => true,
            }
        })
    }
}

impl Suite {
    fn new(digits: f64) -> Self {
        Self { digits, evals: 0, skipped: Vec::new(), edges: Vec::new(), wrong: Vec::new() }
    }

    fn file(&mut self, path: &Path) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let mut loaded = Loaded::nothing();
        let mut lines = text.lines().map(str::trim).enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let line = line.split_once(" # ").map_or(line, |(line, _)| line).trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut block = Vec::new();
            while let Some((_, more)) = lines.next_if(|(_, line)| !line.is_empty() && !is_command(line)) {
                if !more.starts_with('#') {
                    block.push(more);
                }
            }
            match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
                ("clear", _) => loaded = Loaded::nothing(),
                ("load", step) => loaded.load(step, &block, false),
                ("load_with_nhcb", step) => loaded.load(step, &block, true),
                (verb, what) if verb.starts_with("eval") => {
                    let expected = Expected::read(verb, &block);
                    let place = format!("{name}:{}: {what}", number + 1);
                    match compare::eval(what, &expected, &loaded, self.digits) {
                        Outcome::Holds => self.evals += 1,
                        Outcome::OutOfScope(why) => self.skipped.push(format!("{place}: {why}")),
                        Outcome::AtLeftEdges => self.edges.push(place),
                        Outcome::Differs(_) if flag(&name).is_some() => {
                            let flag = flag(&name).unwrap_or_default();
                            self.skipped.push(format!("{place}: Prometheus does so with {flag} only"));
                        }
                        Outcome::Differs(how) => self.wrong.push(format!("{place}: {how}")),
                    }
                }
                (verb, _) => panic!("{name}:{}: {verb} is no verb", number + 1),
            }
        }
    }
}

/// The feature that Prometheus' own test of this name turns on, and that is off otherwise.
fn flag(name: &str) -> Option<&'static str> {
    match name {
        "name_label_dropping.test" => Some("promql-delayed-name-removal"),
        "type_and_unit.test" => Some("type-and-unit-labels"),
        _ => None,
    }
}

/// Whether a line begins something new, so that what is above it need not end with an empty line.
fn is_command(line: &str) -> bool {
    let verb = line.split_whitespace().next().unwrap_or_default();
    matches!(verb, "clear" | "load" | "load_with_nhcb") || verb == "eval" || verb.starts_with("eval_")
}
