//! The twenty customers of the product, and how much of its traffic each sends.
//!
//! A tenant stands for a customer with many organisations, so that a flag that is rolled out by
//! organisation divides the traffic of each.

use std::time::Duration;

/// The tenants' names, the largest first.
pub use crate::model::scenario::TENANTS as NAMES;

/// A customer beside them who may use Tasks and gets nothing but 403: its people were given a role without
/// the scopes of Tasks. It asks too seldom to matter to any number but its own.
pub const LOCKED_OUT: &str = "nakatomi";

/// How often [`LOCKED_OUT`] asks the tasks service, all in vain.
const LOCKED_OUT_EVERY: Duration = Duration::from_secs(40);

/// How many requests of [`LOCKED_OUT`] the tasks service has refused.
pub fn locked_out(uptime: Duration) -> u64 {
    uptime.as_secs() / LOCKED_OUT_EVERY.as_secs()
}

/// Shares of the traffic, by Zipf's law with exponent 0.9: the largest sends about a fifth.
#[derive(Debug)]
pub struct Shares {
    up_to: Vec<f64>,
}

impl Shares {
    /// The shares of all tenants.
    pub fn new() -> Self {
        let weight = |rank: usize| (rank as f64).powf(-0.9);
        let total: f64 = (1..=NAMES.len()).map(weight).sum();
        let up_to = (1..=NAMES.len()).scan(0.0, |sum, rank| {
            *sum += weight(rank) / total;
            Some(*sum)
        });
        Self { up_to: up_to.collect() }
    }

    /// How much of the traffic the tenant at a place in [`NAMES`] sends, 0 to 1.
    pub fn of(&self, tenant: usize) -> f64 {
        let below = tenant.checked_sub(1).and_then(|before| self.up_to.get(before)).copied().unwrap_or(0.0);
        self.up_to.get(tenant).map_or(0.0, |up_to| up_to - below)
    }

    /// The place in [`NAMES`] of the tenant that an even draw from 0 to 1 falls on.
    pub fn pick(&self, unit: f64) -> usize {
        self.up_to.partition_point(|bound| *bound <= unit).min(NAMES.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_tenant_sends_about_a_fifth_and_every_tenant_something() {
        let shares = Shares::new();
        let mut hits = [0u32; NAMES.len()];
        for draw in 0..10_000 {
            hits[shares.pick(f64::from(draw) / 10_000.0)] += 1;
        }
        assert!((1_800..2_700).contains(&hits[0]), "{hits:?}");
        assert!(hits.iter().all(|n| *n > 100) && hits.is_sorted_by(|a, b| a >= b), "{hits:?}");
        assert_eq!(shares.pick(1.0), NAMES.len() - 1);
    }
}
