//! The one table of what a key, a palette line and the help can name.

use std::collections::BTreeMap;

use super::Key;

/// What the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Leave.
    Quit,
    /// Show the keys.
    Help,
    /// Open the palette.
    Palette,
    /// Close what is open.
    Back,
    /// Focus the next block.
    FocusNext,
    /// Focus the block before.
    FocusPrevious,
    /// Move down.
    Down,
    /// Move up.
    Up,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// Ten lines down.
    HalfDown,
    /// Ten lines up.
    HalfUp,
    /// Open what is selected.
    Open,
    /// Show the focused block alone.
    Zoom,
    /// Tick the selected check.
    Tick,
    /// Write a note.
    Note,
    /// Sign the selected item.
    Sign,
    /// Answer the poll.
    Vote,
    /// Bring evidence for the selected item.
    Evidence,
    /// Run the selected item's command.
    Run,
    /// Take back one's own last event on the selected item.
    Undo,
    /// Copy the selected item's message, or its title.
    Copy,
    /// Hold the clock.
    Hold,
    /// Open the rollback list.
    Rollback,
    /// The clock goes on.
    Resume,
    /// Let the hold last longer.
    Extend,
    /// Back to a built-in hold.
    Recycle,
    /// Call the launch off for now.
    Scrub,
    /// T-0.
    LiftOff,
    /// Ask stations.
    Poll,
    /// Take the desk.
    Desk,
    /// Leave the desk.
    LeaveDesk,
    /// Confirm what is proposed.
    Confirm,
    /// Dismiss what is proposed.
    Dismiss,
    /// Act in a role.
    ActAs,
    /// Complete a step against the rules.
    BreakGlass,
    /// Waive the selected item.
    Waive,
    /// Say that the selected item failed.
    Fail,
    /// Open another list.
    List,
    /// Close the run.
    Close,
    /// The milestones.
    Milestones,
    /// A shorter window on the chart.
    WindowShorter,
    /// A longer window on the chart.
    WindowLonger,
    /// Move the chart's cursor back in time.
    CursorLeft,
    /// Move the chart's cursor forward.
    CursorRight,
    /// The whole room.
    Room,
    /// The queues alone.
    Queues,
    /// The API alone.
    Api,
    /// The flags alone.
    Flags,
    /// Tenants alone.
    Tenants,
    /// The identity screen; there again, sign-ins and tokens.
    Identity,
    /// Choose the organisation that is looked at.
    Org,
    /// Narrow the list of changes.
    Filter,
    /// The alerts alone.
    Alerts,
    /// The checklist alone.
    Checklist,
    /// The log alone.
    Log,
    /// The gates and what they were measured on.
    Gates,
    /// The sources and their health.
    Sources,
    /// Allow changes to a live run.
    Write,
    /// Set T-0.
    SetT0,
    /// Start a run.
    Start,
    /// Let the replay stand still, or go on.
    Pause,
    /// Replay twice as fast.
    Faster,
    /// Replay half as fast.
    Slower,
    /// Go to a moment of the replay.
    Seek,
    /// Record what is polled.
    Record,
    /// Sign in.
    SignIn,
    /// Sign out.
    SignOut,
    /// Stop the program until the shell continues it.
    Suspend,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it asks for.
    pub action: Action,
    /// Its name in the palette and in `[keys]`.
    pub name: &'static str,
    /// The keys it has when the config says nothing else.
    pub keys: &'static str,
    /// The argument it takes in the palette.
    pub argument: Option<&'static str>,
    /// What it does, for the help.
    pub help: &'static str,
}

const fn row(action: Action, name: &'static str, keys: &'static str, help: &'static str) -> Row {
    Row { action, name, keys, argument: None, help }
}

const fn with(action: Action, name: &'static str, argument: &'static str, help: &'static str) -> Row {
    Row { action, name, keys: "", argument: Some(argument), help }
}

