//! One item of a checklist.

use std::time::Duration;

use super::super::file::At;
use super::super::file::checklist::{
    CommandTable, ConfirmWord, EvidenceWord, ItemKind, ItemTable, TimeoutWord,
};
use super::gate::Written;
use super::template::{Around, after_ids};
use super::{Check, known_name};
use crate::checklist::template::{CommandDef, Due, EvidenceKind, MessageDef, OnTimeout, Param, SignOff};
use crate::checklist::{Item, Kind, Template, params};
use crate::model::{GateDef, ItemId, Mark, SignalDef, duration};

/// How long a command may run where its template says nothing.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The longest that a command may be given: longer than that is a service, not a step.
const LONGEST: Duration = Duration::from_hours(6);

impl Check<'_> {
    /// An item without its section. `template` has what was checked before the items.
    pub(super) fn item(
        &mut self,
        at: &At<ItemTable>,
        around: &Around<'_>,
        template: &Template,
        known: &[&str],
        signals: &mut Vec<SignalDef>,
    ) -> Item {
        let table = at.get();
        let name = self.document.name.clone();
        let undo = table.undo.as_ref().or(table.command.as_ref().and_then(|c| c.get().undo.as_ref()));
        if let Some(undo) = undo {
            known_name(&mut self.troubles, undo.span(), "item", undo.get(), &name, known.iter().copied());
        }
        if let Some(milestone) = &table.milestone {
            let known = template.milestones.iter().map(|m| m.id.as_str());
            known_name(&mut self.troubles, milestone.span(), "milestone", milestone.get(), &name, known);
        }
        let kind = self.item_kind(at, around, &template.params, signals).unwrap_or_default();
        // A number comes from a source and not from a person: without a gate nobody could ever bring one.
        let metric = table.evidence.iter().flat_map(At::get).find(|word| *word.get() == EvidenceWord::Metric);
        if let (Some(metric), None) = (metric, &table.gate) {
            let message =
                "only an item with a gate can have a metric as evidence: nobody can bring one by hand";
            self.troubles.add(metric.span(), message);
        }
        if let (Some(at), None) = (&table.on_timeout, &table.due) {
            self.troubles.add(at.span(), "`on-timeout` says what being late means, and needs `due`");
        }
        Item {
            id: ItemId::new(table.id.get().as_str()),
            section: String::new(),
            title: self.words(&table.title),
            detail: self.some_words(table.detail.as_ref()),
            kind,
            role: table.role.as_ref().map(|role| self.role(role)),
            owner: self.some_words(table.owner.as_ref()),
            optional: table.optional.as_ref().is_some_and(|o| *o.get()),
            after: after_ids(table).map(|id| ItemId::new(id.get().as_str())).collect(),
            due: table.due.as_ref().and_then(|due| self.due(due)),
            on_timeout: match table.on_timeout.as_ref().map(At::get) {
                Some(TimeoutWord::Hold) => OnTimeout::Hold,
                Some(TimeoutWord::Remind) | None => OnTimeout::Remind,
            },
            waivable_by: self.roles(table.waivable_by.as_ref()),
            signoff: table.signoff.as_ref().map(|signoff| SignOff {
                count: *signoff.get().count.get() as usize,
                roles: self.roles(signoff.get().roles.as_ref()),
            }),
            evidence: table.evidence.iter().flat_map(At::get).map(|word| evidence(*word.get())).collect(),
            runbook: self.some_words(table.runbook.as_ref()),
            tags: table.tags.iter().flat_map(At::get).map(|tag| self.words(tag)).collect(),
            milestone: table.milestone.as_ref().map(|m| m.get().clone()),
            undo: undo.map(|id| ItemId::new(id.get().as_str())),
        }
    }

    fn item_kind(
        &mut self,
        at: &At<ItemTable>,
        around: &Around<'_>,
        of_list: &[Param],
        signals: &mut Vec<SignalDef>,
    ) -> Option<Kind> {
        let table = at.get();
        let kind = table.kind.as_ref().map_or(ItemKind::Check, |k| *k.get());
        self.only_its_own(table, kind);
        let missing = |check: &mut Self, key: &str, what: &str| {
            let message = format!("an item of kind = \"{}\" has {what}", kind.as_str());
            check.troubles.missing(at.span(), key, message);
        };
        match kind {
            ItemKind::Check => Some(Kind::Check),
            ItemKind::Gate => {
                if table.gate.is_none() {
                    missing(self, "gate", "an [item.gate] table that says what must pass");
                }
                self.item_gate(table, around, signals).map(Kind::Gate)
            }
            ItemKind::Command => {
                if table.command.is_none() {
                    missing(self, "command", "an [item.command] table that says what is run");
                }
                table.command.as_ref().map(|command| Kind::Command(self.command(command, of_list)))
            }
            ItemKind::Message => {
                if table.message.is_none() {
                    missing(self, "message", "a `message`: the file of its text");
                }
                let file = table.message.as_ref().map(|file| self.message_file(file));
                let channel = self.some_words(table.channel.as_ref());
                file.map(|file| Kind::Message(MessageDef { file, channel }))
            }
            ItemKind::Wait => {
                if table.span.is_none() {
                    missing(self, "for", "a `for`: how long to wait");
                }
                let gate = self.item_gate(table, around, signals).map(Box::new);
                let span = self.span_or(table.span.as_ref(), Duration::from_secs(1), Duration::ZERO);
                Some(Kind::Wait { span, gate })
            }
        }
    }

    /// Keys of other kinds have no effect, and so are mistakes.
    fn only_its_own(&mut self, table: &ItemTable, kind: ItemKind) {
        use ItemKind::{Command, Gate, Message, Wait};
        let keys = [
            ("gate", table.gate.as_ref().map(At::span), [Gate, Wait].as_slice()),
            ("command", table.command.as_ref().map(At::span), &[Command]),
            ("message", table.message.as_ref().map(At::span), &[Message]),
            ("channel", table.channel.as_ref().map(At::span), &[Message]),
            ("for", table.span.as_ref().map(At::span), &[Wait]),
        ];
        for (key, place, kinds) in keys {
            let Some(place) = place.filter(|_| !kinds.contains(&kind)) else { continue };
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let message = format!(
                "only an item of kind = \"{}\" has `{key}`; this one is a {}",
                kinds.join("\" or \""),
                kind.as_str()
            );
            self.troubles.add(place, message);
        }
    }

    fn item_gate(
        &mut self,
        table: &ItemTable,
        around: &Around<'_>,
        signals: &mut Vec<SignalDef>,
    ) -> Option<GateDef> {
        let gate = table.gate.as_ref()?;
        let id = around.gate_id(table.id.get());
        if around.taken.contains(&id.as_str()) {
            let message = format!("{} has a gate of this id already; each gate needs its own", around.config);
            self.troubles.add(table.id.span(), message);
        }
        let written = Written { id: &id, title: table.title.get(), terms: gate.get(), place: gate.span() };
        let checked = self.gate(&written, around.names)?;
        signals.extend(checked.signal);
        Some(checked.gate)
    }

    fn command(&mut self, at: &At<CommandTable>, of_list: &[Param]) -> CommandDef {
        let table = at.get();
        if table.argv.get().is_empty() {
            self.troubles.add(table.argv.span(), "names no program: argv = [\"program\", \"argument\"]");
        }
        // Any value does to find names that the list does not have, and braces that do not close.
        let values: Vec<(String, String)> = of_list.iter().map(|p| (p.name.clone(), String::new())).collect();
        for (place, argument) in table.argv.get().iter().enumerate() {
            if let Err(why) = params::fill(argument.get(), &values) {
                self.troubles.add(argument.span(), why);
            }
            if place == 0 && argument.get().trim().is_empty() {
                self.troubles.add(argument.span(), "the program's name must not be blank");
            }
            if place == 0 && argument.get().contains("{{") {
                self.troubles.add(argument.span(), "the program is named here, and not by a parameter");
            }
            if argument.get().contains('\0') {
                self.troubles.add(argument.span(), "an argument cannot hold a NUL");
            }
        }
        let env = table.env.iter().flat_map(At::get);
        let env = env.map(|name| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.get().is_empty() || !name.get().chars().all(fits) {
                let message = "is no name of a variable: write its name only, never its value";
                self.troubles.add(name.span(), message);
            }
            name.get().clone()
        });
        let env = env.collect();
        let timeout = self.span_or(table.timeout.as_ref(), Duration::from_secs(1), TIMEOUT);
        if let Some(at) = table.timeout.as_ref().filter(|_| timeout > LONGEST) {
            let message = format!("is too long: at most {}", duration::short(LONGEST));
            self.troubles.add(at.span(), message);
        }
        CommandDef {
            argv: table.argv.get().iter().map(|argument| argument.get().clone()).collect(),
            env,
            timeout,
            type_id: table.confirm.as_ref().is_none_or(|c| *c.get() == ConfirmWord::TypeId),
        }
    }

    /// A message lies beside its list, or below: a shared list must not read other files of whoever
    /// opens it.
    fn message_file(&mut self, file: &At<String>) -> String {
        let text = file.get();
        let inside = !text.is_empty()
            && !text.starts_with(['/', '\\', '~'])
            && !text.contains(['\0', '\\'])
            && text.split('/').all(|part| part != "..");
        if !inside {
            self.troubles.add(
                file.span(),
                "a message lies beside this file or below it: write \"messages/notice.md\"",
            );
        }
        text.clone()
    }

    pub(super) fn due(&mut self, at: &At<toml::Value>) -> Option<Due> {
        if let toml::Value::String(text) = at.get()
            && text.trim_start().starts_with(['T', 't'])
        {
            match Mark::parse(text) {
                Ok(mark) => return Some(Due::Mark(mark)),
                Err(why) => self.troubles.add(at.span(), why),
            }
            return None;
        }
        self.day_or_time(at, true).map(Due::At)
    }

    /// A role is one word, as it stands after `--as`.
    pub(super) fn role(&mut self, role: &At<String>) -> String {
        let text = role.get().trim();
        if text.is_empty() || text.len() > 40 || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.troubles.add(role.span(), "is no role: one word of at most 40 letters, such as \"captain\"");
        }
        text.to_owned()
    }

    pub(super) fn roles(&mut self, roles: Option<&At<Vec<At<String>>>>) -> Vec<String> {
        roles.into_iter().flat_map(At::get).map(|role| self.role(role)).collect()
    }
}

fn evidence(word: EvidenceWord) -> EvidenceKind {
    match word {
        EvidenceWord::Link => EvidenceKind::Link,
        EvidenceWord::Text => EvidenceKind::Text,
        EvidenceWord::Metric => EvidenceKind::Metric,
        EvidenceWord::File => EvidenceKind::File,
    }
}
