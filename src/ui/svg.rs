//! A frame as a self-contained SVG: exact cells, whatever monospace font the reader has.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};

use super::Theme;

/// Size of a cell in the picture's units.
const CELL: (f64, f64) = (8.4, 18.0);
/// Between the picture's edge and the first cell.
const MARGIN: f64 = 12.0;
/// The first sixteen colours of a terminal.
const BASIC: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (229, 229, 229),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
];

/// What is the same for a run of cells.
#[derive(Clone, Copy, PartialEq)]
struct Ink {
    text: (u8, u8, u8),
    ground: Option<(u8, u8, u8)>,
    bold: bool,
    italic: bool,
    underlined: bool,
    faint: bool,
}

/// The buffer as SVG. Each run of cells in one style is stretched to its cells, so that columns hold
/// in any font; nothing is fetched from anywhere.
pub fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let area = buffer.area();
    let width = f64::from(area.width) * CELL.0 + 2.0 * MARGIN;
    let height = f64::from(area.height) * CELL.1 + 2.0 * MARGIN;
    let (ink, paper) = (rgb(theme.paper.0, (0, 0, 0)), rgb(theme.paper.1, (0, 0, 0)));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">"
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{}\"/>", hex(paper));
    for y in area.top()..area.bottom() {
        for run in runs(buffer, y, ink, paper) {
            draw(&mut out, &run, y - area.top(), area.left());
        }
    }
    out.push_str("</svg>\n");
    out
}

struct Run {
    x: u16,
    cells: u16,
    text: String,
    ink: Ink,
}

fn runs(buffer: &Buffer, y: u16, ink: (u8, u8, u8), paper: (u8, u8, u8)) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let area = buffer.area();
    let mut x = area.left();
    while x < area.right() {
        let Some(cell) = buffer.cell((x, y)) else { break };
        let cells = cell.symbol().cell_width().clamp(1, area.right() - x);
        let look = look(cell, ink, paper);
        // What a font may draw wider than a cell stands alone, so that it moves nothing else.
        let alone = cells > 1 || !cell.symbol().is_ascii();
        match runs.last_mut() {
            Some(run) if run.ink == look && !alone && run.text.is_ascii() => {
                run.cells += cells;
                run.text.push_str(cell.symbol());
            }
            Some(run)
                if run.ink == look && alone && run.text.ends_with(cell.symbol()) && !run.text.is_ascii() =>
            {
                run.cells += cells;
                run.text.push_str(cell.symbol());
            }
            _ => runs.push(Run { x, cells, text: cell.symbol().to_owned(), ink: look }),
        }
        x += cells;
    }
    runs
}

fn look(cell: &Cell, ink: (u8, u8, u8), paper: (u8, u8, u8)) -> Ink {
    let has = |modifier| cell.modifier.contains(modifier);
    let text = rgb(cell.fg, ink);
    let ground = (cell.bg != Color::Reset).then(|| rgb(cell.bg, paper));
    let (text, ground) =
        if has(Modifier::REVERSED) { (ground.unwrap_or(paper), Some(text)) } else { (text, ground) };
    Ink {
        text,
        ground,
        bold: has(Modifier::BOLD),
        italic: has(Modifier::ITALIC),
        underlined: has(Modifier::UNDERLINED),
        faint: has(Modifier::DIM),
    }
}

fn draw(out: &mut String, run: &Run, row: u16, left: u16) {
    let x = MARGIN + f64::from(run.x - left) * CELL.0;
    let y = MARGIN + f64::from(row) * CELL.1;
    let width = f64::from(run.cells) * CELL.0;
    if let Some(ground) = run.ink.ground {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            CELL.1,
            hex(ground)
        );
    }
    if run.text.chars().all(|c| c == ' ' || c == '\u{2800}') {
        return;
    }
    let mut style = format!(" fill=\"{}\"", hex(run.ink.text));
    for (on, attribute) in [
        (run.ink.bold, " font-weight=\"bold\""),
        (run.ink.italic, " font-style=\"italic\""),
        (run.ink.underlined, " text-decoration=\"underline\""),
        (run.ink.faint, " opacity=\"0.6\""),
    ] {
        if on {
            style.push_str(attribute);
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         xml:space=\"preserve\"{style}>{}</text>",
        y + CELL.1 * 0.75,
        escape(&run.text)
    );
}

/// Text that is well-formed in XML: what XML cannot hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A terminal colour as RGB, by the usual 256-colour table.
fn rgb(color: Color, reset: (u8, u8, u8)) -> (u8, u8, u8) {
    let basic = |index: usize| BASIC.get(index).copied().unwrap_or(reset);
    match color {
        Color::Reset => reset,
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index @ 0..16) => basic(usize::from(index)),
        Color::Indexed(index @ 16..232) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
        Color::Black => basic(0),
        Color::Red => basic(1),
        Color::Green => basic(2),
        Color::Yellow => basic(3),
        Color::Blue => basic(4),
        Color::Magenta => basic(5),
        Color::Cyan => basic(6),
        Color::Gray => basic(7),
        Color::DarkGray => basic(8),
        Color::LightRed => basic(9),
        Color::LightGreen => basic(10),
        Color::LightYellow => basic(11),
        Color::LightBlue => basic(12),
        Color::LightMagenta => basic(13),
        Color::LightCyan => basic(14),
        Color::White => basic(15),
    }
}
