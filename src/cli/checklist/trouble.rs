//! What the ledger says when it says no: a sentence, a code, an exit.

use serde_json::json;

use crate::ledger::LedgerError;
use crate::model::text;

use super::super::{Common, Exit, Output, output};

/// Tells the ledger's errors and turns them into an exit; others pass through.
pub(super) fn told(error: anyhow::Error, common: &Common) -> anyhow::Result<Exit> {
    let Some(ledger) = error.downcast_ref::<LedgerError>() else { return Err(error) };
    let (code, exit) = kind(ledger);
    let words = text::harmless(&ledger.to_string()).into_owned();
    if common.output == Output::Json {
        output::json(&json!({ "reason": { "code": code, "text": words } }))?;
    }
    output::complain(&words);
    Ok(exit)
}

fn kind(error: &LedgerError) -> (&'static str, Exit) {
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
