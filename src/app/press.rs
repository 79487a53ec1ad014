//! A key, or a line of the palette, becomes an action, and an action a change.

use std::time::Duration;

use crate::checklist::{Command, Kind, Mode};
use crate::model::{Board, Time, duration};

use super::command::{Action, TABLE};
use super::key::Key;
use super::msg::Effect;
use super::replay::{self, ReplayControl};
use super::state::{Block, Dialog, Purpose, State, WINDOWS};
use super::{dialog, identity, launch, lists, recording, signing, tick};

/// How soon a second ctrl-c must follow the first to quit.
const TWICE: Duration = Duration::from_secs(2);

/// A key was pressed, at `state.now`.
pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    if key == Key::ctrl('c') {
        return interrupt(state);
    }
    state.interrupted = None;
    state.notice = None;
    if state.dialog.is_some() {
        return dialog::key(state, key);
    }
    match state.keymap.action(key) {
        Some(action) => act(state, action),
        None => Vec::new(),
    }
}

/// ctrl-c cancels what is open; pressed again while nothing is, it quits.
fn interrupt(state: &mut State) -> Vec<Effect> {
    if let Some((dialog, _)) = state.dialog.take() {
        return if matches!(dialog, Dialog::SignIn) { signing::cancel(state) } else { Vec::new() };
    }
    if state.interrupted.is_some_and(|before| state.now.since(before) <= TWICE) {
        return vec![Effect::Quit];
    }
    state.interrupted = Some(state.now);
    state.say("ctrl-c again quits");
    Vec::new()
}

/// Does what an action asks for.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Start => return start(state),
        Action::Tick => return tick_selected(state),
        Action::Help => state.open(Dialog::Help(0)),
        Action::Palette => state.open(Dialog::Palette(tui_input::Input::default(), 0)),
        Action::Back => back(state),
        Action::FocusNext => focus(state, 1),
        Action::FocusPrevious => focus(state, -1),
        Action::Down => step(state, 1),
        Action::Up => step(state, -1),
        Action::HalfDown => step(state, 10),
        Action::HalfUp => step(state, -10),
        Action::Top => step(state, isize::MIN),
        Action::Bottom => step(state, isize::MAX),
        Action::Open => open(state),
        Action::Zoom => {
            state.zoom = if state.zoom.is_some() { None } else { Some(state.focus) };
            state.cursor = None;
        }
        Action::Note => note(state),
        Action::WindowShorter => state.window = state.window.saturating_sub(1),
        Action::WindowLonger => state.window = (state.window + 1).min(WINDOWS.len() - 1),
        Action::CursorLeft => cursor(state, true),
        Action::CursorRight => cursor(state, false),
        Action::Room => state.zoom = None,
        Action::Queues => show(state, Block::Board(Board::Queues)),
        Action::Api => show(state, Block::Board(Board::Api)),
        Action::Flags => show(state, Block::Flags),
        Action::Tenants => show(state, Block::Board(Board::Tenants)),
        Action::Identity => {
            let block = identity::block(state);
            show(state, block);
        }
        Action::Org => identity::ask_org(state),
        Action::Filter => filter(state),
        Action::Alerts if !state.launch.has_alerts() => {
            state.say("no source of alerts in the config: a prometheus source with alerts = true, or an alertmanager");
        }
        Action::Alerts => show(state, Block::Alerts),
        Action::Checklist => show(state, Block::Checklist),
        Action::Log => show(state, Block::Log),
        Action::Gates => show(state, Block::Gates),
        Action::Sources => show(state, Block::Sources),
        Action::Write => write(state),
        Action::Pause => return replay::control(state, ReplayControl::Pause),
        Action::Faster => return replay::control(state, ReplayControl::Faster),
        Action::Slower => return replay::control(state, ReplayControl::Slower),
        Action::Seek => state.say("seek needs a time: :seek 15:00, :seek -1m"),
        Action::Record => return recording::ask(state, ""),
        Action::SignIn => return signing::ask(state, ""),
        Action::SignOut => return signing::ask_out(state, ""),
        Action::Milestones => show(state, Block::Milestones),
        Action::SetT0 => state.say("t0 needs a time: :t0 15:00"),
        _ => return launch::act(state, action),
    }
    Vec::new()
}

