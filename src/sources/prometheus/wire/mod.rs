//! The JSON of the HTTP API, read in place: no value of an answer becomes a tree or a text first, and
//! no shape of an answer needs much more memory than its bytes.
//!
//! An answer as servers write it goes a shorter way, [`plain`], to the same values.
//!
//! What is not known is left out; what is known and has another shape than promised is an error,
//! never a number.

mod decimal;
mod labels;
mod plain;
mod result;
mod sample;
mod texts;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub(super) use labels::Metrics;
pub(super) use plain::{Plain, plain};
pub(super) use result::{Half, Held, Outcome};
use texts::Texts;

/// An answer, well or not, with data of one kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "D: Deserialize<'de>")]
pub(super) struct Envelope<D> {
    pub(super) status: Option<Box<str>>,
    // `Option::None` where there is none, and no `D: Default` asked for.
    #[serde(default = "Option::default")]
    pub(super) data: Option<D>,
    pub(super) error_type: Option<Box<str>>,
    pub(super) error: Option<Box<str>>,
    #[serde(default)]
    pub(super) warnings: Texts,
    #[serde(default)]
    pub(super) infos: Texts,
    /// `VictoriaMetrics`' word for an answer that lacks a part of its storage.
    pub(super) is_partial: Option<bool>,
}

/// The words of a refusal; its data, whatever they are, do not count.
pub(super) type Refusal = Envelope<IgnoredAny>;

/// What `status/buildinfo` tells. Which of it is told differs from engine to engine.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BuildInfo {
    pub(super) application: Option<Box<str>>,
    pub(super) version: Option<Box<str>>,
    pub(super) revision: Option<Box<str>>,
    pub(super) go_version: Option<Box<str>>,
}

/// Pushes so that no more than half of what is held stays unused: doubling would let a hostile answer
/// take several times its bytes.
fn push<T>(all: &mut Vec<T>, item: T) {
    if all.len() == all.capacity() {
        all.reserve_exact(all.len() / 2 + 4);
    }
    all.push(item);
}

/// The beginning of what could not be read, for its error.
fn beginning(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
