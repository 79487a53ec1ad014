//! A whole checklist template.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::document::{Document, Troubles};
use super::super::file::At;
use super::super::file::checklist::{ChecklistFile, ItemTable, ListWord};
use super::super::finding::SettingsError;
use super::super::{schema, structure};
use super::values::Seen;
use super::{Check, Names, known_name};
use crate::checklist::Template;
use crate::checklist::template::ListKind;
use crate::model::{Launch, SignalDef};

/// A template, and the signals made for those of its gates that have an expression of their own.
#[derive(Debug)]
pub(in crate::settings) struct Checked {
    pub(in crate::settings) template: Template,
    pub(in crate::settings) signals: Vec<SignalDef>,
}

/// Checks a template; with a launch (and what errors call its config) also the names in its gates.
///
/// # Errors
/// Everything that is wrong: first the structure, then, where that is right, the meaning.
pub(in crate::settings) fn check(
    document: &Document<'_>,
    launch: Option<(&str, &Launch)>,
) -> Result<Checked, SettingsError> {
    let troubles = structure::check(document, schema::checklist_schema());
    if !troubles.is_empty() {
        return Err(document.error(troubles));
    }
    let file: ChecklistFile = document.read()?;
    let mut check = Check { document, base: Path::new(""), troubles: Troubles::default() };
    let checked = check.template(&file, launch);
    if check.troubles.is_empty() { Ok(checked) } else { Err(document.error(check.troubles)) }
}

/// What every item of a list is checked against.
pub(super) struct Around<'f> {
    pub(super) file: &'f ChecklistFile,
    pub(super) names: Option<&'f Names>,
    pub(super) kind: ListKind,
    /// The ids of the gates of the config itself.
    pub(super) taken: &'f [&'f str],
    pub(super) config: &'f str,
}

impl Around<'_> {
    /// The id of an item's gate. The gates of a launch list are named as their items; those of the other
    /// lists, which are watched beside it, bear the name of their list too.
    pub(super) fn gate_id(&self, item: &str) -> String {
        match self.kind {
            ListKind::Launch => item.to_owned(),
            ListKind::Rollback | ListKind::Runbook => format!("{}/{item}", self.file.id.get()),
        }
    }
}

impl Check<'_> {
    fn template(&mut self, file: &ChecklistFile, launch: Option<(&str, &Launch)>) -> Checked {
        self.id_text(file.id.get(), file.id.span());
        if let Some(rollback) = &file.rollback {
            self.id_text(rollback.get(), rollback.span());
        }
        let names = launch.map(|(config, launch)| Names::of_launch(config, launch));
        let taken: Vec<&str> =
            launch.map_or_else(Vec::new, |(_, l)| l.gates.iter().map(|g| g.id.as_str()).collect());
        let around = Around {
            file,
            names: names.as_ref(),
            kind: match file.kind.as_ref().map(At::get) {
                Some(ListWord::Rollback) => ListKind::Rollback,
                Some(ListWord::Runbook) => ListKind::Runbook,
                Some(ListWord::Launch) | None => ListKind::Launch,
            },
            taken: &taken,
            config: launch.map_or("", |(config, _)| config),
        };
        let mut seen = Seen::default();
        for at in &file.item {
            self.unique_id(&at.get().id, "the item", &mut seen);
        }
        let known: Vec<&str> = file.item.iter().map(|i| i.get().id.get().as_str()).collect();
        let all: BTreeSet<&str> = known.iter().copied().collect();
        let mut template = Template {
            id: file.id.get().clone(),
            title: self.words(&file.title),
            kind: around.kind,
            rollback: file.rollback.as_ref().map(|r| r.get().clone()),
            require_identity: file.require_identity.unwrap_or(false),
            params: self.params(file),
            holds: self.holds(file),
            milestones: self.milestones(file),
            ..Template::default()
        };
        let mut signals = Vec::new();
        let mut section = String::new();
        for at in &file.item {
            if let Some(own) = self.some_words(at.get().section.as_ref()) {
                section = own;
            }
            self.after(at.get(), &known, &all);
            let mut item = self.item(at, &around, &template, &known, &mut signals);
            item.section.clone_from(&section);
            template.items.push(item);
        }
        template.triggers = self.triggers(&around, &mut signals);
        self.cycle(file);
        Checked { template, signals }
    }

    /// `all` are the known ones again, to be looked up.
    fn after(&mut self, table: &ItemTable, known: &[&str], all: &BTreeSet<&str>) {
        let mut seen = BTreeSet::new();
        for id in after_ids(table) {
            if !all.contains(id.get().as_str()) {
                let name = self.document.name.clone();
                known_name(&mut self.troubles, id.span(), "item", id.get(), &name, known.iter().copied());
            }
            if !seen.insert(id.get().as_str()) {
                self.troubles.add(id.span(), "is in this list already");
            }
        }
    }

    /// Names one cycle: with a cycle no item of it could ever be ticked.
    fn cycle(&mut self, file: &ChecklistFile) {
        let items: BTreeMap<&str, &ItemTable> =
            file.item.iter().map(|i| (i.get().id.get().as_str(), i.get())).collect();
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        for start in file.item.iter().map(|i| i.get().id.get().as_str()) {
            let Some(path) = way_back(start, &items, &mut settled) else { continue };
            let first = path.first().and_then(|id| items.get(id));
            let next = path.get(1).or(path.first());
            let place = first
                .and_then(|table| after_ids(table).find(|id| Some(&id.get().as_str()) == next))
                .map_or(0..0, At::span);
            let mut shown = path.clone();
            shown.extend(path.first());
            let message = format!("these items wait for each other: {}", shown.join(" → "));
            self.troubles.add(place, message);
        }
    }
}

pub(super) fn after_ids(table: &ItemTable) -> impl Iterator<Item = &At<String>> {
    table.after.iter().flat_map(At::get)
}

/// A cycle that is reached from an item, as ids that each wait for the next. Goes with a stack of its
/// own, so that a long chain cannot overflow the thread's. What was looked at is `settled`.
fn way_back<'t>(
    start: &'t str,
    items: &BTreeMap<&'t str, &'t ItemTable>,
    settled: &mut BTreeSet<&'t str>,
) -> Option<Vec<&'t str>> {
    let edges = |id: &str| items.get(id).into_iter().flat_map(|table| after_ids(table));
    let mut path: Vec<(&str, usize)> = Vec::new();
    if settled.insert(start) {
        path.push((start, 0));
    }
    while let Some((id, tried)) = path.last_mut() {
        let next = edges(id).nth(*tried);
        *tried += 1;
        let Some(next) = next else {
            path.pop();
            continue;
        };
        let next = next.get().as_str();
        if settled.insert(next) {
            path.push((next, 0));
        } else if let Some(at) = path.iter().position(|(id, _)| *id == next) {
            return Some(path.iter().skip(at).map(|(id, _)| *id).collect());
        }
    }
    None
}
