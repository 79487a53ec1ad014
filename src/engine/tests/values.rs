//! Everything that a source can send or not send, in any order: whatever a gate has seen, it passes
//! only where that can be shown from what was good.

use proptest::prelude::*;

use super::*;

const MAX_AGE: i64 = 15;

/// What one poll brings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    Value(f64),
    /// Nothing listens.
    Down,
    /// A status of 500.
    Broken,
    /// The answer did not come in time.
    Slow,
    /// A body that ended early.
    CutShort,
    /// The server refused this query and answered the others.
    Refused,
    /// The server says that its answer is partial, with a number that would pass.
    Warning,
    Empty,
    NaN,
    Infinite,
    MinusInfinite,
    /// One series more than expected, each of which would pass.
    TooMany,
    /// Only series of other queues.
    Others,
    /// A good number that is this many seconds old by the server's clock.
    Old(i64),
    /// A good number from a clock that is ahead.
    Ahead(i64),
    /// An answer that tells nothing of the signal.
    Untold,
}

fn any_sent() -> impl Strategy<Value = Sent> {
    let value = prop_oneof![
        6 => 0.0..399.0_f64,
        1 => 400.0..499.0_f64,
        1 => prop::sample::select(vec![500.0, 499.999_999, -1e300, f64::MIN_POSITIVE, -0.0, 400.0, 1e308]),
        1 => 500.0..1e6_f64,
    ];
    let odd = prop::sample::select(vec![
        Sent::Down,
        Sent::Broken,
        Sent::Slow,
        Sent::CutShort,
        Sent::Refused,
        Sent::Warning,
        Sent::Empty,
        Sent::NaN,
        Sent::Infinite,
        Sent::MinusInfinite,
        Sent::TooMany,
        Sent::Others,
        Sent::Old(14),
        Sent::Old(16),
        Sent::Old(240),
        Sent::Old(3600),
        Sent::Ahead(5),
        Sent::Ahead(8),
        Sent::Ahead(3600),
        Sent::Untold,
    ]);
    prop_oneof![3 => value.prop_map(Sent::Value), 1 => odd]
}

fn polled(sent: Sent, asked: Time) -> Polled {
    let one = |value: f64, sampled: Time| depth(&[("tasks", value), ("billing", 9e9)], sampled);
    let fault = |code: FaultCode| Polled {
        source: "prom".into(),
        asked,
        took: Duration::ZERO,
        outcome: Err(Fault::new(code, "no")),
    };
    let signal = match sent {
        Sent::Down => return fault(FaultCode::Unreachable),
        Sent::Broken => return fault(FaultCode::Status),
        Sent::Slow => return fault(FaultCode::TimedOut),
        Sent::CutShort => return fault(FaultCode::CutShort),
        Sent::Value(value) => one(value, asked),
        Sent::Refused => {
            SignalAnswer { result: Err(Fault::new(FaultCode::Status, "bad query")), ..one(1.0, asked) }
        }
        Sent::Warning => SignalAnswer { warnings: vec!["1 of 3 targets".into()], ..one(1.0, asked) },
        Sent::Empty => depth(&[], asked),
        Sent::NaN => one(f64::NAN, asked),
        Sent::Infinite => one(f64::INFINITY, asked),
        Sent::MinusInfinite => one(f64::NEG_INFINITY, asked),
        Sent::Others => depth(&[("billing", 1.0)], asked),
        Sent::Old(seconds) => one(1.0, asked.before(secs(seconds))),
        Sent::Ahead(seconds) => one(1.0, asked.after(secs(seconds))),
        Sent::TooMany => {
            let mut answer = one(1.0, asked);
            if let Ok(points) = &mut answer.result {
                let labels = Labels::from_pairs([("queue", "tasks"), ("pod", "b")]);
                points.push(Point { labels, value: 1.0, sampled: asked });
            }
            answer
        }
        Sent::Untold => return poll(asked, Vec::new()),
    };
    poll(asked, vec![signal])
}

fn secs(seconds: i64) -> Duration {
    Duration::from_secs(seconds as u64)
}

fn guarded(hold: i64, clear: Option<f64>) -> GateDef {
    GateDef { hold: secs(hold), clear, expect_series: Some(1), ..gate_def() }
}

/// What a person would say who sees all polls (moment, what it brought) and the time.
struct Seen<'s> {
    polls: &'s [(i64, Sent)],
    hold: i64,
    clear: Option<f64>,
}

/// A poll as that person takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Taken {
    /// A number that passes, with the moment of its sample.
    Good(i64, f64),
    /// It fails, or cannot be told: nothing is held.
    Bad(f64),
    Untellable,
    /// No answer: it decides nothing.
    Missed,
}