/// A line of the palette: a command's name and perhaps an argument.
pub(super) fn line(state: &mut State, text: &str) -> Vec<Effect> {
    let text = text.trim();
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(row) = TABLE.iter().find(|row| row.name == name) else {
        let best = super::dialog::suggestions(text).into_iter().next();
        state.say(match best {
            Some(row) => format!("no command {name:?}; did you mean {}?", row.name),
            None => format!("no command {name:?}; ? shows them all"),
        });
        return Vec::new();
    };
    match (row.action, argument.trim()) {
        (Action::SetT0, time) if !time.is_empty() => set_t0(state, time),
        (Action::Seek, time) if !time.is_empty() => replay::seek(state, time),
        (Action::SignIn, name) => signing::ask(state, name),
        (Action::SignOut, name) => signing::ask_out(state, name),
        (Action::Record, argument) => recording::ask(state, argument),
        (Action::Org, name) if !name.is_empty() => {
            identity::look_at_named(state, name);
            Vec::new()
        }
        (action, argument) if !argument.is_empty() && row.argument.is_some() => {
            launch::with(state, action, argument)
        }
        (action, "") => act(state, action),
        (_, more) => {
            state.say(format!("{name} takes no argument, but was given {more:?}"));
            Vec::new()
        }
    }
}

fn quit(state: &mut State) -> Vec<Effect> {
    let saving = state.runs().any(|view| !view.saving.is_empty());
    if saving || leaves_behind(state).is_some() {
        state.open(Dialog::ConfirmQuit);
        return Vec::new();
    }
    vec![Effect::Quit]
}

/// What leaving now would leave behind, in words: the desk of a live run, or a command that runs.
pub fn leaves_behind(state: &State) -> Option<&'static str> {
    let running = |view: &super::RunView| {
        let attempts = view.run.items.iter().filter_map(|item| item.attempt.as_ref());
        attempts.into_iter().any(|attempt| attempt.is_running(state.now))
    };
    if state.runs().any(running) {
        return Some("a command is running; it goes on, and its result will be written down");
    }
    let live =
        state.run.as_ref().is_some_and(|view| view.run.mode == Mode::Live && view.run.is_watched_for());
    (state.has_desk() && live && !state.demo).then_some("you have the desk: nobody watches the triggers then")
}

fn start(state: &mut State) -> Vec<Effect> {
    if state.replay.is_some() {
        state.say("this is a replay: no run can be started in it");
        return Vec::new();
    }
    if state.run.is_some() {
        state.say("there is a run already; gonogo checklist start begins another");
        return Vec::new();
    }
    if state.template.is_none() {
        state.say("this launch names no checklist");
        return Vec::new();
    }
    if !state.write && !state.demo {
        state.say("read only: :write allows changes");
        return Vec::new();
    }
    vec![Effect::Start(state.author.clone())]
}

fn write(state: &mut State) {
    if state.replay.is_some() {
        state.say("this is a replay: nothing can be changed in it");
        return;
    }
    state.write = true;
    state.say("changes to this run are allowed from here");
}

fn tick_selected(state: &mut State) -> Vec<Effect> {
    if state.active() != Block::Checklist {
        state.say("space ticks with the checklist focused: tab moves the focus");
        return Vec::new();
    }
    let Some(item) = state.selected_item().cloned() else { return Vec::new() };
    let definition = state.shown_template().and_then(|template| template.item(&item));
    let process = state.shown_template().is_some_and(|template| template.has_process());
    let plain = definition.is_some_and(|item| match &item.kind {
        Kind::Check => item.signoff.is_none() || !process,
        // In a rollback the first press works: it runs the command, and opens the message.
        Kind::Command(_) | Kind::Message(_) => !process,
        Kind::Gate(_) | Kind::Wait { .. } => false,
    });
    if let (true, false, Some(Kind::Command(_))) = (plain, process, definition.map(|item| &item.kind)) {
        return launch::on_item(state, Action::Run, &item);
    }
    if !plain {
        // What takes more than a word is done deliberately, with all of it in view.
        state.open(Dialog::Item(item));
        return Vec::new();
    }
    tick::ask(state, &item)
}

fn open(state: &mut State) {
    match state.active() {
        Block::Identity => identity::open(state),
        Block::Checklist => {
            if let Some(item) = state.selected_item().cloned() {
                state.open(Dialog::Item(item));
            }
        }
        block if state.zoom.is_none() => show(state, block),
        _ => {}
    }
}

