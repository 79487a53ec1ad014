//! What a key or the palette asks of the run: signatures, votes, the clock, the desk, proposals.

use std::time::Duration;

use tui_input::Input;

use crate::checklist::template::Exit;
use crate::checklist::{Command, Kind, Stage, Step};
use crate::model::trigger;
use crate::model::{ItemId, RunId, duration};

use super::ask::{self, Wanted};
use super::command::Action;
use super::msg::Effect;
use super::state::{Block, Dialog, Purpose, State};
use super::{dialog, lists, tick};

/// How long stations have where the poll says nothing.
const POLL_WITHIN: Duration = Duration::from_mins(10);

/// An action without an argument.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Rollback => lists::rollback(state),
        Action::Hold => hold(state),
        Action::Resume => {
            question(state, Dialog::ConfirmResume);
            Vec::new()
        }
        Action::LiftOff => {
            question(state, Dialog::ConfirmLiftOff);
            Vec::new()
        }
        Action::Vote => {
            question(state, Dialog::Vote);
            Vec::new()
        }
        Action::Desk => take_desk(state, false),
        Action::LeaveDesk => {
            state.wants_desk = false;
            let terminal = state.terminal.clone();
            on_run(state, Command::LeaveDesk { terminal })
        }
        Action::Confirm => confirm(state, ""),
        Action::Dismiss => {
            if let Some((proposal, _)) = proposed(state, "") {
                state.open(Dialog::Text(Purpose::Dismiss(proposal), Input::default()));
            }
            Vec::new()
        }
        Action::Close => {
            question(state, Dialog::Text(Purpose::Close, Input::default()));
            Vec::new()
        }
        Action::Sign | Action::Run | Action::Evidence | Action::Undo | Action::Copy => {
            match selected(state) {
                Some(item) => on_item(state, action, &item),
                None => Vec::new(),
            }
        }
        Action::Waive | Action::Fail => {
            let Some(item) = selected(state) else { return Vec::new() };
            let purpose = if action == Action::Waive { Purpose::Waive(item) } else { Purpose::Fail(item) };
            dialog::ask_words(state, purpose)
        }
        _ => {
            let row = super::command::TABLE.iter().find(|row| row.action == action);
            if let Some(row) = row {
                state.say(format!("{} takes {}", row.name, row.argument.unwrap_or("more words")));
            }
            Vec::new()
        }
    }
}

/// An action with an argument from the palette.
pub(super) fn with(state: &mut State, action: Action, argument: &str) -> Vec<Effect> {
    let words = argument.to_owned();
    match action {
        Action::Extend => match duration::parse(argument) {
            Ok(by) => on_run(state, Command::Extend { by }),
            Err(why) => {
                state.say(why);
                Vec::new()
            }
        },
        Action::Recycle => {
            let (hold, reason) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
            on_run(state, Command::Recycle { hold: hold.to_owned(), reason: reason.trim().to_owned() })
        }
        Action::Scrub => on_run(state, Command::Scrub { reason: words }),
        Action::Poll => {
            let stations =
                argument.split([' ', ',']).filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect();
            on_run(state, Command::Poll { stations, within: POLL_WITHIN })
        }
        Action::Desk => take_desk(state, argument == "force"),
        Action::Confirm => confirm(state, argument),
        Action::Dismiss => match proposed(state, argument) {
            Some((proposal, reason)) => {
                on_run(state, Command::Answer { proposal, confirm: false, reason: Some(reason) })
            }
            None => Vec::new(),
        },
        Action::ActAs => {
            act_as(state, argument);
            Vec::new()
        }
        Action::Close => on_run(state, Command::Close { reason: Some(words) }),
        Action::List => lists::open_with(state, argument),
        Action::BreakGlass => break_glass(state, words),
        Action::Waive | Action::Fail => {
            let Some(item) = selected(state) else { return Vec::new() };
            let command = if action == Action::Waive {
                Command::Waive { item, reason: words }
            } else {
                Command::Fail { item, reason: words }
            };
            tick::append(state, command)
        }
        _ => {
            state.say(format!("{argument:?} is not understood there"));
            Vec::new()
        }
    }
}

