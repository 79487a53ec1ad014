//! What is proposed, with the time left to answer: it must be found second, after the verdict.

use crate::app::{Action, summary};
use crate::model::duration::short;
use crate::model::text::harmless_line;
use crate::model::trigger;

use super::row::Row;
use super::scene::Scene;
use super::words;

/// One row for each proposal that waits for an answer, the most pressing first, and one for a hold with a
/// reason; `most` rows, the last of which counts those that are left out.
pub(super) fn rows(scene: &Scene<'_>, width: usize, most: usize) -> Vec<Row> {
    let theme = scene.theme;
    let state = scene.state;
    let Some(view) = &state.run else { return Vec::new() };
    let mut rows = Vec::new();
    let mut open: Vec<_> = view.run.open_proposals().collect();
    open.sort_by_key(|proposal| (proposal.action == trigger::Action::Hold, proposal.deadline));
    for proposal in open {
        let left = match proposal.deadline.since(state.now) {
            left if left.is_zero() => "no time left: HOLD".to_owned(),
            left => format!("{} to answer", short(words::floor(left))),
        };
        let answer = match proposal.action {
            trigger::Action::ProposeRollback => {
                let list = view.run.template.rollback.clone().unwrap_or_default();
                format!("{} opens {list} · :confirm · :dismiss", state.keymap.keys(Action::Rollback))
            }
            trigger::Action::Hold => {
                format!("{} or :confirm holds · :dismiss", state.keymap.keys(Action::Hold))
            }
        };
        let what = format!("{} PROPOSED by {}", proposal.action.word(), proposal.cause);
        let left_row = Row::new()
            .put(" ! ", theme.badge_no_go)
            .put(format!(" {what}"), theme.bad)
            .put(format!(": {}", harmless_line(&proposal.reason, 120)), theme.strong);
        let right = Row::new().put(answer, theme.dim).put(format!("   {left} "), theme.bad);
        // On a narrow screen the time left stays; how to answer stands in the help.
        let narrow = Row::new().put(format!("{left} "), theme.bad);
        let right = if left_row.used() + right.used() + 2 <= width { right } else { narrow };
        rows.push(left_row.fit(width.saturating_sub(right.used() + 2)).beside(right, width));
    }
    if let Some((hold, Some(why))) = summary::hold(state) {
        let row = Row::new().put(format!(" ‖ {hold}"), theme.warn);
        rows.push(row.put(format!("  {}", harmless_line(&why, 200)), theme.base).fit(width));
    }
    if rows.len() > most {
        let hidden = rows.len() - most;
        rows.truncate(most);
        let more = Row::new().put(format!(" +{hidden} "), theme.bad);
        if let Some(last) = rows.pop() {
            rows.push(last.fit(width.saturating_sub(more.used())).beside(more, width));
        }
    }
    rows
}
