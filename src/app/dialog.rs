//! Keys while something lies over the room.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use tui_input::{Input, InputRequest};

use crate::checklist::{Command, Stage};
use crate::model::ItemId;

use super::command::{Action, Row, TABLE};
use super::key::{Code, Key};
use super::msg::Effect;
use super::state::{Dialog, Purpose, State, TYPE_AHEAD};
use super::{press, tick};

/// A key while a dialog is open.
pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some((dialog, since)) = state.dialog.take() else { return Vec::new() };
    // A text field that the user has just asked for takes what is typed at once; a question does not.
    let guarded = matches!(dialog, Dialog::Item(_) | Dialog::ConfirmQuit);
    if guarded && state.now.since(since) < TYPE_AHEAD {
        state.dialog = Some((dialog, since));
        return Vec::new();
    }
    if key.code == Code::Esc {
        return Vec::new();
    }
    match dialog {
        Dialog::Help(at) => {
            help(state, key, at);
            Vec::new()
        }
        Dialog::Item(item) => of_item(state, key, item),
        Dialog::ConfirmQuit => match key.code {
            Code::Char('y') => vec![Effect::Quit],
            Code::Char('n') => Vec::new(),
            _ => {
                state.dialog = Some((Dialog::ConfirmQuit, since));
                Vec::new()
            }
        },
        Dialog::Text(purpose, input) => text(state, key, purpose, input),
        Dialog::Palette(input, at) => palette(state, key, input, at),
    }
}

/// Pasted text goes into text fields and nowhere else: a pasted sentence must not tick anything.
pub(super) fn paste(state: &mut State, pasted: &str) {
    let Some((Dialog::Text(_, input) | Dialog::Palette(input, _), _)) = &mut state.dialog else { return };
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

/// The item's dialog: `t` ticks, `s` skips, `o` opens again, `n` notes.
fn of_item(state: &mut State, key: Key, item: ItemId) -> Vec<Effect> {
    let again = |state: &mut State, item| {
        state.dialog = Some((Dialog::Item(item), crate::model::Time::MIN));
        Vec::new()
    };
    let Code::Char(c) = key.code else { return again(state, item) };
    let stage = state.run.as_ref().and_then(|view| view.run.item(&item)).map(|(_, s)| s.stage);
    match (c, stage) {
        ('t', Some(Stage::Todo)) => {
            let effects = tick::ask(state, &item);
            state.dialog = Some((Dialog::Item(item), crate::model::Time::MIN));
            effects
        }
        ('s', Some(Stage::Todo)) => ask_words(state, Purpose::Skip(item)),
        ('o', Some(Stage::Done | Stage::Skipped)) => ask_words(state, Purpose::Reopen(item)),
        ('n', Some(_)) => ask_words(state, Purpose::Note(Some(item))),
        ('q', _) => Vec::new(),
        _ => again(state, item),
    }
}

fn ask_words(state: &mut State, purpose: Purpose) -> Vec<Effect> {
    match state.may_write() {
        Ok(_) => state.open(Dialog::Text(purpose, Input::default())),
        Err(why) => state.say(why),
    }
    Vec::new()
}

fn text(state: &mut State, key: Key, purpose: Purpose, mut input: Input) -> Vec<Effect> {
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
    tick::append(
        state,
        match purpose {
            Purpose::Skip(item) => Command::Skip { item, reason: words },
            Purpose::Reopen(item) => Command::Reopen { item, reason: words },
            Purpose::Note(item) => Command::Note { item, text: words },
        },
    )
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
