//! The polls of a capture, one after another, as the launch's sources would have given them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::time::Duration;

use super::by_time::ByTime;
use super::chunk::{self, Known};
use super::lines::Lines;
use super::poll_line::PollLine;
use super::recorder::beside;
use super::rows;
use super::tape::{Tape, Way};
use crate::model::poll::Notes;
use crate::model::{
    Answer, Fault, FaultCode, Launch, Point, Polled, SignalAnswer, SignalDef, SignalId, SourceDef, SourceId,
    SourceKind, Time,
};
use crate::sources::Batch;
use crate::sources::scrape::Rerun;

/// A capture that is being played.
pub struct Play {
    sources: BTreeMap<SourceId, Player>,
    /// The order of polls.
    order: Order,
    samples: Samples,
    /// When the last poll was answered.
    now: Time,
    out_of_order: u64,
    damaged: u64,
    remarks: Vec<String>,
}

enum Order {
    Written(Lines),
    Made(std::vec::IntoIter<(Time, SourceId)>),
}

enum Samples {
    InPlace(File),
    ByTime(ByTime),
}

/// A source of the launch, played.
struct Player {
    kind: Kind,
    /// The series that its polls have held.
    known: Known,
    asked: Option<Time>,
}

enum Kind {
    /// Evaluated again.
    Local(Box<Rerun>),
    /// A server's own answers; those of expressions that are still asked for.
    Server(Vec<(SignalDef, bool)>),
    Other,
}

impl Tape {
    /// Plays the capture for a launch: the one that was recorded, or another, whose expressions over
    /// scrape sources are evaluated on what was recorded. `recorded` is the launch of the capture's own
    /// config, whose expressions a server has answered.
    ///
    /// # Errors
    /// A file that cannot be read, or holds more samples than memory is meant for.
    pub fn play(&self, launch: &Launch, recorded: Option<&Launch>) -> io::Result<Play> {
        let foreign = self.way == Way::Foreign;
        let sources: BTreeMap<SourceId, Player> = launch
            .sources
            .iter()
            .map(|def| (def.id.clone(), player(launch, def, recorded, foreign)))
            .collect();
        let samples = match self.way {
            Way::InPlace => Samples::InPlace(File::open(&self.path)?),
            Way::ByTime | Way::Foreign => {
                let wants =
                    |id: &SourceId, labels: &crate::model::Labels| match sources.get(id).map(|p| &p.kind) {
                        Some(Kind::Local(rerun)) => rerun.wants(labels),
                        Some(Kind::Server(_)) => rows::source(labels).is_some(),
                        Some(Kind::Other) | None => false,
                    };
                let ids: Vec<SourceId> = sources.keys().cloned().collect();
                // Without a head nothing tells whose a series is.
                Samples::ByTime(ByTime::read(&self.path, self.head(), &ids, &wants)?)
            }
        };
        let mut remarks = Vec::new();
        let order = match &samples {
            Samples::ByTime(by_time) if foreign => {
                let every = |id: &SourceId| launch.source(id).map_or(Duration::from_secs(5), |s| s.every);
                let mut all: Vec<(Time, SourceId)> = Vec::new();
                for id in sources.keys() {
                    all.extend(by_time.moments(id, every(id)).into_iter().map(|at| (at, id.clone())));
                }
                all.sort();
                if all.is_empty() {
                    remarks.push("the capture holds no series that the launch's expressions ask for".into());
                }
                Order::Made(all.into_iter())
            }
            _ => Order::Written(Lines::open(&beside(&self.path))?),
        };
        if let Order::Written(_) = order
            && let Some(head) = self.head()
        {
            for def in &launch.sources {
                if !head.sources.iter().any(|source| source.id == def.id) {
                    remarks.push(format!("the capture holds nothing of the source {}", def.id));
                }
            }
        }
        if let Samples::ByTime(by_time) = &samples {
            remarks.extend(of_samples(&by_time.capture));
        }
        let mut play = Play { sources, order, samples, now: Time::MIN, out_of_order: 0, damaged: 0, remarks };
        if let Order::Written(lines) = &mut play.order {
            // The head.
            lines.next()?;
        }
        Ok(play)
    }
}

