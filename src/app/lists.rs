//! The lists of a room: the launch's own, and beside it the rollback and the runbooks, each with a run
//! of its own once somebody begins it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checklist::template::{ListKind, Param};
use crate::checklist::{Command, Kind, Mode, Run, Template};
use crate::model::{ItemId, RunId, trigger};

use super::msg::Effect;
use super::run::RunView;
use super::state::{Block, State};

/// A checklist as it was read, with the texts of its messages.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The template.
    pub template: Arc<Template>,
    /// Its exact bytes, as a run keeps them.
    pub text: Arc<str>,
    /// The texts of its messages, by the file that the template names.
    pub messages: BTreeMap<String, String>,
}

/// A list that is shown in the place of the launch's own.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The list.
    pub list: Arc<List>,
    /// Its run, once there is one.
    pub run: Option<RunView>,
    /// A run of it is being begun or opened.
    pub(super) opening: bool,
    /// Parameters that were given when it was opened.
    pub(super) given: Vec<(String, String)>,
    /// What is to be done first when it has begun.
    pub(super) first: Option<Command>,
    /// Which line was selected in the launch's list when this one was opened.
    pub(super) came_from: usize,
}

impl State {
    /// The template of the list that is shown: as its run has it, else as it was read.
    pub fn shown_template(&self) -> Option<&Arc<Template>> {
        match &self.side {
            Some(side) => Some(side.run.as_ref().map_or(&side.list.template, |view| &view.run.template)),
            None => self.run.as_ref().map(|view| &view.run.template).or(self.template.as_ref()),
        }
    }

    /// The run of the list that is shown.
    pub fn shown_run(&self) -> Option<&RunView> {
        match &self.side {
            Some(side) => side.run.as_ref(),
            None => self.run.as_ref(),
        }
    }

    pub(super) fn shown_run_mut(&mut self) -> Option<&mut RunView> {
        match &mut self.side {
            Some(side) => side.run.as_mut(),
            None => self.run.as_mut(),
        }
    }

    /// Every run of the room.
    pub fn runs(&self) -> impl Iterator<Item = &RunView> {
        let of_side = self.side.as_ref().and_then(|side| side.run.as_ref());
        self.run.iter().chain(of_side).chain(self.put_away.values().filter_map(|side| side.run.as_ref()))
    }

    pub(super) fn run_mut(&mut self, id: &RunId) -> Option<&mut RunView> {
        let of_side = self.side.as_mut().and_then(|side| side.run.as_mut());
        let away = self.put_away.values_mut().filter_map(|side| side.run.as_mut());
        self.run.iter_mut().chain(of_side).chain(away).find(|view| view.run.id == *id)
    }

    /// The parameters of the list that is shown: those of its run, else those that one begun now would
    /// have: the launch's, and the template's own.
    pub fn params(&self) -> Vec<(String, String)> {
        if let Some(view) = self.shown_run() {
            return view.run.params.clone();
        }
        let given = self.side.as_ref().map_or(&[][..], |side| &side.given);
        let of_launch = self.run.as_ref().map_or(&[][..], |view| &view.run.params);
        let known = || given.iter().chain(of_launch);
        let params = self.shown_template().map_or(&[][..], |template| &template.params);
        let value = |param: &Param| {
            let given = known().find(|(name, _)| *name == param.name).map(|(_, value)| value);
            Some((param.name.clone(), given.or(param.default.as_ref())?.clone()))
        };
        params.iter().filter_map(value).collect()
    }

    /// The text of an item's message, as it was read with its list.
    pub fn message_text(&self, item: &ItemId) -> Option<&str> {
        let template = self.shown_template()?;
        let Kind::Message(message) = &template.item(item)?.kind else { return None };
        let list = match &self.side {
            Some(side) => Some(&side.list),
            None => self.list.as_ref(),
        };
        list?.messages.get(&message.file).map(String::as_str)
    }
}

/// `:list ID name=value …`: another list, with parameters for the run that its first press begins.
pub(super) fn open_with(state: &mut State, words: &str) -> Vec<Effect> {
    let mut words = words.split_whitespace();
    let id = words.next().unwrap_or_default();
    let effects = open(state, id);
    let given = words.filter_map(|word| word.split_once('='));
    let given: Vec<(String, String)> = given.map(|(name, value)| (name.into(), value.into())).collect();
    if let Some(side) = state.side.as_mut().filter(|side| side.list.template.id == id && !given.is_empty()) {
        side.given = given;
    }
    effects
}

/// Shows another list, by its id; the run of a rollback that was begun before is opened again.
pub(super) fn open(state: &mut State, id: &str) -> Vec<Effect> {
    if state.side.as_ref().is_some_and(|side| side.list.template.id == id) {
        return Vec::new();
    }
    close(state);
    let side = state.put_away.remove(id).or_else(|| {
        let list = state.lists.iter().find(|list| list.template.id == id)?;
        Some(Side { list: Arc::clone(list), ..Side::default() })
    });
    let Some(mut side) = side else {
        state.say(format!("there is no list {id} beside this launch's checklist"));
        return Vec::new();
    };
    side.came_from = state.selected(Block::Checklist);
    let known = state.run.as_ref().and_then(|view| begun_before(&view.run, id));
    let is_rollback = side.list.template.kind == ListKind::Rollback;
    let mut effects = Vec::new();
    if let (None, true, Some(run), false) = (&side.run, is_rollback, known, side.opening) {
        side.opening = true;
        effects.push(Effect::OpenList { list: id.to_owned(), run });
    }
    state.side = Some(side);
    state.selected.insert(Block::Checklist, 0);
    state.focus = Block::Checklist;
    state.zoom = state.zoom.filter(|zoom| *zoom == Block::Checklist);
    effects
}

