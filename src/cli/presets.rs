//! `gonogo config presets`: which presets there are, and what they need of an exporter.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Exit, Output, output};
use crate::model::gate::Threshold;
use crate::model::text::{harmless, harmless_line};
use crate::model::{SignalDef, value};
use crate::settings::{self, Preset};

/// Lists the presets, or prints the file of the one that is named.
///
/// # Errors
/// No preset of that name; a closed pipe.
pub(super) fn run(name: Option<&str>, form: Output) -> anyhow::Result<Exit> {
    let all = settings::presets().map_err(|e| anyhow::anyhow!(e.rendered))?;
    let Some(name) = name else {
        match form {
            Output::Json => {
                output::json(&json!({ "presets": all.iter().map(document).collect::<Vec<_>>() }))?;
            }
            Output::Text => output::print(&list(&all))?,
        }
        return Ok(Exit::Yes);
    };
    let text = settings::preset_texts().find(|(known, _)| *known == name).map(|(_, text)| text);
    let preset = all.iter().find(|preset| preset.name == name);
    let (Some(text), Some(preset)) = (text, preset) else {
        let known: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
        output::complain(&format!("there is no preset {name:?}; there are {}", known.join(", ")));
        return Ok(Exit::Usage);
    };
    match form {
        Output::Json => output::json(&document(preset))?,
        Output::Text => output::print(text)?,
    }
    Ok(Exit::Yes)
}

fn list(all: &[Preset]) -> String {
    let mut text = String::new();
    for preset in all {
        let ids: Vec<&str> = preset.signals.iter().map(|s| s.id.as_str()).collect();
        let _ = writeln!(text, "{}\n  {}", preset.name, preset.title);
        let _ = writeln!(text, "  needs    {}", preset.needs);
        if let Some(limits) = &preset.limits {
            let _ = writeln!(text, "  limits   {limits}");
        }
        let _ = writeln!(text, "  signals  {}", ids.join(", "));
        let _ = writeln!(text, "  metrics  {}\n", preset.metrics.join(", "));
    }
    text.push_str(
        "preset = \"NAME\" on a source gives its signals; gonogo config presets NAME prints the file, to copy \
         and change\n",
    );
    text
}

fn document(preset: &Preset) -> Value {
    json!({
        "name": preset.name,
        "title": preset.title,
        "needs": preset.needs,
        "limits": preset.limits,
        "metrics": preset.metrics,
        "signals": preset.signals.iter().map(signal).collect::<Vec<_>>(),
    })
}

/// A signal as JSON, without its source.
pub(super) fn signal(def: &SignalDef) -> Value {
    let threshold = |t: Option<Threshold>| t.map(|t| format!("{} {}", t.op.as_str(), value::text(t.value)));
    json!({
        "id": def.id,
        "board": def.board.as_str(),
        "title": def.title,
        "query": def.query,
        "unit": def.unit.as_str(),
        "warn": threshold(def.warn),
        "bad": threshold(def.bad),
        "empty": def.empty,
        "infinite": def.infinite,
        "nan": def.nan,
    })
}

/// Signals as text: a line about each, its expression below.
pub(super) fn signals(all: &[SignalDef]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|def| def.id.as_str().len()).max().unwrap_or(0);
    for def in all {
        let limit = |word: &str, t: Option<Threshold>| {
            t.map(|t| format!("  {word} {} {}", t.op.as_str(), value::text(t.value))).unwrap_or_default()
        };
        let _ = writeln!(
            text,
            "{:width$}  {}: {} on {}, {}{}{}",
            def.id.as_str(),
            def.board.as_str(),
            harmless_line(&def.title, 60),
            def.source,
            def.unit.as_str(),
            limit("warn", def.warn),
            limit("bad", def.bad)
        );
        for line in def.query.lines() {
            let _ = writeln!(text, "    {}", harmless(line));
        }
    }
    text
}
