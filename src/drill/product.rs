//! The simulated product as a whole: events in, state and counters out.

mod scripted;

use std::time::Duration;

use super::agenda::{Agenda, Event};
use super::alerts::{self, Alerts};
use super::dice::{Dice, Stream, seconds};
use super::exposition::Format;
use super::injects::Injects;
use super::pages::{self, Page};
use super::queue::{Attempt, Ended, Job, Nature, Queue, QueueId};
use super::rollout::Rollout;
use super::scaler::{self, Decision, Scaler};
use super::service::{Outcome, Served};
use super::story;
use super::surroundings::Surroundings;
use super::tenants::Shares;
use super::traffic::{self, IDENTITY, PORTAL, TASKS, Traffic, Weather};
use crate::model::Time;

const MINUTE: Duration = Duration::from_mins(1);
const BATCH_EVERY: Duration = Duration::from_mins(5);
const BILLING_WORKERS: u32 = 4;

pub use scripted::Happened;

/// Things that are counted beside requests and jobs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub sign_ins: u64,
    pub sign_in_failures: u64,
    pub tokens: u64,
    pub token_errors: u64,
    pub tasks_created: u64,
    pub tasks_changed: u64,
    pub invoices: u64,
    pub payments: u64,
}

/// The simulated Tasks product at one moment of simulated time.
///
/// Pure: it reads no clock. The same seed, start and changes give the same bytes on every page,
/// whatever steps [`Product::advance_to`] is called in.
#[derive(Debug)]
pub struct Product {
    start: Time,
    now: Duration,
    agenda: Agenda,
    forced: f64,
    producing: bool,
    served: Vec<Served>,
    shares: Shares,
    bulk_edits: Dice,
    bulk_tenants: Dice,
    billing_arrivals: Dice,
    sign_ins: Dice,
    poison: Dice,
    pub(super) traffic: Traffic,
    pub(super) tasks: Queue,
    pub(super) billing: Queue,
    pub(super) scaler: Scaler,
    pub(super) rollout: Rollout,
    pub(super) tally: Tally,
    pub(super) synthetic: Option<Duration>,
    pub(super) alerts: Alerts,
    pub(super) injects: Injects,
    pub(super) surroundings: Surroundings,
}

impl Product {
    /// A product that starts at a moment, with nothing counted yet and the flag at 10 %.
    pub fn new(seed: u64, start: Time) -> Self {
        Self::build(seed, start, story::FIRST_PERCENT, Injects::default())
    }

    fn build(seed: u64, start: Time, percent: f64, injects: Injects) -> Self {
        let scaler = Scaler::new();
        let tasks = Nature { median: 0.87, sigma: 0.70, batching: 0.45, fails: 0.008, hopeless: 0.0015 };
        let billing = Nature { median: 0.45, sigma: 0.60, batching: 0.0, fails: 0.004, hopeless: 0.0005 };
        let mut agenda = Agenda::default();
        for (at, event) in [
            (traffic::SLICE, Event::Traffic),
            (Duration::from_secs(40), Event::Burst),
            (Duration::from_secs(5), Event::BulkEdit),
            (Duration::from_millis(300), Event::BillingJob),
            (BATCH_EVERY, Event::BillingBatch),
            (scaler::EVERY, Event::Scale),
            (Duration::from_secs(5), Event::Synthetic),
            (MINUTE, Event::Count),
            (alerts::EVERY, Event::Evaluate),
            (story::next_step(Duration::ZERO).at, Event::Story),
        ] {
            agenda.put(at, event);
        }
        for at in injects.turns() {
            agenda.put(at, Event::Inject);
        }
        Self {
            start,
            now: Duration::ZERO,
            agenda,
            forced: 0.0,
            producing: true,
            served: Vec::new(),
            shares: Shares::new(),
            bulk_edits: Dice::new(seed, Stream::BulkEdits),
            bulk_tenants: Dice::new(seed, Stream::BulkTenants),
            billing_arrivals: Dice::new(seed, Stream::BillingArrivals),
            sign_ins: Dice::new(seed, Stream::SignIns),
            poison: Dice::new(seed, Stream::Poison),
            traffic: Traffic::new(seed),
            tasks: Queue::new(tasks, scaler.workers(), Dice::new(seed, Stream::TasksWork)),
            billing: Queue::new(billing, BILLING_WORKERS, Dice::new(seed, Stream::BillingWork)),
            scaler,
            rollout: Rollout::new(seed, percent),
            tally: Tally::default(),
            synthetic: None,
            alerts: Alerts::default(),
            injects,
            surroundings: Surroundings::default(),
        }
    }

    /// Lets everything happen up to a moment of simulated time, that moment included. A moment that
    /// has passed already changes nothing.
    pub fn advance_to(&mut self, at: Time) {
        let until = at.since(self.start);
        while let Some((now, event)) = self.agenda.next_until(until) {
            self.now = now;
            self.happen(event);
        }
        self.now = self.now.max(until);
    }

