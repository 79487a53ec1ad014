//! `gonogo checklist verify`.

use serde_json::json;

use super::super::{Common, Exit, Output, output};
use super::place::Place;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its name, or a part that fits no other
    run: String,
    /// A hash written down before (or its first eight digits or more): the chain must still hold it
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

/// Recomputes the chain; exit 1 where something is not as it was written. JSON:
/// `{"run","ok","seq","head","first_bad":{"seq","file","reason":{"code","text"}}|null}`; `seq` and `head` are those of
/// the last good event, `first_bad.seq` is null for a file that is no event.
pub(super) fn run(args: &Args, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let found = place.ledger.verify(&args.run, args.head.as_deref())?;
    let ok = found.first_bad.is_none();
    let head = found.head.as_ref().map(|h| h.0.as_str());
    match common.output {
        Output::Json => {
            let bad = found.first_bad.as_ref().map(|bad| {
                json!({ "seq": bad.seq, "file": bad.file, "reason": { "code": "damaged", "text": bad.why } })
            });
            output::json(
                &json!({ "run": found.run, "ok": ok, "seq": found.seq, "head": head, "first_bad": bad }),
            )?;
        }
        Output::Text => {
            let head = head.unwrap_or("none");
            output::print(&match &found.first_bad {
                None => format!("{}: ok, {} events, head {head}\n", found.run, found.seq),
                Some(bad) => format!(
                    "{}: BAD at {}: {}\n  good up to event {}, head {head}\n",
                    found.run, bad.file, bad.why, found.seq
                ),
            })?;
        }
    }
    Ok(if ok { Exit::Yes } else { Exit::No })
}
