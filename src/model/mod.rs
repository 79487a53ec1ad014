//! The words of gonogo as plain types: what a source, a signal, a gate, a flag, a verdict *is*.
//!
//! This room imports no other. Nothing here reads a clock, a file or a socket; a time is always an
//! argument. Start with [`launch`] (what a config file says), then [`poll`] (what a source answers).

pub mod alert;
pub mod credential;
pub mod duration;
pub mod fault;
pub mod flag;
pub mod gate;
pub mod health;
pub mod identity;
pub mod ids;
pub mod labels;
pub mod launch;
pub mod mark;
pub mod person;
pub mod poll;
pub mod provider;
pub mod route;
pub mod scenario;
pub mod text;
pub mod time;
pub mod trigger;
pub mod value;
pub mod verdict;

pub use alert::{Alert, AlertState, AlertsAnswer};
pub use fault::{Fault, FaultCode};
pub use flag::{Caps, Flag, Observed, Percent};
pub use gate::{Condition, GateDef, Op};
pub use health::Health;
pub use ids::{GateId, ItemId, RunId, SignalId, SourceId};
pub use labels::Labels;
pub use launch::{Board, FlagDef, Launch, SignalDef, SourceDef, SourceKind, Unit};
pub use mark::Mark;
pub use person::Person;
pub use poll::{Answer, Point, Polled, SignalAnswer};
pub use route::RouteDef;
pub use scenario::Scenario;
pub use time::Time;
pub use trigger::TriggerDef;
pub use verdict::{Reason, Verdict};
