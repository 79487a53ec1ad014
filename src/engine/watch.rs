//! Everything a launch watches: polls go in, judgements and changes come out.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::identity::{AuditEvent, Impersonation};
use crate::model::{
    Alert, Answer, Condition, GateDef, GateId, Launch, Point, Polled, RouteDef, SignalAnswer, SignalDef,
    SignalId, SourceId, SourceKind, Time, Unit, Verdict,
};

use super::alerts::judge;
use super::flag_gate;
use super::flags::{Changed, Drift, FlagState, Seen};
use super::measure;
use super::route_gate::{self, Grants};
use super::source::STALE_INTERVALS;
use super::{Alerts, Gate, IdentityState, Judgement, Overall, SourceState, Track};

/// Something that changed, for the log and the marks on charts.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A source stopped answering, with the reason.
    SourceFailed(SourceId, String),
    /// A source answers again.
    SourceBack(SourceId),
    /// A flag is not what it was.
    Flag(Changed),
    /// A flag that was there is not any more, or its provider does not show it any more.
    FlagMissing {
        /// Its key.
        key: String,
        /// Whether it may only be hidden from the credential.
        hidden: bool,
    },
    /// An alert began to fire or to be pending, and how many of its name did.
    AlertIs(Box<Alert>, usize),
    /// An alert ceased to fire, and how many of its name did.
    AlertGone(Box<Alert>, usize),
    /// Somebody began to act in the name of somebody else.
    ImpersonationBegan(Box<Impersonation>),
    /// And does so no more.
    ImpersonationEnded(Box<Impersonation>),
    /// The identity service has written something down that belongs in the log.
    Audit(Box<AuditEvent>),
    /// The log of the identity service could not be followed, so that changes may have been missed.
    AuditMissed(SourceId),
    /// A gate's verdict turned.
    Gate(GateId, Verdict, String),
}

/// The sources, signals, flags and gates of a launch.
#[derive(Clone, Debug)]
pub struct Watch {
    /// In the order of the config.
    pub sources: Vec<SourceState>,
    /// In the order of the config.
    pub tracks: Vec<Track>,
    /// In the order of the config.
    pub flags: Vec<FlagState>,
    /// What the routes of the product's API need.
    pub routes: Vec<RouteDef>,
    /// What the source of the routes grants.
    pub grants: Grants,
    /// The alerts of every source that tells some.
    pub alerts: Alerts,
    /// What the first identity source of the config has told beside flags.
    pub identity: Option<IdentityState>,
    /// The environment of the launch.
    environment: String,
    /// The config's gates, then those of the checklist.
    pub gates: Vec<Gate>,
    /// The verdicts that were last told, by gate.
    told: Vec<Verdict>,
}

