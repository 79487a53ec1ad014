//! Pass, fail, unknown. Only pass is GO.

use std::fmt;

use serde::Serialize;

/// Why a verdict is what it is: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable and kebab-case: `above`, `no-data`, `nan`, `stale`, `unreachable`, …
    pub code: String,
    /// A short sentence, harmless to print.
    pub text: String,
}

impl Reason {
    /// A reason; `text` is made harmless here.
    pub fn new(code: impl Into<String>, text: impl AsRef<str>) -> Self {
        Self { code: code.into(), text: super::text::harmless_line(text.as_ref(), 300) }
    }
}

impl From<&super::Fault> for Reason {
    fn from(fault: &super::Fault) -> Self {
        Self { code: fault.code.as_str().into(), text: fault.text.clone() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The verdict of a signal or a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The condition holds, on a number that was true a moment ago.
    Pass,
    /// It cannot be told; never drawn or counted as pass.
    Unknown,
    /// The condition does not hold.
    Fail,
}

impl Verdict {
    /// The word for the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }

    /// The glyph for the screen; state is never told by colour alone.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Unknown => "?",
            Self::Fail => "✗",
        }
    }
}
