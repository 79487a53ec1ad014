//! A job queue and its workers: first in, first out, with retries, as `BullMQ` does it.

use std::collections::VecDeque;
use std::time::Duration;

use super::dice::{Dice, seconds};
use super::histogram::Histogram;
use super::tenants;

/// How many failed jobs a queue keeps for people to look at.
const KEEP_FAILED: u64 = 1000;

/// How many finished jobs a queue keeps.
const KEEP_COMPLETED: u64 = 10_000;

/// From so many waiting jobs on, batching saves no more.
const BATCHING_FROM: f64 = 150.0;

/// Upper bounds of job durations, in seconds.
const BOUNDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The two queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueId {
    /// What the Tasks product makes.
    Tasks,
    /// What was there before.
    Billing,
}

/// A job that waits or is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    attempts: u8,
    synthetic: bool,
    poison: bool,
    tenant: Option<u8>,
}

impl Job {
    /// A job of nobody in particular.
    pub const PLAIN: Job = Job { attempts: 0, synthetic: false, poison: false, tenant: None };
    /// The job of the synthetic task.
    pub const SYNTHETIC: Job = Job { synthetic: true, ..Job::PLAIN };

    /// A job that the tenant at a place in the table caused.
    pub fn of(tenant: usize) -> Self {
        Self { tenant: u8::try_from(tenant).ok(), ..Self::PLAIN }
    }

    /// As this one, and no worker can work it off.
    pub fn poison(self) -> Self {
        Self { poison: true, ..self }
    }
}

/// One attempt at a job, under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    job: Job,
    /// How long it takes.
    pub took: Duration,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The job is done.
    Done {
        /// Whether it was the synthetic one.
        synthetic: bool,
    },
    /// The job is given up.
    GivenUp,
    /// The job is tried again after a pause.
    Again(Job, Duration),
}

/// How jobs of a queue run when nothing is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Nature {
    /// The median of an attempt's duration, in seconds.
    pub median: f64,
    /// The spread of its logarithm.
    pub sigma: f64,
    /// How much of that time a worker saves at most where many jobs wait, because it takes those of
    /// one tenant together: this is what makes a depth settle instead of running away.
    pub batching: f64,
    /// The probability that an attempt fails and is worth another.
    pub fails: f64,
    /// The probability that an attempt fails for good.
    pub hopeless: f64,
}

/// A queue, its workers and its counters.
#[derive(Debug)]
pub struct Queue {
    nature: Nature,
    dice: Dice,
    waiting: VecDeque<(Duration, Job)>,
    waiting_of: [u32; tenants::NAMES.len()],
    /// Attempts that the workers can make at the same time.
    pub workers: u32,
    /// Those of them that take no job.
    pub stalled: u32,
    /// Jobs being worked on.
    pub active: u32,
    /// Jobs that wait for their retry.
    pub delayed: u32,
    /// Jobs ever enqueued; a retry is not a new job.
    pub enqueued: u64,
    /// Jobs done.
    pub succeeded: u64,
    /// Jobs given up.
    pub failed: u64,
    kept: u64,
    /// Jobs among the dead letters: those that no worker can work off.
    pub dead_letters: u64,
    /// Attempts that were retried.
    pub retried: u64,
    /// Durations of attempts.
    pub durations: Histogram,
}

impl Queue {
    /// An empty queue.
    pub fn new(nature: Nature, workers: u32, dice: Dice) -> Self {
        Self {
            nature,
            dice,
            waiting: VecDeque::new(),
            waiting_of: [0; tenants::NAMES.len()],
            workers,
            stalled: 0,
            active: 0,
            delayed: 0,
            enqueued: 0,
            succeeded: 0,
            failed: 0,
            kept: 0,
            dead_letters: 0,
            retried: 0,
            durations: Histogram::new(&BOUNDS),
        }
    }

    /// The worker process starts anew: what it counts begins at zero. Its jobs are in Redis and stay.
    pub fn restart(&mut self) {
        (self.enqueued, self.succeeded, self.failed, self.retried) = (0, 0, 0, 0);
        self.durations = Histogram::new(&BOUNDS);
    }

    /// Somebody empties the set of the failed ones, and the dead letters.
    pub fn clear_failed(&mut self) {
        (self.kept, self.dead_letters) = (0, 0);
    }

    /// A new job comes.
    pub fn add(&mut self, now: Duration, job: Job) {
        self.enqueued += 1;
        self.wait(now, job);
    }

    /// A job's pause is over; it waits behind the others.
    pub fn add_again(&mut self, now: Duration, job: Job) {
        self.delayed = self.delayed.saturating_sub(1);
        self.wait(now, job);
    }

    fn wait(&mut self, now: Duration, job: Job) {
        self.waiting.push_back((now, job));
        if let Some(count) = self.count_of(job) {
            *count += 1;
        }
    }

    fn count_of(&mut self, job: Job) -> Option<&mut u32> {
        self.waiting_of.get_mut(usize::from(job.tenant?))
    }

    /// A free worker takes the job that waits longest; `slower` stretches the work (1 is normal).
    pub fn take(&mut self, slower: f64) -> Option<Attempt> {
        if self.active >= self.workers.saturating_sub(self.stalled) {
            return None;
        }
        let (_, job) = self.waiting.pop_front()?;
        if let Some(count) = self.count_of(job) {
            *count = count.saturating_sub(1);
        }
        self.active += 1;
        let saved = self.nature.batching * (self.depth() as f64 / BATCHING_FROM).min(1.0);
        let took = self.dice.took(self.nature.median * (1.0 - saved) * slower, self.nature.sigma);
        Some(Attempt { job, took })
    }