    /// The simulated time.
    pub fn now(&self) -> Time {
        self.at(self.now)
    }

    /// What an endpoint sends at this moment.
    pub fn exposition(&self, page: Page, format: Format) -> String {
        pages::render(self, page, format)
    }

    /// Makes at least this share of the requests to the tasks service fail with a 5xx, from now on;
    /// 0 ends it.
    pub fn force_errors(&mut self, ratio: f64) {
        self.forced = ratio.clamp(0.0, 1.0);
    }

    /// Sets the rollout of `tasks.enabled`, 0 to 100, by the hand of `ada`. The story moves it no
    /// more, and brings no trouble.
    pub fn set_flag_percent(&mut self, percent: f64) {
        self.rollout.pinned = true;
        self.rollout.set(self.now, percent.clamp(0.0, 100.0), "ada");
        self.turn();
    }

    /// The moment that lies `offset` after the start.
    pub(super) fn at(&self, offset: Duration) -> Time {
        self.start.after(offset)
    }

    /// How long the product has been running.
    pub(super) fn uptime(&self) -> Duration {
        self.now
    }

    /// The story's next step, while the flag is in its hands.
    pub(super) fn next_step(&self) -> Option<story::Step> {
        (!self.rollout.pinned).then(|| story::next_step(self.now))
    }

    /// Urgent cases about Tasks that customers have escalated.
    pub(super) fn escalated(&self) -> u32 {
        let called = !self.rollout.pinned && story::customers_call(self.now);
        self.injects.now.escalated + if called { 2 } else { 0 }
    }

