//! A run for people: what was done against the rules first, then the clock and what waits for an answer,
//! then milestones and items.

use std::fmt::Write as _;

use crate::checklist::{
    Attempt, Derived, Deviation, Evidence, Item, ItemState, Phase, Poll, PollOutcome, Run, Stage,
    TEMPLATE_CHANGED, words,
};
use crate::model::duration::short;
use crate::model::{Time, text};

use super::late;

pub(super) fn of(run: &Run, changed: Option<bool>, now: Time) -> String {
    let mut out = String::new();
    let title = text::harmless_line(&run.template.title, 100);
    let _ = writeln!(out, "{title} · {} · {}", run.id, run.mode.as_str());
    for line in run.deviations.iter().map(deviation) {
        let _ = writeln!(out, "! {line}");
    }
    if let (Some(by), None) = (run.overridden(), &run.closed) {
        let _ = writeln!(out, "! OVERRIDDEN by {}", by.author.name());
    }
    if let Some((author, at)) = &run.started {
        let of = run.of.as_ref().map(|of| format!(", opened from {of}")).unwrap_or_default();
        let _ = writeln!(out, "started {} {}Z by {}{of}", at.date(), at.clock(), author.name());
    }
    if let Some((author, at)) = &run.closed {
        let _ = writeln!(out, "closed {} {}Z by {}", at.date(), at.clock(), author.name());
    }
    let (settled, total) = run.progress();
    let t0 = run.clock.t0.map_or_else(|| "no T-0".to_owned(), |t0| format!("T-0 {t0}"));
    let _ = writeln!(out, "{t0} · {settled}/{total} settled");
    clock(&mut out, run, now);
    if let Some(asked) = run.poll_at(now) {
        let _ = writeln!(out, "{}", poll(&asked, now));
    }
    if run.template.has_process() {
        match &run.desk {
            Some(desk) => {
                let (who, since) = (words::who(&desk.author), desk.since.clock());
                let terminal = text::harmless_line(&desk.terminal, 60);
                let _ = writeln!(out, "desk: {who} since {since}, at {terminal}");
            }
            None => out.push_str("UNWATCHED: nobody has the desk\n"),
        }
    }
    for proposal in run.open_proposals() {
        let _ = writeln!(
            out,
            "! {} proposes {}: {} · answer {} until {} ({} left)",
            text::harmless_line(&proposal.cause, 60),
            proposal.action.word(),
            text::harmless_line(&proposal.reason, 300),
            proposal.seq,
            proposal.deadline.clock(),
            short(proposal.deadline.since(now))
        );
    }
    for (id, by, at, reason) in &run.rollbacks {
        let reason = text::harmless_line(reason, 300);
        let _ = writeln!(out, "ROLLBACK {id} begun by {} at {}: {reason}", by.name(), at.clock());
    }
    for (name, value) in &run.params {
        let _ = writeln!(out, "{}", text::harmless_line(&format!("{name} = {value}"), 200));
    }
    if changed == Some(true) {
        let _ = writeln!(out, "! {TEMPLATE_CHANGED}");
    }
    milestones(&mut out, run, now);
    let mut section = "";
    for ((item, state), derived) in run.template.items.iter().zip(&run.items).zip(run.all_derived()) {
        if item.section != section {
            section = &item.section;
            let _ = writeln!(out, "\n{}", text::harmless_line(section, 100));
        }
        row(&mut out, run, item, state, &derived, now);
    }
    for (author, at, words) in &run.notes {
        let _ = writeln!(out, "\nnote {} {}: {}", at.clock(), author.name(), text::harmless(words));
    }
    if let Some(score) = &run.score {
        let _ = writeln!(out, "\nscore: {}", text::harmless_line(score, 600));
    }
    let _ = writeln!(out, "\nevent {}, head {}", run.seq, run.head.as_ref().map_or("none", |h| &h.0));
    out
}

