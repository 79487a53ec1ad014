//! The presets that are built in, and what a preset is to those who list it.

use super::check::preset::by_itself;
use super::document::Document;
use super::finding::SettingsError;
use crate::model::SignalDef;

/// Name and text of every preset of `config/presets/`: the program needs no files for them.
pub(super) const EMBEDDED: [(&str, &str); 8] = [
    ("bullmq", include_str!("../../config/presets/bullmq.toml")),
    ("bullmq-prometheus", include_str!("../../config/presets/bullmq-prometheus.toml")),
    ("sidekiq", include_str!("../../config/presets/sidekiq.toml")),
    ("sidekiq-yabeda", include_str!("../../config/presets/sidekiq-yabeda.toml")),
    ("celery", include_str!("../../config/presets/celery.toml")),
    ("kafka", include_str!("../../config/presets/kafka.toml")),
    ("redis-streams", include_str!("../../config/presets/redis-streams.toml")),
    ("rabbitmq", include_str!("../../config/presets/rabbitmq.toml")),
];

/// A preset: the signals that some system's usual exporter allows.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What a config calls it.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// The exporter, and what that must be told to send.
    pub needs: String,
    /// What the numbers do not tell.
    pub limits: Option<String>,
    /// The metrics its expressions select, in the order in which they first stand there.
    pub metrics: Vec<String>,
    /// Why gonogo cannot evaluate all of it itself, so that it is for a `prometheus` source only.
    pub foreign: Option<String>,
    /// Its signals; their source is empty.
    pub signals: Vec<SignalDef>,
}

/// The presets that are built in, in the order in which they are listed.
///
/// # Errors
/// What is wrong in one of them; a test sees to it that nothing is.
pub fn presets() -> Result<Vec<Preset>, SettingsError> {
    EMBEDDED.iter().map(|(name, text)| preset(name, text)).collect()
}

/// The names and texts of the presets that are built in.
pub fn preset_texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    EMBEDDED.into_iter()
}

/// Reads a preset from its text; `name` is what it and errors are called.
///
/// # Errors
/// Everything that is wrong in it.
pub fn preset(name: &str, text: &str) -> Result<Preset, SettingsError> {
    by_itself(name, &Document::parse(name, text)?)
}
