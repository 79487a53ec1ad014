//! The rules of items.

use crate::model::ItemId;

use super::super::chain::binding;
use super::super::fact::Step;
use super::super::params::fill;
use super::super::{Derived, Evidence, Fact, Hash, Item, ItemState, Kind, Stage};
use super::{Asked, Refused, has_numbers, short_words, some_words, whole_millis, words};

impl<'r> Asked<'r> {
    pub(super) fn begin(&self, id: &ItemId) -> Result<Fact, Refused> {
        let (item, state) = self.open_item(id)?;
        self.may_settle(item)?;
        self.nothing_before(id)?;
        if let Some((_, since)) = state.begun {
            return Err(Refused::Begun { item: id.clone(), since });
        }
        Ok(Fact::Begin { item: id.clone() })
    }

    pub(super) fn attach(&self, id: &ItemId, evidence: &[Evidence]) -> Result<Fact, Refused> {
        let (_, state) = self.item(id)?;
        if state.stage.is_settled() {
            return Err(settled(id, state));
        }
        if evidence.is_empty() {
            return Err(Refused::NeedsWords("evidence"));
        }
        let evidence = evidence.iter().map(brought).collect::<Result<_, _>>()?;
        Ok(Fact::Attach { item: id.clone(), evidence })
    }

    pub(super) fn tick(&self, id: &ItemId, evidence: &[Evidence]) -> Result<Fact, Refused> {
        let (item, state) = self.open_item(id)?;
        self.may_settle(item)?;
        self.nothing_before(id)?;
        self.not_running(id, state)?;
        match &item.kind {
            Kind::Command(_) if self.has_process() => return Err(Refused::RunsInstead(id.clone())),
            Kind::Message(_) if self.has_process() => return Err(Refused::SentInstead(id.clone())),
            Kind::Gate(_) if !has_numbers(evidence) => {
                return Err(Refused::NeedsEvidence(id.clone()));
            }
            Kind::Check | Kind::Command(_) | Kind::Message(_) | Kind::Gate(_) => {}
            Kind::Wait { .. } => self.wait_is_over(item, state, evidence)?,
        }
        self.is_ripe(item, state, evidence)?;
        Ok(Fact::Tick { item: id.clone(), evidence: evidence.to_vec() })
    }

    fn wait_is_over(&self, item: &Item, state: &ItemState, evidence: &[Evidence]) -> Result<(), Refused> {
        let Kind::Wait { span, gate } = &item.kind else { return Ok(()) };
        let Some((_, since)) = state.begun else {
            return Err(not_begun(item));
        };
        let left = span.saturating_sub(self.now.since(since));
        if !left.is_zero() {
            return Err(Refused::NotOver { item: item.id.clone(), left });
        }
        if gate.is_some() && !has_numbers(evidence) {
            return Err(Refused::NeedsEvidence(item.id.clone()));
        }
        Ok(())
    }

    pub(super) fn sign(&self, id: &ItemId, note: Option<&str>, seen: Option<&Hash>) -> Result<Fact, Refused> {
        let (item, state) = self.open_item(id)?;
        let Some(signoff) = item.signoff.as_ref().filter(|_| self.has_process()) else {
            return Err(Refused::NoSignature(id.clone()));
        };
        let role = self.author.role.as_ref();
        if !signoff.roles.is_empty() && !role.is_some_and(|role| signoff.roles.contains(role)) {
            return Err(Refused::Role {
                item: id.to_string(),
                role: signoff.roles.join(" or "),
                acting: role.cloned(),
            });
        }
        self.nothing_before(id)?;
        if let Some(first) = state.signatures.iter().find(|s| s.author.is_same_person(self.author)) {
            return Err(Refused::SignedTwice { item: id.clone(), by: first.author.name(), at: first.at });
        }
        self.has_evidence(item, state, &[])?;
        let binds = binding(self.run, id);
        if seen.is_some_and(|seen| *seen != binds) {
            return Err(Refused::SignedOther(id.clone()));
        }
        Ok(Fact::Sign { item: id.clone(), binds, note: some_words(note)? })
    }

    pub(super) fn skip(&self, id: &ItemId, reason: &str) -> Result<Fact, Refused> {
        let item = self.unsettled_item(id)?;
        self.may_settle(item)?;
        let reason = words(reason, Refused::NeedsWords("skipping"))?;
        Ok(Fact::Skip { item: id.clone(), reason })
    }

