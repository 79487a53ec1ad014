//! Config and checklist files become checked types, with defaults, and errors that say where.
//!
//! May import `model`, `promql`, `checklist`. Start with [`load`]. A file goes through four steps:
//! `document` (TOML with places), `structure` (keys and types against the JSON Schema that is made from
//! the types in `file`), `file` (the tables as structs), `check` (names, numbers, expressions). The
//! first two steps that find something end the way, each with all that it found.

mod check;
mod discovery;
mod document;
mod file;
mod finding;
mod lists;
mod nearest;
mod picture;
mod preset;
mod read;
mod redacted;
mod scenario;
mod schema;
mod structure;

pub use discovery::{discover, nothing_found, places};
pub use finding::{Finding, SettingsError};
pub use lists::{Listed, Texts, files_beside};
pub use preset::{Preset, preset, preset_texts, presets};
pub use redacted::redacted;
pub use scenario::{find_scenario, scenario, scenario_texts};
pub use schema::{checklist_schema, config_schema, preset_schema, scenario_schema};

use std::io;
use std::path::{Path, PathBuf};

use crate::checklist::Template;
use crate::model::{Launch, Scenario, SignalDef};
use document::{Document, Troubles};

/// A launch config and the checklist it names, checked together.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The launch; its signals hold those made for gates with a `query`, also the checklist's.
    pub launch: Launch,
    /// The config's text without secrets, as a capture keeps it.
    pub redacted: String,
    /// The checklist, where the config names one.
    pub template: Option<Template>,
    /// The checklist's exact text, as a run keeps it.
    pub template_text: Option<String>,
    /// Where the checklist's text was read.
    pub template_path: Option<PathBuf>,
    /// The texts of the checklist's messages, by the file that it names.
    pub messages: Texts,
    /// The lists beside it: its rollback and its runbooks. Their gates' signals are in the launch.
    pub lists: Vec<Listed>,
}

/// Reads a launch config and, where it names one, its checklist.
///
/// # Errors
/// Everything that is wrong in the config; where nothing is, everything that is wrong in the checklist.
pub fn load(path: &Path) -> Result<Loaded, SettingsError> {
    let text = read::text(path)?;
    let name = path.display().to_string();
    let document = Document::parse(&name, &text)?;
    let check::launch::Checked { mut launch, checklist } =
        check::launch::check(&document, directory(path), &read::text)?;
    let redacted = redacted(&text).unwrap_or_default();
    let (Some(template_path), Some(named)) = (launch.checklist.clone(), checklist) else {
        return Ok(Loaded { launch, redacted, ..Loaded::default() });
    };
    // What is wrong with the checklist's file as a whole is shown where the config names it.
    let template_text = read::text(&template_path).map_err(|error| {
        if error.line > 0 {
            return error;
        }
        let mut troubles = Troubles::default();
        troubles.add(named, format!("{}: {}", template_path.display(), error.message));
        document.error(troubles)
    })?;
    let template = with_template(&mut launch, &name, &template_path.display().to_string(), &template_text)?;
    let beside = files_beside(&template_path);
    let file = template_path.display().to_string();
    let (messages, lists) = lists::beside(&file, &template_text, &template, &name, &mut launch, &beside)?;
    Ok(Loaded {
        launch,
        redacted,
        template: Some(template),
        template_text: Some(template_text),
        template_path: Some(template_path),
        messages,
        lists,
    })
}

/// Reads a launch config and nothing of the checklist that it names: a run has its own.
///
/// # Errors
/// Everything that is wrong in the config.
pub fn launch(path: &Path) -> Result<Launch, SettingsError> {
    let text = read::text(path)?;
    let name = path.display().to_string();
    let document = Document::parse(&name, &text)?;
    Ok(check::launch::check(&document, directory(path), &read::text)?.launch)
}

