//! The injects of a scenario in time: which of them are in effect, and how strong that makes what
//! bears on the model.

use std::time::Duration;

use super::strengths::Strengths;
use crate::model::scenario::{Action, Effect, FlagRule, Inject, Scenario};

/// An inject, and what has become of it.
#[derive(Debug)]
pub struct Running {
    /// What is to happen.
    pub inject: Inject,
    /// From the start of the product, as all times here.
    at: Duration,
    until: Option<Duration>,
    /// When it began, for the first time.
    pub began: Option<Duration>,
    /// When it ended; `None` while it is in effect.
    pub ended: Option<Duration>,
    /// When it began last.
    since: Duration,
    cured: bool,
}

impl Running {
    /// Whether it is in effect.
    pub fn active(&self) -> bool {
        self.began.is_some() && self.ended.is_none()
    }

    /// Brings it to a moment. Whether it has just begun, for the first time or again.
    fn turn(&mut self, now: Duration, percent: f64) -> bool {
        let flag = match self.inject.flag {
            FlagRule::Any => true,
            FlagRule::While(least) => percent >= least,
            FlagRule::After(least) => percent >= least || self.began.is_some(),
        };
        let over = self.until.is_some_and(|until| now >= until);
        let wanted = now >= self.at && !over && !self.cured && flag;
        match (self.active(), wanted) {
            (false, true) => {
                self.began = self.began.or(Some(now));
                self.ended = None;
                self.since = now;
                true
            }
            (true, false) => {
                self.ended = Some(now);
                false
            }
            _ => false,
        }
    }
}

/// All injects of a scenario; none where there is no scenario.
#[derive(Debug, Default)]
pub struct Injects {
    /// In the order of the scenario.
    pub all: Vec<Running>,
    /// What bears on the model now.
    pub now: Strengths,
}

impl Injects {
    /// Nothing of the scenario has begun.
    pub fn of(scenario: &Scenario) -> Self {
        let opens = scenario.start.warm_up;
        let running = |inject: &Inject| Running {
            inject: inject.clone(),
            at: opens.saturating_add(inject.at),
            until: inject.until.map(|until| opens.saturating_add(until)),
            began: None,
            ended: None,
            since: Duration::ZERO,
            cured: false,
        };
        Self { all: scenario.injects.iter().map(running).collect(), now: Strengths::default() }
    }

    /// The moments at which one may begin or ends by the clock.
    pub fn turns(&self) -> Vec<Duration> {
        let mut turns: Vec<Duration> =
            self.all.iter().flat_map(|r| [Some(r.at), r.until]).flatten().collect();
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    /// Brings all to a moment at which the flag is at so many percent; returns the places of those that
    /// have just begun.
    pub fn turn(&mut self, now: Duration, percent: f64) -> Vec<usize> {
        let all = self.all.iter_mut().enumerate();
        let begun = all.filter_map(|(place, running)| running.turn(now, percent).then_some(place)).collect();
        self.now = Strengths::default();
        for running in self.all.iter().filter(|running| running.active()) {
            self.now.add(&running.inject.effect, running.since);
        }
        begun
    }

    /// The team has done something that ends those that name it, and keeps those away that would have
    /// followed. Before anything has begun it is no cure: there is nothing yet to be cured.
    pub fn cure(&mut self, action: Action) {
        if self.all.iter().all(|running| running.began.is_none()) {
            return;
        }
        for running in &mut self.all {
            let limited =
                action == Action::LimitTenant && matches!(running.inject.effect, Effect::NoisyTenant(..));
            running.cured |= limited || running.inject.cured_by.iter().any(|cure| action.does(*cure));
        }
    }

    /// The effect of the inject at a place, while it is in effect.
    pub fn effect(&self, place: usize) -> Option<&Effect> {
        self.all.get(place).filter(|running| running.active()).map(|running| &running.inject.effect)
    }

    /// When the inject at a place began last.
    pub fn since(&self, place: usize) -> Duration {
        self.all.get(place).map_or(Duration::ZERO, |running| running.since)
    }

    /// Whether one of the effects may come or has come.
    pub fn any(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.all.iter().any(|running| wanted(&running.inject.effect))
    }
}
