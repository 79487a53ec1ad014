//! What happens next: a heap of events in the order of their time, and of their making where two
//! fall on the same moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::queue::{Attempt, Job, QueueId};

/// Something that happens in the model at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The requests of the next tenth of a second.
    Traffic,
    /// A short burst on one service begins.
    Burst,
    /// A tenant edits many tasks at once.
    BulkEdit,
    /// A billing job comes.
    BillingJob,
    /// The batch of billing jobs of every fifth minute comes.
    BillingBatch,
    /// An attempt at a job ends.
    Finished(QueueId, Attempt),
    /// A job that failed waits again.
    Retry(QueueId, Job),
    /// The scaler looks at the tasks queue.
    Scale,
    /// Replicas that the scaler asked for take up work.
    ReplicasUp(u32),
    /// The synthetic task of every minute is created.
    Synthetic,
    /// The flag service counts what callers got.
    Count,
    /// The alerting rules are evaluated.
    Evaluate,
    /// The story goes to its next step.
    Story,
    /// An inject may begin or ends.
    Inject,
    /// The workers start anew, as long as the inject at this place is in effect.
    Restart(usize),
}

/// Events to come.
#[derive(Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    made: u64,
}

impl Agenda {
    /// Adds an event at a moment, counted from the start of the model.
    pub fn put(&mut self, at: Duration, event: Event) {
        self.made += 1;
        self.heap.push(Reverse((at, self.made, event)));
    }

    /// Takes the next event that happens at `until` or before.
    pub fn next_until(&mut self, until: Duration) -> Option<(Duration, Event)> {
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at > until {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_the_same_moment_happen_in_the_order_they_were_made() {
        let mut agenda = Agenda::default();
        let second = Duration::from_secs(1);
        for event in [Event::Story, Event::Burst, Event::Traffic] {
            agenda.put(second, event);
        }
        agenda.put(Duration::ZERO, Event::Scale);
        let order: Vec<Event> = std::iter::from_fn(|| agenda.next_until(second)).map(|(_, e)| e).collect();
        assert_eq!(order, [Event::Scale, Event::Story, Event::Burst, Event::Traffic]);
        agenda.put(second, Event::Count);
        assert_eq!(agenda.next_until(Duration::from_millis(999)), None);
    }
}
