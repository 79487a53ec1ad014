//! The simulated product: Tasks v0.1.4 as a seeded discrete-event model, served over loopback HTTP.
//!
//! Tenants send requests, requests make jobs, workers work them off, a flag's rollout raises the
//! load, and every half hour it goes wrong in the same way; in a drill the injects of a scenario take the
//! place of that story, and the team's actions reach the product. What comes out is real exposition text
//! and the identity contract, so that the demo and the drills go through the parsers that read the
//! real thing. The same seed gives the same bytes, however time is cut into steps.
//!
//! May import `model`, `checklist`, `settings`. Start with [`Product`]; `story` and `injects` say what
//! happens when, `queue` and `service` how, `pages` and `contract` what is told of it, [`Server`] to
//! whom; [`score`] is how well a team did.

mod actions;
mod agenda;
mod alert_pages;
mod alerts;
#[cfg(test)]
mod behaviour;
mod contract;
mod dice;
mod exposition;
mod histogram;
mod injects;
mod pages;
mod product;
mod queue;
mod redis;
mod rollout;
mod scaler;
pub mod score;
mod server;
mod service;
mod story;
mod strengths;
mod surroundings;
mod tenants;
mod traffic;

pub use actions::{TAG, action_of, wrong_tags};
pub use contract::Access;
pub use exposition::Format;
pub use pages::Page;
pub use product::{Happened, Product};
pub use redis::Redis;
pub use server::{Server, SharedProduct, pace};

use std::time::Duration;

use crate::model::Time;

/// When the demo's simulated time begins: 2025-12-02T14:00:00Z.
pub const DEMO_START: Time = Time::from_millis(1_764_684_000_000);

/// The seed of the demo, and so of the screenshots.
pub const DEMO_SEED: u64 = 14;

/// How long the product has run when the demo opens: longer than every window of its expressions,
/// and four minutes before the rollout goes to 50 %.
pub const DEMO_WARM_UP: Duration = Duration::from_mins(20);
