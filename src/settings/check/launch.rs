//! A whole launch config.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::super::document::{Document, Troubles};
use super::super::file::At;
use super::super::file::config::{ConfigFile, LaunchTable, SourceTable, SourceWord};
use super::super::finding::SettingsError;
use super::super::{schema, structure};
use super::gate::Written;
use super::preset::ReadFile;
use super::source::{Around, EVERY, MAX_HISTORY};
use super::values::Seen;
use super::{Check, Names, SourceName};
use crate::model::text::harmless;
use crate::model::{Launch, SignalDef, SourceKind, Time, duration};

/// A launch, and where its file names the checklist.
#[derive(Debug)]
pub(in crate::settings) struct Checked {
    pub(in crate::settings) launch: Launch,
    pub(in crate::settings) checklist: Option<Range<usize>>,
}

/// Checks a launch config; relative paths in it are relative to `base`.
///
/// # Errors
/// Everything that is wrong: first the structure, then, where that is right, the meaning.
pub(in crate::settings) fn check(
    document: &Document<'_>,
    base: &Path,
    read: ReadFile<'_>,
) -> Result<Checked, SettingsError> {
    let troubles = structure::check(document, schema::config_schema());
    if !troubles.is_empty() {
        return Err(document.error(troubles));
    }
    let file: ConfigFile = document.read()?;
    let mut check = Check { document, base, troubles: Troubles::default() };
    let launch = check.launch(&file, read)?;
    if check.troubles.is_empty() {
        Ok(Checked { launch, checklist: file.launch.checklist.as_ref().map(At::span) })
    } else {
        Err(document.error(check.troubles))
    }
}

