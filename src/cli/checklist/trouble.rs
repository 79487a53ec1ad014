//! What the ledger and the numbers say when they say no: a sentence, a code, an exit.

use serde_json::{Value, json};

use crate::ledger::LedgerError;
use crate::model::text;

use super::super::{Common, Exit, Output, output};
use super::numbers::Unproven;

/// Tells the errors of the ledger and of numbers that do not pass, and turns them into an exit; others
/// pass through.
pub(super) fn told(error: anyhow::Error, common: &Common) -> anyhow::Result<Exit> {
    let (code, exit, words, more) = if let Some(ledger) = error.downcast_ref::<LedgerError>() {
        let (code, exit) = kind(ledger);
        (code, exit, ledger.to_string(), json!({}))
    } else if let Some(unproven) = error.downcast_ref::<Unproven>() {
        (unproven.code, unproven.exit, unproven.to_string(), unproven.told.clone())
    } else {
        return Err(error);
    };
    let words = text::harmless(&words).into_owned();
    if common.output == Output::Json {
        let mut document = json!({ "reason": { "code": code, "text": words } });
        if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
            document.extend(more);
        }
        output::json(&document)?;
    }
    output::complain(&words);
    Ok(exit)
}

/// The code and the exit of what the ledger says.
pub(super) fn kind(error: &LedgerError) -> (&'static str, Exit) {
    match error {
        LedgerError::NoSuchRun { .. } => ("no-such-run", Exit::Usage),
        LedgerError::Ambiguous { .. } => ("ambiguous", Exit::Usage),
        LedgerError::Conflict(_) => ("conflict", Exit::Conflict),
        LedgerError::Refused(_) => ("refused", Exit::No),
        LedgerError::Unconfirmed(_) => ("unconfirmed", Exit::NotSaved),
        LedgerError::NotSaved { .. } => ("not-saved", Exit::NotSaved),
        LedgerError::Damaged { .. } => ("damaged", Exit::No),
        LedgerError::Unreadable { .. } => ("unreadable", Exit::No),
    }
}
