//! gonogo: a launch room in a terminal.
//!
//! It polls Prometheus and identity endpoints, shows queue depth, API errors and feature-flag
//! rollout, and keeps the launch and rollback checklists beside them, so that every GO is backed by
//! a number that was true when somebody ticked the box.
//!
//! The rooms, from the words outwards; arrows point one way and `tests/layering.rs` keeps it so:
//! [`model`] → [`promql`] → [`engine`], [`checklist`] → [`settings`], [`http`] → [`sources`],
//! [`ledger`], [`exec`] → [`app`] → [`ui`] → [`runtime`], [`drill`] → [`cli`].

// Tests may panic: that is how they say no.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod app;
pub mod checklist;
pub mod cli;
pub mod drill;
pub mod engine;
pub mod exec;
pub mod http;
pub mod ledger;
pub mod model;
pub mod promql;
pub mod runtime;
pub mod settings;
pub mod sources;
pub mod ui;