    pub(super) fn waive(&self, id: &ItemId, reason: &str) -> Result<Fact, Refused> {
        let item = self.unsettled_item(id)?;
        if item.waivable_by.is_empty() {
            return Err(Refused::NotWaivable(id.clone()));
        }
        let role = self.author.role.as_ref();
        if !role.is_some_and(|role| item.waivable_by.contains(role)) {
            return Err(Refused::MayNotWaive {
                item: id.clone(),
                roles: item.waivable_by.clone(),
                acting: role.cloned(),
            });
        }
        let owns = |owner: &String| Some(owner) == role || self.author.is_named(owner);
        if item.owner.iter().chain(&item.role).any(owns) {
            return Err(Refused::OwnWaiver(id.clone()));
        }
        let reason = words(reason, Refused::NeedsWords("waiving"))?;
        Ok(Fact::Waive { item: id.clone(), reason })
    }

    pub(super) fn fail(&self, id: &ItemId, reason: &str) -> Result<Fact, Refused> {
        let (_, state) = self.open_item(id)?;
        self.not_running(id, state)?;
        let reason = words(reason, Refused::NeedsWords("failing an item"))?;
        Ok(Fact::Fail { item: id.clone(), reason })
    }

    pub(super) fn reopen(&self, id: &ItemId, reason: &str) -> Result<Fact, Refused> {
        let (_, state) = self.item(id)?;
        if state.stage == Stage::Todo {
            return Err(Refused::NotSettled(id.clone()));
        }
        self.not_running(id, state)?;
        let reason = words(reason, Refused::NeedsWords("opening again"))?;
        Ok(Fact::Reopen { item: id.clone(), reason })
    }

    pub(super) fn break_glass(&self, step: &Step, reason: &str) -> Result<Fact, Refused> {
        match step {
            Step::Item(id) => {
                let (_, state) = self.item(id)?;
                if state.stage.is_settled() && self.run.stands(id) {
                    return Err(settled(id, state));
                }
                self.not_running(id, state)?;
            }
            Step::Hold => self.a_hold()?,
            Step::LiftOff => self.not_lifted()?,
        }
        let reason = words(reason, Refused::NeedsWords("breaking the glass"))?;
        Ok(Fact::BreakGlass { step: step.clone(), reason })
    }

    pub(super) fn run_command(&self, id: &ItemId) -> Result<Fact, Refused> {
        let (item, state) = self.item(id)?;
        let Kind::Command(command) = &item.kind else { return Err(other_kind(item, "command")) };
        if state.stage.is_settled() {
            return Err(settled(id, state));
        }
        self.may_settle(item)?;
        if let Some(attempt) = &state.attempt
            && attempt.is_unknown(self.now)
            && self.has_process()
        {
            return Err(Refused::UnknownOutcome(id.clone()));
        }
        self.not_running(id, state)?;
        // What takes a step back must not wait for what lies ahead.
        let undoes = self.run.template.items.iter().any(|other| other.undo.as_ref() == Some(id));
        if !undoes {
            self.nothing_before(id)?;
            self.not_held(id)?;
        }
        self.is_ripe(item, state, &[])?;
        let argv = command.argv.iter().map(|argument| fill(argument, &self.run.params));
        let argv = argv.collect::<Result<Vec<_>, _>>();
        let argv = argv.map_err(|why| Refused::Param { name: format!("in the command of {id}"), why })?;
        let (env, timeout) = (command.env.clone(), whole_millis(command.timeout));
        Ok(Fact::Started { item: id.clone(), argv, env, timeout })
    }

    pub(super) fn sent(&self, id: &ItemId, text: &str) -> Result<Fact, Refused> {
        let (item, state) = self.open_item(id)?;
        let Kind::Message(message) = &item.kind else { return Err(other_kind(item, "message")) };
        self.may_settle(item)?;
        self.nothing_before(id)?;
        self.is_ripe(item, state, &[])?;
        let text = words(text, Refused::EmptyNote)?;
        let hash = Hash::of(text.as_bytes());
        Ok(Fact::Sent { item: id.clone(), channel: message.channel.clone(), text, hash })
    }

    /// What failed early or is over by itself, as the desk says it.
    pub(super) fn wait_failed(&self, id: &ItemId, reason: &str) -> Result<Fact, Refused> {
        let (item, state) = self.open_item(id)?;
        if !matches!(item.kind, Kind::Wait { .. }) {
            return Err(other_kind(item, "wait"));
        }
        if state.begun.is_none() {
            return Err(not_begun(item));
        }
        Ok(Fact::Fail { item: id.clone(), reason: short_words(reason) })
    }

