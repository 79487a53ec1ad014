//! Keys while something lies over the room.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use tui_input::{Input, InputRequest};

use crate::checklist::{Command, Evidence, Kind, Run, Stage};
use crate::model::{ItemId, RunId, Time};

use super::command::{Action, Row, TABLE};
use super::key::{Code, Key};
use super::msg::Effect;
use super::state::{Dialog, Purpose, State, TYPE_AHEAD};
use super::{ask, identity, launch, lists, press, signing, tick};

/// A key while a dialog is open.
pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some((dialog, since)) = state.dialog.take() else { return Vec::new() };
    // A text field that the user has just asked for takes what is typed at once; a question does not.
    let guarded =
        !matches!(dialog, Dialog::Text(..) | Dialog::Palette(..) | Dialog::Org(..) | Dialog::Help(_));
    if guarded && state.now.since(since) < TYPE_AHEAD {
        state.dialog = Some((dialog, since));
        return Vec::new();
    }
    if key.code == Code::Esc {
        if matches!(dialog, Dialog::Text(Purpose::Filter, _)) {
            state.identity_view.filter.clear();
        }
        return if matches!(dialog, Dialog::SignIn) { signing::cancel(state) } else { Vec::new() };
    }
    match dialog {
        Dialog::Help(at) => {
            help(state, key, at);
            Vec::new()
        }
        Dialog::Item(item) => of_item(state, key, item),
        Dialog::Text(purpose, input) => text(state, key, purpose, input),
        Dialog::Palette(input, at) => palette(state, key, input, at),
        Dialog::Org(input, at) => org(state, key, input, at),
        Dialog::Message(item, filled, at) => message(state, key, item, filled, at),
        Dialog::Vote => vote(state, key, since),
        Dialog::SignIn => signing::key(state, key, since),
        Dialog::ConfirmQuit | Dialog::ConfirmResume | Dialog::ConfirmLiftOff | Dialog::Approve(..) => {
            question(state, key, dialog, since)
        }
    }
}

/// A question that `y` answers with yes.
fn question(state: &mut State, key: Key, dialog: Dialog, since: Time) -> Vec<Effect> {
    match (key.code, dialog) {
        (Code::Char('y'), Dialog::ConfirmQuit) => vec![Effect::Quit],
        (Code::Char('y'), Dialog::ConfirmResume) => launch::resume(state),
        (Code::Char('y'), Dialog::ConfirmLiftOff) => ask::begin(state, ask::Wanted::LiftOff),
        (Code::Char('y'), Dialog::Approve(item, _)) => tick::approved(state, &item),
        (Code::Char('n' | 'q'), _) => Vec::new(),
        (_, dialog) => {
            state.dialog = Some((dialog, since));
            Vec::new()
        }
    }
}

/// `g` says GO, `n` NO-GO; a number chooses the station.
fn vote(state: &mut State, key: Key, since: Time) -> Vec<Effect> {
    match key.code {
        Code::Char('g') => return launch::go(state),
        Code::Char('n') => {
            if let Some(station) = launch::station(state) {
                state.open(Dialog::Text(Purpose::NoGo(station), Input::default()));
            }
            return Vec::new();
        }
        Code::Char('q') => return Vec::new(),
        Code::Char(digit) => {
            let place = digit.to_digit(10).and_then(|digit| (digit as usize).checked_sub(1));
            let poll = state.run.as_ref().and_then(|view| view.run.poll_at(state.now));
            if let Some(station) = place.and_then(|place| poll?.stations.get(place).cloned()) {
                launch::act_as(state, &station);
            }
        }
        _ => {}
    }
    state.dialog = Some((Dialog::Vote, since));
    Vec::new()
}

/// Opens an item's message, filled with the values of this moment.
pub(super) fn open_message(state: &mut State, item: &ItemId) {
    let filled = filled(state, item);
    state.open(Dialog::Message(item.clone(), filled, 0));
}

