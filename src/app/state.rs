//! Everything the room knows; `ui` draws it and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tui_input::Input;

use crate::checklist::template::ListKind;
use crate::checklist::{Author, Derived, Kind, Mode, Present, Run, Stage, Template};
use crate::engine::{Outcome, Overall, Watch};
use crate::model::gate::Watched;
use crate::model::{Board, GateId, ItemId, Launch, Person, Time};

use super::ask::Asking;
use super::command::Keymap;
use super::identity::IdentityView;
use super::lists::{List, Side};
use super::log::Log;
use super::recording::Recording;
use super::replay::Replay;
use super::run::RunView;
use super::seen::Seen;
use super::signing::Signing;

/// A block of the screen that can have the focus or be zoomed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Block {
    /// The verdict with its gates.
    Gates,
    /// A table of signals.
    Board(Board),
    /// The flags.
    Flags,
    /// The alerts.
    Alerts,
    /// The checklist.
    Checklist,
    /// The log.
    Log,
    /// The sources; only zoomed.
    Sources,
    /// The milestones; only zoomed.
    Milestones,
    /// Organisations, roles, impersonation and changes; only zoomed.
    Identity,
}

/// What a text field is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The reason for skipping an item.
    Skip(ItemId),
    /// The reason for opening an item again.
    Reopen(ItemId),
    /// A note on an item or on the run.
    Note(Option<ItemId>),
    /// The reason for waiving an item.
    Waive(ItemId),
    /// Why an item has failed.
    Fail(ItemId),
    /// Evidence for an item: an address or words.
    Evidence(ItemId),
    /// The id of an item whose command is to be run.
    Run(ItemId),
    /// Why a proposal is dismissed, by its number.
    Dismiss(u64),
    /// Words beside a station's NO-GO.
    NoGo(String),
    /// The last words of a run that is closed.
    Close,
    /// The words that a change must hold to be listed.
    Filter,
}

/// Something that lies over the room.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// The keys; the number is how far it is scrolled.
    Help(usize),
    /// An item of the checklist.
    Item(ItemId),
    /// A text field.
    Text(Purpose, Input),
    /// The palette: what was typed, and which suggestion is selected.
    Palette(Input, usize),
    /// Leaving would lose sight of something under way.
    ConfirmQuit,
    /// The go/no-go poll.
    Vote,
    /// Which organisation to look at: what was typed, and which choice is selected.
    Org(Input, usize),
    /// A message with the values of the moment it was opened; and how far it is scrolled.
    Message(ItemId, Result<String, String>, usize),
    /// Commands of a template that this user never approved: the append that waits, and what would be
    /// run.
    Approve(ItemId, Vec<String>),
    /// The clock goes on.
    ConfirmResume,
    /// The launch lifts off.
    ConfirmLiftOff,
    /// Signing in.
    SignIn,
}

/// How long a new dialog ignores keys: what was typed ahead over a slow line was not meant for it.
pub const TYPE_AHEAD: Duration = Duration::from_millis(300);

/// The windows a chart can show.
pub const WINDOWS: [Duration; 4] =
    [Duration::from_mins(5), Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(6)];

/// The launch room.
#[derive(Debug)]
pub struct State {
    /// The newest time that was heard of.
    pub now: Time,
    /// When the room was opened, by the same clock; a simulation's, when it had run ahead.
    pub opened: Time,
    /// What is launched.
    pub launch: Arc<Launch>,
    /// The launch's checklist, where it has one.
    pub template: Option<Arc<Template>>,
    /// Sources, signals, flags, gates.
    pub watch: Watch,
    /// The run, once there is one.
    pub run: Option<RunView>,
    /// Why there is no run, or which trouble it is in.
    pub run_note: Option<String>,
    /// The launch's checklist with the texts of its messages.
    pub list: Option<Arc<List>>,
    /// The lists beside it: its rollback and its runbooks.
    pub lists: Vec<Arc<List>>,
    /// The list that is shown in the place of the launch's own.
    pub side: Option<Side>,
    /// Lists that were shown before, by their id.
    pub put_away: BTreeMap<String, Side>,
    /// A decision of the whole run that waits for numbers.
    pub asking: Option<Asking>,
    /// This terminal's name among those on the run.
    pub terminal: String,
    /// Whether this terminal takes the desk where nobody has it.
    pub wants_desk: bool,
    /// The terminals that were seen on the run; `None`: nobody has looked.
    pub present: Option<Vec<Present>>,
    /// What needs an answer and was called out.
    pub(super) called: BTreeSet<String>,
    /// When the terminals on the run were looked for last.
    pub(super) looked: Time,
    /// The simulated product is watched, and everything says so.
    pub demo: bool,
    /// A capture is watched, and everything says so.
    pub replay: Option<Replay>,
    /// What the room is recorded to.
    pub recording: Option<Recording>,
    /// Simulated time runs ahead of the wall.
    pub forwarding: bool,
    /// A simulation has come to its end.
    pub over: bool,
    /// The room is left then.
    pub quits_when_over: bool,
    /// What a drill is scored by.
    pub seen: Vec<(Time, Seen)>,
    /// The tags of items that were done in a rehearsal, not yet acted on.
    pub(super) acted: Vec<Vec<String>>,
    /// Who is at the keyboard, in the role they act in.
    pub author: Author,
    /// Who that is where nobody is signed in.
    pub unsigned: Author,
    /// Who is signed in, or was until the sign-in ended.
    pub person: Option<Person>,
    /// The sign-in that was begun here.
    pub signing: Option<Signing>,
    /// A live run may be changed.
    pub write: bool,
    /// What happened.
    pub log: Log,
    /// A sentence for the user's last key, until the next one.
    pub notice: Option<String>,
    /// Keys to actions.
    pub keymap: Keymap,
    /// The block that keys go to.
    pub focus: Block,
    /// The block that is shown alone.
    pub zoom: Option<Block>,
    /// What is chosen on the identity screen.
    pub identity_view: IdentityView,
    /// The selected line of each block.
    pub selected: BTreeMap<Block, usize>,
    /// What lies over the room, and since when.
    pub dialog: Option<(Dialog, Time)>,
    /// Index into [`WINDOWS`].
    pub window: usize,
    /// The chart's cursor: how far back from now; `None`: not shown.
    pub cursor: Option<Duration>,
    /// When ctrl-c was pressed last, while nothing else was.
    pub(super) interrupted: Option<Time>,
    pub(super) last_ticket: u64,
}

