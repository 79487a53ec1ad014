//! The finished frame in ASCII: every sign becomes one of the same width.

use ratatui::buffer::Buffer;

const SIGNS: [(&str, &str); 48] = [
    ("✓", "+"),
    ("✗", "X"),
    ("○", "o"),
    ("●", "*"),
    ("◌", "~"),
    ("◐", "%"),
    ("⊘", "="),
    ("▸", ">"),
    ("–", "-"),
    ("…", "~"),
    ("·", "."),
    ("↑", "^"),
    ("↓", "v"),
    ("×", "x"),
    ("»", ">"),
    ("›", ">"),
    ("⚑", "F"),
    ("▼", "V"),
    ("▲", "!"),
    ("△", "^"),
    ("▽", "v"),
    ("◇", "0"),
    ("◔", "c"),
    ("◉", "@"),
    ("─", "-"),
    ("━", "="),
    ("│", "|"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("╌", "-"),
    ("┈", "."),
    ("┊", ":"),
    ("╱", "/"),
    ("▓", "#"),
    ("░", "."),
    ("▁", "_"),
    ("▂", "_"),
    ("▃", "."),
    ("▄", "-"),
    ("▅", "="),
    ("▆", "+"),
    ("▇", "*"),
    ("█", "#"),
    ("±", "~"),
    ("∞", "8"),
    ("≈", "~"),
];

/// Rewrites every cell that is not ASCII.
pub(super) fn flatten(buf: &mut Buffer) {
    let area = *buf.area();
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let symbol = buf.cell((x, y)).map(|c| c.symbol().to_owned()).unwrap_or_default();
            if symbol.is_ascii() {
                continue;
            }
            // Signs of two characters take the blank that always follows.
            let pair = match symbol.as_str() {
                "≥" => Some(('>', '=')),
                "≤" => Some(('<', '=')),
                "≠" => Some(('!', '=')),
                "→" => Some(('-', '>')),
                _ => None,
            };
            let wide = super::row::cells(&symbol) > 1;
            let known = SIGNS.iter().find(|(sign, _)| *sign == symbol).map(|(_, plain)| *plain);
            let plain = match pair {
                Some((first, _)) => first.to_string(),
                None => known.map_or_else(|| other(&symbol), str::to_owned),
            };
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_symbol(&plain);
            }
            let Some(next) = x.checked_add(1).and_then(|x| buf.cell_mut((x, y))) else { continue };
            match pair {
                Some((_, second)) if next.symbol() == " " => {
                    next.set_char(second);
                }
                _ if wide => {
                    next.set_symbol("?");
                }
                _ => {}
            }
        }
    }
}

/// Braille by how many dots it has, eighths of a block by how full they are; anything else is a
/// text from outside, of which only the length can be shown.
fn other(symbol: &str) -> String {
    let c = symbol.chars().next().unwrap_or(' ');
    match c {
        '\u{2800}' => " ",
        '\u{2801}'..='\u{28ff}' => match (c as u32 - 0x2800).count_ones() {
            1..=2 => ".",
            3..=5 => ":",
            _ => "#",
        },
        '▏' | '▎' | '▍' => ".",
        '▌' | '▋' | '▊' | '▉' => "+",
        _ => "?",
    }
    .into()
}