/// What was done against the rules, in a line.
pub(in super::super) fn deviation(deviation: &Deviation) -> String {
    let reason = text::harmless_line(&deviation.reason, 300);
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    format!(
        "{} {} by {} at {}{reason} (event {})",
        deviation.kind,
        text::harmless_line(&deviation.what, 100),
        words::who(&deviation.author),
        deviation.at.clock(),
        deviation.seq
    )
}

fn clock(out: &mut String, run: &Run, now: Time) {
    let (clock, template) = (&run.clock, &run.template);
    let mark = clock.mark(template, now).map(|mark| mark.to_string());
    let phase = clock.phase(template, now);
    if mark.is_none() && phase == Phase::NoT0 {
        return;
    }
    let mut line = mark.unwrap_or_else(|| "no T".to_owned());
    let _ = write!(line, " · {}", phase.word());
    if let Some(held) = clock.hold_at(template, now) {
        let name = held.hold.as_deref().map_or("by hand".to_owned(), |id| format!("at {id}"));
        let by = held.by.as_ref().map(|by| format!(" by {}", by.name())).unwrap_or_default();
        let _ = write!(line, " {name} since {}{by}", held.since.clock());
        if let Some(reason) = &held.reason {
            let _ = write!(line, " ({})", text::harmless_line(reason, 200));
        }
        match held.until(template) {
            Some(until) if until > now => {
                let _ = write!(line, ", {} left", short(until.since(now)));
            }
            Some(until) => {
                let _ = write!(line, ", over since {}: extend or scrub", until.clock());
            }
            None => {}
        }
    } else if let Some((def, at)) = clock.next_hold(template).filter(|(_, at)| *at > now) {
        let _ = write!(line, ", next hold {} in {}", def.id, short(at.since(now)));
    }
    if let Some((by, at, reason)) = &clock.scrubbed {
        let _ = write!(line, " by {} at {}: {}", by.name(), at.clock(), text::harmless_line(reason, 200));
    }
    let _ = writeln!(out, "{line}");
}

/// A poll with its votes, in a line.
pub(in super::super) fn poll(poll: &Poll, now: Time) -> String {
    let votes = poll.stations.iter().map(|station| {
        let name = text::harmless_line(station, 40);
        let Some(vote) = poll.votes.get(station) else { return format!("{name} silent") };
        let note = vote.note.as_ref().map(|note| format!(": {}", text::harmless_line(note, 100)));
        let word = match (&vote.lapsed, vote.go) {
            (Some(why), _) => format!("GO LAPSED ({})", text::harmless_line(why, 100)),
            (None, true) => "GO".to_owned(),
            (None, false) => "NO-GO".to_owned(),
        };
        format!("{name} {word} ({}{})", vote.author.name(), note.unwrap_or_default())
    });
    let votes = votes.collect::<Vec<_>>().join(", ");
    let outcome = match poll.outcome(now) {
        PollOutcome::Go => "GO".to_owned(),
        PollOutcome::NoGo(why) => format!("NO-GO: {}", text::harmless_line(&why.join(", "), 300)),
        PollOutcome::Waiting(who) => format!("waits for {}", text::harmless_line(&who.join(", "), 200)),
    };
    let left = poll.deadline.filter(|deadline| *deadline > now);
    let left = left.map(|deadline| format!(", {} left", short(deadline.since(now)))).unwrap_or_default();
    format!("poll {}: {votes} · {outcome}{left}", poll.id)
}

fn milestones(out: &mut String, run: &Run, now: Time) {
    let all = late::milestones(run, now);
    if !all.is_empty() {
        out.push_str("\nMilestones\n");
    }
    for progress in all {
        let milestone = progress.milestone;
        let title = text::harmless_line(&milestone.title, 100);
        let (settled, items) = (progress.settled, progress.items);
        let _ = writeln!(out, "   {}  {settled}/{items}  {title}", milestone.date.date());
        for item in progress.late {
            let _ = writeln!(out, "     late: {}", text::harmless(item.as_str()));
        }
    }
}

