//! The page for programs: one JSON document, written as the samples come.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Page, Trouble};
use crate::model::text::visible_json;
use crate::model::{labels, value};
use crate::sources::exposition::{SampleRef, Summary};

/// A JSON document on its way out.
pub(super) struct Document<W> {
    out: W,
    begun: bool,
}

#[derive(Serialize)]
struct SampleJson<'s> {
    name: &'s str,
    labels: BTreeMap<&'s str, &'s str>,
    value: String,
    timestamp_ms: Option<i64>,
}

#[derive(Serialize)]
struct FamilyJson<'s> {
    name: &'s str,
    r#type: &'s str,
    help: &'s str,
}

#[derive(Serialize)]
struct ReasonJson<'s> {
    code: &'s str,
    text: &'s str,
}

#[derive(Serialize)]
struct UnreadableJson<'s> {
    line: u64,
    reason: ReasonJson<'s>,
    line_text: &'s str,
}

#[derive(Serialize)]
struct StricterJson<'s> {
    reason: ReasonJson<'s>,
    line: u64,
    count: u64,
}

impl<W: Write> Document<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(if self.begun { b"," } else { b"{\"samples\":[" })?;
        self.begun = true;
        Ok(())
    }
}

impl<W: Write> Page for Document<W> {
    fn sample(&mut self, sample: &SampleRef<'_>) -> io::Result<()> {
        self.begin()?;
        let named = SampleJson {
            name: sample.labels.name().unwrap_or_default(),
            labels: sample.labels.iter().filter(|(name, _)| *name != labels::NAME).collect(),
            value: value::text(sample.value),
            timestamp_ms: sample.timestamp_ms,
        };
        put(&mut self.out, &named)
    }

    fn end(&mut self, summary: &Summary, trouble: Option<&Trouble>) -> io::Result<()> {
        if !self.begun {
            self.begin()?;
        }
        let families: Vec<FamilyJson<'_>> = summary
            .families
            .iter()
            .map(|family| FamilyJson { name: &family.name, r#type: &family.kind, help: &family.help })
            .collect();
        let unreadable: Vec<UnreadableJson<'_>> = summary
            .first_unreadable
            .iter()
            .map(|bad| UnreadableJson {
                line: bad.line,
                reason: ReasonJson { code: bad.code, text: &bad.text },
                line_text: &bad.line_text,
            })
            .collect();
        self.out.write_all(b"],\"families\":")?;
        put(&mut self.out, &families)?;
        self.out.write_all(b",\"unreadable\":")?;
        put(&mut self.out, &unreadable)?;
        write!(self.out, ",\"bytes\":{},\"complete\":{}", summary.bytes, summary.complete)?;
        let stricter: Vec<StricterJson<'_>> = summary
            .stricter
            .iter()
            .map(|found| StricterJson {
                reason: ReasonJson { code: found.code, text: &found.text },
                line: found.line,
                count: found.count,
            })
            .collect();
        self.out.write_all(b",\"stricter\":")?;
        serde_json::to_writer(&mut self.out, &stricter)?;
        if let Some(trouble) = trouble {
            self.out.write_all(b",\"reason\":")?;
            put(&mut self.out, &ReasonJson { code: trouble.code, text: &trouble.text })?;
        }
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// Writes a value without characters that could steer a terminal or hide from the eye.
fn put(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let document = serde_json::to_string(value)?;
    out.write_all(visible_json(&document).as_bytes())
}