/// An item's message with the values of this moment.
pub(super) fn filled(state: &State, item: &ItemId) -> Result<String, String> {
    let text = state.message_text(item).ok_or("the text of this message was not found beside its list")?;
    if let Some(view) = state.shown_run() {
        return super::message::fill(text, state, &view.run);
    }
    // Before the first press there is no run yet; the text is to be read all the same.
    let template = state.shown_template().ok_or("there is no list")?;
    let mut run = Run::new(RunId::new("not begun"), std::sync::Arc::clone(template));
    run.mode = state.run.as_ref().map_or(run.mode, |launch| launch.run.mode);
    run.params = state.params();
    super::message::fill(text, state, &run)
}

/// `y` copies, `w` marks as sent.
fn message(
    state: &mut State,
    key: Key,
    item: ItemId,
    filled: Result<String, String>,
    at: usize,
) -> Vec<Effect> {
    let lines = filled.as_ref().map_or(1, |text| text.lines().count());
    let mut at = at;
    let mut effects = Vec::new();
    match (key.code, &filled) {
        (Code::Char('q'), _) => return Vec::new(),
        (Code::Char('y'), Ok(text)) => {
            state.say("copied, where the terminal allows it (OSC 52)");
            effects.push(Effect::Copy(text.clone()));
        }
        (Code::Char('w'), Ok(text)) => {
            return tick::append(state, Command::Sent { item, text: text.clone() });
        }
        (Code::Char('j') | Code::Down, _) => at = (at + 1).min(lines.saturating_sub(1)),
        (Code::Char('k') | Code::Up, _) => at = at.saturating_sub(1),
        _ => {}
    }
    state.dialog = Some((Dialog::Message(item, filled, at), Time::MIN));
    effects
}

/// Pasted text goes into text fields and nowhere else: a pasted sentence must not tick anything.
pub(super) fn paste(state: &mut State, pasted: &str) {
    let Some((Dialog::Text(_, input) | Dialog::Palette(input, _) | Dialog::Org(input, _), _)) =
        &mut state.dialog
    else {
        return;
    };
    for c in pasted
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .take(2_000)
    {
        input.handle(InputRequest::InsertChar(c));
    }
}

/// The commands that fit what was typed, best first.
pub fn suggestions(typed: &str) -> Vec<&'static Row> {
    let name = typed.split_whitespace().next().unwrap_or("");
    if name.is_empty() {
        return TABLE.iter().collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(name, CaseMatching::Ignore, Normalization::Smart);
    let names = pattern.match_list(TABLE.iter().map(|row| row.name), &mut matcher);
    names.into_iter().filter_map(|(name, _)| TABLE.iter().find(|row| row.name == name)).collect()
}

fn help(state: &mut State, key: Key, at: usize) {
    let last = TABLE.len().saturating_sub(1);
    let to = match (state.keymap.action(key), key.code) {
        (Some(Action::Down), _) => at + 1,
        (Some(Action::Up), _) => at.saturating_sub(1),
        (Some(Action::HalfDown), _) => at + 10,
        (Some(Action::HalfUp), _) => at.saturating_sub(10),
        (Some(Action::Top), _) => 0,
        (Some(Action::Bottom), _) => last,
        _ => return,
    };
    state.open(Dialog::Help(to.min(last)));
}

