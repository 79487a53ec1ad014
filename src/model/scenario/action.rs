//! What a team does to a product, as far as a simulated one can follow it.

use std::fmt;

/// What the simulated product does when the team has done its part. A drill starts no process, so this
/// is how a rollback that was only exercised reaches the product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Sets the rollout of `tasks.enabled`, the one flag that moves in the simulated product.
    SetFlag {
        /// 0 to 100.
        percent: f64,
    },
    /// No new jobs for the tasks queue, but for the synthetic task, which watches.
    StopProducers,
    /// New jobs again.
    StartProducers,
    /// The workers start anew: their counters begin at zero.
    RestartWorkers,
    /// The tenant that sends too much is held to its share.
    LimitTenant,
    /// The failed set and the dead letters of the tasks queue are emptied.
    ClearFailed,
}

impl Action {
    /// The words that are no `flag=PERCENT`.
    const WORDS: [(&'static str, Self); 5] = [
        ("stop-producers", Self::StopProducers),
        ("start-producers", Self::StartProducers),
        ("restart-workers", Self::RestartWorkers),
        ("limit-tenant", Self::LimitTenant),
        ("clear-failed", Self::ClearFailed),
    ];

    /// What may be written, for messages.
    pub const ALLOWED: &'static str =
        "flag=PERCENT, stop-producers, start-producers, restart-workers, limit-tenant, clear-failed";

    /// Reads `flag=0`, `stop-producers` and so on; `None` where it is none of [`Action::ALLOWED`].
    pub fn parse(text: &str) -> Option<Self> {
        let Some(percent) = text.strip_prefix("flag=") else {
            return Self::WORDS.into_iter().find(|(word, _)| *word == text).map(|(_, action)| action);
        };
        let percent = percent.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent))?;
        Some(Self::SetFlag { percent })
    }

    /// Whether this does what `wanted` asks for: a flag at 0 % is also a flag at 10 % or less.
    pub fn does(self, wanted: Self) -> bool {
        match (self, wanted) {
            (Self::SetFlag { percent }, Self::SetFlag { percent: most }) => percent <= most,
            _ => self == wanted,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::SetFlag { percent } = self {
            return write!(f, "flag={percent}");
        }
        let word = Self::WORDS.into_iter().find(|(_, action)| action == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_written_alike_and_anything_else_is_refused() {
        for word in Action::ALLOWED.replace("PERCENT", "12.5").split(", ") {
            assert_eq!(Action::parse(word).map(|action| action.to_string()).as_deref(), Some(word));
        }
        for wrong in ["", "flag", "flag=", "flag=-1", "flag=101", "flag=NaN", "flag=0 ", "restart"] {
            assert_eq!(Action::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_flag_that_goes_lower_than_asked_does_it_too() {
        let flag = |percent| Action::SetFlag { percent };
        assert!(flag(0.0).does(flag(10.0)) && flag(10.0).does(flag(10.0)));
        assert!(!flag(25.0).does(flag(10.0)) && !Action::StopProducers.does(flag(100.0)));
        assert!(Action::StopProducers.does(Action::StopProducers));
    }
}
