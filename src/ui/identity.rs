//! The identity screen: organisations with what they may against what they do, entitlements, roles, who
//! acts in whose name, and what was changed. Each part says by itself why it cannot be told.
//!
//! ```text
//! from 120 cells:  organisations │ acting for others      below:  one below the other; the part
//!                  entitlements  │ changes                        that keys go to has the room
//!                  roles         │
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::Block;
use crate::app::identity::{self, OrgLine, Section};
use crate::engine::identity::Trust;
use crate::model::identity::Capability;
use crate::model::text::harmless_line;

use super::room::slice;
use super::row::Row;
use super::scene::{Scene, put};
use super::words;
use super::{identity_orgs, identity_parts};

/// From this width on there are two columns.
const TWO_COLUMNS: u16 = 120;
/// What a part has that keys do not go to, where room is short: its heading and a line.
const LEAST: usize = 2;

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(state) = scene.state.identity() else {
        let words = "  no identity source in the config";
        return put(buf, area, [Row::new().put(words, scene.theme.dim)]);
    };
    let mut top: Vec<Row> = Vec::new();
    if let Some(only) = scene.state.only_org() {
        let words = format!("  {} only; gates go on to judge everybody", harmless_line(only, 40));
        let key = scene.state.keymap.keys(crate::app::Action::Org);
        top.push(
            Row::new()
                .put(words, scene.theme.accent)
                .put(format!("   {key} another, or all"), scene.theme.dim),
        );
    }
    for remark in &state.remarks {
        top.push(Row::new().put(format!("  ! {remark}"), scene.theme.warn));
    }
    let used = (top.len() as u16).min(area.height);
    put(buf, area, top);
    let area = slice(area, used, area.height - used);
    let lines = identity::orgs(scene.state);
    if area.width < TWO_COLUMNS {
        return column(scene, &lines, &identity::sections(scene.state), area, buf);
    }
    let left = area.width * 52 / 100;
    let (of_right, of_left): (Vec<Section>, Vec<Section>) = identity::sections(scene.state)
        .into_iter()
        .partition(|section| matches!(section, Section::Sessions | Section::Audit));
    column(scene, &lines, &of_left, Rect { width: left, ..area }, buf);
    let right = Rect { x: area.x + left + 2, width: area.width - left - 2, ..area };
    column(scene, &lines, &of_right, right, buf);
}

/// Parts below each other.
fn column(scene: &Scene<'_>, lines: &[OrgLine<'_>], sections: &[Section], area: Rect, buf: &mut Buffer) {
    let (width, room) = (usize::from(area.width), usize::from(area.height));
    let wants: Vec<usize> =
        sections.iter().map(|s| 1 + body(scene, lines, *s, width, usize::MAX).len()).collect();
    let shares = share(scene, sections, &wants, room);
    let used: usize = shares.iter().sum();
    let airy = room - used >= sections.len();
    let mut y = 0_u16;
    for (section, height) in sections.iter().zip(shares).filter(|(_, height)| *height > 0) {
        let mut rows = vec![heading(scene, lines, *section, width)];
        rows.extend(body(scene, lines, *section, width, height - 1));
        rows.truncate(height);
        put(buf, slice(area, y, height as u16), rows);
        y += height as u16 + u16::from(airy);
    }
}

/// Every part its least, then the one that keys go to, then the others in their order.
fn share(scene: &Scene<'_>, sections: &[Section], wants: &[usize], room: usize) -> Vec<usize> {
    let mut given: Vec<usize> = wants.iter().map(|want| (*want).min(LEAST)).collect();
    let mut left = room.saturating_sub(given.iter().sum());
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|i| sections.get(*i) != Some(&scene.state.identity_view.section));
    for i in order {
        let (Some(given), Some(want)) = (given.get_mut(i), wants.get(i)) else { continue };
        let more = want.saturating_sub(*given).min(left);
        *given += more;
        left -= more;
    }
    given
}

/// Whether keys go to a part.
pub(super) fn active(scene: &Scene<'_>, section: Section) -> bool {
    scene.focused(Block::Identity) && scene.state.identity_view.section == section
}

fn heading(scene: &Scene<'_>, lines: &[OrgLine<'_>], section: Section, width: usize) -> Row {
    let theme = scene.theme;
    let focused = active(scene, section);
    let (name, capability) = match section {
        Section::Orgs => ("Organisations", Capability::Orgs),
        Section::Entitlements => ("Entitlements", Capability::Entitlements),
        Section::Roles => ("Roles", Capability::Roles),
        Section::Routes => ("Routes", Capability::Roles),
        Section::Sessions => ("Acting for others", Capability::Impersonation),
        Section::Audit => ("Changes", Capability::Audit),
    };
    let title = Row::new().put(name, scene.title(focused));
    let title = match section {
        Section::Orgs => identity_orgs::counted(scene, lines, title),
        Section::Entitlements => identity_orgs::whose(scene, lines, title),
        Section::Roles => identity_parts::roles_note(scene, title),
        Section::Routes => identity_parts::routes_note(scene, title),
        Section::Sessions => {
            let count = identity::sessions(scene.state).len();
            let style = if count > 0 { theme.warn } else { theme.dim };
            if count == 0 { title } else { title.put(format!("  {count} active"), style) }
        }
        Section::Audit => {
            let filter = harmless_line(&scene.state.identity_view.filter, 40);
            let title =
                if filter.is_empty() { title } else { title.put(format!("  /{filter}"), theme.accent) };
            only(scene, title)
        }
    };
    let (right, style) = told(scene, lines, section, capability);
    scene.heading(focused, title, Row::new().put(right, style), width)
}

