//! Presets: as a config uses them, on recorded expositions, and against a real `BullMQ`.

mod bullmq;
mod config;
mod expositions;
