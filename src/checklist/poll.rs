//! Go/no-go polls: stations answer, silence is NO-GO, a GO lapses when what it rested on goes bad.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Time;

use super::template::Exit;
use super::{Author, Run};

/// The polls of a run with their votes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Polls {
    /// Counts the votes and lapses.
    pub rev: u64,
    /// The newest poll outside the built-in holds.
    pub(super) asked: Option<Asked>,
    /// By poll, by station.
    pub(super) votes: BTreeMap<String, BTreeMap<String, Vote>>,
}

/// A poll that somebody asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) stations: Vec<String>,
    pub(super) at: Time,
    pub(super) within: Duration,
}

/// What a station answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Who spoke for it.
    pub author: Author,
    /// When.
    pub at: Time,
    /// GO or NO-GO.
    pub go: bool,
    /// Words beside it.
    pub note: Option<String>,
    /// Why the GO counts no more.
    pub lapsed: Option<String>,
}

impl Vote {
    /// Whether it is a GO that counts.
    pub fn is_go(&self) -> bool {
        self.go && self.lapsed.is_none()
    }
}

/// A poll at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// A hold's id, or `poll-SEQ`.
    pub id: String,
    /// Who is asked.
    pub stations: Vec<String>,
    /// Since when.
    pub since: Time,
    /// When silence becomes NO-GO; `None`: nothing says.
    pub deadline: Option<Time>,
    /// The answers, by station.
    pub votes: BTreeMap<String, Vote>,
}

/// What a poll has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// Every station said GO.
    Go,
    /// Why not, station by station.
    NoGo(Vec<String>),
    /// These have not answered.
    Waiting(Vec<String>),
}

impl Poll {
    /// Whether its time is over.
    pub fn is_over(&self, now: Time) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// What it has come to at a moment.
    pub fn outcome(&self, now: Time) -> PollOutcome {
        let mut against = Vec::new();
        let mut silent = Vec::new();
        for station in &self.stations {
            match self.votes.get(station) {
                Some(vote) if vote.is_go() => {}
                Some(vote) if !vote.go => against.push(format!("{station} says NO-GO")),
                Some(_) | None => silent.push(station.clone()),
            }
        }
        if self.is_over(now) {
            against.extend(silent.drain(..).map(|station| format!("{station} did not answer in time")));
        }
        match (against.is_empty(), silent.is_empty()) {
            (true, true) => PollOutcome::Go,
            (false, _) => PollOutcome::NoGo(against),
            (true, false) => PollOutcome::Waiting(silent),
        }
    }
}

impl Run {
    /// The poll whose GOs rest on what the gates say now: the one at this moment, or that of a hold which
    /// lies ahead while somebody holds by hand.
    pub fn poll_with_go(&self, now: Time) -> Option<String> {
        let has_go = |votes: &BTreeMap<String, Vote>| votes.values().any(Vote::is_go);
        let current = self.poll_at(now).filter(|poll| has_go(&poll.votes)).map(|poll| poll.id);
        current.or_else(|| {
            let ahead = self.template.holds.iter().filter(|def| !self.clock.passed.contains(&def.id));
            let mut ahead = ahead.filter(|def| self.polls.votes.get(&def.id).is_some_and(has_go));
            ahead.next().map(|def| def.id.clone())
        })
    }

    /// The poll at a moment: that of the hold, else the newest that somebody asked for.
    pub fn poll_at(&self, now: Time) -> Option<Poll> {
        let votes = |id: &str| self.polls.votes.get(id).cloned().unwrap_or_default();
        let held = self.clock.hold_at(&self.template, now);
        let of_hold = held.as_ref().and_then(|held| {
            let def = self.template.hold(held.hold.as_deref()?)?;
            (def.exit == Exit::Poll).then(|| Poll {
                id: def.id.clone(),
                stations: def.stations.clone(),
                since: held.since,
                deadline: held.until(&self.template),
                votes: votes(&def.id),
            })
        });
        of_hold.or_else(|| {
            let asked = self.polls.asked.as_ref()?;
            Some(Poll {
                id: asked.id.clone(),
                stations: asked.stations.clone(),
                since: asked.at,
                deadline: Some(asked.at.after(asked.within)),
                votes: votes(&asked.id),
            })
        })
    }
}
