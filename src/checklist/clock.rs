//! The launch clock: T counts to T-0 and on, stops in holds, goes back, or is off.
//!
//! A built-in hold begins by itself when T reaches its mark, whether or not somebody writes that down:
//! what T shows must not hang on a terminal being there. The desk's event makes it a fact.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Mark, Time};

use super::Author;
use super::template::{HoldDef, Template};

/// The clock as the events have set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// T-0, as it stands: a hold that ends moves it.
    pub t0: Option<Time>,
    /// Counts the events that changed the clock.
    pub rev: u64,
    /// Since when it counts.
    pub(super) counts_since: Option<Time>,
    /// The hold that was written down.
    pub(super) held: Option<Held>,
    /// The built-in holds that lie behind.
    pub passed: BTreeSet<String>,
    /// Who called the launch off, when and why.
    pub scrubbed: Option<(Author, Time, String)>,
    /// When it lifted off.
    pub lifted: Option<Time>,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The built-in hold; `None`: somebody or something else holds.
    pub hold: Option<String>,
    /// Since when it holds.
    pub since: Time,
    /// Since when T stands still: T-0 may have been moved meanwhile.
    pub stands: Time,
    /// Who held.
    pub by: Option<Author>,
    /// Why.
    pub reason: Option<String>,
    /// By how much longer it may last than its template says.
    pub extended: Duration,
}

impl Held {
    /// When it has lasted as long as it may; `None`: as long as it takes.
    pub fn until(&self, template: &Template) -> Option<Time> {
        let max = self.hold.as_deref().and_then(|id| template.hold(id)).and_then(|def| def.max);
        let most = match max {
            Some(max) => max + self.extended,
            None if self.extended.is_zero() => return None,
            None => self.extended,
        };
        Some(self.since.after(most))
    }
}

/// What the clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// There is no T-0.
    NoT0,
    /// T counts.
    Counting,
    /// T stands still.
    Held,
    /// The launch is off for now.
    Scrubbed,
    /// The launch is on its way; T+ counts up.
    Lifted,
}

impl Phase {
    /// The word for the screen and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoT0 => "no-t0",
            Self::Counting => "counting",
            Self::Held => "held",
            Self::Scrubbed => "scrubbed",
            Self::Lifted => "lifted",
        }
    }
}

impl Clock {
    /// The hold at a moment: the one written down, else the built-in one whose mark T has reached.
    pub fn hold_at(&self, template: &Template, now: Time) -> Option<Held> {
        if let Some(held) = &self.held {
            return Some(held.clone());
        }
        if self.lifted.is_some() || self.scrubbed.is_some() {
            return None;
        }
        let (def, since) = self.next_hold(template)?;
        (now >= since).then(|| Held {
            hold: Some(def.id.clone()),
            since,
            stands: since,
            by: None,
            reason: None,
            extended: Duration::ZERO,
        })
    }

    /// The built-in hold that T reaches next, and when; one whose mark lay behind when the count began
    /// is reached at once, not passed over.
    pub fn next_hold<'t>(&self, template: &'t Template) -> Option<(&'t HoldDef, Time)> {
        let (t0, since) = (self.t0?, self.counts_since?);
        let def = template.holds.iter().find(|def| !self.passed.contains(&def.id))?;
        Some((def, def.at.time(t0).max(since)))
    }

    /// What T shows.
    pub fn mark(&self, template: &Template, now: Time) -> Option<Mark> {
        let t0 = self.t0?;
        let at = match (&self.scrubbed, self.lifted) {
            (Some((_, at, _)), _) => *at,
            (None, Some(_)) => now,
            (None, None) => self.hold_at(template, now).map_or(now, |held| held.stands),
        };
        Some(Mark::of(at, t0))
    }

    /// What it does. A hold after lift-off holds the ramp, not T.
    pub fn phase(&self, template: &Template, now: Time) -> Phase {
        if self.scrubbed.is_some() {
            Phase::Scrubbed
        } else if self.lifted.is_some() {
            Phase::Lifted
        } else if self.hold_at(template, now).is_some() {
            Phase::Held
        } else if self.t0.is_none() {
            Phase::NoT0
        } else {
            Phase::Counting
        }
    }

    /// A hold whose mark lies ahead of the new T-0 is not behind any more.
    pub(super) fn set_t0(&mut self, template: &Template, t0: Time, at: Time) {
        if self.scrubbed.take().is_some() {
            self.passed.clear();
        }
        self.passed.retain(|id| template.hold(id).is_some_and(|def| def.at.time(t0) <= at));
        if let Some(held) = &mut self.held {
            held.stands = at;
        }
        self.t0 = Some(t0);
        self.counts_since = Some(at);
    }

    pub(super) fn hold(
        &mut self,
        template: &Template,
        hold: Option<&str>,
        at: Time,
        by: &Author,
        why: Option<&str>,
    ) {
        if self.scrubbed.is_some() {
            return;
        }
        let (since, stands) = match self.hold_at(template, at) {
            // Held already: a second reason beside the first.
            Some(mut held) if held.hold.as_deref() == hold => {
                if let Some(why) = why {
                    held.reason =
                        Some(held.reason.map_or_else(|| why.to_owned(), |reason| format!("{reason}; {why}")));
                }
                held.by.get_or_insert_with(|| by.clone());
                self.held = Some(held);
                return;
            }
            // Somebody holds where T stands still already: what would end the built-in hold does not end
            // this. It is not behind yet, and goes on when this one is resumed.
            Some(held) => (held.since, held.stands),
            None => (at, at),
        };
        self.held = Some(Held {
            hold: hold.map(ToOwned::to_owned),
            since,
            stands,
            by: Some(by.clone()),
            reason: why.map(ToOwned::to_owned),
            extended: Duration::ZERO,
        });
    }

    pub(super) fn extend(&mut self, template: &Template, at: Time, by: Duration) {
        if let Some(mut held) = self.hold_at(template, at) {
            // Without a limit, or past it, it may last this much longer from now on.
            let over = held.until(template).map_or(at.since(held.since), |until| at.since(until));
            held.extended += by + over;
            self.held = Some(held);
        }
    }

    pub(super) fn resume(&mut self, template: &Template, at: Time) {
        let Some(held) = self.hold_at(template, at) else { return };
        self.held = None;
        if let (None, Some(t0)) = (self.lifted, self.t0) {
            self.t0 = Some(t0.after(at.since(held.stands)));
            self.counts_since = Some(at);
        }
        self.passed.extend(held.hold);
    }

    pub(super) fn recycle(&mut self, template: &Template, hold: &str, at: Time, by: &Author, why: &str) {
        let Some(def) = template.hold(hold) else { return };
        self.scrubbed = None;
        self.t0 = Some(def.at.t0(at));
        self.counts_since = Some(at);
        self.passed.retain(|id| template.hold(id).is_some_and(|passed| passed.at < def.at));
        self.held = Some(Held {
            hold: Some(hold.to_owned()),
            since: at,
            stands: at,
            by: Some(by.clone()),
            reason: Some(why.to_owned()),
            extended: Duration::ZERO,
        });
    }

    pub(super) fn scrub(&mut self, by: &Author, at: Time, why: &str) {
        self.scrubbed = Some((by.clone(), at, why.to_owned()));
        self.held = None;
    }

    pub(super) fn lift_off(&mut self, at: Time) {
        self.scrubbed = None;
        self.lifted = Some(at);
        self.t0 = Some(at);
        self.held = None;
    }
}
