//! The log: what happened while the room was open, newest last.

use std::collections::VecDeque;

use crate::model::Time;

/// How many lines are kept.
const KEPT: usize = 1_000;

/// What kind of thing happened; some are marks on the charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// A source failed or is back.
    Source,
    /// A flag changed.
    Flag,
    /// An alert began to fire.
    AlertFires,
    /// An alert ceased to fire.
    AlertEnds,
    /// An alert became pending.
    Alert,
    /// A gate turned.
    Gate,
    /// Somebody acts in somebody else's name, or has changed something that the identity service wrote
    /// down.
    Identity,
    /// Something was ticked, skipped, opened again, noted.
    Run,
    /// The program has something to say.
    Notice,
}

impl LogKind {
    /// The word for the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Flag => "flag",
            Self::AlertFires | Self::AlertEnds | Self::Alert => "alert",
            Self::Gate => "gate",
            Self::Identity => "audit",
            Self::Run => "run",
            Self::Notice => "gonogo",
        }
    }

    /// The glyph with which it marks a chart, for the kinds that do.
    pub fn mark(self) -> Option<&'static str> {
        match self {
            Self::Flag => Some("⚑"),
            Self::AlertFires => Some("▲"),
            Self::AlertEnds => Some("△"),
            Self::Run => Some("✓"),
            Self::Alert | Self::Source | Self::Gate | Self::Identity | Self::Notice => None,
        }
    }
}

/// One line; its text is harmless to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Time,
    /// What kind of thing.
    pub kind: LogKind,
    /// What happened, in words.
    pub text: String,
}

/// The lines, bounded.
#[derive(Clone, Debug, Default)]
pub struct Log(VecDeque<LogLine>);

impl Log {
    /// Adds a line; the text is made harmless here.
    pub fn add(&mut self, at: Time, kind: LogKind, text: impl AsRef<str>) {
        self.0.push_back(LogLine { at, kind, text: crate::model::text::harmless_line(text.as_ref(), 400) });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.0.iter()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
