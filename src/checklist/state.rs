//! What a run's events add up to.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::model::{ItemId, RunId, Time, trigger};

use super::clock::Clock;
use super::fact::Step;
use super::item_state::{Attempt, Derived, End, GOOD_OUTCOMES, ItemState, Signature, Stage};
use super::poll::{Asked, Polls, Vote};
use super::survey::Survey;
use super::template::ListKind;
use super::{Author, Event, Evidence, Fact, Hash, Item, Kind, Mode, Template};

/// A run: its template and what happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its name in the ledger.
    #[serde(skip)]
    pub id: RunId,
    /// The template it was started from, as it was then.
    #[serde(skip)]
    pub template: Arc<Template>,
    /// The hash of the template's bytes, from event 1.
    pub template_hash: Option<Hash>,
    /// What it is for.
    pub mode: Mode,
    /// When it was started, and by whom.
    pub started: Option<(Author, Time)>,
    /// The run that it was opened from: a rollback's launch.
    pub of: Option<RunId>,
    /// Whether the launch that began it takes changes only from people who are signed in.
    #[serde(default)]
    pub require_identity: bool,
    /// The template's parameters with their values, in the order of the template.
    pub params: Vec<(String, String)>,
    /// T and its holds.
    pub clock: Clock,
    /// Votes.
    pub polls: Polls,
    /// The terminal that alone writes automatic events.
    pub desk: Option<Desk>,
    /// Counts the events that moved the desk.
    pub desk_rev: u64,
    /// What was proposed, oldest first.
    pub proposals: Vec<Proposal>,
    /// What was done against the rules or excused from them, oldest first.
    pub deviations: Vec<Deviation>,
    /// Its rollback runs, oldest first.
    pub rollbacks: Vec<(RunId, Author, Time, String)>,
    /// The score of a drill.
    pub score: Option<String>,
    /// Who closed it, and when.
    pub closed: Option<(Author, Time)>,
    /// The last event's number; 0 where there is none.
    pub seq: u64,
    /// The last event's hash.
    pub head: Option<Hash>,
    /// One for each item of the template, in its order.
    pub items: Vec<ItemState>,
    /// Notes on the run itself.
    pub notes: Vec<(Author, Time, String)>,
    /// The ids of all events, so that one that is sent twice is taken once.
    ids: HashSet<Box<str>>,
    /// Worked out when it is first asked for after a change.
    #[serde(skip)]
    survey: OnceLock<Survey>,
}

/// Who has the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desk {
    /// The terminal.
    pub terminal: String,
    /// Who sits at it.
    pub author: Author,
    /// Since when.
    pub since: Time,
}

/// A terminal that was seen on a run a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The terminal.
    pub terminal: String,
    /// Who sits at it, harmless to print.
    pub name: String,
}

/// Something that a trigger or a regressed item proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The number of the event.
    pub seq: u64,
    /// The trigger's id, or the item's.
    pub cause: String,
    /// What is proposed.
    pub action: trigger::Action,
    /// When.
    pub at: Time,
    /// When silence holds the clock.
    pub deadline: Time,
    /// The numbers behind it, in words.
    pub reason: String,
    /// What became of it.
    pub answer: Option<Answer>,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Confirmed, dismissed, or (`None`) not answered in time.
    pub confirmed: Option<bool>,
    /// Who answered; of silence, the desk.
    pub author: Author,
    /// When.
    pub at: Time,
    /// Why it was dismissed.
    pub reason: Option<String>,
}