/// The item's dialog: each letter does what the dialog says.
fn of_item(state: &mut State, key: Key, item: ItemId) -> Vec<Effect> {
    let Code::Char(c) = key.code else {
        state.dialog = Some((Dialog::Item(item), Time::MIN));
        return Vec::new();
    };
    let offers = item_keys(state, &item);
    let Some((_, _, does)) = offers.into_iter().find(|(offered, ..)| *offered == c) else {
        if c != 'q' {
            state.dialog = Some((Dialog::Item(item), Time::MIN));
        }
        return Vec::new();
    };
    let effects = match does {
        Does::Tick => tick::ask(state, &item),
        Does::Sign => launch::on_item(state, Action::Sign, &item),
        Does::Run => launch::on_item(state, Action::Run, &item),
        Does::Skip => ask_words(state, Purpose::Skip(item.clone())),
        Does::Waive => ask_words(state, Purpose::Waive(item.clone())),
        Does::Fail => ask_words(state, Purpose::Fail(item.clone())),
        Does::Reopen => ask_words(state, Purpose::Reopen(item.clone())),
        Does::Evidence => ask_words(state, Purpose::Evidence(item.clone())),
        Does::Note => ask_words(state, Purpose::Note(Some(item.clone()))),
        Does::Message => {
            open_message(state, &item);
            Vec::new()
        }
        Does::ActAs(role) => {
            launch::act_as(state, &role);
            Vec::new()
        }
        Does::Runbook(list) => return lists::open(state, &list),
        Does::UndoItem(other) => {
            let place = state.shown_template().and_then(|template| template.place(&other));
            state.selected.insert(super::Block::Checklist, place.unwrap_or_default());
            state.open(Dialog::Item(other));
            Vec::new()
        }
        Does::Cancel(run, started) => vec![Effect::Cancel { run, started }],
    };
    // A step that asks for more has opened its own; else the item stays in view.
    if state.dialog.is_none() {
        state.dialog = Some((Dialog::Item(item), Time::MIN));
    }
    effects
}

/// What a key of an item's dialog does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Tick it: of a gate, ask again; of a wait, begin it.
    Tick,
    /// Sign it.
    Sign,
    /// Run its command.
    Run,
    /// Skip it.
    Skip,
    /// Waive it.
    Waive,
    /// Say that it failed.
    Fail,
    /// Open it again.
    Reopen,
    /// Bring evidence.
    Evidence,
    /// Write a note.
    Note,
    /// Fill its message.
    Message,
    /// Act in the role that it is for.
    ActAs(String),
    /// Open its runbook.
    Runbook(String),
    /// Go to the item that undoes it.
    UndoItem(ItemId),
    /// End its command.
    Cancel(RunId, u64),
}

/// The keys of an item's dialog with their words, as far as they mean something now.
pub fn item_keys(state: &State, id: &ItemId) -> Vec<(char, String, Does)> {
    let mut keys: Vec<(char, String, Does)> = Vec::new();
    let Some(item) = state.shown_template().and_then(|template| template.item(id)) else { return keys };
    let item_state = state.shown_run().and_then(|view| view.run.item(id)).map(|(_, s)| s);
    let stage = item_state.map(|s| s.stage).unwrap_or_default();
    let process = state.shown_template().is_some_and(|template| template.has_process());
    let begins = matches!(item.kind, Kind::Wait { .. }) && stage == Stage::Todo;
    let running = item_state.and_then(|s| s.attempt.as_ref()).filter(|attempt| attempt.end.is_none());
    let mut add = |key, words: &str, does| keys.push((key, words.to_owned(), does));
    if state.may_write().is_ok() && (state.shown_run().is_some() || state.side.is_some()) {
        let signs = item.signoff.is_some() && process;
        if stage.is_open() {
            match &item.kind {
                Kind::Gate(_) => add('t', "ask again and tick", Does::Tick),
                Kind::Wait { .. } if begins => add('t', "begin", Does::Tick),
                Kind::Command(_) | Kind::Message(_) if process => {}
                Kind::Check if signs => {}
                _ => add('t', "tick", Does::Tick),
            }
            if signs {
                add('A', "sign", Does::Sign);
            }
        }
        if !stage.is_settled() {
            if matches!(item.kind, Kind::Command(_)) && running.is_none() {
                add('x', "run", Does::Run);
            }
            if matches!(item.kind, Kind::Message(_)) {
                add('m', "message", Does::Message);
            }
            add('e', "evidence", Does::Evidence);
            add('s', "skip", Does::Skip);
            if !item.waivable_by.is_empty() {
                add('w', "waive", Does::Waive);
            }
            if stage.is_open() {
                add('f', "fail", Does::Fail);
            }
        }
        if stage != Stage::Todo {
            add('o', "reopen", Does::Reopen);
        }
        if let (Some(attempt), Some(run)) = (running, launch::shown_id(state)) {
            add('c', "end it", Does::Cancel(run, attempt.seq));
        }
        add('n', "note", Does::Note);
        let role = item.role.as_ref().or(item.signoff.as_ref().and_then(|signoff| signoff.roles.first()));
        if let Some(role) = role.filter(|role| process && state.author.role.as_ref() != Some(role)) {
            add('a', &format!("act as {role}"), Does::ActAs(role.clone()));
        }
    }
    if let Some(runbook) =
        item.runbook.as_ref().filter(|id| state.lists.iter().any(|l| l.template.id == **id))
    {
        add('b', "runbook", Does::Runbook(runbook.clone()));
    }
    if let Some(undo) = &item.undo {
        add('u', "what undoes it", Does::UndoItem(undo.clone()));
    }
    keys
}

