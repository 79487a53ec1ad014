//! An event in a sentence, for the log, for reports, and for the one who came second.

use crate::model::duration::short;
use crate::model::text::harmless_line;

use super::{Author, Event, Evidence, Fact};

/// The name as people read it: nobody vouched for one with a question mark.
pub fn who(author: &Author) -> String {
    format!("{}{}", author.name(), if author.is_unverified() { "?" } else { "" })
}

/// What an event did, in a sentence that begins with who, harmless to print.
pub fn of(event: &Event) -> String {
    let by = who(&event.author);
    let line = |text: &str| harmless_line(text, 300);
    let why = |reason: &Option<String>| reason.as_ref().map(|r| format!(": {}", line(r))).unwrap_or_default();
    match &event.fact {
        Fact::Start { checklist, mode, .. } => format!("{by} started {checklist} ({})", mode.as_str()),
        Fact::Begin { item } => format!("{by} began {item}"),
        Fact::Attach { item, evidence } => format!("{by} brought {} for {item}", numbers(evidence)),
        Fact::Tick { item, evidence } if evidence.is_empty() => format!("{by} ticked {item}"),
        Fact::Tick { item, evidence } => format!("{by} ticked {item} at {}", numbers(evidence)),
        Fact::Sign { item, note, .. } => format!("{by} signed {item}{}", why(note)),
        Fact::Skip { item, reason } => format!("{by} skipped {item}: {}", line(reason)),
        Fact::Waive { item, reason } => format!("{by} waived {item}: {}", line(reason)),
        Fact::Fail { item, reason } => format!("{by} failed {item}: {}", line(reason)),
        Fact::Reopen { item, reason } => format!("{by} opened {item} again: {}", line(reason)),
        Fact::BreakGlass { step, reason } => {
            format!("{by} BROKE THE GLASS for {}: {}", step.words(), line(reason))
        }
        Fact::Note { item: Some(item), text } => format!("{by} on {item}: {}", line(text)),
        Fact::Note { item: None, text } => format!("{by}: {}", line(text)),
        Fact::Started { item, argv, .. } => format!("{by} runs {item}: {}", line(&argv.join(" "))),
        Fact::Ended { item, outcome, took, .. } => {
            format!("{item} ended after {}: {}", short(*took), line(outcome))
        }
        Fact::Sent { item, channel, .. } => {
            let to = channel.as_ref().map(|c| format!(" to {}", line(c))).unwrap_or_default();
            format!("{by} sent {item}{to}")
        }
        Fact::T0 { t0 } => format!("{by} set T-0 to {}", t0.rfc3339()),
        Fact::Hold { hold: Some(hold), reason, .. } => format!("HOLD {hold}{}", why(reason)),
        Fact::Hold { hold: None, reason, .. } => format!("{by} HOLDS the clock{}", why(reason)),
        Fact::Extend { by: more } => format!("{by} extended the hold by {}", short(*more)),
        Fact::Resume { .. } => format!("{by} resumed the clock"),
        Fact::Recycle { hold, reason } => format!("{by} recycled to {hold}: {}", line(reason)),
        Fact::Scrub { reason } => format!("{by} SCRUBBED the launch: {}", line(reason)),
        Fact::LiftOff { .. } => format!("LIFT-OFF, called by {by}"),
        Fact::Poll { stations, within } => {
            format!("{by} polls {} for {}", line(&stations.join(", ")), short(*within))
        }
        Fact::Vote { station, go, note, .. } => {
            let station = line(station);
            format!("{station} is {} ({by}){}", if *go { "GO" } else { "NO-GO" }, why(note))
        }
        Fact::Lapse { poll, reason } => format!("the votes of {poll} lapsed: {}", line(reason)),
        Fact::Desk { forced_from: Some(_), .. } => format!("{by} took the desk by force"),
        Fact::Desk { .. } => format!("{by} took the desk"),
        Fact::LeaveDesk { .. } => format!("{by} left the desk"),
        Fact::Propose { cause, action, reason, .. } => {
            format!("{cause} proposes {}: {}", action.word(), line(reason))
        }
        Fact::Answer { confirm: true, proposal, .. } => format!("{by} confirmed proposal {proposal}"),
        Fact::Answer { proposal, reason, .. } => format!("{by} dismissed proposal {proposal}{}", why(reason)),
        Fact::Remind { text, .. } => format!("late: {}", line(text)),
        Fact::Rollback { run, reason } => format!("{by} began the ROLLBACK {run}: {}", line(reason)),
        Fact::Inject { inject, text } => format!("inject {inject}: {}", line(text)),
        Fact::Score { .. } => "the drill was scored".to_owned(),
        Fact::Close { reason } => format!("{by} closed the run{}", why(reason)),
    }
}

/// What an event did, for the one who came second.
pub fn first(event: &Event) -> String {
    let by = format!("by {} at {}", event.author.name(), event.at.clock());
    let line = |text: &str| harmless_line(text, 120);
    match &event.fact {
        Fact::Tick { item, .. } => format!("{item} is already done {by}"),
        Fact::Skip { item, reason } => format!("{item} is already skipped {by}: {}", line(reason)),
        Fact::Waive { item, reason } => format!("{item} is already waived {by}: {}", line(reason)),
        Fact::Reopen { item, reason } => format!("{item} was opened again {by}: {}", line(reason)),
        _ => format!("{} was first: {} at {}", event.author.name(), of(event), event.at.clock()),
    }
}

fn numbers(evidence: &[Evidence]) -> String {
    let words: Vec<String> = evidence.iter().take(3).map(Evidence::words).collect();
    words.join(", ")
}