fn row(out: &mut String, run: &Run, item: &Item, state: &ItemState, derived: &Derived, now: Time) {
    let lapsed = run.lapsed(&item.id);
    let glyph = match (state.stage, derived) {
        _ if lapsed => "!",
        (Stage::Done, _) => "✓",
        (Stage::Skipped, _) => "-",
        (Stage::Waived, _) => "~",
        (Stage::Failed, _) => "✗",
        (_, Derived::Blocked(_)) => "⊘",
        (Stage::InProgress, _) => "◐",
        (Stage::Todo, _) => "○",
    };
    let words = match (state.stage, derived) {
        (Stage::Todo, Derived::Blocked(_)) => format!("waits for {}", names(run, item)),
        (Stage::Todo, _) => "ready".to_owned(),
        _ if lapsed => format!("{}, but {} is open again", state.words(), names(run, item)),
        _ => state.words(),
    };
    let title = text::harmless_line(&item.title, 120);
    let id = text::harmless(item.id.as_str());
    let _ = writeln!(out, " {glyph} {id:20} {title}{} · {words}", marks(run, item, state, now));
    let mut below = |line: &str| {
        let _ = writeln!(out, "     {}", text::harmless(line));
    };
    if let Some(reason) = &state.reason {
        below(&format!("because: {reason}"));
    }
    for signature in &state.signatures {
        let role = signature.author.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        let note = signature.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let (who, at) = (words::who(&signature.author), signature.at.clock());
        below(&format!("signed by {who}{role} at {at}{note}"));
    }
    for evidence in &state.evidence {
        below(&evidence_line(evidence));
    }
    if let Some(attempt) = &state.attempt {
        below(&attempt_line(attempt, now));
    }
    for (author, at, words) in &state.notes {
        below(&format!("note {} {}: {words}", at.clock(), author.name()));
    }
}

/// What kind it is, whose it is, what it still takes, by when.
fn marks(run: &Run, item: &Item, state: &ItemState, now: Time) -> String {
    let mut marks = Vec::new();
    if item.kind.word() != "check" {
        marks.push(item.kind.word().to_owned());
    }
    marks.extend(item.role.as_ref().map(|role| format!("for {role}")));
    marks.extend(item.optional.then(|| "optional".to_owned()));
    if let Some(signoff) = &item.signoff {
        marks.push(format!("{} of {} signed", state.signatures.len(), signoff.count));
    }
    marks.extend(state.overridden.then(|| "OVERRIDDEN".to_owned()));
    if !run.stands(&item.id)
        && let Some(due) = late::due(run, item)
    {
        marks.push(if due > now {
            format!("due in {}", short(due.since(now)))
        } else {
            String::from("LATE")
        });
    } else if late::is_late(run, item, now) {
        marks.push("LATE".to_owned());
    }
    marks.iter().fold(String::new(), |shown, mark| shown + " [" + &text::harmless_line(mark, 60) + "]")
}

fn evidence_line(evidence: &Evidence) -> String {
    if evidence.is_polled() {
        return format!(
            "{} = {} sampled {} from {}",
            evidence.query.as_deref().unwrap_or(&evidence.kind),
            evidence.value,
            evidence.sampled.map(|at| at.to_string()).unwrap_or_default(),
            evidence.source.as_deref().unwrap_or("no source")
        );
    }
    let hash = evidence.hash.as_ref().map(|hash| format!(" {}", hash.0)).unwrap_or_default();
    format!("{} {}{hash}", evidence.kind, evidence.value)
}

fn attempt_line(attempt: &Attempt, now: Time) -> String {
    let state = match &attempt.end {
        Some(end) => format!("{} after {}", end.outcome, short(end.took)),
        None if attempt.is_unknown(now) => "UNKNOWN: nobody saw it end".to_owned(),
        None => format!("running for {}", short(now.since(attempt.at))),
    };
    let (by, at) = (attempt.author.name(), attempt.at.clock());
    format!("run by {by} at {at}: {} · {state}", attempt.argv.join(" "))
}

fn names(run: &Run, item: &Item) -> String {
    let ids: Vec<String> = run.waits_for(&item.id).iter().map(ToString::to_string).collect();
    ids.join(", ")
}