    fn trouble(&self) -> f64 {
        if self.rollout.pinned { 0.0 } else { story::trouble(self.now) }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Traffic => self.requests(),
            Event::Burst => {
                let pause = self.traffic.burst(self.now);
                self.again(pause, Event::Burst);
            }
            Event::BulkEdit => self.bulk_edit(),
            Event::BillingJob => {
                self.bill();
                let pause = self.billing_arrivals.wait(Duration::from_millis(380));
                self.again(pause, Event::BillingJob);
            }
            Event::BillingBatch => {
                for _ in 0..self.billing_arrivals.count(14.0) {
                    self.bill();
                }
                self.again(BATCH_EVERY, Event::BillingBatch);
            }
            Event::Finished(queue, attempt) => self.finish(queue, attempt),
            Event::Retry(queue, job) => {
                let now = self.now;
                self.queue(queue).add_again(now, job);
                self.work(queue);
            }
            Event::Scale => self.scale(),
            Event::ReplicasUp(replicas) => {
                self.scaler.up(replicas);
                self.staff();
            }
            Event::Synthetic => {
                self.enqueue(QueueId::Tasks, Job::SYNTHETIC);
                self.again(MINUTE, Event::Synthetic);
            }
            Event::Count => {
                self.rollout.count(self.now);
                let redis = self.redis();
                self.surroundings.count(&self.injects.now, &redis);
                self.again(MINUTE, Event::Count);
            }
            Event::Evaluate => self.evaluate(),
            Event::Story => self.step(),
            Event::Inject => self.turn(),
            Event::Restart(inject) => self.restart_again(inject),
        }
    }

    fn again(&mut self, pause: Duration, event: Event) {
        self.agenda.put(self.now + pause, event);
    }

    fn requests(&mut self) {
        if !self.injects.now.flag_stuck {
            self.rollout.take_up(traffic::SLICE.as_secs_f64());
        }
        let mut strains = self.injects.now.services;
        if let Some(tasks) = strains.get_mut(TASKS) {
            tasks.failing = tasks.failing.max(self.forced);
        }
        let weather = Weather {
            percent: self.rollout.taken_up(),
            trouble: self.trouble(),
            strains,
            noisy: self.injects.now.noisy,
        };
        let mut served = std::mem::take(&mut self.served);
        for place in 0..self.traffic.services.len() {
            self.traffic.serve(place, self.now, weather, &mut served);
            for request in served.drain(..) {
                self.follow(place, request);
            }
        }
        self.served = served;
        self.again(traffic::SLICE, Event::Traffic);
    }

    /// What a request leads to.
    fn follow(&mut self, place: usize, request: Served) {
        let done = request.outcome == Outcome::Done;
        match (place, request.method) {
            (TASKS, "POST") if done => {
                self.tally.tasks_created += 1;
                self.produce(request.tenant);
            }
            (TASKS, "PATCH") if done => {
                self.tally.tasks_changed += 1;
                self.produce(request.tenant);
            }
            (PORTAL, "GET") => self.rollout.evaluate(),
            (IDENTITY, "POST") if self.sign_ins.chance(0.12) => {
                let known = done && !self.sign_ins.chance(0.03);
                *(if known { &mut self.tally.sign_ins } else { &mut self.tally.sign_in_failures }) += 1;
            }
            (IDENTITY, "POST") => {
                *(if done { &mut self.tally.tokens } else { &mut self.tally.token_errors }) += 1;
            }
            _ => {}
        }
    }

    fn bulk_edit(&mut self) {
        let tenant = self.shares.pick(self.bulk_tenants.unit());
        for _ in 0..self.bulk_edits.between(8.0, 40.0) as u32 {
            self.produce(tenant);
        }
        // The more organisations have Tasks, the sooner the next of them edits in bulk.
        let mean = 130.0 / self.rollout.taken_up().max(1.0);
        let pause = self.bulk_edits.wait(seconds(mean));
        self.again(pause, Event::BulkEdit);
    }

    fn queue(&mut self, id: QueueId) -> &mut Queue {
        match id {
            QueueId::Tasks => &mut self.tasks,
            QueueId::Billing => &mut self.billing,
        }
    }

    /// A tenant's request makes a job, unless producers are stopped.
    fn produce(&mut self, tenant: usize) {
        if !self.producing {
            return;
        }
        let job = Job::of(tenant);
        let poison = self.poison.chance(self.injects.now.poison);
        self.enqueue(QueueId::Tasks, if poison { job.poison() } else { job });
    }

    /// Usage or a payment makes a billing job.
    fn bill(&mut self) {
        let share = self.injects.now.poison_billing;
        // The die is only cast while the inject lasts: scenarios without it keep their numbers.
        let poison = share > 0.0 && self.poison.chance(share);
        self.enqueue(QueueId::Billing, if poison { Job::PLAIN.poison() } else { Job::PLAIN });
    }

    fn enqueue(&mut self, id: QueueId, job: Job) {
        let now = self.now;
        self.queue(id).add(now, job);
        self.work(id);
    }

    /// Free workers take what waits.
    fn work(&mut self, id: QueueId) {
        let slower = match id {
            QueueId::Tasks => (1.0 + 1.1 * self.trouble()) * self.injects.now.slower,
            QueueId::Billing => 1.0,
        };
        while let Some(attempt) = self.queue(id).take(slower) {
            self.again(attempt.took, Event::Finished(id, attempt));
        }
    }

    fn finish(&mut self, id: QueueId, attempt: Attempt) {
        let trouble = if id == QueueId::Tasks { 0.06 * self.trouble() } else { 0.0 };
        let now = self.now;
        match self.queue(id).finish(attempt, trouble) {
            Ended::Done { synthetic: true } => {
                if !self.injects.now.unfinished {
                    self.synthetic = Some(now);
                }
            }
            Ended::Done { .. } if id == QueueId::Billing => {
                self.tally.invoices += 1;
                self.tally.payments += u64::from(self.tally.invoices.is_multiple_of(3));
            }
            Ended::Done { .. } | Ended::GivenUp => {}
            Ended::Again(job, pause) => self.again(pause, Event::Retry(id, job)),
        }
        self.work(id);
    }

    fn scale(&mut self) {
        match self.scaler.look(self.tasks.depth(), self.tasks.active) {
            Decision::Add(replicas) => self.again(scaler::START_UP, Event::ReplicasUp(replicas)),
            Decision::Remove => self.staff(),
            Decision::Stay => {}
        }
        self.again(scaler::EVERY, Event::Scale);
    }

    /// As many workers as the scaler has, less those that an inject takes away.
    fn staff(&mut self) {
        let stalled = |workers: u32, share: f64| (f64::from(workers) * share).ceil() as u32;
        let now = &self.injects.now;
        self.tasks.workers = self.scaler.workers().saturating_sub(now.lost.saturating_mul(scaler::REPLICA));
        self.tasks.stalled = stalled(self.tasks.workers, now.stalled);
        self.billing.stalled = stalled(BILLING_WORKERS, now.starved);
        self.work(QueueId::Tasks);
        self.work(QueueId::Billing);
    }

    fn evaluate(&mut self) {
        let (total, failed) = alerts::requests(self);
        let percent = self.alerts.error_percent(self.now, total, failed);
        let values = alerts::values(self, self.now, percent);
        self.alerts.evaluate(self.now, values);
        self.again(alerts::EVERY, Event::Evaluate);
    }

    fn step(&mut self) {
        // The step that falls on this very moment: the next one after the moment before.
        let step = story::next_step(self.now.saturating_sub(Duration::from_millis(1)));
        if !self.rollout.pinned {
            self.rollout.set(self.now, step.percent, step.by);
        }
        let next = story::next_step(self.now).at;
        self.agenda.put(next, Event::Story);
    }
}
