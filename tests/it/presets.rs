//! Presets: as a config uses them, on recorded expositions, and against a real `BullMQ`.

pub(crate) mod bullmq;
mod config;
mod expositions;
