//! Every fault a source can have, made by a server that does it.
//!
//! `list` is the list, `acts` what its servers do; `patient` is a server that is well, is made sick, and is healed; `rules` holds
//! every fault against the rules of the room (words, verdicts, recovery); `room` opens the real
//! program on all of them at once; `harmless` looks for what may never reach a terminal; `peace` asks
//! while a server wants to be left alone.

mod acts;
mod harmless;
mod list;
mod patient;
mod peace;
mod room;
mod rules;

use std::fmt::Write as _;

use patient::Patient;

/// A config with a source, a signal and a gate for each patient, polled each second.
fn config(patients: &[Patient]) -> String {
    let mut text = "schema = 1\n[launch]\nproduct = \"Ward\"\nversion = \"1\"\nenvironment = \"production\"\nwrite = true\n"
        .to_owned();
    for patient in patients {
        let name = patient.name();
        let _ = write!(
            text,
            "[source.{name}]\n{}every = \"{}\"\n{}allow-http = true\n",
            patient.address(),
            if patient.case().is_heavy() { "5s" } else { "1s" },
            patient.settings()
        );
    }
    for patient in patients {
        text += &patient.watched();
    }
    text
}
