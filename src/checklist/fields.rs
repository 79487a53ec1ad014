//! The fields of a fact: how each is named, hashed and written, and reading them back.
//!
//! What is written here is what is hashed and what stands in an event file, in the same order. A key
//! that a kind does not have is found by comparing a file with its canonical text.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::{ItemId, RunId, Time, duration, trigger};

use super::event_file::{BadEvent, quoted};
use super::fact::{Revised, Step};
use super::{Event, Evidence, Fact, Hash, Mode};

/// One value of an event file; its kind decides how TOML writes it, not how it is hashed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// A moment.
    At(Time),
    /// Several texts.
    Texts(Vec<String>),
    /// Yes or no.
    Yes(bool),
    /// A length of time.
    Span(Duration),
}

impl Value {
    /// What is hashed of it; several texts as the netstring of each.
    pub(super) fn hashed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::At(time) => time.rfc3339(),
            Self::Texts(texts) => texts.iter().fold(String::new(), |mut out, text| {
                let _ = write!(out, "{}:{text},", text.len());
                out
            }),
            Self::Yes(yes) => yes.to_string(),
            Self::Span(span) => spelled(*span),
        }
    }

    /// As TOML writes it.
    pub(super) fn toml(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Count(_) | Self::At(_) | Self::Yes(_) => self.hashed(),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                format!("[{}]", texts.join(", "))
            }
            Self::Span(span) => quoted(&spelled(*span)),
        }
    }
}

/// `90s`, or `1500ms` where it is no whole second.
fn spelled(span: Duration) -> String {
    if span.subsec_millis() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ms", span.as_millis()) }
}

