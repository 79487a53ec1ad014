//! Organisations with what they may against what they do, and the entitlements of one.

use ratatui::style::Style;

use crate::app::identity::{self, OrgLine};
use crate::engine::identity::Trust;
use crate::engine::tenants::{Finding, Standing, TenantRow};
use crate::model::identity::{Capability, Entitlement, OrgStatus};
use crate::model::{Unit, value};

use super::identity::none;
use super::row::{Row, cells, cut};
use super::scene::Scene;
use super::words;

/// From this width on status and members have a column.
const ROOMY: usize = 76;

/// `Organisations  22 · 2 found · 1 unknown`
pub(super) fn counted(scene: &Scene<'_>, lines: &[OrgLine<'_>], title: Row) -> Row {
    let theme = scene.theme;
    if lines.is_empty() {
        return title;
    }
    let (found, unknown) = identity::counts(lines);
    let more = scene.state.identity().and_then(|s| s.orgs.value.as_ref()).is_some_and(|orgs| orgs.more);
    let plus = if more { "+" } else { "" };
    let mut title = title.put(format!("  {}{plus}", lines.len()), theme.dim);
    if found > 0 {
        title = title.put(" · ", theme.dim).put(format!("{found} found"), theme.bad);
    }
    if unknown > 0 {
        title = title.put(" · ", theme.dim).put(format!("{unknown} unknown"), theme.warn);
    }
    title
}

/// One row for each.
pub(super) fn lines(scene: &Scene<'_>, lines: &[OrgLine<'_>], width: usize) -> Vec<Row> {
    if lines.is_empty() {
        return none(scene, Capability::Orgs, "no organisation");
    }
    let name = lines.iter().map(|line| cells(line.name())).max().unwrap_or(0).clamp(4, (width / 4).max(4));
    lines.iter().map(|line| one(scene, line, name, width)).collect()
}

fn one(scene: &Scene<'_>, line: &OrgLine<'_>, name: usize, width: usize) -> Row {
    let theme = scene.theme;
    // Rows that were told before the service fell silent do not look like those of now.
    let is_good =
        scene.state.identity().is_some_and(|s| s.trust(Capability::Orgs, scene.state.now) == Trust::Good);
    let (strong, dim) = if is_good { (theme.strong, theme.dim) } else { (theme.stale, theme.stale) };
    let chosen = line.org.is_some_and(|org| scene.state.identity_view.org.as_ref() == Some(&org.id));
    let mut row = Row::new()
        .put(if chosen { "●" } else { " " }, theme.accent)
        .put(cut(line.name(), name).into_owned(), if line.org.is_some() { strong } else { theme.warn })
        .to(1 + name + 2);
    let mut end = 1 + name + 2;
    if let Some(org) = line.org {
        row = row.put(cut(&org.plan, 10).into_owned(), dim);
    }
    end += 12;
    row = row.to(end);
    if width >= ROOMY {
        if let Some(org) = line.org {
            let style = if org.status == OrgStatus::Active { dim } else { theme.warn };
            row = row.put(org.status.word(), style);
            let members = org.members.map_or_else(|| "?".into(), |count| count.to_string());
            row = row.right(members, end + 15, dim);
        }
        end += 17;
        row = row.to(end);
    }
    match &line.row {
        Some(tenant) => compared(scene, row, tenant, end),
        None => row,
    }
}

/// The right, the traffic, and what comes of comparing them.
fn compared(scene: &Scene<'_>, row: Row, tenant: &TenantRow, end: usize) -> Row {
    let theme = scene.theme;
    let (word, style) = match (tenant.entitled, tenant.org.is_some()) {
        (Some(true), _) => ("✓", theme.good),
        (Some(false), _) => ("✗", theme.warn),
        (None, true) => ("?", theme.warn),
        (None, false) => ("–", theme.dim),
    };
    let traffic = tenant.traffic.map_or_else(|| "?".into(), |rate| value::in_unit(rate, Unit::PerSecond));
    let row = row.put(word, style).right(traffic, end + 10, theme.base).put("  ", theme.base);
    let (words, style) = standing(scene, tenant);
    row.put(words, style)
}