/// What is done to one item of the list that is shown.
pub(super) fn on_item(state: &mut State, action: Action, item: &ItemId) -> Vec<Effect> {
    match action {
        Action::Sign => tick::append(state, Command::Sign { item: item.clone(), note: None, binds: None }),
        Action::Run => run(state, item),
        Action::Evidence => dialog::ask_words(state, Purpose::Evidence(item.clone())),
        Action::Undo => undo(state, item),
        Action::Copy => copy(state, item),
        _ => Vec::new(),
    }
}

/// The role that everything is done in from here on.
pub(super) fn act_as(state: &mut State, role: &str) {
    if role.len() > 40 || role.chars().any(|c| c.is_whitespace() || c.is_control()) {
        state.say("a role is one word, as in :as captain");
        return;
    }
    if let Some(person) =
        state.person.as_ref().filter(|person| person.is_signed_in() && !person.may_act_as(role))
    {
        let why = person.without(role);
        state.say(why);
        return;
    }
    state.author = state.author.acting_as(role);
    state.say(format!("you act as {role}"));
}

pub(super) fn on_run(state: &mut State, command: Command) -> Vec<Effect> {
    match state.may_write_run().map(|view| view.run.id.clone()) {
        Ok(run) => tick::append_to(state, &run, command),
        Err(why) => {
            state.say(why);
            Vec::new()
        }
    }
}

/// Ends the hold; one that ends by gates or by a poll asks for the numbers first: a GO is as old as its
/// votes.
pub(super) fn resume(state: &mut State) -> Vec<Effect> {
    let by_numbers = state.run.as_ref().is_some_and(|view| {
        let held = view.run.clock.hold_at(&view.run.template, state.now);
        let def = held.and_then(|held| view.run.template.hold(held.hold.as_deref()?));
        def.is_some_and(|def| matches!(def.exit, Exit::Gates | Exit::Poll))
    });
    if by_numbers {
        return ask::begin(state, Wanted::Resume);
    }
    on_run(state, Command::Resume { evidence: Vec::new() })
}

/// Holds the clock; where that is what is proposed, by confirming it.
fn hold(state: &mut State) -> Vec<Effect> {
    let proposed = state.run.as_ref().and_then(|view| {
        let mut open = view.run.open_proposals();
        open.find(|proposal| proposal.action == trigger::Action::Hold).map(|proposal| proposal.seq)
    });
    match proposed {
        Some(proposal) => on_run(state, Command::Answer { proposal, confirm: true, reason: None }),
        None => on_run(state, Command::Hold { reason: None }),
    }
}

fn question(state: &mut State, dialog: Dialog) {
    match state.may_write_run() {
        Ok(_) => state.open(dialog),
        Err(why) => state.say(why),
    }
}

fn selected(state: &mut State) -> Option<ItemId> {
    if state.active() != Block::Checklist {
        state.say("with the checklist focused: tab moves the focus");
        return None;
    }
    state.selected_item().cloned()
}

fn take_desk(state: &mut State, force: bool) -> Vec<Effect> {
    state.wants_desk = true;
    let terminal = state.terminal.clone();
    let gone = state.run.as_ref().and_then(|view| view.run.desk.as_ref()).map(|desk| desk.terminal.clone());
    let gone = gone.filter(|_| !state.is_watched());
    on_run(state, Command::Desk { terminal, force, gone })
}

/// The proposal that is meant, and the words after its name: the only one, or the one whose cause is the
/// first word. One that came up while somebody typed must not be answered for another.
fn proposed(state: &mut State, words: &str) -> Option<(u64, String)> {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let open: Vec<(u64, String)> = state.run.as_ref().map_or_else(Vec::new, |view| {
        view.run.open_proposals().map(|proposal| (proposal.seq, proposal.cause.clone())).collect()
    });
    if let Some((seq, _)) = open.iter().rev().find(|(_, cause)| cause == first) {
        return Some((*seq, rest.trim().to_owned()));
    }
    match open.as_slice() {
        [] => state.say("nothing is proposed"),
        [(seq, _)] => return Some((*seq, words.to_owned())),
        several => {
            let causes: Vec<&str> = several.iter().map(|(_, cause)| cause.as_str()).collect();
            state.say(format!("say which is meant, first: {}", causes.join(", ")));
        }
    }
    None
}

