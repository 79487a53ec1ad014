//! The edge: what is on the wire becomes the words of `model`, once, here.
//!
//! May import `model`, `promql`, `http`. Start with [`exposition`] (text that `/metrics` endpoints
//! send) and [`capture`] (the same, recorded); `scrape`, `prometheus` and `identity` are the sources
//! that the polling tasks drive.

pub mod capture;
pub mod exposition;
