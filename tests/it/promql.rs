//! `PromQL` evaluated by gonogo: against fixtures, against a real server, against nonsense.

pub mod capture;
mod fixtures;
mod generated;
mod histories;
mod live;
mod nonsense;
mod oracle;
mod restart;
mod versions;
