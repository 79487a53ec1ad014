//! The flags that matter, as their provider has shown them.

use crate::model::poll::FlagsAnswer;
use crate::model::{Flag, FlagDef, Time};

/// What is known of one flag.
#[derive(Clone, Debug)]
pub struct FlagState {
    /// Which flag, and where it is asked for.
    pub def: FlagDef,
    /// Its last known state, kept when a later answer does not hold it.
    pub flag: Option<Flag>,
    /// Whether the last answer said that it does not exist; an error, not "off".
    pub missing: bool,
    /// When the provider last spoke of it.
    pub asked: Option<Time>,
}

impl FlagState {
    /// A flag nobody has told of yet.
    pub fn new(def: FlagDef) -> Self {
        Self { def, flag: None, missing: false, asked: None }
    }

    /// Takes an answer in; returns the change in words where the rollout has moved.
    pub fn observe(&mut self, asked: Time, answer: &FlagsAnswer) -> Option<String> {
        self.asked = Some(asked);
        let found = answer.flags.iter().find(|flag| flag.key == self.def.key);
        self.missing = found.is_none();
        let new = found?;
        let change = self.flag.as_ref().and_then(|old| change_text(old, new));
        self.flag = Some(new.clone());
        change
    }
}

fn change_text(old: &Flag, new: &Flag) -> Option<String> {
    if old.enabled != new.enabled {
        return Some(format!("{} {}", new.key, if new.enabled { "switched on" } else { "switched off" }));
    }
    (old.percent != new.percent)
        .then(|| format!("{} {} → {}", new.key, old.percent.text(), new.percent.text()))
}
