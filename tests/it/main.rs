//! Everything that needs the built program, a socket, a terminal or a real server, in one binary, so
//! that servers are started once and shared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod agreement;
mod alerts;
mod check;
mod checklist;
mod drill;
mod exposition;
mod faults;
mod flags;
mod http;
mod identity;
mod injects;
mod ledger;
mod node;
mod postgres;
mod presets;
mod promql;
mod query;
mod record;
mod scrape;
mod screen;
mod screenshots;
mod servers;
mod settings;
mod shipped;
mod sign_in;
mod sources;
mod strace;
mod stricter;
mod templates;
mod terminal;
mod ui;
mod walks;
