//! The small grammars inside an expression: ranges, times, modifiers, label lists, matchers.

use promql_parser::util::unquote_string;

use super::Walk;
use crate::promql::matcher::Pattern;
use crate::promql::syntax::tokens::{Kind, Token};
use crate::promql::{ExprError, duration};

impl<'t> Walk<'t> {
    /// `[5m]`, `[5m:1m]`, `[5m:]`.
    pub(super) fn range(&mut self, opening: &Token<'t>) -> Result<(), ExprError> {
        self.duration("a range needs a duration such as [5m]")?;
        if self.take_sign(":") && self.peek().is_some_and(|t| t.kind == Kind::Number) {
            self.duration("a resolution needs a duration")?;
        }
        if !self.take_sign("]") {
            return Err(if self.peek().is_none() {
                opening.error("this bracket is never closed")
            } else {
                self.unexpected("a ] is expected")
            });
        }
        Ok(())
    }

    pub(super) fn duration(&mut self, expected: &str) -> Result<(), ExprError> {
        let Some(token) = self.take_if(|t| t.kind == Kind::Number) else {
            return Err(self.calculated().unwrap_or_else(|| self.unexpected(expected)));
        };
        duration::millis(token.text).map_err(|text| token.error(text))?;
        match self.calculated() {
            Some(error) if self.in_range() => Err(error),
            _ => Ok(()),
        }
    }

    /// An error where the next token belongs to a calculated duration: `[5m+1m]`, `offset (2*5m)`.
    fn calculated(&self) -> Option<ExprError> {
        let token = self.peek()?;
        let operator = ["+", "-", "*", "/", "%", "^", "("].iter().any(|sign| token.is_sign(sign));
        let called = ["step", "range", "min", "max"].iter().any(|word| token.is_word(word))
            && self.tokens.get(self.next + 1).is_some_and(|t| t.is_sign("("));
        (operator || called).then(|| {
            token.error(format!(
                "unexpected {}: a calculated duration is experimental in Prometheus, write it as one such as 5m",
                token.text
            ))
        })
    }

    /// Whether the last token but one opens a range, or separates its resolution.
    fn in_range(&self) -> bool {
        let before = self.next.checked_sub(2).and_then(|place| self.tokens.get(place));
        before.is_some_and(|token| token.is_sign("[") || token.is_sign(":"))
    }

    /// `@ 1609746000`, `@ start()`, `@ end()`.
    pub(super) fn at_modifier(&mut self) -> Result<(), ExprError> {
        self.take_if(|t| t.is_sign("+") || t.is_sign("-"));
        if let Some(token) = self.take_if(|t| t.kind == Kind::Number) {
            return number(&token);
        }
        if self.take_if(|t| t.is_word("start") || t.is_word("end")).is_some()
            && self.take_sign("(")
            && self.take_sign(")")
        {
            return Ok(());
        }
        Err(self.unexpected("@ needs a time in Unix seconds, start() or end()"))
    }

    /// `bool`, `on (…)`, `group_left (…)` behind a binary operator.
    pub(super) fn modifiers(&mut self) -> Result<(), ExprError> {
        self.take_if(|t| t.is_word("bool"));
        if self.take_if(|t| t.is_word("on") || t.is_word("ignoring")).is_some() {
            self.label_list()?;
            if self.take_if(|t| t.is_word("group_left") || t.is_word("group_right")).is_some()
                && self.peek().is_some_and(|t| t.is_sign("("))
            {
                self.label_list()?;
            }
        } else if let Some(token) =
            self.peek().filter(|t| t.is_word("group_left") || t.is_word("group_right"))
        {
            return Err(token.error(format!("{} needs on (…) or ignoring (…) before it", token.text)));
        }
        if let Some(token) = self.peek()
            && ["fill", "fill_left", "fill_right"].iter().any(|word| token.is_word(word))
            && self.tokens.get(self.next + 1).is_some_and(|t| t.is_sign("("))
        {
            return Err(token.error(format!("{} is experimental in Prometheus", token.text)));
        }
        Ok(())
    }

