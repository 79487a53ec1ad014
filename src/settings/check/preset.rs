//! `preset = "bullmq"` on a source: the signals of a preset file, on that source.
//!
//! A preset is read and checked by the same code as a config's own signals; what is wrong in it is told
//! with its own file, line and column. Ids stay as the preset has them: an order of sources must never
//! decide which queue a gate looks at, so where two presets give the same id one of the sources says
//! what is put before its ids.

use std::path::{Path, PathBuf};

use super::super::document::{Document, Troubles};
use super::super::file::At;
use super::super::file::config::{SourceTable, SourceWord};
use super::super::file::preset::PresetFile;
use super::super::finding::SettingsError;
use super::super::preset::{EMBEDDED, Preset};
use super::super::{read, schema, structure};
use super::values::Seen;
use super::{Check, SourceName, known_name};
use crate::model::text::harmless_line;
use crate::model::{SignalDef, SignalId};
use crate::promql::Expr;

/// How the text of a preset file is had; no file is touched where a config is read from a text.
pub(in crate::settings) type ReadFile<'r> = &'r dyn Fn(&Path) -> Result<String, SettingsError>;

impl Check<'_> {
    /// The signals of the presets of all sources, in the order of the sources.
    ///
    /// # Errors
    /// What is wrong in a preset file: without its signals nothing that refers to them can be judged.
    pub(super) fn presets(
        &mut self,
        sources: &[(&str, &At<SourceTable>)],
        names: &[SourceName],
        read: ReadFile<'_>,
    ) -> Result<Vec<SignalDef>, SettingsError> {
        let mut all: Vec<SignalDef> = Vec::new();
        for ((_, at), source) in sources.iter().zip(names) {
            let table = at.get();
            let Some(wanted) = &table.preset else {
                if let Some(prefix) = &table.preset_prefix {
                    self.troubles.add(prefix.span(), "`preset-prefix` needs a `preset`");
                }
                continue;
            };
            if SourceWord::OF_FLAGS.contains(&source.kind) {
                let message = "`preset` belongs to sources that answer expressions, scrape and prometheus";
                self.troubles.add(wanted.span(), message);
                continue;
            }
            let Some((name, text)) = self.preset_text(wanted, read)? else { continue };
            let mut signals = signals_of(&name, &text, source)?;
            self.prefixed(&mut signals, table.preset_prefix.as_ref());
            self.told_apart(&all, &signals, source, table);
            all.extend(signals);
        }
        Ok(all)
    }

    /// What errors call the preset, and its text. `None`: the config names none that can be read.
    fn preset_text(
        &mut self,
        wanted: &At<String>,
        read: ReadFile<'_>,
    ) -> Result<Option<(String, String)>, SettingsError> {
        let name = wanted.get();
        if !read::is_path(name) {
            let found = EMBEDDED.iter().find(|(known, _)| known == name);
            if found.is_none() {
                let known = EMBEDDED.iter().map(|(name, _)| *name);
                known_name(&mut self.troubles, wanted.span(), "preset", name, "gonogo", known);
            }
            return Ok(found.map(|(name, text)| (format!("preset {name}"), (*text).to_owned())));
        }
        // Without the `./` that makes it a path.
        let path: PathBuf = self.path(wanted).components().collect();
        let shown = path.display().to_string();
        match read(&path) {
            Ok(text) => Ok(Some((shown, text))),
            // What is wrong with the file as a whole is shown where the config names it.
            Err(error) if error.line == 0 => {
                self.troubles.add(wanted.span(), format!("{shown}: {}", error.message));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn prefixed(&mut self, signals: &mut [SignalDef], prefix: Option<&At<String>>) {
        let Some(prefix) = prefix else { return };
        for signal in signals.iter_mut() {
            signal.id = SignalId::new(format!("{}{}", prefix.get(), signal.id));
        }
        if let Some(first) = signals.first() {
            self.id_text(first.id.as_str(), prefix.span());
        }
    }

    /// One finding for a source whose ids are taken, not one for each id.
    fn told_apart(&mut self, all: &[SignalDef], new: &[SignalDef], source: &SourceName, table: &SourceTable) {
        let taken = |signal: &&SignalDef| all.iter().find(|before| before.id == signal.id);
        let Some(before) = new.iter().find_map(|signal| taken(&signal)) else { return };
        let place = table.preset_prefix.as_ref().or(table.preset.as_ref()).map_or(0..0, At::span);
        let (id, other) = (&before.id, &before.source);
        let prefix = format!("{}-", source.name);
        self.troubles.add(
            place,
            format!(
                "the signal {id:?} comes from the preset of source {other} already: write \
                 preset-prefix = {prefix:?} in this source, and its signals become \"{prefix}{id}\" and so on",
                id = id.as_str(),
            ),
        );
    }
}

/// The signals of a preset's text, on a source.
fn signals_of(name: &str, text: &str, source: &SourceName) -> Result<Vec<SignalDef>, SettingsError> {
    let document = Document::parse(name, text)?;
    checked(&document, source).map(|(_, signals)| signals)
}

fn checked(
    document: &Document<'_>,
    source: &SourceName,
) -> Result<(PresetFile, Vec<SignalDef>), SettingsError> {
    let troubles = structure::check(document, schema::preset_schema());
    if !troubles.is_empty() {
        return Err(document.error(troubles));
    }
    let file: PresetFile = document.read()?;
    let mut check = Check { document, base: Path::new(""), troubles: Troubles::default() };
    check.words(&file.title);
    check.words(&file.needs);
    check.some_words(file.limits.as_ref());
    let mut seen = Seen::default();
    let mut signals = Vec::with_capacity(file.signal.len());
    for at in &file.signal {
        check.unique_id(&at.get().id, "the signal", &mut seen);
        signals.push(check.signal_on(at, Some(source), &source.name, None));
    }
    if check.troubles.is_empty() { Ok((file, signals)) } else { Err(document.error(check.troubles)) }
}

/// A preset by itself, without a source. Its expressions must parse; whether gonogo can evaluate them
/// itself is told.
///
/// # Errors
/// Everything that is wrong in it.
pub(in crate::settings) fn by_itself(name: &str, document: &Document<'_>) -> Result<Preset, SettingsError> {
    let source = SourceName {
        name: String::new(),
        kind: SourceWord::Prometheus,
        every: super::source::EVERY,
        max_history: super::source::MAX_HISTORY,
        alerts: false,
    };
    let (file, signals) = checked(document, &source)?;
    let exprs = || signals.iter().filter_map(|signal| Some((signal, Expr::parse(&signal.query).ok()?)));
    let mut metrics: Vec<String> = Vec::new();
    for metric in exprs().flat_map(|(_, expr)| expr.metrics()) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    let foreign = exprs().find_map(|(signal, expr)| {
        expr.check_local().err().map(|error| harmless_line(&format!("{}: {error}", signal.id), 200))
    });
    let words = |text: &At<String>| text.get().split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Preset {
        name: name.to_owned(),
        title: words(&file.title),
        needs: words(&file.needs),
        limits: file.limits.as_ref().map(words),
        metrics,
        foreign,
        signals,
    })
}