/// Names and values in the order in which they are hashed and written.
pub(super) type Fields = Vec<(&'static str, Value)>;

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// The fields of the body. `id` and `as` are in it, because whoever could change them unnoticed could
/// change in whose name something was done.
pub(super) fn of_body(event: &Event) -> Fields {
    let mut fields = vec![("id", text(&event.id))];
    if let Some(role) = &event.author.role {
        fields.push(("as", text(role)));
    }
    if let Some(identity) = &event.author.identity {
        fields.push(("iss", text(&identity.issuer)));
        fields.push(("sub", text(&identity.subject)));
    }
    fields.push(("kind", text(event.fact.kind())));
    if let Some(item) = event.fact.item() {
        fields.push(("item", text(item.as_str())));
    }
    if let Some(revised) = event.fact.revision() {
        fields.push((revised.key(), Value::Count(event.seen_rev)));
    }
    of_fact(&event.fact, &mut fields);
    fields
}

/// The fields of one evidence.
pub(super) fn of_evidence(evidence: &Evidence) -> Fields {
    let mut fields = vec![("type", text(&evidence.kind))];
    fields.extend(evidence.query.as_ref().map(|query| ("query", text(query))));
    fields.push(("value", text(&evidence.value)));
    fields.extend(evidence.sampled.map(|sampled| ("sampled", Value::At(sampled))));
    fields.extend(evidence.source.as_ref().map(|source| ("source", text(source))));
    fields.extend(evidence.gate.as_ref().map(|gate| ("gate", text(gate))));
    fields.extend(evidence.hash.as_ref().map(|hash| ("answer", text(&hash.0))));
    fields
}

fn of_fact(fact: &Fact, fields: &mut Fields) {
    let mut put = |key: &'static str, value: Value| fields.push((key, value));
    match fact {
        Fact::Start { template, checklist, mode, t0, params, of, require_identity } => {
            put("template", text(&template.0));
            put("checklist", text(checklist));
            put("mode", text(mode.as_str()));
            if let Some(t0) = t0 {
                put("t0", Value::At(*t0));
            }
            if !params.is_empty() {
                let params = params.iter().map(|(name, value)| format!("{name}={value}"));
                put("params", Value::Texts(params.collect()));
            }
            if let Some(of) = of {
                put("of", text(of.as_str()));
            }
            if *require_identity {
                put("require-identity", Value::Yes(true));
            }
        }
        Fact::Begin { .. }
        | Fact::Attach { .. }
        | Fact::Tick { .. }
        | Fact::Resume { .. }
        | Fact::LiftOff { .. } => {}
        Fact::Sign { binds, note, .. } => {
            put("binds", text(&binds.0));
            if let Some(note) = note {
                put("note", text(note));
            }
        }
        Fact::Skip { reason, .. }
        | Fact::Waive { reason, .. }
        | Fact::Fail { reason, .. }
        | Fact::Reopen { reason, .. }
        | Fact::Scrub { reason } => put("reason", text(reason)),
        Fact::BreakGlass { step, reason } => {
            put("step", text(if let Step::Item(_) = step { "item".to_owned() } else { step.words() }));
            put("reason", text(reason));
        }
        Fact::Note { text: words, .. } => put("note", text(words)),
        Fact::Started { argv, env, timeout, .. } => {
            put("argv", Value::Texts(argv.clone()));
            put("env", Value::Texts(env.clone()));
            put("timeout", Value::Span(*timeout));
        }
        Fact::Ended { of, outcome, took, bytes, output, .. } => {
            put("started", Value::Count(*of));
            put("outcome", text(outcome));
            put("took", Value::Span(*took));
            put("bytes", Value::Count(*bytes));
            if let Some(output) = output {
                put("output", text(&output.0));
            }
        }
        Fact::Sent { channel, text: words, hash, .. } => {
            if let Some(channel) = channel {
                put("channel", text(channel));
            }
            put("text", text(words));
            put("message", text(&hash.0));
        }
        Fact::T0 { t0 } => put("t0", Value::At(*t0)),
        Fact::Hold { hold, reason, proposal } => {
            if let Some(hold) = hold {
                put("hold", text(hold));
            }
            if let Some(reason) = reason {
                put("reason", text(reason));
            }
            if let Some(proposal) = proposal {
                put("proposal", Value::Count(*proposal));
            }
        }
        Fact::Extend { by } => put("for", Value::Span(*by)),
        Fact::Recycle { hold, reason } => {
            put("hold", text(hold));
            put("reason", text(reason));
        }
        Fact::Poll { stations, within } => {
            put("stations", Value::Texts(stations.clone()));
            put("within", Value::Span(*within));
        }
        Fact::Vote { poll, station, go, note, .. } => {
            put("poll", text(poll));
            put("station", text(station));
            put("go", Value::Yes(*go));
            if let Some(note) = note {
                put("note", text(note));
            }
        }
        Fact::Lapse { poll, reason } => {
            put("poll", text(poll));
            put("reason", text(reason));
        }
        Fact::Desk { terminal, forced_from } => {
            put("terminal", text(terminal));
            if let Some(from) = forced_from {
                put("forced-from", text(from));
            }
        }
        Fact::LeaveDesk { terminal } => put("terminal", text(terminal)),
        Fact::Propose { cause, action, within, reason } => {
            put("cause", text(cause));
            put("action", text(action.as_str()));
            put("within", Value::Span(*within));
            put("reason", text(reason));
        }
        Fact::Answer { proposal, confirm, reason } => {
            put("proposal", Value::Count(*proposal));
            put("confirm", Value::Yes(*confirm));
            if let Some(reason) = reason {
                put("reason", text(reason));
            }
        }
        Fact::Remind { text: words, .. } | Fact::Score { text: words } => put("text", text(words)),
        Fact::Rollback { run, reason } => {
            put("run", text(run.as_str()));
            put("reason", text(reason));
        }
        Fact::Inject { inject, text: words } => {
            put("inject", text(inject));
            put("text", text(words));
        }
        Fact::Close { reason } => {
            if let Some(reason) = reason {
                put("reason", text(reason));
            }
        }
    }
}

/// The keys of a table as they are asked for, typed.
pub(super) struct Table(pub(super) toml::Table);

impl Table {
    /// A value that may be missing.
    pub(super) fn may<T: Read>(&mut self, key: &str) -> Result<Option<T>, BadEvent> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        T::read(value)
            .map(Some)
            .ok_or_else(|| BadEvent::Unreadable(format!("its {key} is not {}", T::WANTED)))
    }

    /// A value that must be there.
    pub(super) fn get<T: Read>(&mut self, key: &str) -> Result<T, BadEvent> {
        self.may(key)?.ok_or_else(|| BadEvent::Unreadable(format!("it has no {key}")))
    }
}