/// All of them, in the order of the help.
pub const TABLE: &[Row] = &[
    row(Action::Room, "room", "1", "the whole room"),
    row(Action::Queues, "queues", "2", "the queues alone"),
    row(Action::Api, "api", "3", "the API alone"),
    row(Action::Flags, "flags", "4", "the flags alone"),
    row(Action::Tenants, "tenants", "5", "tenants and usage"),
    row(Action::Identity, "identity", "6", "organisations, roles, changes; again: sign-ins"),
    row(Action::Alerts, "alerts", "7", "the alerts alone"),
    row(Action::Checklist, "checklist", "8", "the checklist alone"),
    row(Action::Log, "log", "9", "the log alone"),
    row(Action::Gates, "gates", "0", "every gate with what it was measured on"),
    row(Action::Sources, "sources", "s", "every source with its health"),
    row(Action::Milestones, "milestones", "M", "the milestones with what is late under each"),
    Row {
        action: Action::Org,
        name: "org",
        keys: "o",
        argument: Some("[NAME]"),
        help: "look at one organisation, or at all; gates judge everybody",
    },
    row(Action::Filter, "filter", "/", "list only the changes that hold these words"),
    row(Action::FocusNext, "focus-next", "tab", "focus the next block"),
    row(Action::FocusPrevious, "focus-previous", "shift-tab", "focus the block before"),
    row(Action::Down, "down", "j down", "down"),
    row(Action::Up, "up", "k up", "up"),
    row(Action::Top, "top", "g home", "to the first line"),
    row(Action::Bottom, "bottom", "G end", "to the last line"),
    row(Action::HalfDown, "half-down", "ctrl-d page-down", "ten lines down"),
    row(Action::HalfUp, "half-up", "ctrl-u page-up", "ten lines up"),
    row(Action::Open, "open", "enter", "open the selected item: tick, skip, reopen"),
    row(Action::Zoom, "zoom", "z", "show the focused block alone, with its chart"),
    row(Action::Back, "back", "esc", "close what is open"),
    row(Action::Tick, "tick", "space", "tick the selected check (checklist focused)"),
    row(Action::Sign, "sign", "A", "add my signature to the selected item"),
    row(Action::Vote, "vote", "v", "answer the poll: then g or n; enter never means GO"),
    row(Action::Run, "run", "x", "run the selected item's command; asks for its id"),
    row(Action::Evidence, "evidence", "e", "bring evidence for the selected item"),
    row(Action::Note, "note", "n", "write a note on the selected item"),
    row(Action::Undo, "undo", "u", "take my own last event on the item back, else reopen it"),
    row(Action::Copy, "copy", "y", "copy the item's message to the clipboard"),
    row(Action::Hold, "hold", "H", "hold the clock now"),
    row(Action::Rollback, "rollback", "R", "open the rollback list, and nothing else"),
    row(Action::WindowShorter, "window-shorter", "[", "a shorter window on the chart"),
    row(Action::WindowLonger, "window-longer", "]", "a longer window on the chart"),
    row(Action::CursorLeft, "cursor-left", "left", "the chart's cursor back in time"),
    row(Action::CursorRight, "cursor-right", "right", "the chart's cursor forward"),
    Row {
        action: Action::SignIn,
        name: "sign-in",
        keys: "S",
        argument: Some("[CREDENTIAL]"),
        help: "sign in with a browser, on any machine",
    },
    row(Action::Palette, "palette", ":", "type a command"),
    row(Action::Help, "help", "?", "this help"),
    row(Action::Suspend, "suspend", "ctrl-z", "back to the shell until `fg`"),
    row(Action::Quit, "quit", "q", "quit"),
    with(Action::SignOut, "sign-out", "[CREDENTIAL]", "forget the sign-in, here and at the issuer"),
    row(Action::Write, "write", "", "allow changes to a live run"),
    with(Action::SetT0, "t0", "TIME", "set T-0: 2025-12-02T15:00:00Z, 15:00 (UTC, the next one), +30m"),
    row(Action::Start, "start", "", "start a run of the launch's checklist"),
    row(Action::Resume, "resume", "", "end the hold; asks"),
    with(Action::Extend, "extend", "DURATION", "let the hold last longer: :extend 10m"),
    with(Action::Recycle, "recycle", "HOLD REASON", "back to a built-in hold, held there"),
    with(Action::Scrub, "scrub", "REASON", "the launch is off for now"),
    row(Action::LiftOff, "lift-off", "", "T-0: polls every gate again, and needs GO; asks"),
    with(Action::Poll, "poll", "STATION…", "ask stations outside the built-in holds; ten minutes"),
    with(Action::Desk, "desk", "[force]", "take the desk; with force also from somebody who is there"),
    row(Action::LeaveDesk, "leave-desk", "", "leave the desk to others"),
    with(Action::Confirm, "confirm", "[CAUSE]", "confirm what is proposed"),
    with(Action::Dismiss, "dismiss", "[CAUSE] REASON", "dismiss what is proposed"),
    with(Action::ActAs, "as", "ROLE", "act in a role: :as captain"),
    with(Action::Waive, "waive", "REASON", "excuse the selected item"),
    with(Action::Fail, "fail", "REASON", "the selected item did not come true"),
    with(
        Action::BreakGlass,
        "break-glass",
        "REASON",
        "complete the selected item against the rules: recorded, NO-GO",
    ),
    with(Action::List, "list", "ID [NAME=VALUE]", "open another list: the rollback, a runbook"),
    with(Action::Close, "close", "[REASON]", "close the run"),
    with(Action::Record, "record", "FILE", "write what is polled to FILE from now on; :record stop ends it"),
    row(Action::Pause, "pause", "p", "replay: stand still, or go on"),
    row(Action::Faster, "faster", ">", "replay: twice as fast"),
    row(Action::Slower, "slower", "<", "replay: half as fast"),
    with(
        Action::Seek,
        "seek",
        "TIME",
        "replay: go to a moment: 15:00 (UTC), -1m, +10m, 2025-12-02T15:00:00Z",
    ),
];