/// The newest rollback run of a list that the launch's run knows: runs bear the name of their list.
fn begun_before(launch: &Run, list: &str) -> Option<RunId> {
    let runs = launch.rollbacks.iter().rev().map(|(run, ..)| run);
    runs.into_iter().find(|run| run.as_str().contains(list)).cloned()
}

/// `R`: the rollback list, and nothing else.
pub(super) fn rollback(state: &mut State) -> Vec<Effect> {
    let id = state.run.as_ref().map(|view| &view.run.template).or(state.template.as_ref());
    let Some(id) = id.and_then(|template| template.rollback.clone()) else {
        state.say("this checklist names no rollback list");
        return Vec::new();
    };
    open(state, &id)
}

/// Back to the launch's own list. Whether there was another one.
pub(super) fn close(state: &mut State) -> bool {
    let Some(side) = state.side.take() else { return false };
    state.selected.insert(Block::Checklist, side.came_from);
    state.put_away.insert(side.list.template.id.clone(), side);
    true
}

/// The first command on a list without a run begins one, and is done then.
pub(super) fn begin_with(state: &mut State, command: Command) -> Vec<Effect> {
    if state.run.is_none() && state.run_note.is_none() && state.template.is_some() {
        state.say("the launch's run is still being opened");
        return Vec::new();
    }
    let of = state.run.as_ref().map(|view| view.run.id.clone());
    let mode = state.run.as_ref().map_or(Mode::Live, |view| view.run.mode);
    let params = state.params();
    let Some(side) = &mut state.side else { return Vec::new() };
    if side.opening {
        state.say("its run is being opened");
        return Vec::new();
    }
    let lacks = |param: &&Param| !params.iter().any(|(name, _)| *name == param.name);
    if let Some(param) = side.list.template.params.iter().find(lacks) {
        let (id, name) = (side.list.template.id.clone(), param.name.clone());
        state.say(format!("{id} asks for {name}: :list {id} {name}=VALUE"));
        return Vec::new();
    }
    side.opening = true;
    side.first = Some(command);
    // Somebody may have begun it meanwhile on another terminal: then the press is done there.
    let known = state.run.as_ref().and_then(|view| begun_before(&view.run, &side.list.template.id));
    if let (Some(run), true) = (known, side.list.template.kind == ListKind::Rollback) {
        return vec![Effect::OpenList { list: side.list.template.id.clone(), run }];
    }
    vec![Effect::BeginList { list: Arc::clone(&side.list), mode, params, of, author: state.author.clone() }]
}

/// A run of another list was begun or opened: what was to be done first is done now, and the launch's
/// run is told of its rollback.
pub(super) fn began(state: &mut State, list: &str, outcome: Result<Box<Run>, String>) -> Vec<Effect> {
    let shown = state.side.as_mut().filter(|side| side.list.template.id == list);
    let Some(side) = shown.or_else(|| state.put_away.get_mut(list)) else { return Vec::new() };
    side.opening = false;
    let first = side.first.take();
    let run = match outcome {
        Ok(run) => run,
        Err(why) => {
            let now = state.now;
            state.log.add(now, super::LogKind::Run, &why);
            state.say(why);
            return Vec::new();
        }
    };
    let (id, kind) = (run.id.clone(), run.template.kind);
    side.run = Some(RunView::new(*run));
    let mut effects = Vec::new();
    if let Some(command) = first {
        if kind == ListKind::Rollback {
            effects.extend(tell_launch(state, &id));
        }
        let is_gate = |item: &ItemId| {
            let view = state.runs().find(|view| view.run.id == id);
            view.and_then(|view| view.run.template.item(item)).is_some_and(|item| item.kind.gate().is_some())
        };
        effects.extend(match command {
            Command::Tick { item, .. } if is_gate(&item) => {
                let shown = state.side.as_ref().is_some_and(|side| side.list.template.id == list);
                if shown { super::tick::ask(state, &item) } else { Vec::new() }
            }
            command => super::tick::append_to(state, &id, command),
        });
    }
    effects
}

/// The launch's run says that its rollback was begun, also where it is only watched otherwise.
fn tell_launch(state: &mut State, rollback: &RunId) -> Vec<Effect> {
    let Some(view) = &state.run else { return Vec::new() };
    if view.run.rollbacks.iter().any(|(known, ..)| known == rollback) {
        return Vec::new();
    }
    let mut proposals = view.run.proposals.iter().rev();
    let proposal = proposals.find(|proposal| {
        let stands = proposal.answer.as_ref().is_none_or(|answer| answer.confirmed == Some(true));
        proposal.action == trigger::Action::ProposeRollback && stands
    });
    let reason = proposal.map_or_else(
        || "called by hand".to_owned(),
        |proposal| format!("{}: {}", proposal.cause, proposal.reason),
    );
    let run = view.run.id.clone();
    let answered: Vec<u64> = view
        .run
        .open_proposals()
        .filter(|proposal| proposal.action == trigger::Action::ProposeRollback)
        .map(|proposal| proposal.seq)
        .collect();
    let mut effects =
        super::tick::append_to(state, &run, Command::Rollback { run: rollback.clone(), reason });
    for proposal in answered {
        let confirm = Command::Answer { proposal, confirm: true, reason: None };
        effects.extend(super::tick::append_to(state, &run, confirm));
    }
    effects
}