fn of_samples(capture: &super::Capture) -> Vec<String> {
    let mut remarks = Vec::new();
    if capture.unreadable > 0 {
        let first = capture.first_unreadable.first();
        let first = first.map_or_else(String::new, |l| format!(", first line {}: {}", l.line, l.text));
        remarks.push(format!("{} lines of the capture cannot be read{first}", capture.unreadable));
    }
    if capture.refused > 0 {
        remarks.push(format!("{} samples came twice, the first of each counts", capture.refused));
    }
    if !capture.ended {
        remarks.push("the capture was cut off (it has no # EOF)".into());
    }
    remarks
}

fn player(launch: &Launch, def: &SourceDef, recorded: Option<&Launch>, foreign: bool) -> Player {
    let signals: Vec<&SignalDef> = launch.signals.iter().filter(|s| s.source == def.id).collect();
    let polled = recorded.and_then(|launch| launch.source(&def.id));
    let local =
        || Rerun::new(def, &signals, polled).map_or(Kind::Other, |rerun| Kind::Local(Box::new(rerun)));
    let kind = match &def.kind {
        SourceKind::Scrape { .. } => local(),
        SourceKind::Prometheus { .. } if foreign => local(),
        SourceKind::Prometheus { .. } => {
            let same = |signal: &SignalDef| {
                let before = recorded.and_then(|launch| launch.signal(&signal.id));
                recorded.is_none()
                    || before.is_some_and(|b| b.query == signal.query && b.source == signal.source)
            };
            Kind::Server(signals.into_iter().map(|signal| (signal.clone(), same(signal))).collect())
        }
        SourceKind::Alertmanager { .. } | SourceKind::Identity { .. } | SourceKind::Flags(_) => Kind::Other,
    };
    Player { kind, known: Known::default(), asked: None }
}

