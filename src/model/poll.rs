//! What one poll of one source brought back. Made at the edge, by `sources`, and judged by `engine`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::identity::{IdentityAnswer, Meta, Whoami};
use super::{AlertsAnswer, Caps, Fault, Flag, Labels, SignalId, SourceId, Time};

/// One poll, well ended or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    /// The source that was asked.
    pub source: SourceId,
    /// When the request was sent, by this program's clock.
    pub asked: Time,
    /// How long the answer took.
    pub took: Duration,
    /// The answer, or why there is none.
    pub outcome: Result<Answer, Fault>,
}

/// What a source answered. As JSON (in captures) it is everything but the signals, whose numbers are
/// kept as samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// One for each signal on the source, in the order of the config.
    #[serde(skip)]
    pub signals: Vec<SignalAnswer>,
    /// The flags, from a source that has some.
    pub flags: Option<FlagsAnswer>,
    /// Why flags that no gate and no list of the launch needs were not told; the rest of the answer stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags_fault: Option<Fault>,
    /// The alerts, from a source that tells some; a fault of their own where only they failed.
    pub alerts: Option<Result<AlertsAnswer, Fault>>,
    /// Who the credential stands for, from a source that can tell.
    pub whoami: Option<Whoami>,
    /// The service's description of itself.
    pub meta: Option<Meta>,
    /// What an identity service tells beside flags.
    pub identity: Option<IdentityAnswer>,
    /// What the screen says about the exchange.
    pub notes: Notes,
}

/// One signal's part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalAnswer {
    /// The signal.
    pub signal: SignalId,
    /// The instant vector, or why there is none (refused query, too little history).
    pub result: Result<Vec<Point>, Fault>,
    /// Why the numbers may be incomplete (a server's warnings, a failed target, an unreadable line
    /// with a wanted name). Any warning makes a gate on the signal unknown.
    pub warnings: Vec<String>,
    /// Older points, oldest first, to fill the chart; sent once, with the first answer.
    pub history: Vec<(Labels, Vec<(Time, f64)>)>,
}

/// One series of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its labels; label values are as sent and made harmless where they are drawn or printed.
    pub labels: Labels,
    /// Its value; NaN and ±Inf come through as they are.
    pub value: f64,
    /// When the oldest sample behind the value was taken, by this program's clock: the server's own
    /// age of the sample, subtracted from the moment of asking. A series that died answers for five
    /// minutes in Prometheus, and only this tells.
    pub sampled: Time,
}

/// The flags of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlagsAnswer {
    /// The environment the server says it speaks of.
    pub environment: String,
    /// What it knows of the flags that were asked for.
    pub flags: Vec<Flag>,
    /// Keys that were asked for and do not exist there. Missing is an error, not off.
    pub missing: Vec<String>,
    /// What the provider can tell; what it cannot is neither "none" nor "off".
    pub caps: Caps,
}

/// Remarks on an exchange.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// Series kept, after the filter.
    pub series_kept: usize,
    /// Series the endpoint sent.
    pub series_sent: usize,
    /// Lines that could not be read.
    pub unreadable: usize,
    /// The first of them: line number and what is wrong with it.
    pub first_unreadable: Option<(u64, String)>,
    /// Series left out because of `max-series`.
    pub series_cut: usize,
    /// Server's clock less this program's, in seconds, where the server said its time.
    pub clock_offset: Option<f64>,
    /// What the server says it is: `Prometheus 2.42.0`.
    pub engine: Option<String>,
    /// A server's remarks on queries, by signal: the values are whole.
    pub infos: Vec<(SignalId, String)>,
    /// Why signals have no series, where it could be told.
    pub absences: Vec<(SignalId, String)>,
    /// What else a person should know: a part of the exchange that failed, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Decoded bytes read.
    pub bytes: u64,
    /// Whether the server said that nothing changed (304).
    pub not_modified: bool,
}

impl Notes {
    /// `1 line unreadable`, `2 lines unreadable`; `None` where all could be read.
    pub fn unreadable_lines(&self) -> Option<String> {
        match self.unreadable {
            0 => None,
            1 => Some("1 line unreadable".into()),
            many => Some(format!("{many} lines unreadable")),
        }
    }
}
