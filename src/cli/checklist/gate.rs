//! The evidence that a gate item is ticked with.

use crate::checklist::{Evidence, Item, Refused};

use super::Common;

/// Evidence for ticking a gate from the command line: the number of an answer that passed. A number
/// typed by hand is no evidence, so without one the rule refuses the tick.
///
/// # Errors
/// [`Refused::NeedsEvidence`].
pub fn gate_evidence(item: &Item, _common: &Common) -> Result<Vec<Evidence>, Refused> {
    Err(Refused::NeedsEvidence(item.id.clone()))
}
