//! `gonogo scrape`: what an endpoint, a file or a pipe sends, line by line, as it comes.

mod body;
mod input;
mod json;
mod selectors;
mod size;
mod table;

use std::io;
use std::time::Duration;

use super::output::complain;
use super::{Common, Exit, Output};
use crate::model::duration;
use crate::promql::Filter;
use crate::sources::exposition::{Format, SampleRef, Summary};

use body::Body;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the text comes from: an http or https URL, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub target: String,
    /// Show only series that this selector picks, like 'up{job="tasks"}' (may be given again: any of them)
    #[arg(long = "match", value_name = "SELECTOR")]
    pub matches: Vec<String>,
    /// The dialect; auto goes by the content type of an answer and by the # EOF of a file
    #[arg(long, value_enum, default_value_t)]
    pub format: Dialect,
    /// How long an answer may take, to its last byte
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// The most decoded bytes that are read, like 64MiB; 0: no limit
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size::parse)]
    pub max_bytes: u64,
    /// The longest line that is read, like 1MiB; a longer one is unreadable
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = size::parse)]
    pub max_line: u64,
}

/// The dialect as asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Dialect {
    /// Found out.
    #[default]
    Auto,
    /// The text format, with timestamps in milliseconds.
    Text,
    /// `OpenMetrics`, with timestamps in seconds.
    #[value(name = "openmetrics")]
    OpenMetrics,
}

impl Dialect {
    /// The format that was asked for by name.
    fn named(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Text => Some(Format::Text),
            Self::OpenMetrics => Some(Format::OpenMetrics),
        }
    }
}

/// Why nothing, or not all, could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    code: &'static str,
    /// Harmless.
    text: String,
}

/// Where what was read goes: samples as they come, the rest at the end.
trait Page {
    /// Writes one sample.
    fn sample(&mut self, sample: &SampleRef<'_>) -> io::Result<()>;
    /// Writes what reading came to; `trouble` where the text was cut short or is none.
    fn end(&mut self, summary: &Summary, trouble: Option<&Trouble>) -> io::Result<()>;
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let filter = match selectors::filter(&args.matches) {
        Ok(filter) => filter,
        Err(sentence) => {
            complain(&sentence);
            return Ok(Exit::Usage);
        }
    };
    let page: Box<dyn Page> = match common.output {
        Output::Text => Box::new(table::Table::new(io::BufWriter::new(io::stdout().lock()))),
        Output::Json => Box::new(json::Document::new(io::BufWriter::new(io::stdout().lock()))),
    };
    show(args, &filter, page, common.output)
}

/// Reads and shows. A text that broke off is shown as far as it came, and then judged.
fn show(args: &Args, filter: &Filter, page: Box<dyn Page>, output: Output) -> anyhow::Result<Exit> {
    let mut body = Body::new(filter, page, usize::try_from(args.max_line).unwrap_or(usize::MAX));
    let came = match input::read(args, &mut body) {
        Ok(came) => came,
        Err(input::Stop::Usage(sentence)) => {
            complain(&sentence);
            return Ok(Exit::Usage);
        }
        Err(input::Stop::Output(error)) => return Err(error.into()),
    };
    if let Err(trouble) | Ok(Some(trouble)) = &came {
        complain(&trouble.text);
    }
    match came {
        Err(nothing) => {
            body.nothing(&nothing)?;
            Ok(Exit::CannotTell)
        }
        Ok(cut) => {
            let summary = body.end(cut.as_ref())?;
            if output == Output::Json {
                remark(&summary);
            }
            let all_read = summary.unreadable == 0 && summary.complete && cut.is_none();
            Ok(if all_read { Exit::Yes } else { Exit::No })
        }
    }
}

/// Says on stderr what the JSON document has no place for.
fn remark(summary: &Summary) {
    let told = summary.first_unreadable.len() as u64;
    if summary.unreadable > told {
        complain(&format!(
            "{} lines were unreadable; the first {told} are in the document",
            summary.unreadable
        ));
    }
    if summary.duplicates > 0 {
        complain(&format!("{} samples of series that had come before were left out", summary.duplicates));
    }
}