    /// Signatures and evidence that are asked for are there.
    fn is_ripe(&self, item: &Item, state: &ItemState, more: &[Evidence]) -> Result<(), Refused> {
        if self.run.signatures_missing(&item.id) > 0 {
            let of = item.signoff.as_ref().map_or(0, |signoff| signoff.count);
            return Err(Refused::Signed { item: item.id.clone(), of, have: state.signatures.len() });
        }
        self.has_evidence(item, state, more)
    }

    fn has_evidence(&self, item: &Item, state: &ItemState, more: &[Evidence]) -> Result<(), Refused> {
        if !self.has_process() {
            return Ok(());
        }
        let has = |wanted: &str| {
            let mut all = state.evidence.iter().chain(more);
            all.any(|evidence| evidence.kind == wanted || (wanted == "metric" && evidence.is_polled()))
        };
        let missing: Vec<&str> =
            item.evidence.iter().map(|kind| kind.as_str()).filter(|kind| !has(kind)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refused::EvidenceMissing { item: item.id.clone(), missing: missing.join(", ") })
    }

    fn may_settle(&self, item: &Item) -> Result<(), Refused> {
        let acting = self.author.role.as_ref();
        match item.role.as_ref().filter(|_| self.has_process()) {
            Some(role) if acting != Some(role) => {
                Err(Refused::Role { item: item.id.to_string(), role: role.clone(), acting: acting.cloned() })
            }
            _ => Ok(()),
        }
    }

    fn nothing_before(&self, id: &ItemId) -> Result<(), Refused> {
        match self.run.derived(id) {
            Derived::Blocked(waits_for) => Err(Refused::Blocked { item: id.clone(), waits_for }),
            // Of a failed command: what it came after may have been opened again.
            Derived::Settled => {
                let waits_for = self.run.waits_for(id);
                if waits_for.is_empty() {
                    Ok(())
                } else {
                    Err(Refused::Blocked { item: id.clone(), waits_for })
                }
            }
            Derived::Ready => Ok(()),
        }
    }

    fn not_running(&self, id: &ItemId, state: &ItemState) -> Result<(), Refused> {
        match &state.attempt {
            Some(attempt) if state.stage == Stage::InProgress && attempt.is_running(self.now) => {
                Err(Refused::Running { item: id.clone(), since: attempt.at })
            }
            _ => Ok(()),
        }
    }

    /// Somebody or something holds the launch: nothing is started until that is resolved. A built-in
    /// hold is part of the plan, and its steps may run in it.
    fn not_held(&self, id: &ItemId) -> Result<(), Refused> {
        let held = self.run.clock.hold_at(&self.run.template, self.now);
        match held.filter(|held| held.hold.is_none() && self.has_process()) {
            Some(held) => Err(Refused::Held { what: id.to_string(), why: held.reason }),
            None => Ok(()),
        }
    }

    fn open_item(&self, id: &ItemId) -> Result<(&'r Item, &'r ItemState), Refused> {
        let (item, state) = self.item(id)?;
        if state.stage.is_open() { Ok((item, state)) } else { Err(settled(id, state)) }
    }

    /// Also one that failed: it may still be excused or left out.
    fn unsettled_item(&self, id: &ItemId) -> Result<&'r Item, Refused> {
        let (item, state) = self.item(id)?;
        self.not_running(id, state)?;
        if state.stage.is_settled() { Err(settled(id, state)) } else { Ok(item) }
    }
}

fn settled(id: &ItemId, state: &ItemState) -> Refused {
    Refused::Settled { item: id.clone(), stage: state.words() }
}

fn not_begun(item: &Item) -> Refused {
    Refused::Clock(format!("{} has not begun: begin it, then its time runs", item.id))
}

pub(super) fn other_kind(item: &Item, wanted: &'static str) -> Refused {
    Refused::OtherKind { item: item.id.clone(), kind: item.kind.word(), wanted }
}

/// Evidence that a person brings says something, and does not pretend to have been polled: a number
/// that was true comes from a source.
fn brought(evidence: &Evidence) -> Result<Evidence, Refused> {
    let polled = evidence.query.is_some() && evidence.source.is_some() && evidence.sampled.is_some();
    if evidence.is_polled() && !polled {
        return Err(Refused::NotPolled(evidence.kind.clone()));
    }
    Ok(Evidence { value: words(&evidence.value, Refused::NeedsWords("evidence"))?, ..evidence.clone() })
}