impl State {
    /// A room nothing has happened in yet. Gates of the checklist's items are watched from the start.
    pub fn new(launch: Arc<Launch>, template: Option<Arc<Template>>, keymap: Keymap, now: Time) -> Self {
        Self::with_lists(launch, template, Vec::new(), keymap, now)
    }

    /// As [`State::new`], with the lists beside the checklist, whose gates are watched too.
    pub fn with_lists(
        launch: Arc<Launch>,
        template: Option<Arc<Template>>,
        lists: Vec<Arc<List>>,
        keymap: Keymap,
        now: Time,
    ) -> Self {
        let of_lists = lists.iter().flat_map(|list| list.template.gates());
        let gates = template.iter().flat_map(|t| t.gates()).chain(of_lists);
        let mut state = Self {
            now,
            opened: now,
            watch: Watch::new(&launch, gates),
            author: Author::unverified(""),
            unsigned: Author::unverified(""),
            person: None,
            signing: None,
            write: launch.write,
            launch,
            run: None,
            run_note: None,
            list: None,
            lists,
            side: None,
            put_away: BTreeMap::new(),
            asking: None,
            terminal: "here".into(),
            wants_desk: true,
            present: None,
            called: BTreeSet::new(),
            looked: Time::MIN,
            demo: false,
            replay: None,
            recording: None,
            forwarding: false,
            over: false,
            quits_when_over: false,
            seen: Vec::new(),
            acted: Vec::new(),
            log: Log::default(),
            notice: None,
            keymap,
            focus: Block::Checklist,
            zoom: None,
            identity_view: IdentityView::default(),
            selected: BTreeMap::new(),
            dialog: None,
            window: 1,
            cursor: None,
            interrupted: None,
            last_ticket: 0,
            template,
        };
        if !state.blocks().contains(&Block::Checklist) {
            state.focus = state.blocks().first().copied().unwrap_or(Block::Log);
        }
        state
    }

    /// The blocks that this launch has something to show in, in the order of the focus.
    pub fn blocks(&self) -> Vec<Block> {
        let has = |board: Board| self.launch.signals.iter().any(|s| s.board == board);
        let boards = Board::NAMED.into_iter().filter(|b| *b != Board::Flags && has(*b)).map(Block::Board);
        let mut blocks: Vec<Block> = std::iter::once(Block::Gates).chain(boards).collect();
        if !self.launch.flags.is_empty() {
            let after = blocks.iter().position(|b| *b > Block::Board(Board::Api)).unwrap_or(blocks.len());
            blocks.insert(after, Block::Flags);
        }
        if self.launch.has_alerts() {
            let after = blocks.iter().position(|b| *b > Block::Board(Board::Api) && *b != Block::Flags);
            blocks.insert(after.unwrap_or(blocks.len()), Block::Alerts);
        }
        if self.template.is_some() {
            blocks.push(Block::Checklist);
        }
        blocks.push(Block::Log);
        blocks
    }

    /// The block that keys go to: the zoomed one, else the focused one.
    pub fn active(&self) -> Block {
        self.zoom.unwrap_or(self.focus)
    }

    /// The selected line of a block.
    pub fn selected(&self, block: Block) -> usize {
        self.selected.get(&block).copied().unwrap_or(0)
    }

