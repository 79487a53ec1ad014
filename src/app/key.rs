//! A key press, free of any terminal library, as it is written in configs and help: `ctrl-d`, `G`.

use std::fmt;

/// The key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A printable character, with shift already in it.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Shift and tabulator.
    BackTab,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
}

/// Names of the keys that are not characters.
const NAMES: [(Code, &str); 14] = [
    (Code::Enter, "enter"),
    (Code::Esc, "esc"),
    (Code::Tab, "tab"),
    (Code::BackTab, "shift-tab"),
    (Code::Backspace, "backspace"),
    (Code::Delete, "delete"),
    (Code::Up, "up"),
    (Code::Down, "down"),
    (Code::Left, "left"),
    (Code::Right, "right"),
    (Code::Home, "home"),
    (Code::End, "end"),
    (Code::PageUp, "page-up"),
    (Code::PageDown, "page-down"),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character without modifiers.
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false }
    }

    /// Reads `q`, `G`, `space`, `ctrl-d`, `shift-tab`, `page-up`.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let (mut ctrl, mut alt) = (false, false);
        loop {
            if let Some(more) = rest.strip_prefix("ctrl-").filter(|m| !m.is_empty()) {
                (ctrl, rest) = (true, more);
            } else if let Some(more) = rest.strip_prefix("alt-").filter(|m| !m.is_empty()) {
                (alt, rest) = (true, more);
            } else {
                break;
            }
        }
        let named = NAMES.iter().find(|(_, name)| *name == rest).map(|(code, _)| *code);
        let mut chars = rest.chars();
        let code = match (named, chars.next(), chars.next()) {
            (Some(code), _, _) => code,
            (None, Some(c), None) if !c.is_control() => Code::Char(c),
            _ if rest == "space" => Code::Char(' '),
            _ => {
                return Err(format!(
                    "{text:?} is no key: write a character, space, enter, tab, ctrl-d, page-up, …"
                ));
            }
        };
        Ok(Self { code, ctrl, alt })
    }

    /// Reads several keys with spaces between: `j j space`.
    ///
    /// # Errors
    /// As [`Key::parse`], for the first that cannot be read.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        text.split_whitespace().map(Self::parse).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.ctrl {
            text.push_str("ctrl-");
        }
        if self.alt {
            text.push_str("alt-");
        }
        match self.code {
            Code::Char(' ') => text.push_str("space"),
            Code::Char(c) => text.push(c),
            other => {
                let name = NAMES.iter().find(|(code, _)| *code == other);
                text.push_str(name.map_or("", |(_, name)| name));
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for text in ["q", "G", "space", "ctrl-d", "shift-tab", "page-up", "alt-x", "-", "?"] {
            assert_eq!(Key::parse(text).unwrap().to_string(), text);
        }
        assert!(Key::parse("hyper-x").unwrap_err().contains("is no key"));
        assert_eq!(Key::parse_all("j j space").unwrap().len(), 3);
    }
}
