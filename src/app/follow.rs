//! What the room does about what it hears: changes become log lines, events become the run.

use crate::checklist::{Event, Run, Template, words};
use crate::engine::Change;
use crate::engine::flags::Changed;
use crate::model::{ItemId, RunId, Verdict, text};

use super::identity;
use super::log::LogKind;
use super::msg::Effect;
use super::run::RunView;
use super::state::State;

/// A new moment: gates may have turned just because time passed.
pub(super) fn clock(state: &mut State) {
    let turned = state.watch.tick(state.now);
    changes(state, turned);
}

/// Writes changes into the log.
pub(super) fn changes(state: &mut State, changes: Vec<Change>) {
    let now = state.now;
    for change in changes {
        super::seen::change(state, &change);
        let (kind, text) = match change {
            Change::SourceFailed(id, why) => (LogKind::Source, format!("{id} {why}")),
            Change::SourceBack(id) => (LogKind::Source, format!("{id} answers again")),
            Change::Flag(Changed { text, then, by, at }) => {
                let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
                let then = then.map(|then| format!(", next {then}")).unwrap_or_default();
                let text = format!("{text}{by}{then}");
                // The mark on the charts stands where the change was made, not where it was heard of.
                state.log.add(at.unwrap_or(now), LogKind::Flag, text);
                continue;
            }
            Change::FlagMissing { key, hidden: false } => {
                (LogKind::Flag, format!("{key} does not exist there any more"))
            }
            Change::FlagMissing { key, hidden: true } => {
                (LogKind::Flag, format!("{key} is not among what the provider shows any more"))
            }
            Change::AlertIs(alert, count) => super::alerts::came(&alert, count, now),
            Change::AlertGone(alert, count) => super::alerts::went(&alert, count),
            Change::ImpersonationBegan(session) => {
                (LogKind::Identity, identity::session_words(state.identity(), &session))
            }
            Change::ImpersonationEnded(session) => {
                (LogKind::Identity, format!("{} acts as {} no more", session.actor.display, session.subject))
            }
            Change::AuditMissed(source) => (
                LogKind::Identity,
                format!("{source}: the audit log could not be followed; changes may have been missed"),
            ),
            Change::Audit(event) => (LogKind::Identity, identity::event_words(&event)),
            // A gate that does not count yet would only fill the log.
            Change::Gate(id, ..) if !state.counts(&id) => continue,
            Change::Gate(id, Verdict::Pass, text) => (LogKind::Gate, format!("✓ {id} passes: {text}")),
            Change::Gate(id, verdict, text) => {
                (LogKind::Gate, format!("{} {id} {}: {text}", verdict.glyph(), verdict.word()))
            }
        };
        state.log.add(now, kind, text);
    }
}

/// The run was opened, started, or is not there.
pub(super) fn opened(state: &mut State, outcome: Result<Option<Box<Run>>, String>) {
    match outcome {
        Ok(Some(run)) => {
            state.run_note = None;
            watch_gates_of(state, &run.template);
            let now = state.now;
            state.log.add(now, LogKind::Run, format!("run {} opened at event {}", run.id, run.seq));
            let next = run.next().and_then(|next| run.template.items.iter().position(|i| i.id == next.id));
            state.selected.insert(super::Block::Checklist, next.unwrap_or(0));
            state.run = Some(RunView::new(*run));
        }
        Ok(None) => {
            state.run_note = Some("no run of this checklist yet: :start begins one".into());
        }
        Err(why) => {
            let now = state.now;
            state.log.add(now, LogKind::Run, &why);
            state.say(&why);
            if state.run.is_none() {
                state.run_note = Some(why);
            }
        }
    }
}

/// A run keeps the template it was started with, so its gates may not be those of today's file. One whose
/// expression is not asked for any more stays unknown. The lists beside it are watched as they were read.
fn watch_gates_of(state: &mut State, template: &std::sync::Arc<Template>) {
    if state.template.as_ref().is_some_and(|today| today == template) {
        return;
    }
    let launch = std::sync::Arc::clone(&state.launch);
    let of_lists = state.lists.iter().flat_map(|list| list.template.gates());
    state.watch.watch_instead(&launch, template.gates().chain(of_lists));
    state.template = Some(std::sync::Arc::clone(template));
}

/// What a new second brings by itself: what the desk writes, who is there, what needs an answer, and
/// the newest output of a command that is looked at.
pub(super) fn by_itself(state: &mut State) -> Vec<Effect> {
    let mut effects = super::desk::clock(state);
    effects.extend(super::call::clock(state));
    if state.forwarding || state.replay.is_some() {
        return effects;
    }
    // A terminal that may not write is not there for others, who would wait for it.
    if let Some(view) = state.run.as_ref().filter(|view| view.frozen.is_none())
        && state.now.since(state.looked) >= LOOK
    {
        effects.push(Effect::Present(view.run.id.clone(), state.author.name()));
        state.looked = state.now;
    }
    if let Some((run, item, started)) = running(state) {
        effects.push(Effect::Tail { run, item, started });
    }
    effects
}

/// How often the terminals on the run are looked for.
const LOOK: std::time::Duration = std::time::Duration::from_secs(5);

/// The command that runs, of the list that is shown.
fn running(state: &State) -> Option<(RunId, ItemId, u64)> {
    let view = state.shown_run()?;
    let mut items = view.run.template.items.iter().zip(&view.run.items);
    items.find_map(|(item, item_state)| {
        let attempt = item_state.attempt.as_ref().filter(|attempt| attempt.end.is_none())?;
        Some((view.run.id.clone(), item.id.clone(), attempt.seq))
    })
}

/// How many lines of a command's output are kept in view.
const LINES: usize = 200;

/// The newest output of a command.
pub(super) fn output(state: &mut State, run: &RunId, item: ItemId, output: &str, alive: bool) {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    let lines = lines.iter().skip(from).map(|line| text::harmless_line(line, 400)).collect();
    let Some(view) = state.run_mut(run) else { return };
    view.outputs.insert(item.clone(), lines);
    if alive {
        view.orphaned.remove(&item);
    } else {
        view.orphaned.insert(item);
    }
}

/// A run that cannot be read any more, or is not as it was written, is not written to.
pub(super) fn freeze(state: &mut State, run: &RunId, why: &str) {
    let now = state.now;
    let Some(view) = state.run_mut(run) else { return };
    if view.frozen.as_deref() != Some(why) {
        view.frozen = Some(why.to_owned());
        state.log.add(now, LogKind::Run, why);
    }
}

/// Takes saved events into the run, in order; what was taken in already is passed over.
pub(super) fn events(state: &mut State, run: &RunId, events: &[Event]) {
    let Some(view) = state.run_mut(run) else { return };
    let (mut lines, mut fresh) = (Vec::new(), Vec::new());
    for event in events {
        if event.seq <= view.run.seq {
            continue;
        }
        view.run.apply(event);
        fresh.push(event.clone());
        lines.push((event.at, words::of(event)));
    }
    for (at, text) in lines {
        state.log.add(at, LogKind::Run, text);
    }
    for event in fresh {
        super::seen::event(state, run, &event);
    }
}

/// The template's file on disk is, or is not, what the run was started from.
pub(super) fn template_changed(state: &mut State, changed: bool) {
    let now = state.now;
    let Some(view) = &mut state.run else { return };
    if view.template_changed != changed {
        view.template_changed = changed;
        if changed {
            let text = "the template's file has changed since this run began; the run keeps its own copy";
            state.log.add(now, LogKind::Run, text);
        }
    }
}