impl Play {
    /// The next poll, and when its answer was there; `None` at the end of the capture.
    ///
    /// # Errors
    /// The file cannot be read any more.
    #[expect(
        clippy::should_implement_trait,
        reason = "reading can fail, and an iterator of results would go on"
    )]
    pub fn next(&mut self) -> io::Result<Option<(Time, Polled)>> {
        loop {
            let line = match &mut self.order {
                Order::Made(order) => {
                    let Some((at, id)) = order.next() else { return Ok(None) };
                    self.now = at;
                    return Ok(Some((at, self.made(at, id))));
                }
                Order::Written(lines) => match lines.next()? {
                    None => return Ok(None),
                    // The tape has counted those that cannot be read.
                    Some(line) => line.ok().and_then(|line| PollLine::read(line).ok()),
                },
            };
            let Some(line) = line else { continue };
            let Some(player) = self.sources.get_mut(&line.source) else { continue };
            if player.asked.is_some_and(|before| before >= line.asked) {
                self.out_of_order += 1;
                continue;
            }
            player.asked = Some(line.asked);
            self.now = self.now.max(line.arrived);
            return Ok(Some((self.now, self.written(&line)?)));
        }
    }

    /// What the reader should know, beside the tape's own remarks, of what was played so far.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        if self.out_of_order > 0 {
            remarks.push(format!("{} polls came twice or out of order and are left out", self.out_of_order));
        }
        if self.damaged > 0 {
            remarks.push(format!("the samples of {} polls are damaged", self.damaged));
        }
        remarks
    }

    /// A poll of a source that was not recorded by gonogo.
    fn made(&mut self, at: Time, id: SourceId) -> Polled {
        let batch = match &mut self.samples {
            Samples::ByTime(by_time) => by_time.up_to(&id, at),
            Samples::InPlace(_) => Batch::new(),
        };
        let notes = Notes { series_kept: batch.len(), series_sent: batch.len(), ..Notes::default() };
        let mut answer = Answer { notes, ..Answer::default() };
        if let Some(Player { kind: Kind::Local(rerun), .. }) = self.sources.get_mut(&id) {
            rerun.record(at, batch, 0);
            answer.signals = rerun.answer(at, &[], None);
        }
        Polled { source: id, asked: at, took: Duration::ZERO, outcome: Ok(answer) }
    }

    fn written(&mut self, line: &PollLine) -> io::Result<Polled> {
        let polled = |line: &PollLine, outcome| Polled {
            source: line.source.clone(),
            asked: line.asked,
            took: line.took(),
            outcome,
        };
        let Some(batch) = self.batch(line)? else {
            self.damaged += 1;
            let fault = Fault::new(FaultCode::Unreadable, "the capture is damaged here");
            return Ok(polled(line, Err(fault)));
        };
        let Some(player) = self.sources.get_mut(&line.source) else {
            return Ok(polled(line, Err(Fault::new(FaultCode::Unreadable, "no such source"))));
        };
        // Of a scrape source one line holds the warnings of all signals; a server's have their own.
        let mut warnings: Vec<String> = match &player.kind {
            Kind::Local(_) => line.signals.first().map(|s| s.warnings.clone()).unwrap_or_default(),
            Kind::Server(_) | Kind::Other => Vec::new(),
        };
        if line.left_out > 0 {
            warnings.push(format!("{} samples were left out of the capture", line.left_out));
        }
        if let Samples::ByTime(by_time) = &self.samples {
            let (held, written) =
                (by_time.held(&line.source, line.asked), line.samples - line.stamped.min(line.samples));
            if held < written {
                warnings
                    .push(format!("{} of {written} samples are missing from the capture", written - held));
            }
        }
        if let Kind::Local(rerun) = &mut player.kind {
            let cut = line.answer.as_ref().map_or(0, |answer| answer.notes.series_cut);
            rerun.record(line.asked, batch.iter().cloned(), cut);
        }
        if let Some(fault) = &line.fault {
            return Ok(polled(line, Err(fault.clone())));
        }
        let mut answer = line.answer.clone().unwrap_or_default();
        answer.signals = match &mut player.kind {
            Kind::Local(rerun) => rerun.answer(line.asked, &warnings, answer.notes.clock_offset),
            Kind::Server(signals) => answers(signals, line, &batch, &warnings),
            Kind::Other => Vec::new(),
        };
        Ok(polled(line, Ok(answer)))
    }

    /// The samples of a poll; `None` where they are damaged.
    fn batch(&mut self, line: &PollLine) -> io::Result<Option<Batch>> {
        let Some(player) = self.sources.get_mut(&line.source) else { return Ok(Some(Batch::new())) };
        match (&mut self.samples, &player.kind) {
            (_, Kind::Other) => Ok(Some(Batch::new())),
            (Samples::InPlace(file), Kind::Local(rerun)) => {
                chunk::read(file, line, &mut player.known, |labels| rerun.wants(labels))
            }
            (Samples::InPlace(file), Kind::Server(_)) => chunk::read(file, line, &mut player.known, |_| true),
            (Samples::ByTime(by_time), _) => {
                let mut batch = by_time.up_to(&line.source, line.asked);
                chunk::put_beside(&mut batch, line);
                Ok(Some(batch))
            }
        }
    }
}

/// A server's answers to the signals of the launch.
fn answers(
    signals: &[(SignalDef, bool)],
    line: &PollLine,
    batch: &Batch,
    damage: &[String],
) -> Vec<SignalAnswer> {
    let mut points: BTreeMap<SignalId, Vec<Point>> = BTreeMap::new();
    for (signal, point) in rows::to_points(batch) {
        points.entry(signal).or_default().push(point);
    }
    let answer = |(signal, same): &(SignalDef, bool)| {
        let written = line.signals.iter().find(|l| l.id == signal.id);
        let fault = match written {
            Some(_) if !same => Some(another()),
            Some(written) => written.fault.clone(),
            None => Some(another()),
        };
        SignalAnswer {
            signal: signal.id.clone(),
            result: fault.map_or_else(|| Ok(points.remove(&signal.id).unwrap_or_default()), Err),
            warnings: written.into_iter().flat_map(|w| &w.warnings).chain(damage).cloned().collect(),
            history: written.filter(|_| *same).map(super::poll_line::SignalLine::past).unwrap_or_default(),
        }
    };
    signals.iter().map(answer).collect()
}

fn another() -> Fault {
    Fault::new(FaultCode::Query, "the capture holds no answer of the server to this expression")
}
