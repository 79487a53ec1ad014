//! Answers become verdicts: signals with their recent past, gates judged in time, GO or NO-GO with
//! its reasons.
//!
//! May import `model` and `promql`. Nothing here reads a clock: `now` is always an argument. Start
//! with [`Watch`], which takes polls in and gives judgements out; [`gate`] holds the rules.

pub mod alerts;
mod flag_gate;
pub mod flags;
pub mod gate;
pub mod hold;
pub mod identity;
pub mod measure;
pub mod overall;
pub mod route_gate;
pub mod source;
pub mod tenants;
pub mod track;
pub mod trial;
pub mod watch;

pub use alerts::Alerts;
pub use gate::{Gate, Judgement};
pub use identity::IdentityState;
pub use overall::{Outcome, Overall};
pub use source::SourceState;
pub use track::{Series, Track};
pub use watch::{Change, Watch};

#[cfg(test)]
mod tests;
