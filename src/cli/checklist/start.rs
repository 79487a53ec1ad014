//! `gonogo checklist start`.

use std::fs;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::checklist::{Begun, Mode};
use crate::ledger::Ledger as _;
use crate::model::{Time, text};
use crate::settings;

use super::super::who::Signed;
use super::super::{Common, Exit, Output, output};
use super::place::Place;
use super::write::EventId;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A template: its file, or the id of one in the `checklists` directory next to the config
    template: String,
    /// T-0, in RFC 3339 or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    t0: Option<Time>,
    /// What the run is for
    #[arg(long, value_enum, default_value_t)]
    mode: ModeArg,
    /// A parameter of the template; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = param)]
    params: Vec<(String, String)>,
    /// The run that this one is opened from: a runbook's launch
    #[arg(long, value_name = "RUN")]
    of: Option<String>,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    id: EventId,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum ModeArg {
    /// The real launch
    #[default]
    Live,
    /// The real systems, nothing executed
    DryRun,
    /// A rehearsal
    Drill,
}

fn param(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is no parameter: write NAME=VALUE"))
}

/// Starts a run. JSON: `{"run","seq","head","item":null,"stage":null,"mode","t0","params":{…},"of","path",
/// "repeated"}`; `repeated` is true where an earlier call with the same `--event-id` had started it.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let mode = match args.mode {
        ModeArg::Live => Mode::Live,
        ModeArg::DryRun => Mode::DryRun,
        ModeArg::Drill => Mode::Drill,
    };
    let by = args.signed.author_here(common)?;
    let of = args.of.as_deref().map(|of| place.ledger.open(of)).transpose()?.map(|run| run.id);
    let file = place.template(&args.template)?;
    let name = file.display().to_string();
    let bytes = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    settings::template(&name, &bytes).map_err(|e| anyhow!(e.rendered))?;
    let begun = Begun {
        mode,
        t0: args.t0,
        params: args.params.clone(),
        of,
        require_identity: place.requires_identity()?,
    };
    let (run, repeated) = match args.id.given() {
        Some(id) => place.ledger.start_once(&bytes, &begun, &by, &id.to_string())?,
        None => (place.ledger.start(&bytes, &begun, &by)?, false),
    };
    let head = run.head.as_ref().map_or("", |h| &h.0);
    let path = place.ledger.run_dir(&run.id);
    match common.output {
        Output::Json => {
            let params: serde_json::Map<_, _> =
                run.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            output::json(&json!({
                "run": run.id, "seq": run.seq, "head": head, "item": null, "stage": null,
                "mode": run.mode, "t0": run.clock.t0, "params": params, "of": run.of,
                "path": path.to_string_lossy(), "repeated": repeated,
            }))?;
        }
        Output::Text => {
            let params = run.params.iter().fold(String::new(), |shown, (name, value)| {
                shown + "  " + &text::harmless_line(&format!("{name} = {value}"), 300) + "\n"
            });
            output::print(&format!(
                "saved{}: run {} of {}, {} items, {}\n  in {}\n{}  event {}, head {head}\n",
                if repeated { " already" } else { "" },
                run.id,
                text::harmless_line(&run.template.title, 100),
                run.items.len(),
                run.mode.as_str(),
                text::harmless(&path.to_string_lossy()),
                params,
                run.seq,
            ))?;
        }
    }
    Ok(Exit::Yes)
}