/// Something done against the rules, or excused from them: a report begins with these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// The number of the event.
    pub seq: u64,
    /// Who.
    pub author: Author,
    /// When.
    pub at: Time,
    /// `break-glass`, `waive`, `desk by force`.
    pub kind: String,
    /// The step.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Run {
    /// A run without events.
    pub fn new(id: RunId, template: Arc<Template>) -> Self {
        let items = vec![ItemState::default(); template.items.len()];
        Self {
            id,
            template,
            template_hash: None,
            mode: Mode::Live,
            started: None,
            of: None,
            require_identity: false,
            params: Vec::new(),
            clock: Clock::default(),
            polls: Polls::default(),
            desk: None,
            desk_rev: 0,
            proposals: Vec::new(),
            deviations: Vec::new(),
            rollbacks: Vec::new(),
            score: None,
            closed: None,
            seq: 0,
            head: None,
            items,
            notes: Vec::new(),
            ids: HashSet::new(),
            survey: OnceLock::new(),
        }
    }

    /// Gives a run that was read back its name and template. `None` where it is not one of that
    /// template's.
    pub fn restored(mut self, id: RunId, template: Arc<Template>) -> Option<Self> {
        if self.items.len() != template.items.len() {
            return None;
        }
        self.id = id;
        self.template = template;
        Some(self)
    }

    /// Takes the next event in. One that was already taken in is ignored, and so is one that leaves
    /// a gap: reading again from `seq + 1` brings what is missing. What names an unknown item counts
    /// in `seq` and `head` only.
    pub fn apply(&mut self, event: &Event) {
        if event.seq != self.seq + 1 {
            return;
        }
        self.seq = event.seq;
        self.head = Some(event.hash.clone());
        self.ids.insert(event.id.as_str().into());
        self.survey = OnceLock::new();
        match event.fact.item() {
            Some(item) => self.apply_to_item(&item.clone(), event),
            None => self.apply_to_run(event),
        }
    }

    fn apply_to_item(&mut self, id: &ItemId, event: &Event) {
        let Some(place) = self.template.place(id) else { return };
        let template = Arc::clone(&self.template);
        let (Some(item), Some(state)) = (template.items.get(place), self.items.get_mut(place)) else {
            return;
        };
        let (author, at) = (&event.author, event.at);
        match &event.fact {
            Fact::Begin { .. } => state.begin(author, at),
            Fact::Attach { evidence, .. } => {
                state.evidence.extend_from_slice(evidence);
                // What was signed is not what stands there now.
                state.signatures.clear();
            }
            Fact::Tick { evidence, .. } => {
                state.settle(Stage::Done, author, at, None);
                state.back_with(evidence);
            }
            Fact::Sign { binds, note, .. } => sign(item, state, event, binds, note.as_deref()),
            Fact::Skip { reason, .. } => state.settle(Stage::Skipped, author, at, Some(reason)),
            Fact::Waive { reason, .. } => {
                state.settle(Stage::Waived, author, at, Some(reason));
                self.deviate(event, "waive", id.as_str(), reason);
            }
            Fact::Fail { reason, .. } => state.settle(Stage::Failed, author, at, Some(reason)),
            Fact::Reopen { reason, .. } => {
                *state = ItemState {
                    rev: state.rev,
                    notes: std::mem::take(&mut state.notes),
                    reason: Some(reason.clone()),
                    ..ItemState::default()
                };
            }
            Fact::BreakGlass { reason, .. } => {
                state.settle(Stage::Done, author, at, Some(reason));
                state.overridden = true;
                self.deviate(event, "break-glass", id.as_str(), reason);
            }
            Fact::Started { argv, timeout, .. } => {
                state.begin(author, at);
                state.attempt = Some(Attempt {
                    seq: event.seq,
                    author: author.clone(),
                    at,
                    argv: argv.clone(),
                    timeout: *timeout,
                    end: None,
                });
            }
            Fact::Ended { of, outcome, took, bytes, output, .. } => {
                let end =
                    End { outcome: outcome.clone(), at, took: *took, bytes: *bytes, output: output.clone() };
                ended(state, *of, end);
            }
            Fact::Sent { .. } => state.settle(Stage::Done, author, at, None),
            Fact::Note { text, .. } => state.notes.push((author.clone(), at, text.clone())),
            Fact::Remind { .. } => state.reminded = true,
            _ => {}
        }
        if !matches!(event.fact, Fact::Note { .. } | Fact::Remind { .. })
            && let Some(state) = self.items.get_mut(place)
        {
            state.rev += 1;
        }
    }

    fn apply_to_run(&mut self, event: &Event) {
        let template = Arc::clone(&self.template);
        let (author, at) = (&event.author, event.at);
        match &event.fact {
            Fact::Start { template, mode, t0, params, of, require_identity, .. } => {
                self.template_hash = Some(template.clone());
                self.mode = *mode;
                self.started = Some((author.clone(), at));
                self.params.clone_from(params);
                self.of.clone_from(of);
                self.require_identity = *require_identity;
                if let Some(t0) = t0 {
                    self.clock.set_t0(&self.template, *t0, at);
                    self.clock.rev += 1;
                }
            }
            Fact::Note { text, .. } => self.notes.push((author.clone(), at, text.clone())),
            Fact::T0 { t0 } => {
                if self.clock.scrubbed.is_some() {
                    // What was voted was voted about the count that was called off.
                    self.polls.votes.clear();
                }
                self.clock.set_t0(&template, *t0, at);
                self.drop_votes_ahead();
                self.remind_anew(at);
            }
            Fact::Hold { hold, reason, proposal } => {
                self.clock.hold(&template, hold.as_deref(), at, author, reason.as_deref());
                if let Some(proposal) = proposal {
                    self.answer(
                        *proposal,
                        Answer { confirmed: None, author: author.clone(), at, reason: None },
                    );
                }
            }
            Fact::Extend { by } => self.clock.extend(&template, at, *by),
            Fact::Resume { .. } => self.clock.resume(&template, at),
            Fact::Recycle { hold, reason } => {
                self.clock.recycle(&template, hold, at, author, reason);
                self.drop_votes_ahead();
                self.remind_anew(at);
            }
            Fact::Scrub { reason } => self.clock.scrub(author, at, reason),
            Fact::LiftOff { .. } => self.clock.lift_off(at),
            Fact::BreakGlass { step, reason } => {
                match step {
                    Step::Hold => self.clock.resume(&template, at),
                    Step::LiftOff => self.clock.lift_off(at),
                    Step::Item(_) => {}
                }
                self.deviate(event, "break-glass", &step.words(), reason);
            }
            Fact::Poll { stations, within } => {
                let id = format!("poll-{}", event.seq);
                self.polls.asked = Some(Asked { id, stations: stations.clone(), at, within: *within });
            }
            Fact::Vote { poll, station, go, note, .. } => {
                let vote = Vote { author: author.clone(), at, go: *go, note: note.clone(), lapsed: None };
                self.polls.votes.entry(poll.clone()).or_default().insert(station.clone(), vote);
            }
            Fact::Lapse { poll, reason } => {
                for vote in self.polls.votes.get_mut(poll).into_iter().flat_map(|votes| votes.values_mut()) {
                    if vote.is_go() {
                        vote.lapsed = Some(reason.clone());
                    }
                }
            }
            Fact::Desk { terminal, forced_from } => {
                if let (Some(_), Some(desk)) = (forced_from, &self.desk) {
                    let from = desk.author.name();
                    self.deviate(event, "desk by force", &format!("taken from {from}"), "");
                }
                self.desk = Some(Desk { terminal: terminal.clone(), author: author.clone(), since: at });
            }
            Fact::LeaveDesk { .. } => self.desk = None,
            Fact::Propose { cause, action, within, reason } => self.proposals.push(Proposal {
                seq: event.seq,
                cause: cause.clone(),
                action: *action,
                at,
                deadline: at.after(*within),
                reason: reason.clone(),
                answer: None,
            }),
            Fact::Answer { proposal, confirm, reason } => {
                let action = self.proposal(*proposal).map(|p| (p.action, p.cause.clone(), p.reason.clone()));
                let answer =
                    Answer { confirmed: Some(*confirm), author: author.clone(), at, reason: reason.clone() };
                self.answer(*proposal, answer);
                if let (true, Some((trigger::Action::Hold, cause, why))) = (*confirm, action) {
                    self.clock.hold(&template, None, at, author, Some(&format!("{cause}: {why}")));
                    self.clock.rev += 1;
                }
            }
            Fact::Rollback { run, reason } => {
                self.rollbacks.push((run.clone(), author.clone(), at, reason.clone()));
            }
            Fact::Score { text } => self.score = Some(text.clone()),
            Fact::Close { .. } => self.closed = Some((author.clone(), at)),
            _ => {}
        }
        match event.fact.revision() {
            Some(super::fact::Revised::Clock) => self.clock.rev += 1,
            Some(super::fact::Revised::Poll) => self.polls.rev += 1,
            Some(super::fact::Revised::Desk) => self.desk_rev += 1,
            _ => {}
        }
    }

    /// What was voted at a hold that lies ahead again was voted about another count.
    fn drop_votes_ahead(&mut self) {
        let (template, passed) = (&self.template, &self.clock.passed);
        self.polls.votes.retain(|poll, _| passed.contains(poll) || template.hold(poll).is_none());
    }

    /// What was late for another T-0 is late again for this one.
    fn remind_anew(&mut self, at: Time) {
        let t0 = self.clock.t0;
        for (item, state) in self.template.items.iter().zip(&mut self.items) {
            let due = item.due.and_then(|due| due.time(t0));
            state.reminded &= due.is_some_and(|due| due <= at);
        }
    }

    fn answer(&mut self, seq: u64, answer: Answer) {
        if let Some(proposal) = self.proposals.iter_mut().find(|p| p.seq == seq && p.answer.is_none()) {
            proposal.answer = Some(answer);
        }
    }

    fn deviate(&mut self, event: &Event, kind: &str, what: &str, reason: &str) {
        self.deviations.push(Deviation {
            seq: event.seq,
            author: event.author.clone(),
            at: event.at,
            kind: kind.to_owned(),
            what: what.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn survey(&self) -> &Survey {
        self.survey.get_or_init(|| Survey::of(&self.template, &self.items))
    }

    /// An item of the template with its state.
    pub fn item(&self, id: &ItemId) -> Option<(&Item, &ItemState)> {
        let place = self.template.place(id)?;
        Some((self.template.items.get(place)?, self.items.get(place)?))
    }

    /// Whether an event with this id is in the run already.
    pub fn knows(&self, event_id: &str) -> bool {
        self.ids.contains(event_id)
    }

    /// Whether these bytes are another template than the one this run was started from. `false` where
    /// the run has no event yet.
    pub fn template_changed(&self, source: &str) -> bool {
        self.template_hash.as_ref().is_some_and(|hash| *hash != Hash::of(source.as_bytes()))
    }

    /// What follows for an item from the others. An item that is not in the template is blocked by
    /// nothing and never ready: it reads as settled.
    pub fn derived(&self, id: &ItemId) -> Derived {
        match self.item(id) {
            Some((item, state)) => self.survey().derived(&self.template, item, state),
            None => Derived::Settled,
        }
    }

    /// What follows for every item, in the order of the template; for a screen that asks for all.
    pub fn all_derived(&self) -> Vec<Derived> {
        let pairs = self.template.items.iter().zip(&self.items);
        pairs.map(|(item, state)| self.survey().derived(&self.template, item, state)).collect()
    }

    /// What the item rests on and is not met, whatever its own stage.
    pub fn waits_for(&self, id: &ItemId) -> Vec<ItemId> {
        self.item(id).map_or_else(Vec::new, |(item, _)| self.survey().unmet(&self.template, item))
    }

    /// Whether the item is settled and no longer stands, because something it came after was opened
    /// again: it counts as unmet until that is settled anew.
    pub fn lapsed(&self, id: &ItemId) -> bool {
        self.item(id).is_some_and(|(item, state)| self.survey().lapsed(&self.template, item, state))
    }

    /// Whether the item meets what comes after it.
    pub fn stands(&self, id: &ItemId) -> bool {
        let place = self.template.place(id);
        place.and_then(|place| self.survey().standing.get(place)).is_some_and(|stands| *stands)
    }

    /// How many items are settled and not lapsed, of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.survey().settled, self.items.len())
    }

    /// The first item that is ready, in the order of the list.
    pub fn next(&self) -> Option<&Item> {
        self.survey().next.and_then(|place| self.template.items.get(place))
    }

    /// Whether there is nothing left to do: closed, or every item settled.
    pub fn is_over(&self) -> bool {
        let (settled, of) = self.progress();
        self.closed.is_some() || (of > 0 && settled == of)
    }

    /// Whether it is still looked after: a live launch until it is closed, for what was done may go bad;
    /// any other run until nothing is left to do.
    pub fn is_watched_for(&self) -> bool {
        let live = self.mode == Mode::Live && self.template.kind == ListKind::Launch;
        if live { self.closed.is_none() } else { !self.is_over() }
    }

    /// How many valid signatures an item still needs.
    pub fn signatures_missing(&self, id: &ItemId) -> usize {
        let Some((item, state)) = self.item(id) else { return 0 };
        let needs = item.signoff.as_ref().filter(|_| self.template.has_process()).map_or(0, |s| s.count);
        needs.saturating_sub(state.signatures.len())
    }

    /// A proposal by its number.
    pub fn proposal(&self, seq: u64) -> Option<&Proposal> {
        self.proposals.iter().find(|proposal| proposal.seq == seq)
    }

    /// Proposals that wait for an answer, oldest first.
    pub fn open_proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.iter().filter(|proposal| proposal.answer.is_none())
    }

    /// The first time that the glass was broken: its name stays on screen until the run is closed.
    pub fn overridden(&self) -> Option<&Deviation> {
        self.deviations.iter().find(|deviation| deviation.kind == "break-glass")
    }

    /// A parameter's value.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The evidence on an item.
    pub fn evidence(&self, id: &ItemId) -> &[Evidence] {
        self.item(id).map_or(&[], |(_, state)| &state.evidence)
    }
}

