//! The health of a source.

use serde::Serialize;

/// How far a source's last word can be trusted; always shown with an age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It has not answered since the program began.
    #[default]
    Never,
    /// Its last poll succeeded, not long ago.
    Fresh,
    /// Its last answer is older than three of its intervals, and no poll has failed since.
    Stale,
    /// Its last poll failed.
    Failed,
}

impl Health {
    /// The word for the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never seen",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }

    /// The glyph for the screen.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Never => "○",
            Self::Fresh => "●",
            Self::Stale => "◌",
            Self::Failed => "✗",
        }
    }
}
