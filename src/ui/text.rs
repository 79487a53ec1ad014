//! A frame as plain text, for `--once`, pipes and screen readers.

use ratatui::buffer::{Buffer, CellWidth};

/// The lines of the buffer without colours and without blanks at their ends.
pub fn plain(buffer: &Buffer) -> String {
    let mut out = String::new();
    let area = buffer.area();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell((x, y)) else { continue };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = cell.symbol().cell_width().saturating_sub(1);
            line.push_str(cell.symbol());
        }
        out.push_str(line.trim_end_matches([' ', '\u{2800}']));
        out.push('\n');
    }
    out
}