/// How a tenant stands, in words.
fn standing(scene: &Scene<'_>, tenant: &TenantRow) -> (String, Style) {
    let theme = scene.theme;
    match &tenant.standing {
        Standing::Found(found) => {
            let harmless = matches!(found, Finding::Unentitled { refused: true, .. });
            let style = if harmless { theme.warn } else { theme.bad };
            (format!("▲ {}", found.words()), style)
        }
        Standing::Unknown(why) => (format!("? {why}"), theme.warn),
        Standing::Fine => (String::new(), theme.dim),
        Standing::NoTraffic => ("no traffic".into(), theme.dim),
    }
}

/// `Entitlements  Acme · team`
pub(super) fn whose(scene: &Scene<'_>, lines: &[OrgLine<'_>], title: Row) -> Row {
    let Some(org) = identity::looked_at(scene.state, lines) else { return title };
    let plan = scene.state.identity().and_then(|s| s.entitlements.get(&org.id)?.value.as_ref());
    let plan = plan.map(|of| of.plan.as_str()).filter(|plan| !plan.is_empty());
    let plan = plan.map(|plan| format!(" · {plan}")).unwrap_or_default();
    title.put(format!("  {}{plan}", org.name), scene.theme.accent)
}

/// What the organisation that is looked at may use.
pub(super) fn entitlements(scene: &Scene<'_>, lines: &[OrgLine<'_>], width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let Some(state) = scene.state.identity() else { return Vec::new() };
    let Some(org) = identity::looked_at(scene.state, lines) else {
        return none(scene, Capability::Entitlements, "no organisation is selected");
    };
    let Some(of) = state.entitlements.get(&org.id).and_then(|held| held.value.as_ref()) else {
        let why = state.trust_of(&org.id, scene.state.now);
        let words = why.words().unwrap_or_else(|| "no answer yet".into());
        let style = if why == Trust::NoAnswer { theme.dim } else { theme.warn };
        return vec![Row::new().put(format!(" cannot tell: {words}"), style)];
    };
    if of.entitlements.is_empty() {
        return vec![Row::new().put(" it may use nothing", theme.dim)];
    }
    let key = of.entitlements.iter().map(|e| cells(&e.key)).max().unwrap_or(0).clamp(4, (width / 3).max(4));
    let is_old = state.trust_of(&org.id, scene.state.now) != Trust::Good;
    of.entitlements.iter().map(|e| entitlement(scene, e, key, is_old)).collect()
}

fn entitlement(scene: &Scene<'_>, of: &Entitlement, key: usize, is_old: bool) -> Row {
    let theme = scene.theme;
    let now = scene.state.now;
    let (word, style) = match (of.granted, of.holds(now)) {
        // What was granted when it was last told may not be now.
        (true, true) if is_old => ("? was granted", theme.stale),
        _ if is_old => (if of.granted { "✗ ended" } else { "✗ not granted" }, theme.stale),
        (true, true) => ("✓ granted", theme.good),
        (true, false) => ("✗ ended", theme.bad),
        (false, _) => ("✗ not granted", theme.dim),
    };
    let number = |n: f64| value::in_unit(n, Unit::None);
    let used = match (of.used, of.limit) {
        (Some(used), Some(limit)) => format!("{} of {}", number(used), number(limit)),
        (Some(used), None) => format!("{} used", number(used)),
        (None, Some(limit)) => format!("up to {}", number(limit)),
        (None, None) => String::new(),
    };
    let over = of.used.zip(of.limit).is_some_and(|(used, limit)| used >= limit);
    let source = if of.source.is_empty() { String::new() } else { format!("by {}  ", of.source) };
    let until = of.expires_at.map(|end| format!("until {}", words::when(end, now))).unwrap_or_default();
    Row::new()
        .put(format!(" {}", cut(&of.key, key)), theme.strong)
        .to(1 + key + 2)
        .put(word, style)
        .to(1 + key + 2 + 15)
        .put(
            used,
            if is_old {
                theme.stale
            } else if over {
                theme.warn
            } else {
                theme.base
            },
        )
        .to(1 + key + 2 + 31)
        .put(source, theme.dim)
        .put(until, theme.warn)
}
