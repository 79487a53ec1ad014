//! The rules of the desk: who has it, what it alone writes, and the answers to what it proposed.

use crate::model::trigger::Action;
use crate::model::{ItemId, Time};

use super::super::command::Auto;
use super::super::template::Exit;
use super::super::{Evidence, Fact, Kind, Proposal};
use super::item::other_kind;
use super::{Asked, Refused, short_words, some_words, whole_millis};

impl Asked<'_> {
    pub(super) fn desk(&self, terminal: &str, force: bool, gone: Option<&str>) -> Result<Fact, Refused> {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if terminal.is_empty() || terminal.len() > 80 || !terminal.chars().all(safe) {
            let why = "a terminal's name is letters, digits, \"-\" and \"_\", at most 80 of them";
            return Err(Refused::Desk(why.into()));
        }
        let forced_from = match &self.run.desk {
            Some(desk) if desk.terminal == terminal => {
                return Err(Refused::Desk("this terminal has the desk already".into()));
            }
            Some(desk) if gone == Some(desk.terminal.as_str()) => None,
            Some(desk) if force => Some(desk.terminal.clone()),
            Some(desk) => {
                return Err(Refused::Desk(format!(
                    "{} has the desk since {}: they leave it, or you take it by force (:desk force)",
                    desk.author.name(),
                    desk.since.clock()
                )));
            }
            None => None,
        };
        Ok(Fact::Desk { terminal: terminal.to_owned(), forced_from })
    }

    pub(super) fn leave_desk(&self, terminal: &str) -> Result<Fact, Refused> {
        self.has_desk(terminal)?;
        Ok(Fact::LeaveDesk { terminal: terminal.to_owned() })
    }

    fn has_desk(&self, terminal: &str) -> Result<(), Refused> {
        match &self.run.desk {
            Some(desk) if desk.terminal == terminal => Ok(()),
            Some(desk) => Err(Refused::Desk(format!("{} has the desk", desk.author.name()))),
            None => Err(Refused::Desk("nobody has the desk".into())),
        }
    }

    fn open_proposal(&self, seq: u64) -> Result<&Proposal, Refused> {
        let Some(proposal) = self.run.proposal(seq) else {
            return Err(Refused::Proposal(format!("event {seq} proposes nothing")));
        };
        match &proposal.answer {
            None => Ok(proposal),
            Some(answer) => Err(Refused::Proposal(format!(
                "{} was {} by {} at {}",
                proposal.cause,
                match answer.confirmed {
                    Some(true) => "confirmed",
                    Some(false) => "dismissed",
                    None => "left without an answer, seen",
                },
                answer.author.name(),
                answer.at.clock()
            ))),
        }
    }

    pub(super) fn answer(&self, seq: u64, confirm: bool, reason: Option<&str>) -> Result<Fact, Refused> {
        self.open_proposal(seq)?;
        let reason = some_words(reason)?;
        if !confirm && reason.is_none() {
            return Err(Refused::NeedsWords("dismissing a proposal"));
        }
        Ok(Fact::Answer { proposal: seq, confirm, reason })
    }

    /// What the desk writes by itself. Every condition that the run's events can tell is asked again
    /// here: two terminals may for a moment both believe that they have it.
    pub(super) fn auto(&self, terminal: &str, what: &Auto) -> Result<Fact, Refused> {
        self.has_desk(terminal)?;
        let not_so = |what: &str| Refused::Desk(format!("not any more: {what}"));
        let (run, template) = (self.run, &self.run.template);
        let held = run.clock.hold_at(template, self.now);
        match what {
            Auto::Propose { cause, action, within, reason } => {
                if run.open_proposals().any(|open| open.cause == *cause) {
                    return Err(not_so("it is proposed already"));
                }
                let held_by_hand = held.is_some_and(|held| held.hold.is_none());
                if *action == Action::Hold && held_by_hand {
                    return Err(not_so("the clock is held"));
                }
                Ok(Fact::Propose {
                    cause: cause.clone(),
                    action: *action,
                    within: whole_millis(*within),
                    reason: short_words(reason),
                })
            }
            Auto::Silence { proposal } => {
                let open = self.open_proposal(*proposal)?;
                if self.now < open.deadline {
                    return Err(not_so("there is time to answer"));
                }
                let reason = short_words(&format!("nobody answered {}: {}", open.cause, open.reason));
                Ok(Fact::Hold { hold: None, reason: Some(reason), proposal: Some(*proposal) })
            }
            Auto::HoldReached { hold } => {
                let reached = held.is_some_and(|held| held.hold.as_ref() == Some(hold) && held.by.is_none());
                if !reached {
                    return Err(not_so("the hold is written down"));
                }
                Ok(Fact::Hold { hold: Some(hold.clone()), reason: None, proposal: None })
            }
            Auto::Resume { evidence } => {
                let def = held.and_then(|held| template.hold(held.hold.as_deref()?));
                match def.map(|def| def.exit) {
                    Some(Exit::Time | Exit::Gates) => self.resume(evidence),
                    _ => Err(not_so("no hold that ends by itself")),
                }
            }
            Auto::Lapse { reason } => {
                let poll = run.poll_with_go(self.now).ok_or_else(|| not_so("no GO to lapse"))?;
                Ok(Fact::Lapse { poll, reason: short_words(reason) })
            }
            Auto::Late { item } => {
                let (definition, state) = self.item(item)?;
                let due = definition.due.and_then(|due| due.time(run.clock.t0));
                if state.reminded || run.stands(item) || due.is_none_or(|due| self.now < due) {
                    return Err(not_so("it is not late"));
                }
                let text = format!("{item} was due at {}", due.map(Time::clock).unwrap_or_default());
                Ok(Fact::Remind { item: item.clone(), text })
            }
            Auto::WaitOver { item, evidence } => self.tick_by_itself(item, evidence),
            Auto::WaitFailed { item, reason } => self.wait_failed(item, reason),
            Auto::Inject { inject, text } => {
                Ok(Fact::Inject { inject: inject.clone(), text: short_words(text) })
            }
            Auto::Score { text } => Ok(Fact::Score { text: text.clone() }),
            Auto::HoldFor { reason } => {
                if held.is_some_and(|held| held.hold.is_none()) || run.clock.scrubbed.is_some() {
                    return Err(not_so("the clock is held"));
                }
                Ok(Fact::Hold { hold: None, reason: some_words(Some(&short_words(reason)))?, proposal: None })
            }
        }
    }

    /// A wait that is over is ticked by the desk in the role that it is for.
    fn tick_by_itself(&self, item: &ItemId, evidence: &[Evidence]) -> Result<Fact, Refused> {
        let (definition, _) = self.item(item)?;
        if !matches!(definition.kind, Kind::Wait { .. }) {
            return Err(other_kind(definition, "wait"));
        }
        let author =
            definition.role.as_ref().map_or_else(|| self.author.clone(), |r| self.author.acting_as(r));
        Asked { author: &author, ..*self }.tick(item, evidence)
    }
}
