//! The page for people: samples as they come, then families, unreadable lines, and one last line.
//!
//! ```text
//!              value  series
//!                 12  bullmq_job_count{queue="tasks",state="waiting"}
//!
//! family            type     series  help
//! bullmq_job_count  gauge         1  Number of jobs in the queue by state
//!
//! line 3  bad-value: the value "abc" is not a number
//!         bullmq_job_count{queue="billing"} abc
//!
//! stricter readers would refuse:
//! line 9  no-final-newline: the last line has no line break: promtool refuses that
//!
//! 1 series in 1 family, 1 line unreadable, first at line 3, 160 bytes
//! ```

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{Page, Trouble};
use crate::model::text::{harmless, harmless_line};
use crate::model::{Time, value};
use crate::sources::exposition::{Family, SampleRef, Summary};

/// How many unreadable lines are shown.
const SHOWN: usize = 100;

/// A table on its way out.
pub(super) struct Table<W> {
    out: W,
    samples: u64,
}

impl<W: Write> Table<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, samples: 0 }
    }

    fn families(&mut self, families: &[Family]) -> io::Result<()> {
        let names: Vec<String> = families.iter().map(|family| harmless_line(&family.name, 100)).collect();
        let width = names.iter().map(|name| name.width()).chain([6]).max().unwrap_or_default();
        let kinds = families.iter().map(|family| family.kind.len()).chain([4]).max().unwrap_or_default();
        writeln!(
            self.out,
            "\nfamily{:pad$}  {:<kinds$}  {:>8}  help",
            "",
            "type",
            "series",
            pad = width - 6
        )?;
        for (family, name) in families.iter().zip(names) {
            let help = harmless_line(&family.help, 200);
            let pad = width.saturating_sub(name.width());
            let row = format!("{name}{:pad$}  {:<kinds$}  {:>8}  {help}", "", family.kind, family.series);
            writeln!(self.out, "{}", row.trim_end())?;
        }
        Ok(())
    }

    fn unreadable(&mut self, summary: &Summary) -> io::Result<()> {
        writeln!(self.out)?;
        for bad in summary.first_unreadable.iter().take(SHOWN) {
            let place = format!("line {}", bad.line);
            writeln!(self.out, "{place}  {}: {}", bad.code, bad.text)?;
            writeln!(self.out, "{:pad$}  {}", "", bad.line_text, pad = place.len())?;
        }
        match summary.unreadable.saturating_sub(SHOWN as u64) {
            0 => Ok(()),
            more => writeln!(self.out, "and {} more", counted(more, "line", "lines")),
        }
    }
}

impl<W: Write> Table<W> {
    fn stricter(&mut self, summary: &Summary) -> io::Result<()> {
        writeln!(self.out, "\nstricter readers would refuse:")?;
        for found in &summary.stricter {
            let place = if found.line == 0 { "header".into() } else { format!("line {}", found.line) };
            let more = match found.count {
                1 => String::new(),
                count => format!(" ({} more)", counted(count - 1, "time", "times")),
            };
            writeln!(self.out, "{place}  {}: {}{more}", found.code, found.text)?;
        }
        Ok(())
    }
}

impl<W: Write> Page for Table<W> {
    fn sample(&mut self, sample: &SampleRef<'_>) -> io::Result<()> {
        if self.samples == 0 {
            writeln!(self.out, "{:>18}  series", "value")?;
        }
        self.samples += 1;
        let series = sample.labels.to_string();
        write!(self.out, "{:>18}  {}", value::text(sample.value), harmless(&series))?;
        match sample.timestamp_ms {
            Some(at) => writeln!(self.out, "  at {}", Time::from_millis(at)),
            None => writeln!(self.out),
        }
    }

    fn end(&mut self, summary: &Summary, trouble: Option<&Trouble>) -> io::Result<()> {
        if summary.bytes == 0 && trouble.is_some() {
            return self.out.flush();
        }
        if !summary.families.is_empty() {
            self.families(&summary.families)?;
        }
        if summary.unreadable > 0 {
            self.unreadable(summary)?;
        }
        if !summary.stricter.is_empty() {
            self.stricter(summary)?;
        }
        writeln!(self.out, "\n{}", last_line(self.samples, summary, trouble))?;
        self.out.flush()
    }
}

fn last_line(samples: u64, summary: &Summary, trouble: Option<&Trouble>) -> String {
    let mut parts = vec![format!(
        "{} in {}",
        counted(samples, "sample", "samples"),
        counted(summary.families.len() as u64, "family", "families")
    )];
    if let Some(first) = summary.first_unreadable.first() {
        let lines = counted(summary.unreadable, "line", "lines");
        parts.push(format!("{lines} unreadable, first at line {}", first.line));
    }
    if summary.duplicates > 0 {
        let twice = counted(summary.duplicates, "sample", "samples");
        parts.push(format!("{twice} of series that had come before left out"));
    }
    parts.push(counted(summary.bytes, "byte", "bytes"));
    if let Some(trouble) = trouble {
        parts.push(format!("cut short ({})", trouble.code));
    } else if !summary.complete {
        parts.push("not complete: the last line is broken off, or # EOF is missing".into());
    }
    parts.join(", ")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