impl Check<'_> {
    fn launch(&mut self, file: &ConfigFile, read: ReadFile<'_>) -> Result<Launch, SettingsError> {
        let sources = source_names(file);
        let presets = self.presets(&in_file_order(file), &sources, read)?;
        let names = self.names(file, sources, &presets);
        let mut launch = self.head(&file.launch);
        launch.ledger = file.ledger.as_ref().and_then(|l| l.path.as_ref()).map(|p| self.path(p));
        launch.theme = file.theme.as_ref().and_then(|t| t.name).map(|n| n.as_str().to_owned());
        launch.keys = file.keys.iter().map(|(command, key)| (command.clone(), self.words(key))).collect();
        launch.credentials = self.credentials(&file.credential);
        launch.identity = self.identity(&file.launch, &file.credential, &names.config);
        let around = Around {
            credentials: &file.credential,
            defs: &launch.credentials,
            environment: &launch.environment,
            config: &names.config,
        };
        for (name, table) in in_file_order(file) {
            launch.sources.extend(self.source(name, table, &around));
        }
        let mut seen = Seen::default();
        launch.signals = presets;
        let of_presets = launch.signals.len();
        for at in &file.signal {
            let id = &at.get().id;
            self.unique_id(id, "the signal", &mut seen);
            // What overrides a preset's signal stands in its place: columns keep their order.
            let preset = launch.signals.iter_mut().take(of_presets).find(|s| s.id.as_str() == id.get());
            match preset {
                Some(preset) => *preset = self.signal(at, &names, Some(preset)),
                None => launch.signals.push(self.signal(at, &names, None)),
            }
        }
        let mut seen = Seen::default();
        for at in &file.flag {
            self.once(&at.get().key, "the flag", &mut seen);
            launch.flags.push(self.flag(at.get(), &names));
        }
        launch.tenants = file.tenants.as_ref().map(|at| self.tenants(at, &names));
        let mut seen = Seen::default();
        for at in &file.route {
            self.unique_id(&at.get().id, "the route", &mut seen);
            let route = self.api_route(at, &names);
            if launch.routes.first().is_some_and(|first| first.source != route.source) {
                let message = "all routes ask one identity source, so that one answer can grant them all";
                self.troubles.add(at.get().source.span(), message);
            }
            launch.routes.push(route);
        }
        for source in &mut launch.sources {
            if let SourceKind::Identity { grants, .. } = &mut source.kind {
                *grants = launch.routes.iter().any(|route| route.source == source.id);
            }
        }
        let mut seen = Seen::default();
        for at in &file.gate {
            let table = at.get();
            self.unique_id(&table.id, "the gate", &mut seen);
            let title = self.some_words(table.title.as_ref()).unwrap_or_else(|| table.id.get().clone());
            let written =
                Written { id: table.id.get(), title: &title, terms: &table.terms(), place: at.span() };
            if let Some(checked) = self.gate(&written, Some(&names)) {
                launch.gates.push(checked.gate);
                launch.signals.extend(checked.signal);
            }
        }
        Ok(launch)
    }

    fn head(&mut self, table: &LaunchTable) -> Launch {
        let version = self.words(&table.version);
        let bare = version.strip_prefix('v').filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        Launch {
            product: self.words(&table.product),
            version: bare.unwrap_or(&version).to_owned(),
            environment: self.words(&table.environment),
            checklist: table.checklist.as_ref().map(|p| self.path(p)),
            t0: table.t0.as_ref().and_then(|t| self.time(t)),
            write: table.write.unwrap_or(false),
            require_identity: table.require_identity.as_ref().is_some_and(|r| *r.get()),
            ..Launch::default()
        }
    }

    fn time(&mut self, at: &At<toml::Value>) -> Option<Time> {
        // Bare numbers of seconds, which a time on the command line may be, are no dates in a file.
        let text = match at.get() {
            toml::Value::Datetime(time) => time.to_string(),
            toml::Value::String(text) if text.trim().parse::<f64>().is_err() => text.clone(),
            _ => String::new(),
        };
        let time = Time::parse(&text).ok();
        if time.is_none() {
            let message = "is no time with its zone: write 2025-12-02T15:00:00Z or 2025-12-02T16:00:00+01:00";
            self.troubles.add(at.span(), message);
        }
        time
    }

    /// The names that the file defines, also those of tables that have troubles: one wrong table
    /// must not make everything that refers to it look wrong too.
    fn names(&mut self, file: &ConfigFile, sources: Vec<SourceName>, presets: &[SignalDef]) -> Names {
        let every = |name: &str| sources.iter().find(|n| n.name == name).map_or(EVERY, |n| n.every);
        let preset = |id: &str| presets.iter().find(|p| p.id.as_str() == id).map(|p| p.source.as_str());
        let mut signals: Vec<(String, Duration)> = Vec::new();
        for table in file.signal.iter().map(At::get) {
            let own = table.source.as_ref().map(|s| s.get().as_str());
            let source = own.or(preset(table.id.get())).unwrap_or_default();
            signals.push((table.id.get().clone(), every(source)));
        }
        for preset in presets {
            if !signals.iter().any(|(id, _)| id == preset.id.as_str()) {
                signals.push((preset.id.as_str().to_owned(), every(preset.source.as_str())));
            }
        }
        Names {
            config: harmless(&self.document.name).into_owned(),
            signals,
            flags: file.flag.iter().map(|f| f.get().key.get().clone()).collect(),
            routes: file.route.iter().map(|r| r.get().id.get().clone()).collect(),
            sources,
        }
    }
}

fn source_names(file: &ConfigFile) -> Vec<SourceName> {
    let span = |text: &Option<At<String>>, fallback| {
        text.as_ref().and_then(|text| duration::parse(text.get()).ok()).unwrap_or(fallback)
    };
    let sources = in_file_order(file).into_iter();
    sources
        .map(|(name, at)| SourceName {
            name: name.to_owned(),
            kind: *at.get().kind.get(),
            every: span(&at.get().every, EVERY),
            max_history: span(&at.get().max_history, MAX_HISTORY),
            alerts: *at.get().kind.get() == SourceWord::Alertmanager
                || at.get().alerts.as_ref().is_some_and(|a| *a.get()),
        })
        .collect()
}

/// Maps forget the order; the places remember it.
fn in_file_order(file: &ConfigFile) -> Vec<(&str, &At<SourceTable>)> {
    let mut sources: Vec<_> = file.source.iter().map(|(name, at)| (name.as_str(), at)).collect();
    sources.sort_by_key(|(_, at)| at.span().start);
    sources
}