/// Confirms what is proposed; a rollback then shows its list.
fn confirm(state: &mut State, words: &str) -> Vec<Effect> {
    let Some((seq, rest)) = proposed(state, words) else { return Vec::new() };
    if !rest.is_empty() {
        state.say(format!("{rest:?} is not understood there: :confirm CAUSE"));
        return Vec::new();
    }
    let action = state.run.as_ref().and_then(|view| view.run.proposal(seq)).map(|proposal| proposal.action);
    let mut effects = on_run(state, Command::Answer { proposal: seq, confirm: true, reason: None });
    if action == Some(trigger::Action::ProposeRollback) {
        effects.extend(lists::rollback(state));
    }
    effects
}

/// The selected item; with `hold` or `lift-off` as the first word, that.
fn break_glass(state: &mut State, words: String) -> Vec<Effect> {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((&words, ""));
    let step = match first {
        "hold" => Step::Hold,
        "lift-off" => Step::LiftOff,
        _ => {
            let Some(item) = selected(state) else { return Vec::new() };
            return tick::append(state, Command::BreakGlass { step: Step::Item(item), reason: words });
        }
    };
    on_run(state, Command::BreakGlass { step, reason: rest.trim().to_owned() })
}

/// Runs an item's command: typed confirmation, where it asks for one and the list has process.
fn run(state: &mut State, item: &ItemId) -> Vec<Effect> {
    if let Err(why) = state.may_write() {
        state.say(why);
        return Vec::new();
    }
    let Some(template) = state.shown_template() else { return Vec::new() };
    let Some(Kind::Command(command)) = template.item(item).map(|item| &item.kind) else {
        state.say(format!("{item} has no command"));
        return Vec::new();
    };
    let asks = command.type_id && template.has_process();
    let start = Command::Run { item: item.clone() };
    if !asks {
        return tick::append(state, start);
    }
    let (author, now) = (state.author.clone(), state.now);
    let refused =
        state.shown_run().and_then(|view| crate::checklist::decide(&view.run, &start, &author, now).err());
    match refused {
        Some(refused) => state.say(refused.to_string()),
        None => state.open(Dialog::Text(Purpose::Run(item.clone()), Input::default())),
    }
    Vec::new()
}

/// My own last event on the item goes back at once; what others did is reopened with a reason.
fn undo(state: &mut State, item: &ItemId) -> Vec<Effect> {
    let mine = state.shown_run().and_then(|view| view.run.item(item)).and_then(|(_, item_state)| {
        let (author, _) = item_state.settled.as_ref().or(item_state.begun.as_ref())?;
        Some((item_state.stage, author.is_same_person(&state.author), author.name()))
    });
    match mine {
        None | Some((Stage::Todo, ..)) => {
            state.say(format!("nothing was done on {item}"));
            Vec::new()
        }
        Some((stage, true, name)) => {
            let reason = format!("{} taken back by {name}", stage.word());
            tick::append(state, Command::Reopen { item: item.clone(), reason })
        }
        Some(_) => dialog::ask_words(state, Purpose::Reopen(item.clone())),
    }
}

fn copy(state: &mut State, item: &ItemId) -> Vec<Effect> {
    let text = match state.message_text(item).map(ToOwned::to_owned) {
        Some(_) => match dialog::filled(state, item) {
            Ok(text) => text,
            Err(why) => {
                state.say(why);
                return Vec::new();
            }
        },
        None => state
            .shown_template()
            .and_then(|t| t.item(item))
            .map(|item| item.title.clone())
            .unwrap_or_default(),
    };
    state.say("copied, where the terminal allows it (OSC 52)");
    vec![Effect::Copy(text)]
}

/// A station's GO: every gate that counts is polled again.
pub(super) fn go(state: &mut State) -> Vec<Effect> {
    match station(state) {
        Some(station) => {
            let poll = state.run.as_ref().and_then(|view| view.run.poll_at(state.now)).map(|poll| poll.id);
            ask::begin(state, Wanted::Go { station, poll, note: None })
        }
        None => Vec::new(),
    }
}

/// The station that the author's role speaks for.
pub(super) fn station(state: &mut State) -> Option<String> {
    let role = state.author.role.clone();
    if role.is_none() {
        state.say("say for which station: :as captain, or its number");
    }
    role
}

/// The run of the list that is shown, by its id.
pub(super) fn shown_id(state: &State) -> Option<RunId> {
    state.shown_run().map(|view| view.run.id.clone())
}