/// What the lists below are narrowed to.
fn only(scene: &Scene<'_>, title: Row) -> Row {
    match scene.state.only_org() {
        Some(name) => title.put(format!("  {} only", harmless_line(name, 30)), scene.theme.accent),
        None => title,
    }
}

/// Why a part cannot be told, else its age.
fn told(
    scene: &Scene<'_>,
    lines: &[OrgLine<'_>],
    section: Section,
    capability: Capability,
) -> (String, Style) {
    let theme = scene.theme;
    let now = scene.state.now;
    let Some(state) = scene.state.identity() else { return (String::new(), theme.dim) };
    let org = identity::looked_at(scene.state, lines);
    let of_org = org.filter(|_| section == Section::Entitlements);
    let routes = (section == Section::Routes).then(|| identity_parts::routes_trust(scene));
    let of_routes = routes.as_ref().and_then(|(_, age)| *age);
    let of_part = || of_org.map_or_else(|| state.trust(capability, now), |org| state.trust_of(&org.id, now));
    let trust = routes.map_or_else(of_part, |(trust, _)| trust);
    let age = match section {
        Section::Orgs => state.orgs.age(now),
        Section::Entitlements => of_org.and_then(|org| state.entitlements.get(&org.id)?.age(now)),
        Section::Roles => state.roles.age(now),
        Section::Routes => of_routes,
        Section::Sessions => state.impersonations.age(now),
        Section::Audit => state.audit.age(now),
    };
    let aged = age.map(|age| words::age(Some(age)));
    match (&trust, trust.words(), aged) {
        (Trust::Good, _, aged) => (aged.unwrap_or_default(), theme.dim),
        (Trust::NotOffered | Trust::NoAnswer, words, _) => (words.unwrap_or_default(), theme.dim),
        (Trust::Stale(_), _, aged) => (format!("{} stale", aged.unwrap_or_default()), theme.warn),
        (Trust::Failed(_), words, Some(age)) => {
            (format!("{}, {age} stale", words.unwrap_or_default()), theme.warn)
        }
        (Trust::Failed(_), words, None) => (words.unwrap_or_default(), theme.warn),
    }
}

fn body(scene: &Scene<'_>, lines: &[OrgLine<'_>], section: Section, width: usize, height: usize) -> Vec<Row> {
    let rows = match section {
        Section::Orgs => identity_orgs::lines(scene, lines, width),
        Section::Entitlements => identity_orgs::entitlements(scene, lines, width),
        Section::Roles => identity_parts::roles(scene, width),
        Section::Routes => identity_parts::routes(scene, width),
        Section::Sessions => identity_parts::sessions(scene, width),
        Section::Audit => identity_parts::changes(scene, width),
    };
    scrolled(scene, section, rows, width, height)
}

/// The rows around the selected one, and how many more there are.
fn scrolled(scene: &Scene<'_>, section: Section, rows: Vec<Row>, width: usize, height: usize) -> Vec<Row> {
    let theme = scene.theme;
    let focused = active(scene, section);
    let count = rows.len();
    let selected = scene.state.identity_view.selected(section).min(count.saturating_sub(1));
    let cuts = count > height;
    let room = if cuts && height > 1 { height - 1 } else { height };
    let first = if focused { selected.saturating_sub(room / 2).min(count.saturating_sub(room)) } else { 0 };
    let mark = |(index, row): (usize, Row)| {
        let marked = focused && index == selected;
        let row = Row::new().put(if marked { "▸" } else { " " }, theme.focus).join(row).fit(width);
        if marked { row.over(theme.selected, width) } else { row }
    };
    let mut out: Vec<Row> = rows.into_iter().enumerate().skip(first).take(room).map(mark).collect();
    if cuts && height > 1 {
        let words = format!("  … {} more", count - room);
        out.push(Row::new().put(words, theme.dim).fit(width));
    }
    out
}

/// A line that says why there is none.
pub(super) fn none(scene: &Scene<'_>, capability: Capability, words: &'static str) -> Vec<Row> {
    let theme = scene.theme;
    let trust = scene.state.identity().map(|state| state.trust(capability, scene.state.now));
    let row = Row::new().put(" ", theme.base);
    // Nothing that is known of is not the same as nothing.
    vec![match trust.and_then(|trust| trust.words()) {
        None => row.put(words, theme.dim),
        Some(why) => row.put(format!("cannot tell: {why}"), theme.warn),
    }]
}
