//! What lies beside a checklist: its rollback, its runbooks, the texts of its messages.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::document::{Document, Troubles};
use super::finding::SettingsError;
use super::{read, template_for};
use crate::checklist::template::{ListKind, Param};
use crate::checklist::{Kind, Template};
use crate::model::Launch;

/// Texts by the file that a checklist names.
pub type Texts = BTreeMap<String, String>;

/// A list that was read beside a checklist.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The template.
    pub template: Template,
    /// Its exact text.
    pub text: String,
    /// The texts of its messages.
    pub messages: Texts,
}

/// Gives the text of a file beside a checklist, by its name.
type Beside<'b> = &'b dyn Fn(&str) -> io::Result<String>;

/// The files in a checklist's directory.
pub fn files_beside(checklist: &Path) -> impl Fn(&str) -> io::Result<String> + use<> {
    let dir: PathBuf = checklist.parent().unwrap_or(Path::new("")).to_owned();
    move |file| read::text(&dir.join(file)).map_err(|error| io::Error::other(error.message))
}

/// The messages of a checklist, and the lists it leads to: the rollback that it names must be there and
/// be one; a runbook that is no list beside it is an address, or a word.
pub(super) fn beside(
    name: &str,
    text: &str,
    template: &Template,
    config: &str,
    launch: &mut Launch,
    beside: Beside<'_>,
) -> Result<(Texts, Vec<Listed>), SettingsError> {
    let messages = messages(name, text, template, beside)?;
    let mut lists: Vec<Listed> = Vec::new();
    let mut wanted: Vec<(String, bool)> = led_to(template, true);
    let mut known: BTreeSet<String> = BTreeSet::from([template.id.clone()]);
    while let Some((id, must)) = wanted.pop() {
        if !known.insert(id.clone()) {
            continue;
        }
        let file = format!("{id}.toml");
        let of_list = match beside(&file) {
            Ok(of_list) => of_list,
            Err(error) if must => {
                return Err(at_key(name, text, "rollback", &format!("no list {file} beside it: {error}")));
            }
            Err(_) => continue,
        };
        let shown = place_beside(name, &file);
        let (list, signals) = template_for(&shown, &of_list, config, launch)?;
        if must && list.kind != ListKind::Rollback {
            let why = format!("{shown} is no rollback list: it must say kind = \"rollback\"");
            return Err(at_key(name, text, "rollback", &why));
        }
        if must && list.id != id {
            let why = format!("{shown} calls itself {:?}: its id must be that of its file", list.id);
            return Err(at_key(name, text, "rollback", &why));
        }
        let lacks = |param: &&Param| {
            param.default.is_none() && template.params.iter().all(|of_launch| of_launch.name != param.name)
        };
        if let (true, Some(param)) = (must, list.params.iter().find(lacks)) {
            let why = format!(
                "{shown} asks for {}, which has no default and which this list does not have: a rollback must begin at the first press",
                param.name
            );
            return Err(at_key(name, text, "rollback", &why));
        }
        // A launch list that is somebody's runbook would bring gates of the same names.
        if list.kind == ListKind::Launch {
            continue;
        }
        launch.signals.extend(signals);
        wanted.extend(led_to(&list, false));
        let messages = self::messages(&shown, &of_list, &list, beside)?;
        lists.push(Listed { template: list, text: of_list, messages });
    }
    lists.sort_by(|a, b| a.template.id.cmp(&b.template.id));
    Ok((messages, lists))
}

/// Whether a runbook is the id of a list beside it; what is none is an address, or words for people.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
}

/// The ids of the lists that a list leads to, and whether each must be there.
fn led_to(template: &Template, must: bool) -> Vec<(String, bool)> {
    let runbooks = template.items.iter().filter_map(|item| item.runbook.as_ref()).filter(|id| is_id(id));
    let runbooks = runbooks.map(|id| (id.clone(), false));
    runbooks.chain(template.rollback.iter().map(|id| (id.clone(), must))).collect()
}

fn messages(name: &str, text: &str, template: &Template, beside: Beside<'_>) -> Result<Texts, SettingsError> {
    let mut texts = Texts::new();
    for item in &template.items {
        let Kind::Message(message) = &item.kind else { continue };
        if texts.contains_key(&message.file) {
            continue;
        }
        let of_file = beside(&message.file).map_err(|error| {
            let place = text.find(&format!("{:?}", message.file));
            let place = place.map_or(0..0, |at| at..at + message.file.len() + 2);
            at(name, text, place, &format!("the message {} cannot be read: {error}", message.file))
        })?;
        texts.insert(message.file.clone(), of_file);
    }
    Ok(texts)
}

/// A file beside another, as errors call it.
fn place_beside(name: &str, file: &str) -> String {
    Path::new(name).parent().unwrap_or(Path::new("")).join(file).display().to_string()
}

fn at_key(name: &str, text: &str, key: &str, why: &str) -> SettingsError {
    let place = text.split_inclusive('\n').scan(0, |at, line| {
        let begin = *at;
        *at += line.len();
        Some((begin, line.trim_end()))
    });
    let mut places =
        place.filter(|(_, line)| line.trim_start().starts_with(key)).map(|(at, line)| at..at + line.len());
    at(name, text, places.next().unwrap_or(0..0), why)
}

fn at(name: &str, text: &str, place: Range<usize>, why: &str) -> SettingsError {
    match Document::parse(name, text) {
        Ok(document) => {
            let mut troubles = Troubles::default();
            troubles.add(place, why);
            document.error(troubles)
        }
        Err(error) => error,
    }
}
