//! Where lines end, what kind of line each is, and how much of it is text.

use memchr::memchr;

use super::Format;
use super::sample_line::{is_blank, is_name_byte, starts_name};

/// What can be told of a line by its first bytes.
pub(super) enum Head<'l> {
    Blank,
    Comment,
    /// A name, and behind it its delimiter.
    Name(&'l [u8]),
    /// A name in braces, or none that can be read: the lexer must tell.
    Other,
}

pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', bytes)?;
    let (line, behind) = bytes.split_at_checked(end)?;
    Some((line, behind.get(1..)?))
}

pub(super) fn head(line: &[u8], format: Format) -> Head<'_> {
    let line = if format == Format::Text { trim_blanks(line) } else { line };
    match line.first() {
        None => Head::Blank,
        Some(b'#') => Head::Comment,
        Some(first) if starts_name(*first) => {
            let end = line.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(line.len());
            match line.split_at_checked(end) {
                Some((name, [b' ' | b'\t' | b'{', ..])) => Head::Name(name),
                _ => Head::Other,
            }
        }
        Some(_) => Head::Other,
    }
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
    line.get(blanks..).unwrap_or_default()
}

/// The line as far as it is UTF-8.
pub(super) fn readable_part(line: &[u8]) -> &str {
    match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => line
            .get(..error.valid_up_to())
            .and_then(|part| std::str::from_utf8(part).ok())
            .unwrap_or_default(),
    }
}
