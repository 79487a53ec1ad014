//! A product that plays a scenario instead of the built-in story, and follows what the team does.

use std::time::Duration;

use super::super::agenda::Event;
use super::super::injects::{Injects, Running};
use super::super::redis::Redis;
use super::super::scaler;
use super::Product;
use crate::model::Time;
use crate::model::scenario::{Action, Effect, Scenario};

/// An inject as it came to be: the ground truth that a score is measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The word for it in the scenario.
    pub kind: &'static str,
    /// What the facilitator sees.
    pub text: String,
    /// When it began; `None`: not yet, or never.
    pub began: Option<Time>,
    /// When it ended; `None` while it is in effect.
    pub ended: Option<Time>,
}

impl Product {
    /// A product that starts at a moment and plays a scenario, which opens `scenario.start.warm_up`
    /// later (see [`Product::opens`]). The built-in story brings no trouble and moves no flag.
    ///
    /// As [`Product::new`] it is pure: the same seed, scenario and actions at the same moments give the
    /// same bytes.
    pub fn with_scenario(seed: u64, start: Time, scenario: &Scenario) -> Self {
        let percent = scenario.start.percent.clamp(0.0, 100.0);
        let mut product = Self::build(seed, start, percent, Injects::of(scenario));
        product.rollout.pinned = true;
        product
    }

    /// When the drill opens on a product that starts at `start`.
    pub fn opens(start: Time, scenario: &Scenario) -> Time {
        start.after(scenario.start.warm_up)
    }

    /// Does to the product what the team has done, at this moment of simulated time.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::SetFlag { percent } => {
                self.rollout.pinned = true;
                self.rollout.set(self.now, percent.clamp(0.0, 100.0), "ada");
            }
            Action::StopProducers => self.producing = false,
            Action::StartProducers => self.producing = true,
            Action::RestartWorkers => self.restart_workers(),
            Action::ClearFailed => self.tasks.clear_failed(),
            // It has no state of its own: whoever is too loud is heard no more.
            Action::LimitTenant => {}
        }
        self.injects.cure(action);
        self.turn();
    }

    /// The rollout of `tasks.enabled` at this moment: what it is set to, and what callers act on, both
    /// 0 to 100.
    pub fn flag_percent(&self) -> (f64, f64) {
        (self.rollout.percent, self.rollout.taken_up())
    }

    /// Every inject of the scenario, in its order, with what has become of it so far.
    pub fn happened(&self) -> Vec<Happened> {
        let happened = |running: &Running| Happened {
            kind: running.inject.effect.kind(),
            text: running.inject.text.clone(),
            began: running.began.map(|at| self.at(at)),
            ended: running.ended.map(|at| self.at(at)),
        };
        self.injects.all.iter().map(happened).collect()
    }

    /// The Redis that holds the queues.
    pub fn redis(&self) -> Redis {
        let jobs = self.tasks.held() + self.billing.held();
        Redis::holding(jobs, self.surroundings.evicted, self.injects.now.redis, self.now)
    }

    /// Replicas of the worker that should run, and those that do.
    pub fn replicas(&self) -> (u32, u32) {
        let wanted = self.scaler.workers() / scaler::REPLICA;
        (wanted, self.tasks.workers / scaler::REPLICA)
    }

    /// Tasks jobs that no worker can work off, put aside.
    pub fn dead_letters(&self) -> u64 {
        self.tasks.dead_letters
    }

    /// Tasks jobs that wait for a worker, by the tenant that caused them; those of nobody are left out.
    pub fn waiting_by_tenant(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        self.tasks.waiting_by_tenant()
    }

    /// Brings the injects to this moment, and the model to what they want.
    pub(super) fn turn(&mut self) {
        // A flag that an inject moves may begin or end others: again, until nothing changes. Each inject
        // begins at most once at a moment, so that this ends.
        for _ in 0..=self.injects.all.len() {
            let begun = self.injects.turn(self.now, self.rollout.percent);
            let mut moved = false;
            for place in begun {
                match self.injects.effect(place).cloned() {
                    Some(Effect::FlagMoved { percent, by }) => {
                        self.rollout.set(self.now, percent, by);
                        moved = true;
                    }
                    Some(Effect::WorkerRestarts(_)) => self.again(Duration::ZERO, Event::Restart(place)),
                    _ => {}
                }
            }
            if !moved {
                break;
            }
        }
        self.staff();
    }

    /// The workers start anew, and will again while the inject at this place is in effect.
    pub(super) fn restart_again(&mut self, inject: usize) {
        let Some(Effect::WorkerRestarts(every)) = self.injects.effect(inject).cloned() else { return };
        // What was left over from an earlier time that it was in effect comes out of step.
        let beat = self.now.saturating_sub(self.injects.since(inject)).as_nanos();
        if !beat.is_multiple_of(every.as_nanos().max(1)) {
            return;
        }
        self.restart_workers();
        self.again(every.max(Duration::from_secs(1)), Event::Restart(inject));
    }

    fn restart_workers(&mut self) {
        self.tasks.restart();
        self.billing.restart();
        self.surroundings.worker_started = self.now;
        // What they had in hand is taken up by the new ones.
        self.surroundings.stalled += u64::from(self.tasks.active);
    }
}