impl Watch {
    /// Watches a launch and the gates of its checklist. A gate on a signal, flag or source that does
    /// not exist stays unknown for ever; settings refuse such files.
    pub fn new<'g>(launch: &'g Launch, more: impl IntoIterator<Item = &'g GateDef>) -> Self {
        let gates: Vec<Gate> = launch.gates.iter().chain(more).map(|def| gate(launch, def)).collect();
        Self {
            sources: launch.sources.iter().cloned().map(SourceState::new).collect(),
            tracks: launch.signals.iter().cloned().map(Track::new).collect(),
            flags: launch.flags.iter().cloned().map(FlagState::new).collect(),
            routes: launch.routes.clone(),
            grants: Grants::default(),
            alerts: Alerts::new(launch),
            identity: launch
                .sources
                .iter()
                .find(|s| matches!(s.kind, SourceKind::Identity { .. }))
                .map(|s| IdentityState::new(s.id.clone(), s.every)),
            environment: launch.environment.clone(),
            told: vec![Verdict::Unknown; gates.len()],
            gates,
        }
    }

    /// Watches other gates beside the config's own: those of a run whose template differs from the
    /// launch's. A gate whose expression is not polled any more stays unknown.
    pub fn watch_instead<'g>(&mut self, launch: &Launch, more: impl IntoIterator<Item = &'g GateDef>) {
        self.gates.truncate(launch.gates.len());
        self.told.truncate(launch.gates.len());
        for def in more {
            self.gates.push(gate(launch, def));
            self.told.push(Verdict::Unknown);
        }
    }

    /// A source by id.
    pub fn source(&self, id: &SourceId) -> Option<&SourceState> {
        self.sources.iter().find(|s| s.def.id == *id)
    }

    /// A signal by id.
    pub fn track(&self, id: &SignalId) -> Option<&Track> {
        self.tracks.iter().find(|t| t.def.id == *id)
    }

    /// A flag by key.
    pub fn flag(&self, key: &str) -> Option<&FlagState> {
        self.flags.iter().find(|f| f.def.key == key)
    }

    /// What callers got of a flag, and whether that is what is set.
    pub fn seen(&self, flag: &FlagState, now: Time) -> Option<(Seen, Option<Drift>)> {
        let track = |id: &Option<SignalId>| self.track(id.as_ref()?);
        let seen = flag.seen(track(&flag.def.observed), track(&flag.def.evaluations), now)?;
        Some((seen, flag.drift(&seen)))
    }

    /// A gate by id.
    pub fn gate(&self, id: &GateId) -> Option<&Gate> {
        self.gates.iter().find(|g| g.def.id == *id)
    }

    /// The sources a gate needs an answer from: its own, and that of its volume.
    pub fn sources_of(&self, id: &GateId) -> BTreeSet<SourceId> {
        let Some(gate) = self.gate(id) else { return BTreeSet::new() };
        let volume = gate.def.min_volume.as_ref().and_then(|(signal, _)| self.track(signal));
        std::iter::once(gate.source.clone()).chain(volume.map(|t| t.def.source.clone())).collect()
    }

    /// Takes in that a source was asked, and has not answered yet.
    pub fn asked(&mut self, id: &SourceId, at: Time) {
        if let Some(source) = self.sources.iter_mut().find(|s| s.def.id == *id) {
            source.begin(at);
        }
    }

    /// Takes a poll in.
    pub fn observe(&mut self, poll: &Polled) -> Vec<Change> {
        let mut changes = Vec::new();
        let Some(source) = self.sources.iter_mut().find(|s| s.def.id == poll.source) else { return changes };
        let was_down = source.fault.is_some();
        source.observe(poll);
        match &poll.outcome {
            Err(fault) => {
                if !was_down {
                    changes.push(Change::SourceFailed(poll.source.clone(), fault.text.clone()));
                }
                if let Some(identity) = self.identity.as_mut().filter(|i| i.source == poll.source) {
                    identity.fail(fault);
                }
                for track in self.tracks.iter_mut().filter(|t| t.def.source == poll.source) {
                    track.gap(poll.asked);
                }
                for gate in self.gates.iter_mut().filter(|g| g.source == poll.source) {
                    gate.pause(poll.asked);
                }
            }
            Ok(answer) => {
                if was_down {
                    changes.push(Change::SourceBack(poll.source.clone()));
                }
                self.take(poll, answer, &mut changes);
            }
        }
        changes
    }

    fn take(&mut self, poll: &Polled, answer: &Answer, changes: &mut Vec<Change>) {
        for signal in &answer.signals {
            if let Some(track) = self.tracks.iter_mut().find(|t| t.def.id == signal.signal) {
                let first = track.asked.is_none();
                track.observe(poll.asked, signal);
                let of = |all: &[(SignalId, String)]| -> Vec<String> {
                    all.iter().filter(|(id, _)| *id == signal.signal).map(|(_, text)| text.clone()).collect()
                };
                track.infos = of(&answer.notes.infos);
                track.absence = of(&answer.notes.absences).into_iter().next();
                if first && !signal.history.is_empty() {
                    self.backfill(signal, poll.asked);
                }
            }
        }
        if let Some(flags) = &answer.flags {
            for state in self.flags.iter_mut().filter(|f| f.def.source == poll.source) {
                let was_missing = state.missing;
                let offset = answer.notes.clock_offset;
                changes.extend(state.observe(poll.asked, flags, offset).map(Change::Flag));
                if state.missing && !was_missing {
                    changes.push(Change::FlagMissing {
                        key: state.def.key.clone(),
                        hidden: !state.caps.missing,
                    });
                }
            }
        }
        if self.routes.first().is_some_and(|route| route.source == poll.source) {
            self.grants.observe(answer, poll.asked);
        }
        changes.extend(self.alerts.observe(poll));
        changes.extend(self.take_identity(poll, answer, changes));
        let told: BTreeSet<&SignalId> = answer.signals.iter().map(|s| &s.signal).collect();
        for gate in &mut self.gates {
            let measured = match &gate.def.condition {
                Condition::Signal(id) if told.contains(id) => {
                    let Some(track) = self.tracks.iter().find(|t| t.def.id == *id) else { continue };
                    let volume = gate.def.min_volume.as_ref();
                    let volume = volume.and_then(|(id, _)| self.tracks.iter().find(|t| t.def.id == *id));
                    measure::of_signal(&gate.def, track, volume, gate.failed(), poll.asked)
                }
                Condition::Flag(wanted) if gate.source == poll.source && answer.flags.is_some() => {
                    let state = self.flags.iter().find(|f| f.def.key == wanted.key);
                    let mut measured =
                        flag_gate::measure(&gate.def, wanted, state, gate.failed(), poll.asked);
                    // A source may be told to look elsewhere; whoever reads the verdict must see that.
                    if let Some(other) = state.and_then(|state| state.elsewhere(&self.environment)) {
                        measured.reason.text = format!("in {other}: {}", measured.reason.text);
                    }
                    measured
                }
                Condition::Route(wanted) if gate.source == poll.source => {
                    let routes = self.routes.iter().filter(|route| route_gate::means(wanted, route));
                    route_gate::measure(routes, &self.grants, poll.asked)
                }
                Condition::Alert(wanted) if gate.source == poll.source => {
                    if !matches!(answer.alerts, Some(Ok(_))) {
                        gate.pause(poll.asked);
                        continue;
                    }
                    let (measured, age) =
                        judge::measure(&gate.def, wanted, &self.alerts, &gate.source, poll.asked);
                    gate.max_age = age;
                    measured
                }
                _ => continue,
            };
            gate.observe(measured, gate.every);
        }
    }

    /// What an identity service tells beside flags. The last change of a flag that was seen on the flag itself
    /// is not told again; those before it, which no poll saw, are, and so is what was denied or failed.
    fn take_identity(&mut self, poll: &Polled, answer: &Answer, seen: &[Change]) -> Vec<Change> {
        let Some(identity) = self.identity.as_mut().filter(|i| i.source == poll.source) else {
            return Vec::new();
        };
        let Some(told) = &answer.identity else { return Vec::new() };
        let changes = identity.observe(answer.meta.as_ref(), told, &self.environment);
        let of = |change: &Change| match change {
            Change::Audit(event) if !event.came_to_nothing() => event.target.clone(),
            _ => None,
        };
        let is_seen = |(place, change): (usize, &Change)| {
            let Change::Audit(event) = change else { return false };
            if event.came_to_nothing() {
                return false;
            }
            if changes.iter().skip(place + 1).any(|later| of(later).is_some() && of(later) == event.target) {
                return false;
            }
            let target = event.target.as_ref().map(|target| format!("{} ", target.id));
            let of_flag =
                |text: &str| target.as_ref().is_some_and(|target| text.starts_with(target.as_str()));
            seen.iter().any(|c| matches!(c, Change::Flag(changed) if of_flag(&changed.text)))
        };
        let told: Vec<bool> = changes.iter().enumerate().map(|one| !is_seen(one)).collect();
        changes.into_iter().zip(told).filter_map(|(change, told)| told.then_some(change)).collect()
    }

    /// Judges the gates of a signal on the points of a range query, so that a hold on a server need
    /// not be waited for.
    fn backfill(&mut self, answer: &SignalAnswer, asked: Time) {
        let times: BTreeSet<Time> =
            answer.history.iter().flat_map(|(_, points)| points.iter().map(|(t, _)| *t)).collect();
        let times: Vec<Time> = times.into_iter().filter(|t| *t < asked).collect();
        let step = times.windows(2).filter_map(|w| Some(w.get(1)?.since(*w.first()?))).min();
        for gate in &mut self.gates {
            let of_signal = matches!(&gate.def.condition, Condition::Signal(id) if *id == answer.signal);
            // A volume is not known for the past, so such a gate waits.
            if !of_signal || gate.def.min_volume.is_some() {
                continue;
            }
            let Some(def) = self.tracks.iter().find(|t| t.def.id == answer.signal).map(|t| t.def.clone())
            else {
                continue;
            };
            for at in &times {
                let mut track = Track::new(def.clone());
                track.observe(*at, &at_moment(answer, *at));
                let measured = measure::of_signal(&gate.def, &track, None, gate.failed(), *at);
                gate.observe(measured, gate.every.max(step.unwrap_or_default()));
            }
        }
    }

    /// Time passed: tells which gates have turned since the last call.
    pub fn tick(&mut self, now: Time) -> Vec<Change> {
        for gate in &mut self.gates {
            gate.tick(now);
        }
        let judged: Vec<(GateId, Judgement)> = self.judge_all(now);
        let mut changes = Vec::new();
        for ((id, judgement), told) in judged.into_iter().zip(&mut self.told) {
            if judgement.verdict != *told {
                *told = judgement.verdict;
                changes.push(Change::Gate(id, judgement.verdict, judgement.reason.text));
            }
        }
        changes
    }

    /// What one gate says at `now`.
    pub fn judge(&self, id: &GateId, now: Time) -> Option<Judgement> {
        self.gate(id).map(|gate| self.judge_gate(gate, now))
    }

    /// What every gate says, in the order of the config.
    pub fn judge_all(&self, now: Time) -> Vec<(GateId, Judgement)> {
        self.gates.iter().map(|gate| (gate.def.id.clone(), self.judge_gate(gate, now))).collect()
    }

    /// The verdict of the launch over the gates that count.
    pub fn overall(&self, now: Time, counts: impl Fn(&GateId) -> bool) -> Overall {
        Overall::of(self.judge_all(now).into_iter().filter(|(id, _)| counts(id)).collect())
    }

    fn judge_gate(&self, gate: &Gate, now: Time) -> Judgement {
        let of_source = self.source(&gate.source).and_then(|s| s.fault.as_ref());
        let of_alerts = || self.alerts.source(&gate.source)?.fault.as_ref();
        let asks_alerts = matches!(gate.def.condition, Condition::Alert(_));
        gate.judge(now, of_source.or_else(|| asks_alerts.then(of_alerts)?))
    }
}

