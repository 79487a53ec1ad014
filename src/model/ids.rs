//! Names of things, as types, so that a signal's name cannot be passed for a source's.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps a name; settings have checked it, the rest of the program takes it as it is.
            pub fn new(name: impl Into<Box<str>>) -> Self {
                Self(name.into())
            }

            /// The name as written in the file.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id!(
    /// A source: the key of a `[source.NAME]` table.
    SourceId
);
id!(
    /// A signal: the `id` of a `[[signal]]`.
    SignalId
);
id!(
    /// A gate: the `id` of a `[[gate]]`, or of the checklist item it belongs to.
    GateId
);
id!(
    /// A checklist item: the `id` of an `[[item]]`.
    ItemId
);
id!(
    /// A run: the name of its directory in the ledger.
    RunId
);