pub(super) fn ask_words(state: &mut State, purpose: Purpose) -> Vec<Effect> {
    match state.may_write() {
        Ok(()) => state.open(Dialog::Text(purpose, Input::default())),
        Err(why) => state.say(why),
    }
    Vec::new()
}

fn text(state: &mut State, key: Key, purpose: Purpose, mut input: Input) -> Vec<Effect> {
    if purpose == Purpose::Filter {
        if key.code != Code::Enter {
            edit(&mut input, key);
            // The list behind follows every letter.
            input.value().trim().clone_into(&mut state.identity_view.filter);
            state.identity_view.selected.remove(&identity::Section::Audit);
            state.dialog = Some((Dialog::Text(purpose, input), state.now));
        }
        return Vec::new();
    }
    if key.code != Code::Enter {
        edit(&mut input, key);
        state.dialog = Some((Dialog::Text(purpose, input), state.now));
        return Vec::new();
    }
    let words = input.value().trim().to_owned();
    if words.is_empty() {
        state.say("write some words, or esc to leave it");
        state.dialog = Some((Dialog::Text(purpose, input), state.now));
        return Vec::new();
    }
    let command = match purpose {
        Purpose::Skip(item) => Command::Skip { item, reason: words },
        Purpose::Reopen(item) => Command::Reopen { item, reason: words },
        Purpose::Note(item) => Command::Note { item, text: words },
        Purpose::Waive(item) => Command::Waive { item, reason: words },
        Purpose::Fail(item) => Command::Fail { item, reason: words },
        Purpose::Evidence(item) => {
            let is_link = ["http://", "https://"].iter().any(|scheme| words.starts_with(scheme));
            let kind = if is_link || (words.contains('/') && !words.contains(' ')) { "link" } else { "text" };
            Command::Attach { item, evidence: vec![Evidence::brought(kind, &words)] }
        }
        Purpose::Run(item) if words != item.as_str() => {
            state.say(format!("{words:?} is not {item}: nothing was run"));
            return Vec::new();
        }
        Purpose::Run(item) => Command::Run { item },
        Purpose::Dismiss(proposal) => {
            return launch::on_run(state, Command::Answer { proposal, confirm: false, reason: Some(words) });
        }
        Purpose::Filter => return Vec::new(),
        Purpose::Close => return launch::on_run(state, Command::Close { reason: Some(words) }),
        Purpose::NoGo(station) => {
            let vote =
                Command::Vote { station, go: false, note: Some(words), evidence: Vec::new(), poll: None };
            return launch::on_run(state, vote);
        }
    };
    tick::append(state, command)
}

