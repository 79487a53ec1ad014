//! An expression cut into tokens with their places. Comments and white space are left out.

use crate::promql::ExprError;

/// What kind of token it is, as far as the shape of an expression needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::promql::syntax) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number or a duration.
    Number,
    /// A quoted string, quotes included.
    Quoted,
    /// A bracket, a comma or an operator.
    Sign,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::promql::syntax) struct Token<'t> {
    pub(in crate::promql::syntax) kind: Kind,
    pub(in crate::promql::syntax) text: &'t str,
    /// Byte offset into the expression.
    pub(in crate::promql::syntax) at: usize,
}

impl Token<'_> {
    /// The byte offset after it.
    pub(in crate::promql::syntax) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub(in crate::promql::syntax) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether it is this keyword, in whatever case.
    pub(in crate::promql::syntax) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// An error at this token.
    pub(in crate::promql::syntax) fn error(&self, text: impl Into<String>) -> ExprError {
        ExprError { offset: self.at, len: self.text.len().max(1), text: text.into() }
    }
}

const SIGNS: [&str; 24] = [
    "==", "!=", "=~", "!~", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[",
    "]", ",", "@", ":",
];

/// Cuts an expression into tokens.
pub(in crate::promql::syntax) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut found = Vec::new();
    let mut at = 0;
    // A colon starts a name (`:rule`) except inside `[5m:1m]`.
    let mut in_range = false;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if first == '#' {
            at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            continue;
        }
        let (kind, len) = match first {
            '"' | '\'' | '`' => (Kind::Quoted, quoted(rest, first, at)?),
            c if c.is_ascii_alphabetic() || c == '_' || (c == ':' && !in_range) => (Kind::Word, word(rest)),
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) => {
                (Kind::Number, number(rest))
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Kind::Sign, sign.len()),
                None => {
                    return Err(ExprError {
                        offset: at,
                        len: first.len_utf8(),
                        text: format!("unexpected character {first:?}"),
                    });
                }
            },
        };
        let token = Token { kind, text: rest.get(..len).unwrap_or(rest), at };
        match token.text {
            "[" => in_range = true,
            "]" => in_range = false,
            _ => {}
        }
        at = token.end();
        found.push(token);
    }
    Ok(found)
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len())
}

/// A number's token runs on over letters (`5m`, `0x1f`) and over the sign of an exponent.
fn number(rest: &str) -> usize {
    let hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut before = ' ';
    for (i, c) in rest.char_indices() {
        let exponent = !hex && matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent) {
            return i;
        }
        before = c;
    }
    rest.len()
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<usize, ExprError> {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            '\n' if quote != '`' => break,
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return Ok(i + 1),
            _ => {}
        }
    }
    Err(ExprError { offset: at, len: 1, text: format!("the string that begins here has no closing {quote}") })
}