fn note(state: &mut State) {
    if let Err(why) = state.may_write() {
        state.say(why);
        return;
    }
    let item = if state.active() == Block::Checklist { state.selected_item().cloned() } else { None };
    state.open(Dialog::Text(Purpose::Note(item), tui_input::Input::default()));
}

fn back(state: &mut State) {
    if state.cursor.take().is_none() && state.zoom.take().is_none() {
        lists::close(state);
    }
}

fn show(state: &mut State, block: Block) {
    let of_its_own = matches!(block, Block::Sources | Block::Milestones | Block::Identity);
    if !of_its_own && !state.blocks().contains(&block) {
        state.say("this launch has nothing to show there");
        return;
    }
    state.zoom = Some(block);
    state.cursor = None;
    if !of_its_own {
        state.focus = block;
    }
}

/// The changes are narrowed where they are listed.
fn filter(state: &mut State) {
    if state.zoom != Some(Block::Identity) {
        let key = state.keymap.keys(Action::Identity);
        state.say(format!("the changes are listed on the identity screen: {key}"));
        return;
    }
    state.identity_view.section = identity::Section::Audit;
    let words = state.identity_view.filter.clone();
    state.open(Dialog::Text(Purpose::Filter, tui_input::Input::new(words)));
}

fn focus(state: &mut State, by: isize) {
    if state.zoom == Some(Block::Identity) {
        return identity::turn(state, by);
    }
    let blocks = state.blocks();
    let at = blocks.iter().position(|b| *b == state.focus).unwrap_or(0);
    let to = at.wrapping_add(blocks.len()).wrapping_add_signed(by) % blocks.len().max(1);
    if let Some(block) = blocks.get(to) {
        state.focus = *block;
        if state.zoom.is_some() {
            state.zoom = Some(*block);
        }
        state.cursor = None;
    }
}

fn step(state: &mut State, by: isize) {
    let block = state.active();
    if block == Block::Identity {
        return identity::step(state, by);
    }
    let last = length(state, block).saturating_sub(1);
    let at = state.selected(block).min(last);
    let to = at.saturating_add_signed(by).min(last);
    // At the end of the log the newest line stays in view: that is the line "last".
    state.selected.insert(block, to);
}

/// How many lines of a block can be selected.
fn length(state: &State, block: Block) -> usize {
    match block {
        Block::Gates => state.watch.gates.len(),
        Block::Board(board) => state.launch.signals.iter().filter(|s| s.board == board).count(),
        Block::Flags => state.launch.flags.len(),
        Block::Checklist => state.shown_template().map_or(0, |template| template.items.len()),
        Block::Milestones => state.shown_template().map_or(0, |template| template.milestones.len()),
        Block::Alerts => super::alerts::length(state),
        Block::Log => state.log.len(),
        Block::Sources => state.watch.sources.len(),
        // Its parts have lines of their own.
        Block::Identity => 0,
    }
}

fn cursor(state: &mut State, back: bool) {
    if state.zoom.is_none() {
        return;
    }
    let window = state.chart_window();
    let step = window / 60;
    let at = state.cursor.unwrap_or(Duration::ZERO);
    let to = if back { (at + step).min(window) } else { at.saturating_sub(step) };
    state.cursor = Some(to);
}

/// `:t0 TIME`: RFC 3339 or Unix seconds, a time of day in UTC (the next one), or `+30m` from now.
fn set_t0(state: &mut State, text: &str) -> Vec<Effect> {
    match parse_t0(text, state.now) {
        Ok(t0) => tick::append(state, Command::SetT0 { t0 }),
        Err(why) => {
            state.say(why);
            Vec::new()
        }
    }
}

/// Reads T-0 as people say it.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn parse_t0(text: &str, now: Time) -> Result<Time, String> {
    if let Some(span) = text.strip_prefix('+') {
        return duration::parse(span).map(|span| now.after(span));
    }
    if text.len() <= 8 && text.contains(':') {
        let full = if text.len() == 5 { format!("{text}:00") } else { text.to_owned() };
        let today = Time::parse(&format!("{}T{full}Z", now.date()))
            .map_err(|_| format!("{text:?} is no time of day: write 15:00, 2025-12-02T15:00:00Z or +30m"))?;
        return Ok(if today > now { today } else { today.after(Duration::from_hours(24)) });
    }
    Time::parse(text)
}
