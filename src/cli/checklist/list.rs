//! `gonogo checklist list`.

use serde_json::json;

use crate::ledger::{Ledger as _, Listed};
use crate::model::text;

use super::super::{Common, Exit, Output, output};
use super::place::Place;

/// Lists all runs, newest first; exit 1 where one of them cannot be opened (its title says why, and its
/// `seq` is 0). JSON: `{"runs":[{"id","title","mode","started","settled","items","seq"}]}`.
pub(super) fn run(place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let runs = place.ledger.list()?;
    match common.output {
        Output::Json => {
            let rows: Vec<_> = runs
                .iter()
                .map(|run| {
                    json!({
                        "id": run.id, "title": run.title, "mode": run.mode, "started": run.started,
                        "settled": run.progress.0, "items": run.progress.1, "seq": run.seq,
                    })
                })
                .collect();
            output::json(&json!({ "runs": rows }))?;
        }
        Output::Text if runs.is_empty() => {
            let path = place.ledger.path().to_string_lossy().into_owned();
            output::print(&format!("no runs in {}\n", text::harmless(&path)))?;
        }
        Output::Text => output::print(&table(&runs))?,
    }
    Ok(if runs.iter().all(|run| run.seq > 0) { Exit::Yes } else { Exit::No })
}

fn table(runs: &[Listed]) -> String {
    let width = runs.iter().map(|run| run.id.as_str().chars().count()).max().unwrap_or(0);
    let rows = runs.iter().map(|run| {
        let id = text::harmless(run.id.as_str());
        let title = text::harmless_line(&run.title, 200);
        if run.seq == 0 {
            return format!("{id:width$}  {title}\n");
        }
        let (settled, items) = run.progress;
        let started = format!("{} {}Z", run.started.date(), run.started.clock());
        format!("{id:width$}  {:7}  {started}  {settled:>3}/{items:<3}  {title}\n", run.mode.as_str())
    });
    rows.collect()
}
