//! `gonogo config`: is a config right, what may stand in one, and which one is used.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use super::{Common, Exit, Output, output};
use crate::model::SourceKind;
use crate::settings::{self, Checked, Loaded, SettingsError};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, clap::Subcommand)]
enum Sub {
    /// Check a launch config and the checklist it names, a checklist, a preset, or a drill's scenario
    Check {
        /// The file [default: the config that would be used]
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of a file, for editors
    Schema {
        /// Of which file
        #[arg(value_enum, default_value_t)]
        of: Schema,
    },
    /// List the presets of signals and what they need of an exporter, or print one
    Presets {
        /// The one to print
        name: Option<String>,
    },
    /// Print the signals of a config, those of presets among them
    Show {
        /// The file [default: the config that would be used]
        file: Option<PathBuf>,
    },
    /// Print which config would be used
    Path,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Schema {
    /// A launch config.
    #[default]
    Config,
    /// A checklist template.
    Checklist,
    /// A preset of signals.
    Preset,
    /// A drill's scenario.
    Drill,
}

/// Runs the command.
///
/// # Errors
/// No config to be found, a closed pipe. What is wrong in a file is printed and is exit 2.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    match &args.command {
        Sub::Check { file } => check(file.as_deref().or(common.config.as_deref()), common.output),
        Sub::Schema { of } => {
            let schema = match of {
                Schema::Config => settings::config_schema(),
                Schema::Checklist => settings::checklist_schema(),
                Schema::Preset => settings::preset_schema(),
                Schema::Drill => settings::scenario_schema(),
            };
            output::print(&format!("{schema:#}\n"))?;
            Ok(Exit::Yes)
        }
        Sub::Presets { name } => super::presets::run(name.as_deref(), common.output),
        Sub::Show { file } => show(file.as_deref().or(common.config.as_deref()), common.output),
        Sub::Path => {
            let path = used(common.config.as_deref())?;
            match common.output {
                Output::Text => output::print(&format!("{}\n", path.display()))?,
                Output::Json => output::json(&json!({ "path": path.display().to_string() }))?,
            }
            Ok(Exit::Yes)
        }
    }
}

fn used(explicit: Option<&Path>) -> anyhow::Result<PathBuf> {
    let cwd = std::env::current_dir().context("the working directory is gone")?;
    settings::discover(explicit, &cwd).ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))
}

fn check(file: Option<&Path>, form: Output) -> anyhow::Result<Exit> {
    let path = used(file)?;
    let checked = settings::check_file(&path).map(|checked| summary(&checked));
    report(&path, &checked, "errors", &[], form)
}

/// Tells whether a file is right: in a sentence, or all that is wrong in it, in JSON as the list `name`,
/// `more` beside it. Exit 2 where something is wrong.
pub(super) fn report(
    path: &Path,
    checked: &Result<String, SettingsError>,
    name: &str,
    more: &[(&str, Value)],
    form: Output,
) -> anyhow::Result<Exit> {
    match (form, checked) {
        (Output::Json, checked) => {
            let mut document = json!({
                "ok": checked.is_ok(), "file": path.display().to_string(), name: findings(checked),
            });
            if let Value::Object(document) = &mut document {
                document.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            }
            output::json(&document)?;
        }
        (Output::Text, Ok(summary)) => output::print(&format!("{}: {summary}\n", path.display()))?,
        (Output::Text, Err(error)) => {
            let styled =
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            let text = format!("{}\n{}", error.render(styled), counted(error));
            io::stderr().lock().write_all(text.as_bytes())?;
        }
    }
    Ok(if checked.is_ok() { Exit::Yes } else { Exit::Usage })
}

fn counted(error: &SettingsError) -> String {
    match error.findings.len() {
        1 => "1 thing is wrong\n".into(),
        n => format!("{n} things are wrong\n"),
    }
}

fn findings(checked: &Result<String, SettingsError>) -> Vec<Value> {
    let findings = checked.as_ref().err().map_or(&[][..], |error| &error.findings);
    let one = |f: &settings::Finding| json!({ "file": f.file, "line": f.line, "column": f.column, "key": f.key, "message": f.message });
    findings.iter().map(one).collect()
}

/// The signals that the launch really has.
fn show(file: Option<&Path>, form: Output) -> anyhow::Result<Exit> {
    let path = used(file)?;
    let launch = settings::load(&path).map_err(|e| anyhow!(e.rendered))?.launch;
    match form {
        Output::Json => {
            let signals = launch.signals.iter().map(|def| {
                let mut signal = super::presets::signal(def);
                if let Value::Object(signal) = &mut signal {
                    signal.insert("source".into(), json!(def.source));
                    signal.insert("max_age_seconds".into(), json!(def.max_age.as_secs_f64()));
                }
                signal
            });
            output::json(
                &json!({ "file": path.display().to_string(), "signals": signals.collect::<Vec<_>>() }),
            )?;
        }
        Output::Text => output::print(&super::presets::signals(&launch.signals))?,
    }
    Ok(Exit::Yes)
}

fn summary(checked: &Checked) -> String {
    match checked {
        Checked::Preset(preset) => {
            let only = preset.foreign.as_ref().map(|why| format!("; only for a prometheus source: {why}"));
            format!("ok, a preset of {}{}", count(preset.signals.len(), "signal"), only.unwrap_or_default())
        }
        Checked::Scenario(scenario) => format!(
            "ok, a drill of {} with {}",
            crate::model::duration::short(scenario.length),
            count(scenario.injects.len(), "inject")
        ),
        Checked::Checklist(template) => format!("ok, a checklist of {}", count(template.items.len(), "item")),
        Checked::Config(loaded) => config_summary(loaded),
    }
}

fn config_summary(loaded: &Loaded) -> String {
    let launch = &loaded.launch;
    let scraped = launch.sources.iter().filter(|s| matches!(s.kind, SourceKind::Scrape { .. })).count();
    let checklist = match (&loaded.template, &loaded.template_path) {
        (Some(template), Some(path)) => {
            format!("; {} of {}", path.display(), count(template.items.len(), "item"))
        }
        _ => String::new(),
    };
    let text = format!(
        "ok, {} {} in {}: {} ({scraped} scraped), {}, {}, {}{checklist}",
        launch.product,
        launch.version,
        launch.environment,
        count(launch.sources.len(), "source"),
        count(launch.signals.len(), "signal"),
        count(launch.flags.len(), "flag"),
        count(launch.gates.len(), "gate"),
    );
    crate::model::text::harmless(&text).into_owned()
}

/// `1 item`, `3 items`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
