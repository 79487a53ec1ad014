//! Random numbers, one stream for each process of the model, so that changing one rate does not
//! reshuffle the others.

use std::time::Duration;

use rand_distr::{Distribution, Exp1, Poisson, StandardNormal, StandardUniform};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;

/// The processes that draw.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Requests of a service, by its place in the table of services.
    Requests(u8),
    /// Short bursts of traffic.
    Bursts,
    /// Tenants that edit many tasks at once.
    BulkEdits,
    /// How long jobs of the tasks queue take, and how they end.
    TasksWork,
    /// Billing jobs that come one by one and in batches.
    BillingArrivals,
    /// How long jobs of the billing queue take, and how they end.
    BillingWork,
    /// What flags say to callers.
    Flags,
    /// Sign-ins and tokens.
    SignIns,
    /// Whose bulk edits they are.
    BulkTenants,
    /// Which jobs are poison.
    Poison,
}

impl Stream {
    fn number(self) -> u64 {
        match self {
            Self::Bursts => 1,
            Self::BulkEdits => 2,
            Self::TasksWork => 3,
            Self::BillingArrivals => 4,
            Self::BillingWork => 5,
            Self::Flags => 6,
            Self::SignIns => 7,
            Self::BulkTenants => 8,
            Self::Poison => 9,
            Self::Requests(service) => 100 + u64::from(service),
        }
    }
}

/// One stream of random numbers.
#[derive(Debug)]
pub struct Dice(Pcg64);

impl Dice {
    /// The stream of one process under one seed.
    pub fn new(seed: u64, stream: Stream) -> Self {
        // The golden ratio spreads neighbouring streams over the whole range of seeds.
        let spread = stream.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(Pcg64::seed_from_u64(seed.wrapping_add(spread)))
    }

    /// Evenly from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    /// True with the given probability. Draws in any case, so that a probability that falls to 0
    /// does not shift what follows.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Evenly between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// The time to the next event of a process that has no memory.
    pub fn wait(&mut self, mean: Duration) -> Duration {
        let factor: f64 = Exp1.sample(&mut self.0);
        seconds(mean.as_secs_f64() * factor)
    }

    /// A log-normal duration: most near the median, some much longer.
    pub fn took(&mut self, median: f64, sigma: f64) -> Duration {
        let z: f64 = StandardNormal.sample(&mut self.0);
        seconds(median * (sigma * z).exp())
    }

    /// How many events happen where `mean` are expected.
    pub fn count(&mut self, mean: f64) -> u32 {
        Poisson::new(mean).map_or(0, |poisson| poisson.sample(&mut self.0) as u32)
    }
}

/// A duration in whole microseconds: the model counts in integers, so that a sum does not depend on
/// the order of its parts.
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_do_not_repeat_each_other() {
        let first = |stream| Dice::new(14, stream).unit();
        let all = [
            first(Stream::Requests(0)),
            first(Stream::Requests(1)),
            first(Stream::Bursts),
            first(Stream::TasksWork),
            first(Stream::BillingWork),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| (a - b).abs() > 1e-6), "{all:?}");
        }
        assert_eq!(first(Stream::Bursts), Dice::new(14, Stream::Bursts).unit());
    }

    #[test]
    fn draws_have_the_mean_they_are_asked_for() {
        let mut dice = Dice::new(1, Stream::Bursts);
        let n = 20_000;
        let waits: f64 = (0..n).map(|_| dice.wait(Duration::from_secs(3)).as_secs_f64()).sum();
        assert!((waits / f64::from(n) - 3.0).abs() < 0.1, "{}", waits / f64::from(n));
        let counts: u32 = (0..n).map(|_| dice.count(5.5)).sum();
        assert!((f64::from(counts) / f64::from(n) - 5.5).abs() < 0.1);
        assert_eq!(dice.count(0.0), 0);
    }
}