    /// A worker is done with an attempt; `trouble` is added to the probability that it failed.
    pub fn finish(&mut self, attempt: Attempt, trouble: f64) -> Ended {
        self.active = self.active.saturating_sub(1);
        self.durations.observe(attempt.took);
        let fate = self.dice.unit();
        let attempts = attempt.job.attempts + 1;
        let poison = attempt.job.poison;
        if fate < self.nature.hopeless && !poison {
            self.give_up();
            Ended::GivenUp
        } else if poison || fate < self.nature.hopeless + self.nature.fails + trouble {
            // Three tries, with pauses of 5 and 10 seconds.
            if attempts >= 3 {
                self.give_up();
                self.dead_letters += u64::from(poison);
                return Ended::GivenUp;
            }
            self.delayed += 1;
            self.retried += 1;
            let pause = seconds(5.0 * f64::from(attempts) * self.dice.between(0.9, 1.1));
            Ended::Again(Job { attempts, ..attempt.job }, pause)
        } else {
            self.succeeded += 1;
            Ended::Done { synthetic: attempt.job.synthetic }
        }
    }

    fn give_up(&mut self) {
        self.failed += 1;
        self.kept += 1;
    }

    /// Jobs that wait for a worker.
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the job at the head of the queue has been waiting.
    pub fn oldest(&self) -> Option<Duration> {
        self.waiting.front().map(|(since, _)| *since)
    }

    /// Each tenant's jobs among those that wait.
    pub fn waiting_by_tenant(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        tenants::NAMES.into_iter().zip(self.waiting_of)
    }

    /// Jobs in the set of the failed ones, which forgets.
    pub fn failed_kept(&self) -> u64 {
        self.kept.min(KEEP_FAILED)
    }

    /// Jobs that take up memory: those that wait, are worked on, are retried, or are kept as failed or as
    /// done.
    pub fn held(&self) -> u64 {
        let jobs = self.depth() as u64 + u64::from(self.active) + u64::from(self.delayed);
        jobs + self.failed_kept() + self.dead_letters + self.succeeded.min(KEEP_COMPLETED)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Stream;
    use super::*;

    fn queue(fails: f64, workers: u32) -> Queue {
        let nature = Nature { median: 1.0, sigma: 0.1, batching: 0.0, fails, hopeless: 0.0 };
        Queue::new(nature, workers, Dice::new(1, Stream::TasksWork))
    }

    #[test]
    fn jobs_are_taken_in_the_order_they_came_and_only_by_free_workers() {
        let mut queue = queue(0.0, 1);
        queue.add(Duration::from_secs(1), Job::SYNTHETIC);
        queue.add(Duration::from_secs(2), Job::PLAIN);
        assert_eq!(queue.oldest(), Some(Duration::from_secs(1)));
        let attempt = queue.take(1.0).unwrap();
        assert_eq!((queue.take(1.0), queue.depth()), (None, 1));
        assert_eq!(queue.finish(attempt, 0.0), Ended::Done { synthetic: true });
        assert!(queue.take(1.0).is_some());
    }

    #[test]
    fn a_job_that_fails_three_times_is_given_up_and_counted_once() {
        let mut queue = queue(1.0, 1);
        queue.add(Duration::ZERO, Job::PLAIN);
        for _ in 0..2 {
            let attempt = queue.take(1.0).unwrap();
            let Ended::Again(job, pause) = queue.finish(attempt, 0.0) else { panic!("given up early") };
            assert!(pause > Duration::from_secs(4) && queue.delayed == 1);
            queue.add_again(pause, job);
        }
        let attempt = queue.take(1.0).unwrap();
        assert_eq!(queue.finish(attempt, 0.0), Ended::GivenUp);
        assert_eq!((queue.enqueued, queue.failed, queue.retried, queue.delayed), (1, 1, 2, 0));
        assert_eq!(queue.durations.count(), 3);
    }

    #[test]
    fn a_stalled_worker_takes_nothing_and_a_tenant_s_waiting_jobs_are_known() {
        let mut queue = queue(0.0, 2);
        for tenant in [3, 3, 5] {
            queue.add(Duration::ZERO, Job::of(tenant));
        }
        let waiting = |queue: &Queue| -> Vec<u32> { queue.waiting_by_tenant().map(|(_, n)| n).collect() };
        assert_eq!((waiting(&queue)[3], waiting(&queue)[5], waiting(&queue)[0]), (2, 1, 0));
        queue.stalled = 1;
        assert!(queue.take(1.0).is_some() && queue.take(1.0).is_none());
        assert_eq!(waiting(&queue)[3], 1);
        queue.stalled = 9;
        assert!(queue.take(1.0).is_none());
    }

    #[test]
    fn a_poison_job_ends_among_the_dead_letters_which_outlive_a_restart_and_can_be_cleared() {
        let mut queue = queue(0.0, 1);
        queue.add(Duration::ZERO, Job::of(0).poison());
        while let Some(attempt) = queue.take(1.0) {
            if let Ended::Again(job, pause) = queue.finish(attempt, 0.0) {
                queue.add_again(pause, job);
            }
        }
        assert_eq!((queue.failed, queue.dead_letters, queue.failed_kept(), queue.held()), (1, 1, 1, 2));
        queue.restart();
        assert_eq!((queue.failed, queue.enqueued, queue.durations.count()), (0, 0, 0));
        assert_eq!((queue.dead_letters, queue.failed_kept()), (1, 1));
        queue.clear_failed();
        assert_eq!((queue.dead_letters, queue.failed_kept(), queue.held()), (0, 0, 0));
    }
}
