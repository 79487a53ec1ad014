//! One walk over the tokens: whether they can be an expression at all, and where its parts are.
//!
//! The walk knows two states (an operand must come, an operator may come) and a stack of brackets,
//! so it needs no recursion and no depth of text can hurt it.

mod parts;

use self::parts::{number, unquote};
use super::tokens::{Kind, Token};
use crate::promql::ExprError;
use crate::promql::functions;

/// The deepest nesting of brackets; the tree is walked recursively.
const MAX_DEPTH: usize = 64;
/// The most operators: a chain of them nests in the tree as brackets do.
const MAX_OPERATORS: usize = 250;

/// A stretch of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::promql) struct Place {
    pub(in crate::promql) at: usize,
    pub(in crate::promql) len: usize,
}

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The names of functions and aggregations in the order of the text, which is the order in which
    /// a walk of the tree from left to right meets them.
    pub(super) calls: Vec<Place>,
    /// Every part that is an expression by itself: calls, brackets, selectors. For the place of an
    /// error that the parser reports without one.
    pub(super) parts: Vec<Place>,
    /// Places of unary plus signs, which the parser drops without looking at what follows.
    pub(super) pluses: Vec<usize>,
}

/// What a `(` belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Group,
    Call,
    /// An aggregation, and whether its `by` or `without` came already.
    Aggregate(bool),
}

struct Walk<'t> {
    tokens: &'t [Token<'t>],
    next: usize,
    end: usize,
    shape: Shape,
    /// Each open bracket: its token, what it belongs to, and where the part begins.
    open: Vec<(Token<'t>, Opened, usize)>,
    operators: usize,
}

