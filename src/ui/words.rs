//! How things are said everywhere on the screen: names, ages, moments.

use std::time::Duration;

use crate::checklist::Author;
use crate::model::{Time, duration::short, text};

/// Nobody vouched for the name: the ledger says `unverified:ana`, the screen `ana?`.
const UNVERIFIED: &str = "unverified:";

/// A name for a list: `ana@corp`, or `ana?` where nobody authenticated.
pub(super) fn who(author: &Author) -> String {
    match author.by.strip_prefix(UNVERIFIED) {
        Some(name) => format!("{}?", text::harmless_line(name, 20)),
        None => text::harmless_line(&author.by, 20),
    }
}

/// A name where there is room: `ana (unverified)`, and the role.
pub(super) fn who_in_full(author: &Author) -> String {
    let name = match author.by.strip_prefix(UNVERIFIED) {
        Some(name) => format!("{} (unverified)", text::harmless_line(name, 60)),
        None => text::harmless_line(&author.by, 60),
    };
    match &author.role {
        Some(role) => format!("{name} as {}", text::harmless_line(role, 40)),
        None => name,
    }
}

/// A moment for a list: `13:41` today, the date on any other day.
pub(super) fn when(at: Time, now: Time) -> String {
    if at.date() == now.date() { at.clock().chars().take(5).collect() } else { at.date() }
}

/// `as of 14:02:40`
pub(super) fn as_of(now: Time, age: Duration) -> String {
    format!("as of {}", now.before(age).clock())
}

/// An age, or the word for none.
pub(super) fn age(age: Option<Duration>) -> String {
    age.map_or_else(|| "never".into(), |age| short(floor(age)))
}

/// Ages below a second are told in whole seconds: nobody acts on milliseconds, and they flicker.
pub(super) fn floor(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_nobody_vouched_for_says_so() {
        let ana = Author::unverified("ana").acting_as("captain");
        assert_eq!(who(&ana), "ana?");
        assert_eq!(who_in_full(&ana), "ana (unverified) as captain");
        assert_eq!(who(&Author::verified("ana@corp", "https://id", "u1")), "ana@corp");
    }
}
