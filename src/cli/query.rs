//! `gonogo query`: an expression, evaluated by a server, on a capture, or on what an endpoint sends now.

mod answer;
mod failure;
mod local;
mod origin;
mod series;
mod server;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use super::{Common, Exit, Output, output};
use crate::model::{Time, duration};
use answer::Answer;
use failure::Failure;
use origin::Origin;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The expression
    #[arg(
        value_name = "EXPR",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true,
        required_unless_present = "series"
    )]
    pub expression: String,
    /// List the series of a server that match this selector, in the last hour or from --start to --end
    #[arg(long, value_name = "SELECTOR", allow_hyphen_values = true,
          conflicts_with_all = ["expression", "time", "step", "wait", "file"])]
    pub series: Option<String>,
    /// Ask this source of the config [default: its only Prometheus, else its only source with metrics]
    #[arg(long, value_name = "NAME", group = "where")]
    pub source: Option<String>,
    /// Ask the Prometheus server at this URL
    #[arg(long, value_name = "URL", group = "where")]
    pub url: Option<String>,
    /// Evaluate on this capture: `OpenMetrics` text whose samples carry timestamps
    #[arg(long, value_name = "CAPTURE", group = "where")]
    pub file: Option<PathBuf>,
    /// The moment, in Unix seconds or RFC 3339 [default: now; of a capture its last sample]
    #[arg(long, value_name = "TIME", value_parser = Time::parse, allow_hyphen_values = true)]
    pub time: Option<Time>,
    /// The first of many moments
    #[arg(long, value_name = "TIME", value_parser = Time::parse, allow_hyphen_values = true,
          conflicts_with = "time", requires = "end")]
    pub start: Option<Time>,
    /// The last of many moments
    #[arg(long, value_name = "TIME", value_parser = Time::parse, allow_hyphen_values = true, requires = "start")]
    pub end: Option<Time>,
    /// The time from one moment to the next, in seconds or like 1m
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "start")]
    pub step: Option<Duration>,
    /// How long an answer may take, to its last byte
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// Scrape a source of metrics again and again until the expression's window is covered, at most this long
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub wait: Option<Duration>,
}

/// When the expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moments {
    /// Once; `None`: now, or at the end of a capture.
    One(Option<Time>),
    /// At `start`, `start + step`, … up to `end`.
    Many { start: Time, end: Time, step: Duration },
}

/// The most moments one query may have, as in Prometheus' API.
const MOST_MOMENTS: u128 = 11_000;

impl Args {
    /// The first and last of many moments, and the time between.
    fn span(&self) -> Option<table::Span> {
        Some(table::Span { start: self.start?, end: self.end?, step: self.step? })
    }

    fn moments(&self) -> Result<Moments, Failure> {
        let (Some(start), Some(end)) = (self.start, self.end) else {
            return Ok(Moments::One(self.time));
        };
        let Some(step) = self.step else {
            return Err(Failure::usage("--start and --end need a --step"));
        };
        if step < Duration::from_millis(1) {
            return Err(Failure::usage("--step must be longer than zero"));
        }
        if end < start {
            return Err(Failure::usage("--end lies before --start"));
        }
        if end.since(start).as_millis() / step.as_millis() >= MOST_MOMENTS {
            return Err(Failure::usage(format!(
                "more than {MOST_MOMENTS} moments: take a larger --step or a shorter span"
            )));
        }
        Ok(Moments::Many { start, end, step })
    }
}

/// Evaluates and prints. 0: there is an answer, if an empty one; 1: the capture could not be read
/// whole; 2: the expression or the arguments are wrong; 3: nothing answered, or too little is known;
/// 4: waited in vain.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    if let Some(selector) = &args.series {
        return series::run(selector, args, common);
    }
    match evaluate(args, common) {
        Ok(answer) => {
            match common.output {
                Output::Json => output::json(&answer.document())?,
                Output::Text => {
                    output::print(&match args.span() {
                        Some(span) => table::over(&answer.value, span),
                        None => table::of(&answer.value),
                    })?;
                    answer.remarks().for_each(output::complain);
                }
            }
            Ok(if answer.whole { Exit::Yes } else { Exit::No })
        }
        Err(failure) => tell(&failure, &args.expression, common),
    }
}

fn tell(failure: &Failure, expression: &str, common: &Common) -> anyhow::Result<Exit> {
    match common.output {
        Output::Json => output::json(&failure.document(expression))?,
        Output::Text => output::complain(&failure.picture(expression)),
    }
    Ok(failure.exit)
}

fn evaluate(args: &Args, common: &Common) -> Result<Answer, Failure> {
    let moments = args.moments()?;
    match origin::of(args, common)? {
        Origin::Capture(path) => local::on_capture(&args.expression, &path, moments),
        Origin::Server(server) => server::ask(&args.expression, server, moments),
        Origin::Endpoints(def) => local::on_endpoints(&args.expression, &def, moments, args.wait),
    }
}
