//! An item's dialog: what it is, what backs it, and what may be done to it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::dialog::{Does, item_keys};
use crate::model::ItemId;

use super::super::row::Row;
use super::super::scene::Scene;
use super::super::{checklist, item_detail};
use super::window;

/// Draws the dialog of one item.
pub(super) fn draw(scene: &Scene<'_>, id: &ItemId, room: Rect, buf: &mut Buffer) {
    let width = room.width.min(92);
    let inside = usize::from(width.saturating_sub(4));
    let Some(item) = checklist::template(scene).and_then(|t| t.item(id)) else {
        let gone = [Row::new().put("this run has no such item", scene.theme.warn)];
        window(scene, id.as_str(), width, &gone, room, buf);
        return;
    };
    let mut rows = item_detail::rows(scene, item, inside);
    let offers = item_keys(scene.state, id);
    let refused = scene.state.may_write().err();
    let mut foot = vec![Row::new()];
    foot.extend(refused.map(|why| Row::new().put(why, scene.theme.warn)));
    foot.extend(keys_of(scene, &offers, inside));
    // The keys stay in view whatever is cut above them.
    let most = usize::from(room.height.saturating_sub(2)).saturating_sub(foot.len());
    if rows.len() > most {
        rows.truncate(most.saturating_sub(1));
        rows.push(
            Row::new().put("  … more in a larger terminal, or with gonogo checklist show", scene.theme.dim),
        );
    }
    rows.extend(foot);
    let title = format!("{id} · {}", item_detail::stage(scene, item));
    window(scene, &title, width, &rows, room, buf);
}

/// The keys with their words, on as many rows as they take.
fn keys_of(scene: &Scene<'_>, offers: &[(char, String, Does)], width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let words = offers.iter().map(|(key, words, _)| (key.to_string(), words.clone()));
    let mut rows = vec![Row::new()];
    for (key, words) in words.chain([("esc".to_owned(), "close".to_owned())]) {
        let part = Row::new().put(key, theme.strong).put(format!(" {words}   "), theme.dim);
        let fits = rows.last().is_some_and(|row| row.used() + part.used() <= width + 3);
        let row = if fits { rows.pop().unwrap_or_default() } else { Row::new() };
        rows.push(row.join(part));
    }
    rows
}
