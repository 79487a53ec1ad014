//! Text from outside, made harmless once, where it comes in.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything that could steer a terminal or hide from the eye turned into a visible
/// escape: control characters (C0, DEL, C1), bidi marks and overrides, zero-width characters, tag
/// characters, variation selectors beyond the common two, and unassigned line breaks.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`harmless`], cut to `max` characters with an ellipsis in place of what was cut.
pub fn harmless_line(text: &str, max: usize) -> String {
    // No character becomes less than one, so that of a megabyte only the beginning is looked at.
    let text = text.trim_start();
    // Nearly all texts are short and plain, and answers hold many of them.
    if text.len() <= max && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.trim_end().to_owned();
    }
    let text = text
        .char_indices()
        .nth(max.saturating_add(1))
        .map_or(text.trim_end(), |(end, _)| text.get(..end).unwrap_or(text));
    let clean = harmless(text);
    if clean.chars().count() <= max {
        return clean.into_owned();
    }
    let mut cut: String = clean.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A JSON document without characters that could steer a terminal or hide from the eye: a program
/// reads the same from their escapes. Such characters stand in its strings only, so the document must
/// be on one line.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    if !document.chars().any(is_harmful) {
        return document.into();
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if !is_harmful(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out.into()
}

/// Whether a character is one that [`harmless`] turns into an escape.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_or_hides_from_the_eye_comes_through() {
        let dirty = "a\u{1b}[31mred\u{202e}x\u{200b}\u{e0041}\u{9b}\n";
        let clean = harmless(dirty);
        assert_eq!(clean, "a\\u{1b}[31mred\\u{202e}x\\u{200b}\\u{e0041}\\u{9b}\\n");
        assert!(clean.chars().all(|c| !is_harmful(c)));
    }

    #[test]
    fn a_json_document_shows_what_hides_from_the_eye_and_means_the_same() {
        let value = serde_json::json!({ "a\u{202e}b": "\u{1b}[31m \u{7f}\u{e0041} Größe 日本" });
        let shown = visible_json(&value.to_string()).into_owned();
        assert_eq!(shown, r#"{"a\u202eb":"\u001b[31m \u007f\udb40\udc41 Größe 日本"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn honest_text_is_not_touched_or_copied() {
        assert!(matches!(harmless("Größe 日本 ✓ 25 %"), Cow::Borrowed(_)));
        assert_eq!(harmless_line("  abcdef ", 4), "abc…");
        assert_eq!(harmless_line(" a~ ", 3), "a~");
        assert_eq!(harmless_line("a\u{7f}", 30), "a\\u{7f}");
    }
}
