//! What is more than structure: names that must exist, numbers that must make sense, expressions that
//! must parse. Start with [`launch`] and [`template`]; the other files check one kind of table each.
//!
//! Everything wrong in a file is collected; nothing is made from a file that has troubles.

mod address;
mod alert;
pub(super) mod beside;
mod credential;
mod flag;
mod gate;
mod inject;
mod item;
pub(super) mod launch;
mod list;
pub(super) mod preset;
mod provider;
mod query;
mod route;
pub(super) mod scenario;
mod signal;
mod size;
mod source;
pub(super) mod template;
mod values;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::document::{Document, Troubles};
use super::file::config::SourceWord;
use super::nearest::{did_you_mean, list};
use crate::model::Launch;
use crate::model::launch::SourceKind;
use crate::model::provider::Provider;
use crate::model::text::harmless_line;

/// A file being checked.
struct Check<'d> {
    document: &'d Document<'d>,
    /// What relative paths are relative to.
    base: &'d Path,
    troubles: Troubles,
}

/// A source as far as other tables need to know it, also where it has troubles of its own.
struct SourceName {
    name: String,
    kind: SourceWord,
    every: Duration,
    /// How far back its history may reach, where gonogo keeps it.
    max_history: Duration,
    /// Whether it tells alerts.
    alerts: bool,
}

/// The names that a config defines, and what errors call that config.
struct Names {
    config: String,
    sources: Vec<SourceName>,
    signals: Vec<(String, Duration)>,
    flags: Vec<String>,
    routes: Vec<String>,
}

impl Names {
    /// Of a config that was read before.
    fn of_launch(config: &str, launch: &Launch) -> Self {
        let kind = |kind: &SourceKind| match kind {
            SourceKind::Scrape { .. } => SourceWord::Scrape,
            SourceKind::Prometheus { .. } => SourceWord::Prometheus,
            SourceKind::Alertmanager { .. } => SourceWord::Alertmanager,
            SourceKind::Identity { .. } => SourceWord::Identity,
            SourceKind::Flags(flags) => match flags.provider {
                Provider::Unleash { .. } => SourceWord::Unleash,
                Provider::Ofrep(_) => SourceWord::Ofrep,
                Provider::LaunchDarkly { .. } => SourceWord::Launchdarkly,
                Provider::Json(_) => SourceWord::Json,
            },
        };
        let sources: Vec<SourceName> = launch
            .sources
            .iter()
            .map(|s| SourceName {
                name: s.id.as_str().into(),
                kind: kind(&s.kind),
                every: s.every,
                max_history: s.max_history,
                alerts: s.kind.tells_alerts(),
            })
            .collect();
        let every =
            |id: &str| sources.iter().find(|s| s.name == id).map_or(Duration::ZERO, |source| source.every);
        let signals =
            launch.signals.iter().map(|s| (s.id.as_str().to_owned(), every(s.source.as_str()))).collect();
        let flags = launch.flags.iter().map(|f| f.key.clone()).collect();
        let routes = launch.routes.iter().map(|r| r.id.clone()).collect();
        Self { config: config.to_owned(), signals, flags, routes, sources }
    }
}

/// Says that a name is not among the known ones, unless it is.
fn known_name<'n>(
    troubles: &mut Troubles,
    place: Range<usize>,
    what: &str,
    name: &str,
    config: &str,
    known: impl Iterator<Item = &'n str> + Clone,
) -> bool {
    if known.clone().any(|k| k == name) {
        return true;
    }
    let near = did_you_mean(name, known.clone());
    let name = harmless_line(name, 60);
    troubles.add_with_help(
        place,
        format!("{config} has no {what} {name:?}{near}"),
        list(&format!("{what}s it has"), known),
    );
    false
}
