//! The identity screen: which organisation is looked at, what is listed under each heading, and where
//! the eye is. Gates never follow the choice of an organisation; boards and lists do, and say so.

use std::collections::BTreeMap;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use tui_input::Input;

use crate::engine::IdentityState;
use crate::engine::tenants::{Standing, TenantRow, tenant_of};
use crate::model::identity::{AuditEvent, AuditOutcome, Impersonation, Org};
use crate::model::{Labels, text};

use super::state::{Block, Dialog, State};

/// A part of the screen under a heading of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Organisations, with what they may against what they do.
    #[default]
    Orgs,
    /// What the organisation that is looked at may use.
    Entitlements,
    /// Roles with their scopes.
    Roles,
    /// What the routes of the API need, against what is granted.
    Routes,
    /// Who acts in somebody else's name.
    Sessions,
    /// What was changed, newest first.
    Audit,
}

impl Section {
    const ALL: [Section; 6] = [
        Section::Orgs,
        Section::Entitlements,
        Section::Roles,
        Section::Routes,
        Section::Sessions,
        Section::Audit,
    ];
}

/// The parts of the screen, in the order of the focus; routes only where the config has some.
pub fn sections(state: &State) -> Vec<Section> {
    let has_routes = !state.watch.routes.is_empty();
    Section::ALL.into_iter().filter(|section| has_routes || *section != Section::Routes).collect()
}

/// What the user has chosen on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityView {
    /// The organisation, by its id, that boards and lists are narrowed to; `None`: all.
    pub org: Option<String>,
    /// The words that a change must hold to be listed.
    pub filter: String,
    /// The part that keys go to.
    pub section: Section,
    /// The selected line of each part.
    pub selected: BTreeMap<Section, usize>,
}

impl IdentityView {
    /// The selected line of a part.
    pub fn selected(&self, section: Section) -> usize {
        self.selected.get(&section).copied().unwrap_or(0)
    }
}

/// One line of the organisations.
#[derive(Clone, Debug)]
pub struct OrgLine<'a> {
    /// The organisation; `None`: a tenant that is none.
    pub org: Option<&'a Org>,
    /// How what it may compares with what it does, where the config says how to tell.
    pub row: Option<TenantRow>,
}

impl OrgLine<'_> {
    /// The name to show.
    pub fn name(&self) -> &str {
        match (self.org, &self.row) {
            (Some(org), _) => &org.name,
            (None, Some(row)) => &row.name,
            (None, None) => "",
        }
    }
}

impl State {
    /// The identity service that the launch asks, where it asks one.
    pub fn identity(&self) -> Option<&IdentityState> {
        self.watch.identity.as_ref()
    }

    /// The name of the organisation that boards and lists are narrowed to.
    pub fn only_org(&self) -> Option<&str> {
        let id = self.identity_view.org.as_deref()?;
        Some(self.identity().map_or(id, |identity| identity.org_name(id)))
    }

    /// Whether a series is shown: one of another tenant than the chosen organisation is not.
    pub fn shows(&self, labels: &Labels) -> bool {
        let (Some(chosen), Some(tenant)) = (&self.identity_view.org, tenant_of(labels)) else { return true };
        let org = self.identity().and_then(|identity| identity.org_of_tenant(&tenant));
        org.map_or(tenant == *chosen, |org| org.id == *chosen)
    }
}

/// The organisations: what is found first where that can be told, else by name.
pub fn orgs(state: &State) -> Vec<OrgLine<'_>> {
    let Some(identity) = state.identity() else { return Vec::new() };
    let all = identity.orgs.value.as_ref().map(|orgs| orgs.orgs.as_slice()).unwrap_or_default();
    if let Some(def) = &state.launch.tenants {
        let rows = state.watch.tenants(def, state.now).into_iter();
        let org = |row: &TenantRow| identity.org(row.org.as_deref()?);
        return rows.map(|row| OrgLine { org: org(&row), row: Some(row) }).collect();
    }
    let mut lines: Vec<OrgLine<'_>> = all.iter().map(|org| OrgLine { org: Some(org), row: None }).collect();
    lines.sort_by(|a, b| a.name().cmp(b.name()));
    lines
}