fn taken(at: i64, sent: Sent) -> Option<Taken> {
    Some(match sent {
        Sent::Untold => return None,
        Sent::Down | Sent::Broken | Sent::Slow | Sent::CutShort => Taken::Missed,
        Sent::Value(value) if value < 500.0 => Taken::Good(at, value),
        Sent::Value(value) => Taken::Bad(value),
        Sent::Old(seconds) if seconds <= MAX_AGE => Taken::Good(at - seconds, 1.0),
        Sent::Ahead(seconds) if seconds * 2 <= MAX_AGE => Taken::Good(at + seconds, 1.0),
        _ => Taken::Untellable,
    })
}

impl Seen<'_> {
    /// Whether a pass can be defended at a moment.
    fn defends_pass(&self, now: i64) -> Result<(), String> {
        let mut failed = false;
        let mut cleared = 0;
        let mut window: Vec<(i64, bool)> = Vec::new();
        let mut last = None;
        for (at, sent) in self.polls {
            let Some(mut taken) = taken(*at, *sent) else { continue };
            if let (Taken::Good(_, value), true, Some(clear)) = (taken, failed, self.clear)
                && value >= clear
            {
                taken = Taken::Bad(value);
            }
            match taken {
                Taken::Good(..) => {
                    cleared += 1;
                    failed &= cleared < 2 && self.clear.is_some();
                    let good_before = window.last().map(|(t, _)| *t);
                    if good_before.is_some_and(|before| at - before > MAX_AGE) {
                        window.clear();
                    }
                    window.push((*at, true));
                }
                Taken::Bad(_) => (failed, cleared) = (true, 0),
                Taken::Untellable => cleared = 0,
                Taken::Missed if window.is_empty() => {}
                Taken::Missed => window.push((*at, false)),
            }
            if matches!(taken, Taken::Bad(_) | Taken::Untellable) {
                window.clear();
            }
            if taken != Taken::Missed {
                last = Some(taken);
            }
        }
        let Some(Taken::Good(sampled, value)) = last else { return Err(format!("the last was {last:?}")) };
        if now - sampled > MAX_AGE || (sampled - now) * 2 > MAX_AGE {
            return Err(format!("{value} is of {sampled}"));
        }
        if failed {
            return Err("it failed and has not cleared".into());
        }
        let held: i64 = window.windows(2).filter(|w| w[0].1 && w[1].1).map(|w| w[1].0 - w[0].0).sum();
        if held < self.hold {
            return Err(format!("held {held} s"));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("GONOGO_SOAK").is_ok_and(|v| v == "1") { 50_000 } else { 1_000 },
        ..ProptestConfig::default()
    })]

    /// Polls of anything, at the interval, late, or after the laptop slept; the room's clock ticks in
    /// between, or not.
    #[test]
    fn a_gate_passes_only_on_what_can_be_defended(
        polls in prop::collection::vec((any_sent(), prop::sample::select(vec![5, 5, 5, 5, 5, 5, 9, 16, 3600])), 1..60),
        hold in prop::sample::select(vec![0, 20]),
        clear in prop::sample::select(vec![None, Some(400.0)]),
        ticks in any::<bool>(),
        late in 0..40_i64,
    ) {
        let mut w = watch(guarded(hold, clear));
        let mut seen = Vec::new();
        let mut now = 0;
        for (sent, gap) in polls {
            now += gap;
            w.observe(&polled(sent, at(now)));
            seen.push((now, sent));
            let truth = Seen { polls: &seen, hold, clear };
            for later in [0, 1, 4, late] {
                let at_that_time = now + later;
                if judge(&w, at(at_that_time)).0 == Verdict::Pass {
                    prop_assert_eq!(truth.defends_pass(at_that_time), Ok(()), "{:?}", seen);
                    prop_assert_eq!(w.overall(at(at_that_time), |_| true).outcome, Outcome::Go);
                } else {
                    prop_assert_ne!(w.overall(at(at_that_time), |_| true).outcome, Outcome::Go);
                }
            }
            // Past max-age nothing passes, whatever was seen: 8 s is how far a clock may be ahead.
            prop_assert_ne!(judge(&w, at(now + MAX_AGE + 8)).0, Verdict::Pass);
            if ticks {
                (1..gap.min(5)).for_each(|s| drop(w.tick(at(now + s))));
            }
        }
    }

    /// After any past, enough good polls pass: nothing sticks, and one poll that failed among them
    /// only pauses a hold.
    #[test]
    fn after_any_past_enough_good_polls_pass_and_one_that_failed_among_them_restarts_nothing(
        past in prop::collection::vec(any_sent(), 0..20),
        hold in prop::sample::select(vec![0, 60]),
        clear in prop::sample::select(vec![None, Some(400.0)]),
        missed in 2..11_i64,
        how in prop::sample::select(vec![Sent::Down, Sent::Broken, Sent::Slow, Sent::CutShort]),
    ) {
        let mut w = watch(guarded(hold, clear));
        let mut now = 0;
        for sent in past {
            now += 5;
            w.observe(&polled(sent, at(now)));
        }
        let mut held = Duration::ZERO;
        let last_of_past = now;
        for n in 1..=15_i64 {
            now = last_of_past + n * 5;
            w.observe(&polled(if n == missed { how } else { Sent::Value(1.0) }, at(now)));
            drop(w.tick(at(now)));
            let progress = w.judge(&GateId::from("queue-healthy"), at(now)).unwrap().hold;
            // From the second good poll on the past is behind, and what is held only grows.
            if let Some(progress) = progress.filter(|_| n > 2) {
                prop_assert!(progress.held >= held, "{:?} after {:?}", progress, held);
                held = progress.held;
            }
        }
        prop_assert_eq!(judge(&w, at(now)).0, Verdict::Pass, "{:?}", judge(&w, at(now)));
    }
}

