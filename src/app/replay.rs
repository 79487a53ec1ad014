//! A room on a capture instead of on living sources.

use std::sync::Arc;

use crate::engine::Watch;
use crate::model::{Time, duration};

use super::log::{Log, LogKind};
use super::msg::Effect;
use super::state::State;

/// How the replay stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// How many times faster than it was.
    pub speed: f64,
    /// It stands still until it is told to go on.
    pub paused: bool,
    /// There is no more.
    pub ended: bool,
    /// What is wrong with the capture.
    pub trouble: Vec<String>,
}

/// What a replay can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayControl {
    /// Stand still, or go on.
    Pause,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// To this moment.
    Seek(Time),
}

impl Replay {
    /// For the header: `10x`, `paused`, `end of capture`.
    pub fn words(&self) -> String {
        match (self.ended, self.paused) {
            (true, _) => "end of capture".into(),
            (_, true) => "paused".into(),
            _ => format!("{}x", self.speed),
        }
    }
}

/// The replay stands otherwise.
pub(super) fn told(state: &mut State, replay: Replay) {
    let trouble = replay.trouble.clone();
    let before = state.replay.replace(replay);
    let known = before.map(|before| before.trouble).unwrap_or_default();
    let now = state.now;
    for trouble in trouble.iter().filter(|trouble| !known.contains(trouble)) {
        state.log.add(now, LogKind::Source, format!("capture: {trouble}"));
    }
}

/// Back at the beginning: what was seen is to be seen again.
pub(super) fn rewound(state: &mut State, now: Time) {
    let launch = Arc::clone(&state.launch);
    let gates = state.template.iter().flat_map(|t| t.gates());
    state.watch = Watch::new(&launch, gates);
    state.log = Log::default();
    state.now = now;
}

/// Tells the replay something, where there is one.
pub(super) fn control(state: &mut State, control: ReplayControl) -> Vec<Effect> {
    if state.replay.is_none() {
        state.say("this room watches living sources: gonogo replay FILE opens a capture");
        return Vec::new();
    }
    let ended = state.replay.as_ref().is_some_and(|replay| replay.ended);
    if ended && !matches!(control, ReplayControl::Seek(_)) {
        state.say("this is the end of the capture: :seek -1m goes back");
        return Vec::new();
    }
    vec![Effect::Replay(control)]
}

/// `:seek TIME`: a time, a time of day on the capture's day, `+1m` or `-1m`.
pub(super) fn seek(state: &mut State, text: &str) -> Vec<Effect> {
    match moment(text, state.now) {
        Ok(at) => control(state, ReplayControl::Seek(at)),
        Err(why) => {
            state.say(why);
            Vec::new()
        }
    }
}

fn moment(text: &str, now: Time) -> Result<Time, String> {
    if let Some(span) = text.strip_prefix('+') {
        return duration::parse(span).map(|span| now.after(span));
    }
    if let Some(span) = text.strip_prefix('-') {
        return duration::parse(span).map(|span| now.before(span));
    }
    if text.len() <= 8 && text.contains(':') {
        let full = if text.len() == 5 { format!("{text}:00") } else { text.to_owned() };
        return Time::parse(&format!("{}T{full}Z", now.date())).map_err(|_| {
            format!("{text:?} is no time of day: write 15:00, +1m, -1m or 2025-12-02T15:00:00Z")
        });
    }
    Time::parse(text)
}