/// How many of the lines are found wrong, and of how many it cannot be told.
pub fn counts(lines: &[OrgLine<'_>]) -> (usize, usize) {
    let of = |is: fn(&Standing) -> bool| {
        lines.iter().filter(|line| line.row.as_ref().is_some_and(|row| is(&row.standing))).count()
    };
    (of(|s| matches!(s, Standing::Found(_))), of(|s| matches!(s, Standing::Unknown(_))))
}

/// The organisation whose entitlements are shown: the chosen one, else the selected line's.
pub fn looked_at<'a>(state: &'a State, lines: &[OrgLine<'a>]) -> Option<&'a Org> {
    let chosen = state.identity_view.org.as_deref();
    if let Some(id) = chosen {
        return state.identity()?.org(id);
    }
    let last = lines.len().saturating_sub(1);
    lines.get(state.identity_view.selected(Section::Orgs).min(last))?.org
}

/// The sessions that go on; of the chosen organisation only where one is chosen.
pub fn sessions(state: &State) -> Vec<&Impersonation> {
    let chosen = state.identity_view.org.as_deref();
    let all = state.identity().map(|identity| identity.active_sessions(state.now)).unwrap_or_default();
    all.into_iter().filter(|s| chosen.is_none() || s.org_id.as_deref() == chosen).collect()
}

/// The changes that the filter and the chosen organisation leave, newest first.
pub fn changes(state: &State) -> Vec<&AuditEvent> {
    let Some(identity) = state.identity() else { return Vec::new() };
    let words: Vec<String> = state.identity_view.filter.split_whitespace().map(str::to_lowercase).collect();
    let tail = identity.audit_tail(state.identity_view.org.as_deref());
    tail.filter(|event| {
        let text = haystack(identity, event);
        words.iter().all(|word| text.contains(word))
    })
    .collect()
}

fn haystack(identity: &IdentityState, event: &AuditEvent) -> String {
    let target =
        event.target.as_ref().map(|target| format!("{} {}", target.kind, target.id)).unwrap_or_default();
    let org = event.org_id.as_deref().map(|id| format!("{id} {}", identity.org_name(id))).unwrap_or_default();
    let session = event.impersonation_id.as_deref().unwrap_or_default();
    let parts = [
        event.actor.display.as_str(),
        &event.actor.id,
        &event.action,
        &target,
        &org,
        &event.before,
        &event.after,
        session,
    ];
    parts.join(" ").to_lowercase()
}

/// A session in words: `Sam acts as Eve (Globex), read only, until 14:43: ticket 981`.
pub fn session_words(identity: Option<&IdentityState>, session: &Impersonation) -> String {
    let org = session.org_id.as_deref();
    let org = org.map(|id| identity.map_or(id, |identity| identity.org_name(id)));
    let org = org.map(|name| format!(" ({name})")).unwrap_or_default();
    let rights = match session.read_only {
        Some(true) => ", read only",
        Some(false) => ", with changes",
        None => "",
    };
    let until = session.expires_at.map_or_else(
        || ", without end".to_owned(),
        |end| format!(", until {}", end.clock().chars().take(5).collect::<String>()),
    );
    let reason = if session.reason.is_empty() { String::new() } else { format!(": {}", session.reason) };
    format!("{} acts as {}{org}{rights}{until}{reason}", session.actor.display, session.subject)
}

/// A change in words: `Ravi flag.rollout_changed tasks.enabled: percent 10 → 25`; what came to nothing says
/// so first: `denied: Ravi …`.
pub fn event_words(event: &AuditEvent) -> String {
    let target = event.target.as_ref().map(|target| format!(" {}", target.id)).unwrap_or_default();
    let change = change_words(event);
    let change = if change.is_empty() { change } else { format!(": {change}") };
    let outcome = match event.outcome {
        AuditOutcome::Denied => "denied: ",
        AuditOutcome::Failure => "failed: ",
        AuditOutcome::Success | AuditOutcome::Other => "",
    };
    format!("{outcome}{} {}{target}{change}", event.actor.display, event.action)
}

/// What was before and is after, as far as it is told.
pub fn change_words(event: &AuditEvent) -> String {
    // `percent 10` and `percent 25` are one thing that moved.
    let moved = || {
        let (before, from) = event.before.split_once(' ')?;
        let (after, to) = event.after.split_once(' ')?;
        let plain = |value: &str| !value.contains([' ', ',']);
        (before == after && plain(from) && plain(to)).then(|| format!("{before} {from} → {to}"))
    };
    if let Some(moved) = moved() {
        return moved;
    }
    match (event.before.as_str(), event.after.as_str()) {
        ("", after) => after.to_owned(),
        (before, "") => format!("was {before}"),
        (before, after) => format!("{before} → {after}"),
    }
}

/// How many lines of a part can be selected.
fn length(state: &State, section: Section) -> usize {
    let orgs = || orgs(state);
    match section {
        Section::Orgs => orgs().len(),
        Section::Entitlements => {
            let org = looked_at(state, &orgs());
            let of = org.and_then(|org| state.identity()?.entitlements.get(&org.id)?.value.as_ref());
            of.map_or(0, |of| of.entitlements.len())
        }
        Section::Roles => {
            let roles = state.identity().and_then(|identity| identity.roles.value.as_ref());
            roles.map_or(0, |roles| roles.roles.len())
        }
        Section::Routes => state.watch.routes.len(),
        Section::Sessions => sessions(state).len(),
        Section::Audit => changes(state).len(),
    }
}

/// Moves the selected line of the part that keys go to.
pub(super) fn step(state: &mut State, by: isize) {
    let section = state.identity_view.section;
    let last = length(state, section).saturating_sub(1);
    let at = state.identity_view.selected(section).min(last);
    state.identity_view.selected.insert(section, at.saturating_add_signed(by).min(last));
}

/// The next part, or the one before.
pub(super) fn turn(state: &mut State, by: isize) {
    let sections = sections(state);
    let count = sections.len();
    let at = sections.iter().position(|s| *s == state.identity_view.section).unwrap_or(0);
    let to = at.wrapping_add(count).wrapping_add_signed(by) % count;
    state.identity_view.section = sections.get(to).copied().unwrap_or_default();
}

/// Looks at the selected organisation, or at all again.
pub(super) fn open(state: &mut State) {
    if state.identity_view.section != Section::Orgs {
        return;
    }
    let lines = orgs(state);
    let last = lines.len().saturating_sub(1);
    let line = lines.get(state.identity_view.selected(Section::Orgs).min(last));
    let id = line.and_then(|line| line.org).map(|org| org.id.clone());
    if id.is_some() && id != state.identity_view.org {
        look_at(state, id);
    } else {
        look_at(state, None);
    }
}

/// Narrows boards and lists to an organisation, or to none.
pub(super) fn look_at(state: &mut State, org: Option<String>) {
    state.identity_view.org = org;
    match state.only_org().map(str::to_owned) {
        Some(name) => state.say(format!("{name} only, on boards and lists; gates go on to judge everybody")),
        None => state.say("all organisations"),
    }
}

/// Asks which organisation to look at.
pub(super) fn ask_org(state: &mut State) {
    match state.identity() {
        None => state.say("no identity source in the config, so no organisations"),
        Some(identity) if identity.orgs.value.is_none() => {
            let why = identity.trust(crate::model::identity::Capability::Orgs, state.now).words();
            let why = why.unwrap_or_else(|| "no answer yet".into());
            state.say(format!("organisations: {why}"));
        }
        Some(_) => state.open(Dialog::Org(Input::default(), 0)),
    }
}

/// `:org NAME`: by id, slug or name; `all` for all.
pub(super) fn look_at_named(state: &mut State, name: &str) {
    if name == "all" {
        return look_at(state, None);
    }
    let found = state.identity().and_then(|identity| identity.org_of_tenant(name)).map(|org| org.id.clone());
    if found.is_some() {
        return look_at(state, found);
    }
    let near = choices(state, name).into_iter().flatten().next().map(|org| org.name.clone());
    let near = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    state.say(format!("no organisation {:?}{near}", text::harmless_line(name, 40)));
}

/// What fits what was typed, best first; `None` stands for all organisations.
pub fn choices<'a>(state: &'a State, typed: &str) -> Vec<Option<&'a Org>> {
    let orgs = state.identity().and_then(|identity| identity.orgs.value.as_ref());
    let orgs = orgs.map(|orgs| orgs.orgs.as_slice()).unwrap_or_default();
    if typed.trim().is_empty() {
        let mut all: Vec<&Org> = orgs.iter().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        return std::iter::once(None).chain(all.into_iter().map(Some)).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let texts = std::iter::once((None, "all organisations".to_owned()))
        .chain(orgs.iter().map(|org| (Some(org), format!("{} {} {}", org.name, org.slug, org.id))));
    let named: Vec<Named<'_>> = texts.map(|(org, text)| Named { org, text }).collect();
    pattern.match_list(named, &mut matcher).into_iter().map(|(named, _)| named.org).collect()
}

/// An organisation with everything it is found by.
struct Named<'a> {
    org: Option<&'a Org>,
    text: String,
}

impl AsRef<str> for Named<'_> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Key 6: the screen, where the launch has an identity source; there again: sign-ins and tokens.
pub(super) fn block(state: &State) -> Block {
    let board = Block::Board(crate::model::Board::Identity);
    let has_board = state.blocks().contains(&board);
    match state.identity() {
        Some(_) if state.zoom == Some(Block::Identity) && has_board => board,
        Some(_) => Block::Identity,
        None => board,
    }
}
