//! `PromQL` evaluated by gonogo: against fixtures, and against a real server.

pub mod capture;
mod oracle;
