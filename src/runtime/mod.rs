//! (being built)

pub mod credential;