/// Something that a TOML value can be.
pub(super) trait Read: Sized {
    /// What it is called where a value is not one.
    const WANTED: &'static str;
    /// The value as this.
    fn read(value: toml::Value) -> Option<Self>;
}

impl Read for String {
    const WANTED: &'static str = "a text";
    fn read(value: toml::Value) -> Option<Self> {
        if let toml::Value::String(text) = value { Some(text) } else { None }
    }
}

impl Read for u64 {
    const WANTED: &'static str = "a count";
    fn read(value: toml::Value) -> Option<Self> {
        value.as_integer().and_then(|count| u64::try_from(count).ok())
    }
}

impl Read for bool {
    const WANTED: &'static str = "true or false";
    fn read(value: toml::Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for Time {
    const WANTED: &'static str = "a date-time with an offset";
    fn read(value: toml::Value) -> Option<Self> {
        value.as_datetime().and_then(|at| Time::parse(&at.to_string()).ok())
    }
}

impl Read for Vec<String> {
    const WANTED: &'static str = "a list of texts";
    fn read(value: toml::Value) -> Option<Self> {
        let toml::Value::Array(values) = value else { return None };
        values.into_iter().map(String::read).collect()
    }
}

impl Read for Duration {
    const WANTED: &'static str = "a length of time";
    fn read(value: toml::Value) -> Option<Self> {
        duration::parse(value.as_str()?).ok()
    }
}

impl Read for Hash {
    const WANTED: &'static str = "a hash";
    fn read(value: toml::Value) -> Option<Self> {
        String::read(value).map(Hash)
    }
}

impl Read for Mode {
    const WANTED: &'static str = "live, dry-run or drill";
    fn read(value: toml::Value) -> Option<Self> {
        Mode::parse(value.as_str()?)
    }
}

impl Read for trigger::Action {
    const WANTED: &'static str = "propose-rollback or hold";
    fn read(value: toml::Value) -> Option<Self> {
        let word = value.as_str()?.to_owned();
        [Self::ProposeRollback, Self::Hold].into_iter().find(|action| action.as_str() == word)
    }
}

impl Read for Vec<Evidence> {
    const WANTED: &'static str = "a list of evidence tables";
    fn read(value: toml::Value) -> Option<Self> {
        let toml::Value::Array(values) = value else { return None };
        values.into_iter().map(|value| evidence(value).ok()).collect()
    }
}

fn evidence(value: toml::Value) -> Result<Evidence, BadEvent> {
    let toml::Value::Table(table) = value else {
        return Err(BadEvent::Unreadable("its evidence is no table".into()));
    };
    let mut table = Table(table);
    Ok(Evidence {
        kind: table.get("type")?,
        query: table.may("query")?,
        value: table.get("value")?,
        sampled: table.may("sampled")?,
        source: table.may("source")?,
        gate: table.may("gate")?,
        hash: table.may("answer")?,
    })
}

/// The revision that the author of the event had seen.
pub(super) fn seen_rev(table: &mut Table) -> Result<u64, BadEvent> {
    for revised in [Revised::Item, Revised::Clock, Revised::Poll, Revised::Desk] {
        if let Some(rev) = table.may(revised.key())? {
            return Ok(rev);
        }
    }
    Ok(0)
}

/// The fact of a kind with the keys that it needs.
pub(super) fn fact(kind: &str, t: &mut Table) -> Result<Fact, BadEvent> {
    let item = |t: &mut Table| t.get::<String>("item").map(ItemId::new);
    Ok(match kind {
        "start" => Fact::Start {
            template: t.get("template")?,
            checklist: t.get("checklist")?,
            mode: t.get("mode")?,
            t0: t.may("t0")?,
            params: params(t.may::<Vec<String>>("params")?.unwrap_or_default())?,
            of: t.may::<String>("of")?.map(RunId::new),
            require_identity: t.may("require-identity")?.unwrap_or(false),
        },
        "begin" => Fact::Begin { item: item(t)? },
        "evidence" => Fact::Attach { item: item(t)?, evidence: many(t)? },
        "tick" => Fact::Tick { item: item(t)?, evidence: many(t)? },
        "signoff" => Fact::Sign { item: item(t)?, binds: t.get("binds")?, note: t.may("note")? },
        "skip" => Fact::Skip { item: item(t)?, reason: t.get("reason")? },
        "waive" => Fact::Waive { item: item(t)?, reason: t.get("reason")? },
        "fail" => Fact::Fail { item: item(t)?, reason: t.get("reason")? },
        "reopen" => Fact::Reopen { item: item(t)?, reason: t.get("reason")? },
        "break-glass" => {
            let step = match t.get::<String>("step")?.as_str() {
                "item" => Step::Item(item(t)?),
                "hold" => Step::Hold,
                "lift-off" => Step::LiftOff,
                other => return Err(BadEvent::Unreadable(format!("there is no step {other:?}"))),
            };
            Fact::BreakGlass { step, reason: t.get("reason")? }
        }
        "note" => Fact::Note { item: t.may::<String>("item")?.map(ItemId::new), text: t.get("note")? },
        "started" => Fact::Started {
            item: item(t)?,
            argv: t.get("argv")?,
            env: t.get("env")?,
            timeout: t.get("timeout")?,
        },
        "ended" => Fact::Ended {
            item: item(t)?,
            of: t.get("started")?,
            outcome: t.get("outcome")?,
            took: t.get("took")?,
            bytes: t.get("bytes")?,
            output: t.may("output")?,
        },
        "sent" => Fact::Sent {
            item: item(t)?,
            channel: t.may("channel")?,
            text: t.get("text")?,
            hash: t.get("message")?,
        },
        "t0" => Fact::T0 { t0: t.get("t0")? },
        "hold" => Fact::Hold { hold: t.may("hold")?, reason: t.may("reason")?, proposal: t.may("proposal")? },
        "extend" => Fact::Extend { by: t.get("for")? },
        "resume" => Fact::Resume { evidence: many(t)? },
        "recycle" => Fact::Recycle { hold: t.get("hold")?, reason: t.get("reason")? },
        "scrub" => Fact::Scrub { reason: t.get("reason")? },
        "lift-off" => Fact::LiftOff { evidence: many(t)? },
        "poll" => Fact::Poll { stations: t.get("stations")?, within: t.get("within")? },
        "vote" => Fact::Vote {
            poll: t.get("poll")?,
            station: t.get("station")?,
            go: t.get("go")?,
            note: t.may("note")?,
            evidence: many(t)?,
        },
        "lapse" => Fact::Lapse { poll: t.get("poll")?, reason: t.get("reason")? },
        "desk" => Fact::Desk { terminal: t.get("terminal")?, forced_from: t.may("forced-from")? },
        "leave-desk" => Fact::LeaveDesk { terminal: t.get("terminal")? },
        "propose" => Fact::Propose {
            cause: t.get("cause")?,
            action: t.get("action")?,
            within: t.get("within")?,
            reason: t.get("reason")?,
        },
        "answer" => Fact::Answer {
            proposal: t.get("proposal")?,
            confirm: t.get("confirm")?,
            reason: t.may("reason")?,
        },
        "remind" => Fact::Remind { item: item(t)?, text: t.get("text")? },
        "rollback" => Fact::Rollback { run: RunId::new(t.get::<String>("run")?), reason: t.get("reason")? },
        "inject" => Fact::Inject { inject: t.get("inject")?, text: t.get("text")? },
        "score" => Fact::Score { text: t.get("text")? },
        "close" => Fact::Close { reason: t.may("reason")? },
        other => return Err(BadEvent::Unreadable(format!("it is of a kind not known here, {other:?}"))),
    })
}

fn many(table: &mut Table) -> Result<Vec<Evidence>, BadEvent> {
    Ok(table.may("evidence")?.unwrap_or_default())
}

fn params(texts: Vec<String>) -> Result<Vec<(String, String)>, BadEvent> {
    let pair = |text: String| {
        let (name, value) = text.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let bad = || BadEvent::Unreadable("a parameter is not written as name=value".into());
    texts.into_iter().map(pair).collect::<Option<_>>().ok_or_else(bad)
}
