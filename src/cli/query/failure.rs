//! Why a query has no answer.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::cli::Exit;
use crate::model::text::{harmless, harmless_line};
use crate::model::{Fault, FaultCode};
use crate::promql::{EvalError, ExprError};

/// Why there is no answer, and how the command ends.
#[derive(Debug)]
pub(super) struct Failure {
    /// The kind, as Prometheus' API names it.
    kind: &'static str,
    pub(super) text: String,
    /// The part of the expression that is to blame: byte offset and length.
    place: Option<(usize, usize)>,
    pub(super) exit: Exit,
}

impl Failure {
    /// Something is wrong with the arguments or the config.
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self { kind: "bad_data", text: text.into(), place: None, exit: Exit::Usage }
    }

    /// It cannot be told.
    pub(super) fn unknown(text: impl Into<String>) -> Self {
        Self { kind: "unavailable", text: text.into(), place: None, exit: Exit::CannotTell }
    }

    /// It could not be told in time.
    pub(super) fn timed_out(text: impl Into<String>) -> Self {
        Self { kind: "timeout", text: text.into(), place: None, exit: Exit::TimedOut }
    }

    /// As the API answers: one document. The place of an error stands before it, as line and column.
    pub(super) fn document(&self, expression: &str) -> Value {
        let error = match self.place {
            Some((offset, _)) => {
                let before = expression.get(..offset).unwrap_or(expression);
                let line = before.rsplit('\n').next().unwrap_or_default();
                let row = before.matches('\n').count() + 1;
                format!("{row}:{}: parse error: {}", line.chars().count() + 1, self.text)
            }
            None => self.text.clone(),
        };
        json!({"status": "error", "errorType": self.kind, "error": error})
    }

    /// For a terminal: the sentence, and under it the line of the expression with a mark.
    pub(super) fn picture(&self, expression: &str) -> String {
        let text: Vec<_> = self.text.lines().map(harmless).collect();
        let text = text.join("\n");
        let Some((offset, len)) = self.place else { return text };
        let Some((before, rest)) = expression.split_at_checked(offset) else { return text };
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = offset + rest.find('\n').unwrap_or(rest.len());
        let part = |from: usize, to: usize| harmless(expression.get(from..to).unwrap_or_default());
        let width = part(offset, (offset + len).min(line_end)).width().max(1);
        format!(
            "{text}\n  {}\n  {}{}",
            part(start, line_end),
            " ".repeat(part(start, offset).width()),
            "^".repeat(width)
        )
    }
}

impl From<ExprError> for Failure {
    fn from(error: ExprError) -> Self {
        Self { place: Some((error.offset, error.len)), ..Self::usage(error.text) }
    }
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        let text = error.to_string();
        let kind = match error {
            EvalError::TooLittleHistory { .. } => "unavailable",
            EvalError::Failed(_) => "execution",
        };
        Self { kind, ..Self::unknown(text) }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let text = harmless_line(&fault.text, 400);
        match fault.code {
            // A server says with one status that it cannot parse and that it cannot evaluate.
            FaultCode::Query if text.contains("pars") || text.contains("invalid parameter") => {
                Self::usage(text)
            }
            FaultCode::Query => Self { kind: "execution", ..Self::unknown(text) },
            FaultCode::TimedOut => Self { kind: "timeout", ..Self::unknown(text) },
            _ => Self::unknown(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::Expr;

    #[test]
    fn an_error_shows_its_place_in_the_line_it_is_in() {
        let expression = "up\n + größe{é=\"\u{1b}\"} + raet(up[5m])";
        let failure = Failure::from(Expr::parse("up + raet(up[5m])").unwrap_err());
        assert_eq!(
            failure.picture("up + raet(up[5m])"),
            "unknown function raet; did you mean rate?\n  up + raet(up[5m])\n       ^^^^"
        );
        let failure = Failure::from(ExprError { offset: 8, len: 2, text: "x\u{1b}".into() });
        assert_eq!(
            failure.picture(expression),
            "x\\u{1b}\n   + größe{é=\"\\u{1b}\"} + raet(up[5m])\n       ^".to_owned()
        );
        assert_eq!(failure.document(expression)["error"], "2:6: parse error: x\u{1b}");
    }
}
