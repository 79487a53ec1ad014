//! What a checklist names beside its own file: texts of messages, the rollback list, runbooks.

use std::path::Path;

use minijinja::Environment;

use super::super::document::{Document, Troubles};
use super::super::file::At;
use super::super::file::checklist::ChecklistFile;
use super::super::finding::SettingsError;
use super::super::{lists, read};
use super::template;
use crate::checklist::Template;
use crate::checklist::template::ListKind;
use crate::model::Launch;

/// Reads a checklist from its file and checks it with everything that it names beside it: a message that
/// is not there would be missed when it is to be sent.
///
/// # Errors
/// Everything that is wrong: in the list; where nothing is, in what lies beside it.
pub(in crate::settings) fn checklist(
    path: &Path,
    launch: Option<(&str, &Launch)>,
) -> Result<Template, SettingsError> {
    let text = read::text(path)?;
    let document = Document::parse(&path.display().to_string(), &text)?;
    let template = template::check(&document, launch)?.template;
    let file: ChecklistFile = document.read()?;
    let mut beside = Beside {
        dir: path.parent().unwrap_or(Path::new("")),
        template: &template,
        troubles: Troubles::default(),
        elsewhere: Vec::new(),
    };
    if let Some(rollback) = &file.rollback {
        beside.rollback(rollback);
    }
    for item in file.item.iter().map(At::get) {
        if let Some(message) = &item.message {
            beside.message(message);
        }
        if let Some(runbook) = item.runbook.as_ref().filter(|runbook| lists::is_id(runbook.get())) {
            beside.list(runbook);
        }
    }
    let Beside { troubles, elsewhere, .. } = beside;
    let mut findings = if troubles.is_empty() { Vec::new() } else { document.error(troubles).findings };
    findings.extend(elsewhere.into_iter().flat_map(|error| error.findings));
    if findings.is_empty() { Ok(template) } else { Err(SettingsError::new(findings)) }
}

struct Beside<'t> {
    dir: &'t Path,
    template: &'t Template,
    /// In the checklist itself.
    troubles: Troubles,
    /// In the files that it names.
    elsewhere: Vec<SettingsError>,
}

impl Beside<'_> {
    fn message(&mut self, named: &At<String>) {
        let path = self.dir.join(named.get());
        let text = match read::text(&path) {
            Ok(text) => text,
            Err(error) => return self.unreadable(named, &path, error),
        };
        let name = path.display().to_string();
        if let Err(error) = Environment::new().template_from_str(&text) {
            let place = error.range().unwrap_or(0..0);
            let mut troubles = Troubles::default();
            let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
            troubles.add(place, format!("this message cannot be filled in: {what}"));
            self.elsewhere.push(Document::unparsed(&name, &text).error(troubles));
        }
    }

    fn rollback(&mut self, named: &At<String>) {
        let Some(list) = self.list(named) else { return };
        if list.kind != ListKind::Rollback {
            let message = format!(
                "{} is a {} list, whose rules could block a rollback: write kind = \"rollback\" in it",
                named.get(),
                list.kind.as_str()
            );
            self.troubles.add(named.span(), message);
        }
        let known = |name: &String| self.template.params.iter().any(|own| own.name == *name);
        let missing = list.params.iter().find(|param| param.default.is_none() && !known(&param.name));
        if let Some(param) = missing {
            let message = format!(
                "{} needs the parameter {}, which this list does not have and so cannot hand on",
                named.get(),
                param.name
            );
            self.troubles.add(named.span(), message);
        }
    }

    /// A list that is named by its id, from the file of that name beside this one.
    fn list(&mut self, named: &At<String>) -> Option<Template> {
        let id = named.get();
        let path = self.dir.join(format!("{id}.toml"));
        let text = match read::text(&path) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(named, &path, error);
                return None;
            }
        };
        let read = Document::parse(&path.display().to_string(), &text)
            .and_then(|document| template::check(&document, None));
        match read {
            Ok(checked) if checked.template.id != *id => {
                let message = format!("{} has the id {:?}", path.display(), checked.template.id);
                self.troubles.add(named.span(), message);
                None
            }
            Ok(checked) => Some(checked.template),
            Err(error) => {
                self.elsewhere.push(error);
                None
            }
        }
    }

    /// A file that is not there is said where it is named; what is wrong inside of one, there.
    fn unreadable(&mut self, named: &At<String>, path: &Path, error: SettingsError) {
        if error.line > 0 {
            self.elsewhere.push(error);
        } else {
            self.troubles.add(named.span(), format!("{}: {}", path.display(), error.message));
        }
    }
}