fn directory(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// As [`load`], from texts: `name` is what errors call the config, `base` what its paths are relative
/// to, `checklist` the name and text of its checklist. Touches no file.
///
/// # Errors
/// As [`load`].
pub fn parse(
    name: &str,
    text: &str,
    base: &Path,
    checklist: Option<(&str, &str)>,
) -> Result<(Launch, Option<Template>), SettingsError> {
    let document = Document::parse(name, text)?;
    let no_files = |path: &Path| Err(SettingsError::unreadable(path, &io::ErrorKind::Unsupported.into()));
    let mut launch = check::launch::check(&document, base, &no_files)?.launch;
    let template = match checklist {
        Some((checklist, text)) => Some(with_template(&mut launch, name, checklist, text)?),
        None => None,
    };
    Ok((launch, template))
}

fn with_template(
    launch: &mut Launch,
    config: &str,
    name: &str,
    text: &str,
) -> Result<Template, SettingsError> {
    let (template, signals) = template_for(name, text, config, launch)?;
    launch.signals.extend(signals);
    Ok(template)
}

/// The lists beside a checklist and the texts of its messages, from files that are given: `beside` gives
/// the text of a file by its name as it lies beside the checklist. Adds the signals of the lists' gates to
/// the launch.
///
/// # Errors
/// A rollback list or a message that is not there; everything that is wrong in a list.
pub fn lists(
    (name, text): (&str, &str),
    template: &Template,
    config: &str,
    launch: &mut Launch,
    beside: &dyn Fn(&str) -> io::Result<String>,
) -> Result<(Texts, Vec<Listed>), SettingsError> {
    lists::beside(name, text, template, config, launch, beside)
}

/// Reads a checklist template from its text; `name` is what errors call it. The names of signals,
/// sources and flags in its gates are not looked up: see [`template_for`].
///
/// # Errors
/// Everything that is wrong in it.
pub fn template(name: &str, text: &str) -> Result<Template, SettingsError> {
    let document = Document::parse(name, text)?;
    Ok(check::template::check(&document, None)?.template)
}

/// Reads a checklist template that is used with a launch (whose config errors call `config`): the
/// names in its gates must exist there. Also gives the signals made for gates with a `query`; they are
/// not in the launch yet. This is how a run's own copy of a template, which may differ from the file,
/// gets its signals.
///
/// # Errors
/// Everything that is wrong in it.
pub fn template_for(
    name: &str,
    text: &str,
    config: &str,
    launch: &Launch,
) -> Result<(Template, Vec<SignalDef>), SettingsError> {
    let document = Document::parse(name, text)?;
    let checked = check::template::check(&document, Some((config, launch)))?;
    Ok((checked.template, checked.signals))
}

/// Reads a checklist template from its file, and looks at everything that it names beside it: messages,
/// the rollback list, runbooks. With a launch (and what errors call its config) the names in its gates must
/// exist there.
///
/// # Errors
/// Everything that is wrong: in the list; where nothing is, in what lies beside it.
pub fn checklist_file(path: &Path, launch: Option<(&str, &Launch)>) -> Result<Template, SettingsError> {
    check::beside::checklist(path, launch)
}

/// Reads a file that is a launch config, a checklist, a preset or a scenario, whichever its keys say.
///
/// # Errors
/// As [`load`], [`template`], [`preset()`] and [`scenario()`].
pub fn check_file(path: &Path) -> Result<Checked, SettingsError> {
    let text = read::text(path)?;
    let name = path.display().to_string();
    let document = Document::parse(&name, &text)?;
    let has = |key: &str| document.root().get_ref().get(key).is_some();
    if has("item") && !has("launch") {
        return Ok(Checked::Checklist(Box::new(template(&name, &text)?)));
    }
    if has("needs") && !has("launch") {
        return Ok(Checked::Preset(Box::new(preset(&name, &text)?)));
    }
    if (has("inject") || has("expect")) && !has("launch") {
        return Ok(Checked::Scenario(Box::new(scenario(&name, &text)?)));
    }
    Ok(Checked::Config(Box::new(load(path)?)))
}

/// What a file turned out to be.
#[derive(Clone, Debug)]
pub enum Checked {
    /// A launch config with its checklist.
    Config(Box<Loaded>),
    /// A checklist by itself.
    Checklist(Box<Template>),
    /// A preset by itself.
    Preset(Box<Preset>),
    /// A drill's scenario.
    Scenario(Box<Scenario>),
}