fn palette(state: &mut State, key: Key, mut input: Input, at: usize) -> Vec<Effect> {
    let found = suggestions(input.value());
    let last = found.len().saturating_sub(1);
    match key.code {
        Code::Enter => {
            let typed = input.value().trim().to_owned();
            let name = typed.split_whitespace().next().unwrap_or("");
            let exact = TABLE.iter().any(|row| row.name == name);
            // What is typed in full is meant as typed; else the selected suggestion is.
            match found.get(at.min(last)) {
                // What cannot be taken back is typed in full.
                Some(row) if !exact && matches!(row.action, Action::Confirm | Action::Close) => {
                    state.say(format!("type {} in full", row.name));
                    Vec::new()
                }
                Some(row) if !exact && !typed.contains(' ') => press::line(state, row.name),
                _ if typed.is_empty() => Vec::new(),
                _ => press::line(state, &typed),
            }
        }
        Code::Down | Code::Up | Code::Tab | Code::BackTab => {
            let down = matches!(key.code, Code::Down | Code::Tab);
            let to = if down { (at + 1).min(last) } else { at.saturating_sub(1) };
            state.dialog = Some((Dialog::Palette(input, to), state.now));
            Vec::new()
        }
        Code::Backspace if input.value().is_empty() => Vec::new(),
        _ => {
            edit(&mut input, key);
            state.dialog = Some((Dialog::Palette(input, 0), state.now));
            Vec::new()
        }
    }
}

/// Enter looks at the selected organisation.
fn org(state: &mut State, key: Key, mut input: Input, at: usize) -> Vec<Effect> {
    let found = identity::choices(state, input.value());
    let last = found.len().saturating_sub(1);
    match key.code {
        Code::Enter => {
            let chosen = found.get(at.min(last)).map(|org| org.map(|org| org.id.clone()));
            match chosen {
                Some(org) => identity::look_at(state, org),
                None => state.dialog = Some((Dialog::Org(input, at), state.now)),
            }
        }
        Code::Down | Code::Up | Code::Tab | Code::BackTab => {
            let down = matches!(key.code, Code::Down | Code::Tab);
            let to = if down { (at + 1).min(last) } else { at.saturating_sub(1) };
            state.dialog = Some((Dialog::Org(input, to), state.now));
        }
        Code::Backspace if input.value().is_empty() => {}
        _ => {
            edit(&mut input, key);
            state.dialog = Some((Dialog::Org(input, 0), state.now));
        }
    }
    Vec::new()
}

/// The usual keys of a text field.
fn edit(input: &mut Input, key: Key) {
    let request = match (key.ctrl, key.alt, key.code) {
        (false, false, Code::Char(c)) => InputRequest::InsertChar(c),
        (_, false, Code::Backspace) if !key.ctrl => InputRequest::DeletePrevChar,
        (true, _, Code::Char('h')) => InputRequest::DeletePrevChar,
        (false, _, Code::Delete) => InputRequest::DeleteNextChar,
        (false, _, Code::Left) | (true, _, Code::Char('b')) => InputRequest::GoToPrevChar,
        (false, _, Code::Right) | (true, _, Code::Char('f')) => InputRequest::GoToNextChar,
        (true, _, Code::Left) | (_, true, Code::Char('b')) => InputRequest::GoToPrevWord,
        (true, _, Code::Right) | (_, true, Code::Char('f')) => InputRequest::GoToNextWord,
        (_, _, Code::Home) | (true, _, Code::Char('a')) => InputRequest::GoToStart,
        (_, _, Code::End) | (true, _, Code::Char('e')) => InputRequest::GoToEnd,
        (true, _, Code::Char('w')) | (_, true, Code::Backspace) => InputRequest::DeletePrevWord,
        (true, _, Code::Char('u')) => InputRequest::DeleteLine,
        (true, _, Code::Char('k')) => InputRequest::DeleteTillEnd,
        _ => return,
    };
    input.handle(request);
}
