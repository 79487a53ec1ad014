//! Sums and means that lose as little as Prometheus' do: Kahan summation with Neumaier's correction.

/// A running sum and what rounding took from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn starting_at(value: f64) -> Self {
        Self { sum: value, lost: 0.0 }
    }

    /// A value that nothing is added to: its total is the value, a negative zero too.
    pub(super) fn just(value: f64) -> Self {
        Self { sum: value, lost: -0.0 }
    }

    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        self.sum = sum;
    }

    pub(super) fn total(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

impl Sum {
    /// The total where infinity is no special case.
    pub(super) fn raw_total(self) -> f64 {
        self.sum + self.lost
    }
}

/// The mean: the sum by the count as long as the sum can be held, then kept up incrementally.
pub(super) fn mean(mut values: impl Iterator<Item = f64>) -> f64 {
    let Some(first) = values.next() else { return f64::NAN };
    let mut sum = Sum::starting_at(first);
    let mut running: Option<Sum> = None;
    let mut count = 1.0;
    for value in values {
        count += 1.0;
        if running.is_none() {
            let mut next = sum;
            next.add(value);
            if !next.sum.is_infinite() {
                sum = next;
                continue;
            }
        }
        let mut mean =
            running.unwrap_or(Sum { sum: sum.sum / (count - 1.0), lost: sum.lost / (count - 1.0) });
        let share = (count - 1.0) / count;
        mean = Sum { sum: share * mean.sum, lost: share * mean.lost };
        mean.add(value / count);
        running = Some(mean);
    }
    match running {
        Some(mean) => mean.sum + mean.lost,
        None => sum.sum / count + sum.lost / count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_value_between_two_huge_ones_is_not_lost() {
        let mut sum = Sum::default();
        for value in [1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.total(), 1.0);
        assert_eq!(mean([1e308, 1e308, 1e308].into_iter()), 1e308);
        assert_eq!(mean([1.0, 2.0, 6.0].into_iter()), 3.0);
        assert_eq!(mean([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(mean([f64::INFINITY, f64::NEG_INFINITY].into_iter()).is_nan());
    }
}
