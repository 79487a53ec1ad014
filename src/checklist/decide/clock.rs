//! The rules of the clock, its holds and its polls.

use std::time::Duration;

use crate::model::Time;

use super::super::clock::Phase;
use super::super::template::{Due, Exit};
use super::super::{Evidence, Fact, Poll, PollOutcome};
use super::{Asked, Refused, datable, has_numbers, some_words, whole_millis, words};

impl Asked<'_> {
    fn phase(&self) -> Phase {
        self.run.clock.phase(&self.run.template, self.now)
    }

    fn clock_says(text: impl Into<String>) -> Refused {
        Refused::Clock(text.into())
    }

    pub(super) fn set_t0(&self, t0: Time) -> Result<Fact, Refused> {
        self.not_lifted()?;
        Ok(Fact::T0 { t0: datable(t0)? })
    }

    pub(super) fn not_lifted(&self) -> Result<(), Refused> {
        match self.run.clock.lifted {
            Some(at) => Err(Self::clock_says(format!("the launch lifted off at {}", at.clock()))),
            None => Ok(()),
        }
    }

    pub(super) fn a_hold(&self) -> Result<(), Refused> {
        match self.run.clock.hold_at(&self.run.template, self.now) {
            Some(_) => Ok(()),
            None => Err(Self::clock_says("the clock is not held")),
        }
    }

    fn not_scrubbed(&self) -> Result<(), Refused> {
        match &self.run.clock.scrubbed {
            Some((by, at, _)) => Err(Self::clock_says(format!(
                "the launch was scrubbed by {} at {}: recycle, or set a new T-0",
                by.name(),
                at.clock()
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn hold(&self, reason: Option<&str>) -> Result<Fact, Refused> {
        self.not_scrubbed()?;
        if let Some(held) = self.run.clock.hold_at(&self.run.template, self.now)
            && held.hold.is_none()
        {
            return Err(Self::clock_says(format!("the clock is held since {}", held.since.clock())));
        }
        Ok(Fact::Hold { hold: None, reason: some_words(reason)?, proposal: None })
    }

    pub(super) fn extend(&self, by: Duration) -> Result<Fact, Refused> {
        self.a_hold()?;
        // A day is more than any launch waits; the sum stays far from where time ends.
        if whole_millis(by).is_zero() || by > Duration::from_hours(24) {
            return Err(Self::clock_says("a hold is extended by up to a day, and by more than nothing"));
        }
        Ok(Fact::Extend { by: whole_millis(by) })
    }

    /// Ends the hold, where what it waits for has come: GO from every station, numbers that pass, or its
    /// time; a hold by hand ends by hand.
    pub(super) fn resume(&self, evidence: &[Evidence]) -> Result<Fact, Refused> {
        self.a_hold()?;
        let held = self.run.clock.hold_at(&self.run.template, self.now);
        let def = held.as_ref().and_then(|held| self.run.template.hold(held.hold.as_deref()?));
        match def.map(|def| def.exit) {
            Some(Exit::Poll) => {
                let poll = self.run.poll_at(self.now).ok_or_else(|| Self::clock_says("there is no poll"))?;
                self.polled_go(&poll)?;
            }
            Some(Exit::Gates) if !has_numbers(evidence) => return Err(Refused::NeedsNumbers("resuming")),
            None | Some(Exit::Gates) => {}
            Some(Exit::Time) => {
                let until = held.as_ref().and_then(|held| held.until(&self.run.template));
                if let Some(until) = until.filter(|until| self.now < *until) {
                    return Err(Self::clock_says(format!("this hold lasts until {}", until.clock())));
                }
            }
        }
        Ok(Fact::Resume { evidence: evidence.to_vec() })
    }

    fn polled_go(&self, poll: &Poll) -> Result<(), Refused> {
        match poll.outcome(self.now) {
            PollOutcome::Go => Ok(()),
            PollOutcome::Waiting(stations) => Err(Refused::Poll(format!(
                "{} is not decided: {} did not answer yet",
                poll.id,
                stations.join(", ")
            ))),
            PollOutcome::NoGo(why) => Err(Refused::Poll(format!(
                "{} is NO-GO: {}; vote again, extend the hold, or scrub",
                poll.id,
                why.join(", ")
            ))),
        }
    }

    pub(super) fn recycle(&self, hold: &str, reason: &str) -> Result<Fact, Refused> {
        self.not_lifted()?;
        if self.run.template.hold(hold).is_none() {
            let known: Vec<&str> = self.run.template.holds.iter().map(|def| def.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Self::clock_says(format!(
                "there is no hold {hold:?} to go back to; there are {known}"
            )));
        }
        Ok(Fact::Recycle { hold: hold.to_owned(), reason: words(reason, Refused::NeedsWords("recycling"))? })
    }

    pub(super) fn scrub(&self, reason: &str) -> Result<Fact, Refused> {
        self.not_lifted()?;
        self.not_scrubbed()?;
        Ok(Fact::Scrub { reason: words(reason, Refused::NeedsWords("scrubbing"))? })
    }

    /// Nothing holds, every built-in hold lies behind, nothing proposed waits for an answer, what is due
    /// by T-0 is settled, and the numbers pass.
    pub(super) fn lift_off(&self, evidence: &[Evidence]) -> Result<Fact, Refused> {
        self.not_lifted()?;
        self.not_scrubbed()?;
        let (run, template) = (self.run, &self.run.template);
        if self.phase() == Phase::Held {
            return Err(Self::clock_says("the clock is held: resume first"));
        }
        let ahead = |id: &str| !run.clock.passed.contains(id);
        if let Some(hold) = template.holds.iter().find(|def| def.at.is_before() && ahead(&def.id)) {
            return Err(Self::clock_says(format!("hold {} at {} lies ahead", hold.id, hold.at)));
        }
        if let Some(proposal) = run.open_proposals().next() {
            return Err(Self::clock_says(format!(
                "{} proposes {} and waits for an answer",
                proposal.cause,
                proposal.action.word()
            )));
        }
        let due = |due: Due| match due {
            Due::Mark(mark) => mark.is_before(),
            Due::At(at) => at <= run.clock.t0.unwrap_or(self.now),
        };
        let open: Vec<&str> = template
            .items
            .iter()
            .filter(|item| item.due.is_some_and(due) && !run.stands(&item.id))
            .map(|item| item.id.as_str())
            .collect();
        if !open.is_empty() {
            let shown = open.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let more = if open.len() > 5 { format!(" and {} more", open.len() - 5) } else { String::new() };
            return Err(Self::clock_says(format!("due by T-0 and not done: {shown}{more}")));
        }
        if !has_numbers(evidence) {
            return Err(Refused::NeedsNumbers("lift-off"));
        }
        Ok(Fact::LiftOff { evidence: evidence.to_vec() })
    }

    pub(super) fn poll(&self, stations: &[String], within: Duration) -> Result<Fact, Refused> {
        let mut named: Vec<String> = Vec::new();
        for station in stations.iter().map(|s| s.trim()).filter(|s| !s.is_empty()) {
            if station.len() > 40 || station.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(Refused::Poll(format!(
                    "{station:?} is no station: one word, at most 40 letters"
                )));
            }
            if !named.iter().any(|known| known == station) {
                named.push(station.to_owned());
            }
        }
        if named.is_empty() {
            return Err(Refused::Poll("a poll asks at least one station".into()));
        }
        if whole_millis(within).is_zero() || within > Duration::from_hours(24) {
            return Err(Refused::Poll("a poll lasts up to a day, and longer than nothing".into()));
        }
        let going = self.run.poll_at(self.now).filter(|poll| !poll.is_over(self.now));
        if let Some(poll) = going.filter(|poll| matches!(poll.outcome(self.now), PollOutcome::Waiting(_))) {
            return Err(Refused::Poll(format!("poll {} is under way", poll.id)));
        }
        Ok(Fact::Poll { stations: named, within: whole_millis(within) })
    }

    /// A vote is about the poll that was in view when it was given, and about no other.
    pub(super) fn is_about(&self, poll: Option<&str>) -> Result<(), Refused> {
        let now = self.run.poll_at(self.now);
        match (poll, now) {
            (Some(meant), Some(now)) if now.id != meant => {
                Err(Refused::Poll(format!("poll {} has come up meanwhile: look at it, then vote", now.id)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn vote(
        &self,
        station: &str,
        go: bool,
        note: Option<&str>,
        evidence: &[Evidence],
    ) -> Result<Fact, Refused> {
        let Some(poll) = self.run.poll_at(self.now) else {
            return Err(Refused::Poll(
                "no poll is open: a hold that ends by poll, or `poll`, opens one".into(),
            ));
        };
        if !poll.stations.iter().any(|known| known == station) {
            let asked = poll.stations.join(", ");
            return Err(Refused::Poll(format!("poll {} does not ask {station}; it asks {asked}", poll.id)));
        }
        if self.author.role.as_deref() != Some(station) {
            return Err(Refused::Role {
                item: format!("the vote of {station}"),
                role: station.to_owned(),
                acting: self.author.role.clone(),
            });
        }
        if poll.is_over(self.now) {
            return Err(Refused::Poll(format!(
                "poll {} is over, and silence was NO-GO: extend the hold, or scrub",
                poll.id
            )));
        }
        if go && !has_numbers(evidence) {
            return Err(Refused::NeedsNumbers("a GO"));
        }
        Ok(Fact::Vote {
            poll: poll.id,
            station: station.to_owned(),
            go,
            note: some_words(note)?,
            evidence: if go { evidence.to_vec() } else { Vec::new() },
        })
    }
}