/// Each trouble by itself, after a gate that has passed and held: what it says at once, and past
/// max-age.
#[test]
fn each_trouble_decides_nothing_at_once_or_past_max_age() {
    let stays = [Sent::Down, Sent::Broken, Sent::Slow, Sent::CutShort, Sent::Untold];
    let all = [
        (Sent::Down, Verdict::Unknown, "unreachable"),
        (Sent::Broken, Verdict::Unknown, "status"),
        (Sent::Slow, Verdict::Unknown, "timed-out"),
        (Sent::CutShort, Verdict::Unknown, "cut-short"),
        (Sent::Untold, Verdict::Unknown, "stale"),
        (Sent::Refused, Verdict::Unknown, "status"),
        (Sent::Warning, Verdict::Unknown, "partial"),
        (Sent::Empty, Verdict::Unknown, "series"),
        (Sent::Others, Verdict::Unknown, "series"),
        (Sent::TooMany, Verdict::Unknown, "series"),
        (Sent::NaN, Verdict::Unknown, "nan"),
        (Sent::Infinite, Verdict::Unknown, "infinite"),
        (Sent::MinusInfinite, Verdict::Unknown, "infinite"),
        (Sent::Old(240), Verdict::Unknown, "stale"),
        (Sent::Old(3600), Verdict::Unknown, "stale"),
        (Sent::Ahead(3600), Verdict::Unknown, "clock"),
        (Sent::Value(900.0), Verdict::Fail, "above"),
    ];
    for ((sent, verdict, code), hold) in all.into_iter().flat_map(|one| [(one, 0), (one, 20)]) {
        let mut w = watch(guarded(hold, None));
        for s in (0..=20).step_by(5) {
            w.observe(&tasks(at(s), 1.0));
        }
        assert_eq!(judge(&w, at(20)).0, Verdict::Pass);
        for s in (25..=40).step_by(5) {
            w.observe(&polled(sent, at(s)));
            drop(w.tick(at(s)));
            let young = s - 20 <= MAX_AGE && stays.contains(&sent);
            let (is, why, text) = judge(&w, at(s));
            if young && hold == 0 {
                assert_eq!(is, Verdict::Pass, "{sent:?} at {s}: a hiccup decides nothing");
            } else if young {
                // One in six is more than one in ten: so short a hold is not proven with it.
                assert!(is == Verdict::Pass || why == "holding", "{sent:?} at {s}: {why} {text}");
            } else {
                assert_eq!((is, why.as_str()), (verdict, code), "{sent:?} at {s}: {text}");
            }
        }
        // Back again, it has to be held from the start.
        w.observe(&tasks(at(45), 1.0));
        let says = judge(&w, at(45));
        let words = if hold == 0 { "1 < 500" } else { "1 < 500, held 0s of 20s" };
        assert_eq!(says.2, words, "{sent:?}");
    }
}

#[test]
fn a_gate_that_flaps_never_passes_its_hold() {
    for other in [Sent::Value(900.0), Sent::NaN, Sent::Empty, Sent::Warning, Sent::Down, Sent::Slow] {
        let mut w = watch(guarded(20, None));
        for n in 0..200_i64 {
            w.observe(&polled(if n % 2 == 0 { Sent::Value(1.0) } else { other }, at(n * 5)));
            assert_ne!(judge(&w, at(n * 5)).0, Verdict::Pass, "{other:?}");
        }
    }
}

/// A laptop that slept, and one whose clock was set back or on by an hour, between good polls.
#[test]
fn what_was_not_watched_is_not_held() {
    for jump in [3600_i64, -3600, 86_400] {
        let mut w = watch(guarded(20, None));
        for s in (0..=20).step_by(5) {
            w.observe(&tasks(at(10_000 + s), 1.0));
        }
        let now = 10_020 + jump;
        assert_ne!(judge(&w, at(now)).0, Verdict::Pass, "{jump}");
        w.observe(&tasks(at(now), 1.0));
        assert_eq!(judge(&w, at(now)).2, "1 < 500, held 0s of 20s", "{jump}");
    }
}
