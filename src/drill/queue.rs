//! A job queue and its workers: first in, first out, with retries, as `BullMQ` does it.

use std::collections::VecDeque;
use std::time::Duration;

use super::dice::{Dice, seconds};
use super::histogram::Histogram;

/// How many failed jobs a queue keeps for people to look at.
const KEEP_FAILED: u64 = 1000;

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
}

impl Job {
    /// A job that a tenant caused.
    pub const PLAIN: Job = Job { attempts: 0, synthetic: false };
    /// The job of the synthetic task.
    pub const SYNTHETIC: Job = Job { attempts: 0, synthetic: true };
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
    /// Attempts that the workers can make at the same time.
    pub workers: u32,
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
            workers,
            active: 0,
            delayed: 0,
            enqueued: 0,
            succeeded: 0,
            failed: 0,
            retried: 0,
            durations: Histogram::new(&BOUNDS),
        }
    }

    /// A new job comes.
    pub fn add(&mut self, now: Duration, job: Job) {
        self.enqueued += 1;
        self.waiting.push_back((now, job));
    }

    /// A job's pause is over; it waits behind the others.
    pub fn add_again(&mut self, now: Duration, job: Job) {
        self.delayed = self.delayed.saturating_sub(1);
        self.waiting.push_back((now, job));
    }

    /// A free worker takes the job that waits longest; `slower` stretches the work (1 is normal).
    pub fn take(&mut self, slower: f64) -> Option<Attempt> {
        if self.active >= self.workers {
            return None;
        }
        let (_, job) = self.waiting.pop_front()?;
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
        if fate < self.nature.hopeless {
            self.failed += 1;
            Ended::GivenUp
        } else if fate < self.nature.hopeless + self.nature.fails + trouble {
            // Three tries, with pauses of 5 and 10 seconds.
            if attempts >= 3 {
                self.failed += 1;
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

    /// Jobs that wait for a worker.
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the job at the head of the queue has been waiting.
    pub fn oldest(&self) -> Option<Duration> {
        self.waiting.front().map(|(since, _)| *since)
    }

    /// Jobs in the set of the failed ones, which forgets.
    pub fn failed_kept(&self) -> u64 {
        self.failed.min(KEEP_FAILED)
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
}