/// Which key asks for what.
#[derive(Clone, Debug, Default)]
pub struct Keymap(BTreeMap<Key, Action>);

impl Keymap {
    /// The default keys, with the rebindings of a config: command name to keys, with spaces between.
    ///
    /// # Errors
    /// A sentence that names the command or key that does not exist, or is bound twice.
    pub fn new(rebound: &BTreeMap<String, String>) -> Result<Self, String> {
        if let Some(name) = rebound.keys().find(|name| !TABLE.iter().any(|row| row.name == **name)) {
            let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            return Err(format!("[keys] {name}: no such command; there are {}", names.join(", ")));
        }
        let mut map: BTreeMap<Key, Action> = BTreeMap::new();
        // What the config binds takes its keys away from the defaults; two of its own must not meet.
        for row in TABLE {
            let Some(keys) = rebound.get(row.name) else { continue };
            for key in Key::parse_all(keys).map_err(|e| format!("[keys] {}: {e}", row.name))? {
                if map.insert(key, row.action).is_some() {
                    return Err(format!("[keys] {}: {key} is bound twice", row.name));
                }
            }
        }
        for row in TABLE.iter().filter(|row| !rebound.contains_key(row.name)) {
            for key in Key::parse_all(row.keys)? {
                map.entry(key).or_insert(row.action);
            }
        }
        Ok(Self(map))
    }

    /// What a key asks for.
    pub fn action(&self, key: Key) -> Option<Action> {
        self.0.get(&key).copied()
    }

    /// The keys of an action, in words for help and footer.
    pub fn keys(&self, action: Action) -> String {
        let keys: Vec<String> =
            self.0.iter().filter(|(_, a)| **a == action).map(|(key, _)| key.to_string()).collect();
        keys.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_once_in_the_table_and_no_key_twice() {
        let mut names: Vec<&str> = TABLE.iter().map(|r| r.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        let keys: usize = TABLE.iter().map(|r| Key::parse_all(r.keys).unwrap().len()).sum();
        assert_eq!(Keymap::new(&BTreeMap::new()).unwrap().0.len(), keys);
    }

    #[test]
    fn a_config_rebinds_keys_and_is_told_what_does_not_exist() {
        let bind = |name: &str, key: &str| BTreeMap::from([(name.to_owned(), key.to_owned())]);
        let map = Keymap::new(&bind("note", "q N")).unwrap();
        assert_eq!(map.action(Key::char('q')), Some(Action::Note));
        assert_eq!(map.keys(Action::Note), "N q");
        assert_eq!(map.action(Key::char('n')), None);
        assert!(Keymap::new(&bind("sing", "A")).unwrap_err().contains("no such command"));
        assert!(Keymap::new(&bind("note", "hyper")).unwrap_err().contains("is no key"));
    }
}