    /// `(a, b)` of label names.
    pub(super) fn label_list(&mut self) -> Result<(), ExprError> {
        if !self.take_sign("(") {
            return Err(self.unexpected("label names in brackets are expected"));
        }
        loop {
            if self.take_sign(")") {
                return Ok(());
            }
            match self.take() {
                Some(token) if token.kind == Kind::Word && !token.text.contains(':') => {}
                Some(token) if token.kind == Kind::Quoted => drop(unquote(&token)?),
                _ => {
                    self.next -= usize::from(self.next <= self.tokens.len());
                    return Err(self.unexpected("a label name is expected"));
                }
            }
            if !self.take_sign(",") && !self.peek().is_some_and(|t| t.is_sign(")")) {
                return Err(self.unexpected("a , or a ) is expected"));
            }
        }
    }

    /// What is between `{` and `}`; the `{` was taken.
    pub(super) fn matchers(&mut self) -> Result<(), ExprError> {
        loop {
            if self.take_sign("}") {
                return Ok(());
            }
            let Some(name) = self.take_if(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) else {
                return Err(self.unexpected("a label name or a } is expected"));
            };
            if name.kind == Kind::Quoted {
                unquote(&name)?;
            } else if name.text.contains(':') {
                return Err(name.error(format!("{} is no label name: it holds a colon", name.text)));
            }
            match self.take_if(|t| ["=", "!=", "=~", "!~"].iter().any(|sign| t.is_sign(sign))) {
                Some(sign) => self.matcher_value(&sign)?,
                // `{"my.metric", a="b"}`: a quoted name alone is the metric's.
                None if name.kind == Kind::Quoted => {}
                None => return Err(self.unexpected("one of = != =~ !~ is expected")),
            }
            if let Some(word) = self.peek().filter(|t| t.is_word("or")) {
                return Err(word.error("matchers cannot be joined with or: write two selectors"));
            }
            if !self.take_sign(",") && !self.peek().is_some_and(|t| t.is_sign("}")) {
                return Err(self.unexpected("a , or a } is expected"));
            }
        }
    }

    fn matcher_value(&mut self, sign: &Token<'t>) -> Result<(), ExprError> {
        let Some(token) = self.take_if(|t| t.kind == Kind::Quoted) else {
            return Err(self.unexpected("a quoted value is expected"));
        };
        let value = unquote(&token)?;
        if matches!(sign.text, "=~" | "!~") {
            Pattern::new(&value).map_err(|text| token.error(text))?;
        }
        Ok(())
    }
}

pub(super) fn number(token: &Token<'_>) -> Result<(), ExprError> {
    let text = token.text;
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let reads = match hex {
        Some(digits) => !digits.is_empty() && i64::from_str_radix(digits, 16).is_ok(),
        None => text.parse::<f64>().is_ok() || duration::millis(text).is_ok(),
    };
    if reads { Ok(()) } else { Err(token.error(format!("{text} is neither a number nor a duration"))) }
}

pub(super) fn unquote(token: &Token<'_>) -> Result<String, ExprError> {
    // The parser's own reading of strings panics on a backslash before a letter that is not ASCII.
    let text = match escapes(token.text) {
        Escapes::Known => unquote_string(token.text).ok(),
        Escapes::Unknown => None,
        Escapes::Bytes => {
            return Err(token.error(format!(
                "{} holds an escape of a byte that is no character by itself: write the character",
                token.text
            )));
        }
    };
    text.ok_or_else(|| token.error(format!("{} holds an escape that is not known", token.text)))
}

/// What the escapes of a quoted string are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Each is one that Go knows.
    Known,
    Unknown,
    /// `\xff` is a byte, of which several may be one character; the parser would make one of each.
    Bytes,
}

fn escapes(quoted: &str) -> Escapes {
    let mut found = Escapes::Known;
    let quote = quoted.chars().next().unwrap_or('`');
    let mut rest = quoted;
    while quote != '`'
        && let Some((_, escape)) = rest.split_once('\\')
    {
        let Some(letter) = escape.chars().next() else { return Escapes::Unknown };
        let (digits, base) = match letter {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (2, 8),
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => (0, 10),
            letter if letter == quote => (0, 10),
            _ => return Escapes::Unknown,
        };
        let mut after = escape.chars();
        let first = after.next().filter(|_| base == 8).and_then(|digit| digit.to_digit(8)).unwrap_or(0);
        let byte = (0..digits).try_fold(first, |byte, _| Some(byte * base + after.next()?.to_digit(base)?));
        match byte {
            None => return Escapes::Unknown,
            Some(256..) if base == 8 => return Escapes::Unknown,
            Some(128..) if base == 8 || letter == 'x' => found = Escapes::Bytes,
            Some(_) => {}
        }
        rest = after.as_str();
    }
    found
}