fn at_moment(answer: &SignalAnswer, at: Time) -> SignalAnswer {
    let point = |(labels, points): &(crate::model::Labels, Vec<(Time, f64)>)| {
        let (_, value) = points.iter().find(|(t, _)| *t == at)?;
        Some(Point { labels: labels.clone(), value: *value, sampled: at })
    };
    SignalAnswer {
        signal: answer.signal.clone(),
        result: Ok(answer.history.iter().filter_map(point).collect()),
        warnings: Vec::new(),
        history: Vec::new(),
    }
}

fn gate(launch: &Launch, def: &GateDef) -> Gate {
    let every_of = |id: &SourceId| launch.source(id).map_or(Duration::from_secs(5), |s| s.every);
    match &def.condition {
        Condition::Signal(id) => {
            let none = SourceId::from("");
            let signal: Option<&SignalDef> = launch.signal(id);
            let source = signal.map_or(none, |s| s.source.clone());
            let every = every_of(&source);
            let max_age = def.max_age.or(signal.map(|s| s.max_age)).unwrap_or(every * STALE_INTERVALS);
            let query = signal.map(|s| s.query.clone()).unwrap_or_default();
            Gate::new(def.clone(), source, query, signal.map_or(Unit::None, |s| s.unit), every, max_age)
        }
        Condition::Alert(wanted) => {
            let source =
                wanted.source.clone().or_else(|| vouching(launch)).unwrap_or_else(|| SourceId::from(""));
            let every = every_of(&source);
            let max_age = def.max_age.unwrap_or(every * STALE_INTERVALS);
            let mut gate = Gate::new(def.clone(), source, wanted.name.clone(), Unit::None, every, max_age);
            // How old an evaluation may be is learned from the rules; how old an answer, is known.
            gate.answer_age = Some(max_age);
            gate
        }
        Condition::Route(wanted) => {
            let route = launch.routes.iter().find(|route| route_gate::means(wanted, route));
            let source = route.map_or_else(|| SourceId::from(""), |route| route.source.clone());
            let every = every_of(&source);
            let max_age = def.max_age.unwrap_or(every * STALE_INTERVALS);
            Gate::new(def.clone(), source, wanted.clone(), Unit::None, every, max_age)
        }
        Condition::Flag(wanted) => {
            let source = launch.flags.iter().find(|f| f.key == wanted.key).map(|f| f.source.clone());
            let source = source.unwrap_or_else(|| SourceId::from(""));
            let every = every_of(&source);
            let max_age = def.max_age.unwrap_or(every * STALE_INTERVALS);
            let unit = if wanted.percent { Unit::Percent } else { Unit::None };
            Gate::new(def.clone(), source, wanted.key.clone(), unit, every, max_age)
        }
    }
}

/// The source whose word on alerts counts where a gate names none: the one that evaluates rules, else
/// the one Alertmanager. Settings refuse a config where that is not one.
fn vouching(launch: &Launch) -> Option<SourceId> {
    let mut tellers: Vec<_> = launch.sources.iter().filter(|s| s.kind.tells_alerts()).collect();
    tellers.sort_by_key(|s| matches!(s.kind, SourceKind::Alertmanager { .. }));
    tellers.first().map(|s| s.id.clone())
}
