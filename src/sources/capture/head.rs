//! The first line of the JSON lines beside a capture: everything a replay needs but the polls.

use serde::{Deserialize, Serialize};

use crate::model::{Labels, SourceId, Time};

/// The form of the JSON lines that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// What a capture was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the program that wrote it.
    pub gonogo: String,
    /// The form of the lines: [`SCHEMA`].
    pub schema: u32,
    /// When recording began.
    pub began: Time,
    /// The launch config, without comments and secrets.
    pub config: Written,
    /// The checklist, where the config names one.
    pub checklist: Option<Written>,
    /// The sources that were polled.
    pub sources: Vec<SourceHead>,
}

/// A file's name and text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What marks the samples of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceHead {
    /// The source.
    pub id: SourceId,
    /// Of a scrape source the labels that each endpoint's series carry.
    #[serde(default)]
    pub targets: Vec<Vec<(String, String)>>,
}

impl Head {
    /// The head of a capture of this launch.
    pub fn new(config: Written, checklist: Option<Written>, began: Time, sources: Vec<SourceHead>) -> Self {
        Self { gonogo: env!("CARGO_PKG_VERSION").into(), schema: SCHEMA, began, config, checklist, sources }
    }
}

impl SourceHead {
    /// A source with the labels of its endpoints.
    pub fn new(id: SourceId, targets: &[Labels]) -> Self {
        let pairs = |labels: &Labels| labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        Self { id, targets: targets.iter().map(pairs).collect() }
    }

    /// Whether a series came from one of its endpoints.
    pub(super) fn owns(&self, series: &Labels) -> bool {
        self.targets.iter().any(|pairs| {
            !pairs.is_empty() && series.contains(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))
        })
    }
}
