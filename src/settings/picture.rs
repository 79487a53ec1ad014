//! A line of a file with a mark under the part that is wrong.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::model::text::harmless;

/// How much of a long line is shown before and after the place, in characters.
const BEFORE: usize = 60;
const AFTER: usize = 80;

/// What is needed to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// The line, already harmless and short.
    line: String,
    /// 1-based.
    number: usize,
    /// The marked part, in bytes of `line`.
    mark: Range<usize>,
    /// Said under the picture.
    help: Option<String>,
}

impl Picture {
    /// Of one line without its end; `span` is what is wrong, in bytes of that line.
    pub(super) fn new(line: &str, number: usize, span: &Range<usize>, help: Option<String>) -> Self {
        let at = line.char_indices().take_while(|(i, _)| *i < span.start).count();
        let skip = at.saturating_sub(BEFORE);
        let mut shown = String::from(if skip > 0 { "…" } else { "" });
        let (mut start, mut end) = (None, None);
        let mut rest = line.char_indices().skip(skip);
        for (i, c) in rest.by_ref().take(at - skip + AFTER) {
            if i >= span.start && start.is_none() {
                start = Some(shown.len());
            }
            if i >= span.end && end.is_none() {
                end = Some(shown.len());
            }
            match c {
                '\t' => shown.push_str("    "),
                c => shown.push_str(&harmless(c.encode_utf8(&mut [0; 4]))),
            }
        }
        let whole = shown.len();
        if rest.next().is_some() {
            shown.push('…');
        }
        let start = start.unwrap_or(whole);
        let mark = start..end.unwrap_or(whole).max(start);
        Self { line: shown, number, mark, help }
    }
}

/// The picture as text; with colours where `styled`.
pub(super) fn draw(picture: &Picture, styled: bool) -> String {
    let snippet = Snippet::source(picture.line.as_str())
        .line_start(picture.number)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(picture.mark.clone()));
    let mut group = Group::with_level(Level::ERROR).element(snippet);
    if let Some(help) = &picture.help {
        group = group.element(Level::HELP.no_name().message(help.as_str()));
    }
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(200).render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(line: &str, wrong: &str) -> String {
        let start = line.find(wrong).unwrap();
        draw(&Picture::new(line, 7, &(start..start + wrong.len()), None), false)
    }

    #[test]
    fn the_mark_stands_under_the_wrong_word_also_behind_wide_and_harmful_characters() {
        assert_eq!(drawn("\tname = 1", "name"), "  |\n7 |     name = 1\n  |     ^^^^");
        assert_eq!(
            drawn("a = '日本' + b", "b"),
            "  |\n7 | a = '日本' + b\n  |              ^",
            "a wide character takes two columns"
        );
        assert_eq!(
            drawn("a = '\u{202e}\u{1b}[31m' + b", "b"),
            "  |\n7 | a = '\\u{202e}\\u{1b}[31m' + b\n  |                            ^"
        );
    }

    #[test]
    fn of_a_line_of_a_megabyte_only_the_part_around_the_place_is_shown() {
        let line = format!("a = '{}oops{}'", "x".repeat(500_000), "y".repeat(500_000));
        let text = drawn(&line, "oops");
        assert!(text.len() < 600, "{}", text.len());
        assert!(text.contains("oops") && text.contains("^^^^"), "{text}");
    }

    #[test]
    fn colours_are_only_drawn_where_they_are_asked_for() {
        let picture = Picture::new("a = 1", 1, &(0..1), Some("b".into()));
        assert!(!draw(&picture, false).contains('\u{1b}'));
        assert!(draw(&picture, true).contains("\u{1b}["));
    }

    #[test]
    fn the_end_of_a_file_can_be_pointed_at() {
        assert_eq!(draw(&Picture::new("", 1, &(0..0), None), false), "  |\n1 |\n  | ^");
        assert_eq!(draw(&Picture::new("ab", 1, &(2..9), None), false), "  |\n1 | ab\n  |   ^");
    }
}
