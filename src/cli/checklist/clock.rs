//! The verbs of the clock: `t0`, `hold`, `resume`, `extend`, `recycle`, `scrub`, `lift-off`.
//!
//! JSON of each: see [`super::write`]. `resume` of a hold that ends by gates, and `lift-off`, poll every gate
//! that counts, and need Pass from that answer.

use std::time::Duration;

use crate::checklist::template::Exit as HoldExit;
use crate::checklist::{Command, Run};
use crate::model::{Time, duration};

use super::super::{Common, Exit};
use super::numbers;
use super::place::Place;
use super::write::{On, Pen};

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Set or move T-0
    T0(T0),
    /// Hold the clock
    Hold(Hold),
    /// End the hold, where what it waits for has come
    Resume(Polled),
    /// Let the hold last longer
    Extend(Extend),
    /// Go back to a built-in hold, with a reason, and hold there
    Recycle(Recycle),
    /// Call the launch off for now, with a reason
    Scrub(Scrub),
    /// T-0: every gate that counts is polled for it, and must pass
    LiftOff(Polled),
}

/// `t0 RUN TIME`.
#[derive(Debug, clap::Args)]
pub(super) struct T0 {
    #[command(flatten)]
    on: On,
    /// The new T-0, in RFC 3339 or Unix seconds
    #[arg(value_parser = Time::parse)]
    time: Time,
}

/// `hold RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Hold {
    #[command(flatten)]
    on: On,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// `resume RUN`, `lift-off RUN`.
#[derive(Debug, clap::Args)]
pub(super) struct Polled {
    #[command(flatten)]
    on: On,
    /// The longest to wait until all gates can be judged [default: the longest window and hold and a minute]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// `extend RUN DURATION`.
#[derive(Debug, clap::Args)]
pub(super) struct Extend {
    #[command(flatten)]
    on: On,
    /// By how much: 10m
    #[arg(value_parser = duration::parse)]
    duration: Duration,
}

/// `recycle RUN HOLD --reason`.
#[derive(Debug, clap::Args)]
pub(super) struct Recycle {
    #[command(flatten)]
    on: On,
    /// The built-in hold's id
    hold: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `scrub RUN --reason`.
#[derive(Debug, clap::Args)]
pub(super) struct Scrub {
    #[command(flatten)]
    on: On,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(verb: &Verb, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    match verb {
        Verb::T0(args) => args.on.open(place, common)?.write(&Command::SetT0 { t0: args.time }),
        Verb::Hold(args) => {
            args.on.open(place, common)?.write(&Command::Hold { reason: args.reason.clone() })
        }
        Verb::Resume(args) => resume(args, place, common),
        Verb::Extend(args) => args.on.open(place, common)?.write(&Command::Extend { by: args.duration }),
        Verb::Recycle(args) => args
            .on
            .open(place, common)?
            .write(&Command::Recycle { hold: args.hold.clone(), reason: args.reason.clone() }),
        Verb::Scrub(args) => {
            args.on.open(place, common)?.write(&Command::Scrub { reason: args.reason.clone() })
        }
        Verb::LiftOff(args) => {
            let pen = args.on.open(place, common)?;
            pen.would(&[&Command::LiftOff { evidence: numbers::to_come() }])?;
            let evidence = numbers::of_all(&pen, "lifted off", args.timeout)?;
            pen.write(&Command::LiftOff { evidence })
        }
    }
}

fn resume(args: &Polled, place: &Place, common: &Common) -> anyhow::Result<Exit> {
    let pen = args.on.open(place, common)?;
    pen.would(&[&Command::Resume { evidence: numbers::to_come() }])?;
    let evidence = if ends_by_gates(&pen.run, Pen::now()) {
        numbers::of_all(&pen, "resumed", args.timeout)?
    } else {
        Vec::new()
    };
    pen.write(&Command::Resume { evidence })
}

fn ends_by_gates(run: &Run, now: Time) -> bool {
    let held = run.clock.hold_at(&run.template, now);
    let def = held.and_then(|held| run.template.hold(held.hold.as_deref()?));
    def.is_some_and(|def| matches!(def.exit, HoldExit::Gates | HoldExit::Poll))
}