/// A signature counts once a person; those made over something else count no more. The last one that
/// is needed settles an item of the kind check.
fn sign(item: &Item, state: &mut ItemState, event: &Event, binds: &Hash, note: Option<&str>) {
    state.signatures.retain(|other| other.binds == *binds && !other.author.is_same_person(&event.author));
    state.signatures.push(Signature {
        author: event.author.clone(),
        at: event.at,
        binds: binds.clone(),
        note: note.map(ToOwned::to_owned),
    });
    let needs = item.signoff.as_ref().map_or(0, |signoff| signoff.count);
    if state.signatures.len() >= needs && item.kind == Kind::Check {
        state.settle(Stage::Done, &event.author, event.at, None);
    } else if state.stage == Stage::Todo && !matches!(item.kind, Kind::Wait { .. }) {
        // A wait begins when it is begun: a signature does not start its timer.
        state.begin(&event.author, event.at);
    }
}

/// A result counts for the newest start only; one that comes late and finds the item opened again
/// changes nothing.
fn ended(state: &mut ItemState, of: u64, end: End) {
    let Some(attempt) = state.attempt.as_mut().filter(|attempt| attempt.seq == of && attempt.end.is_none())
    else {
        return;
    };
    let author = attempt.author.clone();
    let good = GOOD_OUTCOMES.contains(&end.outcome.as_str());
    let (outcome, at) = (end.outcome.clone(), end.at);
    attempt.end = Some(end);
    if state.stage == Stage::InProgress {
        let stage = if good { Stage::Done } else { Stage::Failed };
        state.settle(stage, &author, at, (!good).then_some(outcome.as_str()));
    }
}