    /// The id of the selected checklist item.
    pub fn selected_item(&self) -> Option<&ItemId> {
        let template = self.shown_template()?;
        template.items.get(self.selected(Block::Checklist)).map(|item| &item.id)
    }

    /// Whether the list that is shown may be changed from here; if not, why, and what would allow it. A
    /// rollback list always may: whoever opened it did so to roll back.
    ///
    /// # Errors
    /// The sentence for the user.
    pub fn may_write(&self) -> Result<(), String> {
        let Some(side) = &self.side else { return self.may_write_run().map(|_| ()) };
        if self.replay.is_some() {
            return Err("read only: this is a replay".into());
        }
        if let Some(why) = side.run.as_ref().and_then(|view| view.frozen.as_ref()) {
            return Err(format!("read only: {why}"));
        }
        if side.list.template.kind == ListKind::Rollback || self.may_write_anything() {
            return Ok(());
        }
        Err("read only: a live run is opened to watch; :write allows changes".into())
    }

    fn may_write_anything(&self) -> bool {
        let live = self.run.as_ref().is_none_or(|view| view.run.mode == Mode::Live);
        !live || self.write || self.demo
    }

    /// Whether the launch's run may be changed from here.
    ///
    /// # Errors
    /// The sentence for the user.
    pub fn may_write_run(&self) -> Result<&RunView, String> {
        if self.replay.is_some() {
            return Err("read only: this is a replay".into());
        }
        let Some(view) = &self.run else {
            return Err(self
                .run_note
                .clone()
                .unwrap_or_else(|| "there is no run yet: :start begins one".into()));
        };
        if let Some(why) = &view.frozen {
            return Err(format!("read only: {why}"));
        }
        if !self.may_write_anything() {
            return Err("read only: a live run is opened to watch; :write allows changes".into());
        }
        Ok(view)
    }

    /// Whether a gate counts in the verdict: the config's own always; a checklist item's while the
    /// item is ready (it is being waited for) or done (it is watched), not while it is still
    /// blocked or was skipped.
    pub fn counts(&self, gate: &GateId) -> bool {
        if self.launch.gates.iter().any(|g| g.id == *gate) {
            return true;
        }
        let item = ItemId::new(gate.as_str());
        match &self.run {
            Some(view) => counts_in(&view.run, &item),
            None => self.template.as_ref().and_then(|t| t.item(&item)).is_some_and(|i| i.after.is_empty()),
        }
    }

    /// The verdict of the launch. Where the glass was broken it stays NO-GO until the run is closed.
    pub fn overall(&self) -> Overall {
        let overall = self.watch.overall(self.now, |gate| self.counts(gate));
        let overridden = self.run.as_ref().is_some_and(|view| view.run.overridden().is_some());
        match overall.outcome {
            Outcome::Go if overridden => Overall { outcome: Outcome::NoGo, ..overall },
            _ => overall,
        }
    }

    /// What the run is for, as the header says it: `DEMO`, `PROD LIVE`, `DRY-RUN`, `DRILL`.
    pub fn badge(&self) -> String {
        if self.replay.is_some() {
            return "REPLAY".into();
        }
        let mode = self.run.as_ref().map_or(Mode::Live, |view| view.run.mode);
        match (self.demo, mode) {
            (true, _) => "DEMO".into(),
            (false, Mode::DryRun) => "DRY-RUN".into(),
            (false, Mode::Drill) => "DRILL".into(),
            (false, Mode::Live) if self.launch.environment == "production" => "PROD LIVE".into(),
            (false, Mode::Live) => format!("{} LIVE", self.launch.environment.to_uppercase()),
        }
    }

    /// The window that charts show.
    pub fn chart_window(&self) -> Duration {
        WINDOWS.get(self.window).copied().unwrap_or(Duration::from_mins(15))
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    pub(super) fn open(&mut self, dialog: Dialog) {
        self.dialog = Some((dialog, self.now));
    }

    pub(super) fn say(&mut self, text: impl AsRef<str>) {
        self.notice = Some(crate::model::text::harmless_line(text.as_ref(), 300));
    }
}

/// Whether the gate of an item counts in the verdict of a run: while the item is waited for, while its
/// wait runs, and after it was done for as long as it is watched.
pub fn counts_in(run: &Run, id: &ItemId) -> bool {
    let Some((item, state)) = run.item(id) else { return false };
    match state.stage {
        Stage::Done => item.kind.gate().is_some_and(|gate| gate.watch == Watched::UntilClosed),
        Stage::Todo if matches!(item.kind, Kind::Wait { .. }) => false,
        // It says that the number was bad: as long as nobody excuses it, it goes on to count.
        Stage::Failed => run.waits_for(id).is_empty(),
        _ => run.derived(id) == Derived::Ready,
    }
}
