//! `gonogo checklist list`.

use serde_json::{Value, json};

use crate::checklist::Run;
use crate::ledger::{Ledger as _, Listed};
use crate::model::{Time, text};

use super::super::{Common, Exit, Output, output};
use super::place::Place;
use super::write::Pen;

/// A run that is listed; opened, where it can be.
struct Row {
    listed: Listed,
    run: Option<Run>,
}

/// Lists all runs, newest first; exit 1 where one of them cannot be opened (its title says why, and its
/// `seq` is 0). JSON: `{"runs":[{"id","title","checklist","mode","started","t","phase","state","overridden",
/// "deviations","proposals","of","settled","items","seq"}]}`: `state` is `open`, `over` (nothing is left to do) or
/// `closed`, `t` the clock as `T-00:10:00` or null, `overridden` whoever broke the glass first or null,
/// `deviations` and `proposals` (those open) are counts; what only an opened run tells is null.
pub(super) fn run(place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let rows: Vec<Row> = place
        .ledger
        .list()?
        .into_iter()
        .map(|listed| {
            let run = (listed.seq > 0).then(|| place.ledger.open(listed.id.as_str()).ok()).flatten();
            Row { listed, run }
        })
        .collect();
    let now = Pen::now();
    match common.output {
        Output::Json => {
            let rows: Vec<Value> = rows.iter().map(|row| document(row, now)).collect();
            output::json(&json!({ "runs": rows }))?;
        }
        Output::Text if rows.is_empty() => {
            let path = place.ledger.path().to_string_lossy().into_owned();
            output::print(&format!("no runs in {}\n", text::harmless(&path)))?;
        }
        Output::Text => output::print(&table(&rows, now))?,
    }
    Ok(if rows.iter().all(|row| row.listed.seq > 0) { Exit::Yes } else { Exit::No })
}

fn state(run: &Run) -> &'static str {
    match (&run.closed, run.is_over()) {
        (Some(_), _) => "closed",
        (None, true) => "over",
        (None, false) => "open",
    }
}

fn document(row: &Row, now: Time) -> Value {
    let (listed, run) = (&row.listed, row.run.as_ref());
    json!({
        "id": listed.id, "title": listed.title, "checklist": run.map(|run| &run.template.id),
        "mode": listed.mode, "started": listed.started,
        "t": run.and_then(|run| run.clock.mark(&run.template, now)).map(|mark| mark.to_string()),
        "phase": run.map(|run| run.clock.phase(&run.template, now)), "state": run.map(state),
        "overridden": run.and_then(Run::overridden).map(|deviation| &deviation.author.by),
        "deviations": run.map(|run| run.deviations.len()),
        "proposals": run.map(|run| run.open_proposals().count()),
        "of": run.and_then(|run| run.of.as_ref()),
        "settled": listed.progress.0, "items": listed.progress.1, "seq": listed.seq,
    })
}

fn table(rows: &[Row], now: Time) -> String {
    let width = rows.iter().map(|row| row.listed.id.as_str().chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|Row { listed, run }| {
        let id = text::harmless(listed.id.as_str());
        let title = text::harmless_line(&listed.title, 200);
        let Some(run) = run else { return format!("{id:width$}  {title}\n") };
        let (settled, items) = listed.progress;
        let started = format!("{} {}Z", listed.started.date(), listed.started.clock());
        let t = run.clock.mark(&run.template, now).map_or_else(|| "no T-0".to_owned(), |t| t.to_string());
        let phase = run.clock.phase(&run.template, now).word();
        let overridden = run.overridden().map(|by| format!("  OVERRIDDEN by {}", by.author.name()));
        let asks = match run.open_proposals().count() {
            0 => String::new(),
            count => format!("  {count} to answer"),
        };
        format!(
            "{id:width$}  {:7}  {:6}  {started}  {t:>11} {phase:8}  {settled:>3}/{items:<3}  {title}{}{asks}\n",
            listed.mode.as_str(),
            state(run),
            overridden.unwrap_or_default(),
        )
    });
    lines.collect()
}
