//! The text of an expression: where its parts are, what Prometheus would refuse, and the plan made of it.
//!
//! `promql-parser` builds the tree but gives no positions and takes some things that Prometheus does
//! not. So the text is first cut into [`tokens`], walked once ([`shape`]) for the place of a syntax
//! error and of every name, and only then parsed; [`lower`] turns the tree into the evaluator's
//! [`plan`](super::plan), with those places on it.

pub(super) mod lower;
mod shape;
mod tokens;

use promql_parser::parser;

use self::lower::Lowered;
use self::shape::{Place, Shape};
use super::ExprError;

/// The longest text that is looked at.
const MAX_LEN: usize = 8 * 1024;

/// Reads an expression.
pub(super) fn read(text: &str) -> Result<Lowered, ExprError> {
    if text.len() > MAX_LEN {
        return Err(ExprError {
            offset: text.floor_char_boundary(MAX_LEN),
            len: 1,
            text: format!("the expression is longer than {} KiB", MAX_LEN / 1024),
        });
    }
    let tokens = tokens::tokens(text)?;
    let shape = shape::shape(&tokens, text.len())?;
    let tree = parser::parse(text).map_err(|message| placed(text, &shape, message))?;
    check_pluses(text, &shape)?;
    lower::lower(&tree, &shape.calls, text.len())
}

/// The parser drops a unary plus and what it demands of its operand with it. A minus it keeps, so
/// the same text with minuses tells.
fn check_pluses(text: &str, shape: &Shape) -> Result<(), ExprError> {
    let Some(first) = shape.pluses.first() else { return Ok(()) };
    let mut bytes = text.as_bytes().to_vec();
    for plus in &shape.pluses {
        if let Some(byte) = bytes.get_mut(*plus) {
            *byte = b'-';
        }
    }
    match parser::parse(&String::from_utf8_lossy(&bytes)) {
        Ok(_) => Ok(()),
        Err(message) => Err(ExprError { offset: *first, len: 1, text: message }),
    }
}

/// Finds the place of an error that the parser reports without one: the smallest part of the text
/// that it refuses by itself with the same words.
fn placed(text: &str, shape: &Shape, message: String) -> ExprError {
    let mut parts: Vec<&Place> = shape.parts.iter().collect();
    parts.sort_by_key(|part| part.len);
    let refused = parts.into_iter().find(|part| {
        text.get(part.at..part.at + part.len)
            .is_some_and(|slice| parser::parse(slice).is_err_and(|again| again == message))
    });
    let (offset, len) = refused.map_or((0, text.len().max(1)), |part| (part.at, part.len.max(1)));
    ExprError { offset, len, text: message }
}