/// Walks the tokens of a text of `end` bytes.
pub(super) fn shape(tokens: &[Token<'_>], end: usize) -> Result<Shape, ExprError> {
    let mut walk = Walk { tokens, next: 0, end, shape: Shape::default(), open: Vec::new(), operators: 0 };
    walk.expression()?;
    Ok(walk.shape)
}

impl<'t> Walk<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }

    fn take_if(&mut self, wanted: impl Fn(&Token<'t>) -> bool) -> Option<Token<'t>> {
        let token = self.peek().filter(|t| wanted(t))?;
        self.next += 1;
        Some(token)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        self.take_if(|t| t.is_sign(sign)).is_some()
    }

    /// The end of what was taken last.
    fn behind(&self) -> usize {
        self.next.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, Token::end)
    }

    /// An error at the next token, or at the end of the text.
    fn unexpected(&self, expected: &str) -> ExprError {
        match self.peek() {
            Some(token) => token.error(format!("unexpected {}: {expected}", token.text)),
            None => ExprError {
                offset: self.end,
                len: 1,
                text: format!("the expression ends too early: {expected}"),
            },
        }
    }

    fn part(&mut self, from: usize) {
        let len = self.behind() - from;
        self.shape.parts.push(Place { at: from, len });
    }

    fn expression(&mut self) -> Result<(), ExprError> {
        if self.tokens.is_empty() {
            return Err(ExprError { offset: 0, len: 1, text: "there is no expression".into() });
        }
        loop {
            self.operand()?;
            if !self.operators()? {
                return Ok(());
            }
        }
    }

    /// Signs, opening brackets, and then one selector, number, string or empty call.
    fn operand(&mut self) -> Result<(), ExprError> {
        loop {
            let Some(token) = self.take() else {
                return Err(self.unexpected("a number, a metric or a function is expected"));
            };
            match token.kind {
                Kind::Number => return number(&token),
                Kind::Quoted => return unquote(&token).map(drop),
                Kind::Word => {
                    if self.word(&token)? {
                        return Ok(());
                    }
                }
                Kind::Sign => match token.text {
                    "(" => self.opened(token, Opened::Group, token.at)?,
                    "+" | "-" => {
                        if token.text == "+" {
                            self.shape.pluses.push(token.at);
                        }
                        self.count_operator(&token)?;
                    }
                    "{" => {
                        self.matchers()?;
                        self.part(token.at);
                        return Ok(());
                    }
                    ")" if self.tokens.get(self.next.wrapping_sub(2)).is_some_and(|t| t.is_sign(",")) => {
                        return Err(token.error("unexpected ): no comma is allowed after the last argument"));
                    }
                    text => {
                        return Err(token.error(format!(
                            "unexpected {text}: a number, a metric or a function is expected"
                        )));
                    }
                },
            }
        }
    }

    /// A name where an operand is due. True: the operand is complete; false: a bracket was opened
    /// and its first argument is due.
    fn word(&mut self, name: &Token<'t>) -> Result<bool, ExprError> {
        let lower = name.text.to_ascii_lowercase();
        if matches!(lower.as_str(), "inf" | "nan") {
            return Ok(true);
        }
        let grouped = self.peek().is_some_and(|t| t.is_word("by") || t.is_word("without"));
        let called = self.peek().is_some_and(|t| t.is_sign("("));
        if functions::is_aggregation(&lower) && (grouped || called) {
            self.shape.calls.push(Place { at: name.at, len: name.text.len() });
            if grouped {
                self.next += 1;
                self.label_list()?;
            }
            let Some(bracket) = self.take_if(|t| t.is_sign("(")) else {
                return Err(self.unexpected(&format!("{lower} needs its argument in brackets")));
            };
            self.opened(bracket, Opened::Aggregate(grouped), name.at)?;
            return Ok(false);
        }
        if called {
            known_function(name)?;
            self.shape.calls.push(Place { at: name.at, len: name.text.len() });
            if let Some(bracket) = self.take() {
                self.opened(bracket, Opened::Call, name.at)?;
            }
            if self.take_sign(")") {
                self.open.pop();
                self.part(name.at);
                return Ok(true);
            }
            return Ok(false);
        }
        if matches!(
            lower.as_str(),
            "bool" | "on" | "ignoring" | "group_left" | "group_right" | "atan2" | "smoothed" | "anchored"
        ) {
            return Err(name.error(format!("unexpected {}: it is a keyword, no metric", name.text)));
        }
        if self.take_sign("{") {
            self.matchers()?;
        }
        self.part(name.at);
        Ok(true)
    }

    fn opened(&mut self, bracket: Token<'t>, what: Opened, from: usize) -> Result<(), ExprError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(bracket.error(format!("nested too deep: {MAX_DEPTH} brackets are allowed")));
        }
        self.open.push((bracket, what, from));
        Ok(())
    }

    fn count_operator(&mut self, token: &Token<'t>) -> Result<(), ExprError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(token.error(format!("too many operators: {MAX_OPERATORS} are allowed")));
        }
        Ok(())
    }

    /// What may follow an operand. True: another operand is due; false: the text is at its end.
    fn operators(&mut self) -> Result<bool, ExprError> {
        loop {
            let Some(token) = self.peek() else {
                return match self.open.last() {
                    Some((bracket, _, _)) => Err(bracket.error("this bracket is never closed")),
                    None => Ok(false),
                };
            };
            match token.text {
                ")" if token.kind == Kind::Sign => {
                    self.next += 1;
                    self.close(&token)?;
                }
                "," if token.kind == Kind::Sign => {
                    if !self.open.last().is_some_and(|(_, what, _)| *what != Opened::Group) {
                        return Err(token.error("unexpected ,: it separates the arguments of a function"));
                    }
                    self.next += 1;
                    return Ok(true);
                }
                "[" if token.kind == Kind::Sign => {
                    self.next += 1;
                    self.range(&token)?;
                }
                "@" if token.kind == Kind::Sign => {
                    self.next += 1;
                    self.at_modifier()?;
                }
                _ if token.is_word("offset") => {
                    self.next += 1;
                    self.take_if(|t| t.is_sign("+") || t.is_sign("-"));
                    self.duration("offset needs a duration such as 5m")?;
                }
                _ if is_binary(&token) => {
                    self.next += 1;
                    self.count_operator(&token)?;
                    self.modifiers()?;
                    return Ok(true);
                }
                _ if token.is_word("anchored") || token.is_word("smoothed") => {
                    return Err(token.error(format!("{} is experimental in Prometheus", token.text)));
                }
                "++" | "=" | "=~" | "!~" => {
                    return Err(token.error(format!(
                        "unexpected {}: values are compared with == and !=, labels inside {{}}",
                        token.text
                    )));
                }
                _ => return Err(self.unexpected("an operator or the end of the expression is expected")),
            }
        }
    }

    fn close(&mut self, bracket: &Token<'t>) -> Result<(), ExprError> {
        let Some((_, what, from)) = self.open.pop() else {
            return Err(bracket.error("unexpected ): no bracket is open"));
        };
        if what == Opened::Aggregate(false)
            && self.take_if(|t| t.is_word("by") || t.is_word("without")).is_some()
        {
            self.label_list()?;
        }
        self.part(from);
        Ok(())
    }
}

fn known_function(name: &Token<'_>) -> Result<(), ExprError> {
    if functions::find(name.text).is_some() {
        return Ok(());
    }
    let near =
        functions::nearest(name.text).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(name.error(format!("unknown function {}{near}", name.text)))
}

fn is_binary(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Sign => {
            matches!(token.text, "+" | "-" | "*" | "/" | "%" | "^" | "==" | "!=" | "<" | ">" | "<=" | ">=")
        }
        Kind::Word => ["and", "or", "unless", "atan2"].iter().any(|word| token.is_word(word)),
        _ => false,
    }
}
