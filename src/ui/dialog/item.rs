//! An item's dialog: what it is, what backs it, and what may be done to it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::checklist::{Kind, Stage};
use crate::model::ItemId;

use super::super::row::Row;
use super::super::scene::Scene;
use super::super::{checklist, item_detail};
use super::{keys, window};

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
    let stage = scene.state.run.as_ref().and_then(|view| view.run.item(id)).map(|(_, s)| s.stage);
    let tick = if matches!(item.kind, Kind::Gate(_)) { "ask again and tick" } else { "tick" };
    let mut does: Vec<(&str, &str)> = match stage {
        Some(Stage::Todo | Stage::InProgress) => vec![("t", tick), ("s", "skip"), ("n", "note")],
        Some(Stage::Done | Stage::Skipped | Stage::Waived | Stage::Failed) => {
            vec![("o", "reopen"), ("n", "note")]
        }
        None => Vec::new(),
    };
    let refused = scene.state.may_write().err();
    if refused.is_some() {
        does.clear();
    }
    does.push(("esc", "close"));
    let mut foot = vec![Row::new()];
    foot.extend(refused.map(|why| Row::new().put(why, scene.theme.warn)));
    foot.push(keys(scene, &does));
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
