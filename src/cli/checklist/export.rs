//! `gonogo checklist export`: every event of a run in order, with everything that it says.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::checklist::{Event, Run, event_file, words};
use crate::ledger::Ledger as _;
use crate::model::text;

use super::super::{Common, Exit, Output, output};
use super::place::Place;
use super::show;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its name, or a part that fits no other
    run: String,
    /// The form [default: text, or with --output json: json]
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A line an event, after the deviations and the head hash
    Text,
    /// One document with the template
    Json,
    /// A JSON document a line, one an event
    Jsonl,
    /// A table for a spreadsheet
    Csv,
}

/// Exports a run. JSON: `{"run","template":{"id","title","hash","text"},"mode","seq","head","deviations":[…],
/// "events":[{"seq","id","as","kind","at","by",…,"prev","hash","evidence":[…],"text"}]}`: of each event the keys
/// of its file with their names, `deviations` as `show` tells them, and `text`, the event in a sentence. With
/// `--format jsonl` each of `events` is a line. CSV: `seq,at,by,as,kind,item,text,details,prev,hash`, where
/// `details` is the whole event as JSON.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let run = place.ledger.open(&args.run)?;
    let mut events = place.ledger.read(&run.id, 1)?;
    // What was written since the run was opened is not in its head.
    events.retain(|event| event.seq <= run.seq);
    let form = args.format.unwrap_or(if common.output == Output::Json { Form::Json } else { Form::Text });
    match form {
        Form::Text => output::print(&lines(&run, &events))?,
        Form::Json => output::json(&document(place, &run, &events)?)?,
        Form::Jsonl => {
            for event in &events {
                output::json(&one(event)?)?;
            }
        }
        Form::Csv => output::print(&table(&events)?)?,
    }
    Ok(Exit::Yes)
}

fn lines(run: &Run, events: &[Event]) -> String {
    let mut out = String::new();
    let title = text::harmless_line(&run.template.title, 100);
    let _ = writeln!(out, "{title} · {} · {}", run.id, run.mode.as_str());
    let _ = writeln!(out, "{} events, head {}", run.seq, run.head.as_ref().map_or("none", |head| &head.0));
    for deviation in &run.deviations {
        let _ = writeln!(out, "! {}", show::deviation_words(deviation));
    }
    out.push('\n');
    for event in events {
        let role = event.author.role.as_ref().map(|role| format!(" [{}]", text::harmless_line(role, 40)));
        let role = role.unwrap_or_default();
        let _ = writeln!(out, "{:>6}  {}  {}{role}", event.seq, event.at, words::of(event));
    }
    out
}

fn document(place: &Place, run: &Run, events: &[Event]) -> anyhow::Result<Value> {
    let events = events.iter().map(one).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(json!({
        "run": run.id,
        "template": {
            "id": run.template.id, "title": run.template.title, "hash": run.template_hash,
            "text": place.ledger.template(&run.id)?,
        },
        "mode": run.mode, "seq": run.seq, "head": run.head, "deviations": show::deviations_json(run),
        "events": events,
    }))
}

/// The event with the keys of its file: what is in the chain, and nothing left out.
fn one(event: &Event) -> anyhow::Result<Value> {
    let table: toml::Table = event_file::render(event).parse().context("an event is not written as TOML")?;
    let mut keys: Map<String, Value> = table.into_iter().map(|(key, value)| (key, plain(value))).collect();
    keys.insert("text".into(), words::of(event).into());
    Ok(Value::Object(keys))
}

fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(count) => count.into(),
        toml::Value::Float(number) => number.to_string().into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(plain).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
    }
}

fn table(events: &[Event]) -> anyhow::Result<String> {
    let mut out = String::from("seq,at,by,as,kind,item,text,details,prev,hash\r\n");
    for event in events {
        let cells = [
            event.seq.to_string(),
            event.at.rfc3339(),
            event.author.by.clone(),
            event.author.role.clone().unwrap_or_default(),
            event.fact.kind().to_owned(),
            event.fact.item().map(ToString::to_string).unwrap_or_default(),
            words::of(event),
            one(event)?.to_string(),
            event.prev.0.clone(),
            event.hash.0.clone(),
        ];
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    Ok(out)
}

/// A cell as RFC 4180 has it. A spreadsheet computes what begins like a formula, whoever wrote it, so that
/// such a text gets an apostrophe before it.
fn cell(content: &str) -> String {
    let content = text::harmless(content);
    let formula = content.starts_with(['=', '+', '-', '@']);
    let mark = if formula { "'" } else { "" };
    if content.contains([',', '"']) {
        format!("\"{mark}{}\"", content.replace('"', "\"\""))
    } else {
        format!("{mark}{content}")
    }
}
