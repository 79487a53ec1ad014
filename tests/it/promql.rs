//! `PromQL` evaluated by gonogo: against fixtures, and against a real server.

mod capture;
mod oracle;
