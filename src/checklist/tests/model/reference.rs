//! The rules of a run once more, in maps and plain words, with no call into the real ones.

use std::collections::{BTreeMap, BTreeSet};

/// Seconds.
pub(super) type Sec = i64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Todo,
    Begun,
    Done,
    Failed,
    Skipped,
    Waived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Check,
    Gate,
    Command,
    Message,
    Wait,
    GatedWait,
}

/// An item as its list has it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) role: Option<&'static str>,
    pub(super) owner: Option<&'static str>,
    pub(super) optional: bool,
    pub(super) waivable: bool,
    /// How many must sign; 0: nobody.
    pub(super) signers: usize,
    pub(super) only_sre_signs: bool,
    pub(super) wants_link: bool,
    pub(super) due: bool,
    pub(super) undoes_something: bool,
    pub(super) after: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) is: Is,
    begun: Option<Sec>,
    link: bool,
    signed: BTreeSet<&'static str>,
    /// Number, start, whether it has ended.
    command: Option<(u64, Sec, bool)>,
    glass: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Time,
    Poll,
    Gates,
}

/// A built-in hold: seconds before T-0, what ends it, how long it may last.
pub(super) type Stop = (Sec, Ends, Sec);

/// The hold, or none where somebody holds by hand; since when; how much longer than its list says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stands {
    stop: Option<usize>,
    since: Sec,
    /// Since when T stands still: a new T-0 during a hold counts from then.
    still: Sec,
    longer: Sec,
    /// Somebody wrote it down.
    written: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) seq: u64,
    cause: usize,
    hold: bool,
    until: Sec,
    open: bool,
}

/// Who does it, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct By {
    pub(super) name: &'static str,
    pub(super) role: Option<&'static str>,
    pub(super) now: Sec,
    /// The number that the event would get.
    pub(super) seq: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) rollback: bool,
    pub(super) lines: Vec<Line>,
    pub(super) items: Vec<At>,
    pub(super) stops: Vec<Stop>,
    pub(super) t0: Option<Sec>,
    counts_since: Sec,
    passed: BTreeSet<usize>,
    held: Option<Stands>,
    pub(super) scrubbed: Option<Sec>,
    pub(super) lifted: Option<Sec>,
    /// The GOs and NO-GOs by poll (a hold's place, or 1000 + number of the event that asked), by station.
    pub(super) votes: BTreeMap<u64, BTreeMap<&'static str, Option<bool>>>,
    asked: Option<(u64, Vec<&'static str>, Sec)>,
    desk: Option<usize>,
    pub(super) proposals: Vec<Proposal>,
    pub(super) closed: bool,
}

pub(super) const WAIT: Sec = 100;
const TIMEOUT: Sec = 60;
const GRACE: Sec = 60;
pub(super) const ANSWER: Sec = 120;

fn at_first() -> At {
    At { is: Is::Todo, begun: None, link: false, signed: BTreeSet::new(), command: None, glass: false }
}

impl Model {
    pub(super) fn new(rollback: bool, lines: Vec<Line>, stops: Vec<Stop>, t0: Option<Sec>) -> Self {
        let items = lines.iter().map(|_| at_first()).collect();
        Self {
            rollback,
            lines,
            items,
            stops,
            t0,
            counts_since: 0,
            passed: BTreeSet::new(),
            held: None,
            scrubbed: None,
            lifted: None,
            votes: BTreeMap::new(),
            asked: None,
            desk: None,
            proposals: Vec::new(),
            closed: false,
        }
    }

    pub(super) fn stands(&self, i: usize) -> bool {
        let (line, item) = (&self.lines[i], &self.items[i]);
        let good = match item.is {
            Is::Done | Is::Waived => true,
            Is::Skipped => line.optional,
            Is::Todo | Is::Begun | Is::Failed => false,
        };
        good && (self.rollback || item.glass || line.after.iter().all(|i| self.stands(*i)))
    }

    fn blocked(&self, i: usize) -> bool {
        !self.rollback && !self.lines[i].after.iter().all(|i| self.stands(*i))
    }

    fn in_role(&self, i: usize, by: By) -> bool {
        self.rollback || self.lines[i].role.is_none() || self.lines[i].role == by.role
    }

    fn runs(&self, i: usize, now: Sec) -> bool {
        let going = self.items[i].command.is_some_and(|(_, at, over)| !over && now - at <= TIMEOUT + GRACE);
        going && self.items[i].is == Is::Begun
    }

    fn has_all(&self, i: usize) -> bool {
        self.rollback
            || (self.items[i].signed.len() >= self.lines[i].signers
                && (self.items[i].link || !self.lines[i].wants_link))
    }

    fn open(&self, i: usize) -> bool {
        matches!(self.items[i].is, Is::Todo | Is::Begun)
    }

    fn settled(&self, i: usize) -> bool {
        matches!(self.items[i].is, Is::Done | Is::Skipped | Is::Waived)
    }

    fn holding(&self, now: Sec) -> Option<Stands> {
        if self.held.is_some() {
            return self.held;
        }
        if self.lifted.is_some() || self.scrubbed.is_some() {
            return None;
        }
        let next = (0..self.stops.len()).find(|stop| !self.passed.contains(stop))?;
        let since = (self.t0? - self.stops[next].0).max(self.counts_since);
        (now >= since).then_some(Stands { stop: Some(next), since, still: since, longer: 0, written: false })
    }

    pub(super) fn by_hand(&self, now: Sec) -> bool {
        self.holding(now).is_some_and(|held| held.stop.is_none())
    }

    #[expect(clippy::option_option, reason = "no hold, a hold by hand, a built-in one")]
    pub(super) fn stop(&self, now: Sec) -> Option<Option<usize>> {
        self.holding(now).map(|held| held.stop)
    }

    fn until(&self, held: Stands) -> Option<Sec> {
        match held.stop {
            Some(stop) => Some(held.since + self.stops[stop].2 + held.longer),
            None if held.longer == 0 => None,
            None => Some(held.since + held.longer),
        }
    }

    /// What T shows, in seconds.
    pub(super) fn t(&self, now: Sec) -> Option<Sec> {
        let shown = match (self.scrubbed, self.lifted) {
            (Some(at), _) => at,
            (None, Some(_)) => now,
            (None, None) => self.holding(now).map_or(now, |held| held.still),
        };
        Some(shown - self.t0?)
    }

    /// The poll: its key, stations, deadline.
    fn poll(&self, now: Sec) -> Option<(u64, Vec<&'static str>, Sec)> {
        if let Some(held) = self.holding(now)
            && let Some(stop) = held.stop
            && self.stops[stop].1 == Ends::Poll
        {
            return Some((stop as u64, vec!["captain", "sre"], self.until(held)?));
        }
        self.asked.clone()
    }

    fn vote_of(&self, poll: u64, station: &str) -> Option<bool> {
        self.votes.get(&poll).and_then(|votes| votes.get(station)).copied().flatten()
    }

    pub(super) fn begin(&mut self, i: usize, by: By) -> bool {
        let may = self.open(i) && self.in_role(i, by) && !self.blocked(i) && self.items[i].begun.is_none();
        if may {
            self.items[i].is = Is::Begun;
            self.items[i].begun = Some(by.now);
        }
        may
    }

    pub(super) fn bring_link(&mut self, i: usize) -> bool {
        let may = !self.settled(i);
        if may {
            self.items[i].link = true;
            self.items[i].signed.clear();
        }
        may
    }

    pub(super) fn tick(&mut self, i: usize, number: bool, by: By) -> bool {
        let waited = self.items[i].begun.is_some_and(|at| by.now - at >= WAIT);
        let fits = match self.lines[i].what {
            What::Check => true,
            What::Command | What::Message => self.rollback,
            What::Gate => number,
            What::Wait => waited,
            What::GatedWait => waited && number,
        };
        let may = self.open(i)
            && self.in_role(i, by)
            && !self.blocked(i)
            && !self.runs(i, by.now)
            && fits
            && self.has_all(i);
        if may {
            self.items[i].is = Is::Done;
        }
        may
    }

    pub(super) fn sign(&mut self, i: usize, by: By) -> bool {
        let line = &self.lines[i];
        let may = self.open(i)
            && line.signers > 0
            && !self.rollback
            && (!line.only_sre_signs || by.role == Some("sre"))
            && !self.blocked(i)
            && !self.items[i].signed.contains(by.name)
            && (self.items[i].link || !line.wants_link);
        if may {
            let (wants, what) = (line.signers, line.what);
            let item = &mut self.items[i];
            item.signed.insert(by.name);
            if item.signed.len() >= wants && what == What::Check {
                item.is = Is::Done;
            } else if item.is == Is::Todo && !matches!(what, What::Wait | What::GatedWait) {
                item.is = Is::Begun;
                item.begun = Some(by.now);
            }
        }
        may
    }

    pub(super) fn skip(&mut self, i: usize, by: By) -> bool {
        let may = !self.settled(i) && !self.runs(i, by.now) && self.in_role(i, by);
        if may {
            self.items[i].is = Is::Skipped;
        }
        may
    }

    pub(super) fn waive(&mut self, i: usize, by: By) -> bool {
        let line = &self.lines[i];
        let own = line.owner == Some(by.name)
            || line.owner == by.role && by.role.is_some()
            || line.role == Some("cto");
        let may =
            !self.settled(i) && !self.runs(i, by.now) && line.waivable && by.role == Some("cto") && !own;
        if may {
            self.items[i].is = Is::Waived;
        }
        may
    }

    pub(super) fn fail(&mut self, i: usize, by: By) -> bool {
        let may = self.open(i) && !self.runs(i, by.now);
        if may {
            self.items[i].is = Is::Failed;
        }
        may
    }

    pub(super) fn reopen(&mut self, i: usize, by: By) -> bool {
        let may = self.items[i].is != Is::Todo && !self.runs(i, by.now);
        if may {
            self.items[i] = at_first();
        }
        may
    }

    pub(super) fn glass_for_item(&mut self, i: usize, by: By) -> bool {
        let may = !(self.runs(i, by.now) || self.settled(i) && self.stands(i));
        if may {
            self.items[i].is = Is::Done;
            self.items[i].glass = true;
        }
        may
    }

    pub(super) fn run(&mut self, i: usize, by: By) -> bool {
        let free =
            self.lines[i].undoes_something || (!self.blocked(i) && (self.rollback || !self.by_hand(by.now)));
        // A rollback does not wait for what nobody knows; what runs for all that is known, runs.
        let running = self.runs(i, by.now);
        let unended = self.items[i].command.is_some_and(|(_, _, over)| !over) && (!self.rollback || running);
        let may = self.lines[i].what == What::Command
            && !self.settled(i)
            && self.in_role(i, by)
            && !unended
            && free
            && self.has_all(i);
        if may {
            self.items[i].is = Is::Begun;
            self.items[i].begun = Some(by.now);
            self.items[i].command = Some((by.seq, by.now, false));
        }
        may
    }

    /// The number of the newest start of an item's command.
    pub(super) fn started(&self, i: usize) -> Option<u64> {
        self.items[i].command.map(|(seq, _, _)| seq)
    }

    pub(super) fn may_run(&self, i: usize) -> bool {
        self.items[i].command.is_some_and(|(_, _, over)| !over)
    }

    pub(super) fn ended(&mut self, i: usize, of: u64, good: bool) -> bool {
        let Some((seq, at, false)) = self.items[i].command else { return false };
        if seq != of {
            return false;
        }
        self.items[i].command = Some((seq, at, true));
        if self.items[i].is == Is::Begun {
            self.items[i].is = if good { Is::Done } else { Is::Failed };
        }
        true
    }

    pub(super) fn sent(&mut self, i: usize, by: By) -> bool {
        let may = self.lines[i].what == What::Message
            && self.open(i)
            && self.in_role(i, by)
            && !self.blocked(i)
            && self.has_all(i);
        if may {
            self.items[i].is = Is::Done;
        }
        may
    }

    pub(super) fn set_t0(&mut self, t0: Sec, by: By) -> bool {
        let may = self.lifted.is_none();
        if may {
            if self.scrubbed.take().is_some() {
                self.passed.clear();
                self.votes.clear();
            }
            self.t0 = Some(t0);
            self.counts_since = by.now;
            // What lies ahead again is to be gone through again.
            let stops = &self.stops;
            self.passed.retain(|stop| t0 - stops[*stop].0 <= by.now);
            self.forget_votes_ahead();
            if let Some(held) = &mut self.held {
                held.still = by.now;
            }
        }
        may
    }

    fn forget_votes_ahead(&mut self) {
        let passed = self.passed.clone();
        self.votes.retain(|poll, _| *poll >= 1000 || passed.contains(&(*poll as usize)));
    }

    fn hold_by_hand(&mut self, now: Sec) {
        if self.scrubbed.is_none() && !self.by_hand(now) {
            let (since, still) = self.holding(now).map_or((now, now), |held| (held.since, held.still));
            self.held = Some(Stands { stop: None, since, still, longer: 0, written: true });
        }
    }

    pub(super) fn hold(&mut self, by: By) -> bool {
        let may = self.scrubbed.is_none() && !self.by_hand(by.now);
        if may {
            self.hold_by_hand(by.now);
        }
        may
    }

    pub(super) fn extend(&mut self, more: Sec, by: By) -> bool {
        let Some(mut held) = self.holding(by.now) else { return false };
        let over = self.until(held).map_or(by.now - held.since, |until| (by.now - until).max(0));
        held.longer += more + over;
        self.held = Some(held);
        true
    }

    fn goes_on(&mut self, now: Sec) {
        let Some(held) = self.holding(now) else { return };
        self.held = None;
        if let (None, Some(t0)) = (self.lifted, self.t0) {
            self.t0 = Some(t0 + (now - held.still));
            self.counts_since = now;
        }
        self.passed.extend(held.stop);
    }

    fn may_go_on(&self, numbers: bool, now: Sec) -> bool {
        let Some(held) = self.holding(now) else { return false };
        match held.stop.map(|stop| self.stops[stop].1) {
            None => true,
            Some(Ends::Time) => self.until(held).is_some_and(|until| now >= until),
            Some(Ends::Gates) => numbers,
            Some(Ends::Poll) => {
                let poll = held.stop.unwrap_or_default() as u64;
                ["captain", "sre"].iter().all(|station| self.vote_of(poll, station) == Some(true))
            }
        }
    }

    pub(super) fn resume(&mut self, numbers: bool, by: By) -> bool {
        let may = self.may_go_on(numbers, by.now);
        if may {
            self.goes_on(by.now);
        }
        may
    }

    pub(super) fn glass_for_hold(&mut self, by: By) -> bool {
        let may = self.holding(by.now).is_some();
        self.goes_on(by.now);
        may
    }

    pub(super) fn recycle(&mut self, stop: usize, by: By) -> bool {
        let may = self.lifted.is_none() && stop < self.stops.len();
        if may {
            self.scrubbed = None;
            self.t0 = Some(by.now + self.stops[stop].0);
            self.counts_since = by.now;
            self.passed.retain(|passed| *passed < stop);
            self.held =
                Some(Stands { stop: Some(stop), since: by.now, still: by.now, longer: 0, written: true });
            self.forget_votes_ahead();
        }
        may
    }

    pub(super) fn scrub(&mut self, by: By) -> bool {
        let may = self.lifted.is_none() && self.scrubbed.is_none();
        if may {
            self.scrubbed = Some(by.now);
            self.held = None;
        }
        may
    }

    pub(super) fn lift_off(&mut self, numbers: bool, by: By) -> bool {
        let due = (0..self.lines.len()).all(|i| !self.lines[i].due || self.stands(i));
        let may = self.lifted.is_none()
            && self.scrubbed.is_none()
            && self.holding(by.now).is_none()
            && self.passed.len() == self.stops.len()
            && self.proposals.iter().all(|proposal| !proposal.open)
            && due
            && numbers;
        if may {
            self.leaves(by.now);
        }
        may
    }

    fn leaves(&mut self, now: Sec) {
        (self.scrubbed, self.held) = (None, None);
        (self.lifted, self.t0) = (Some(now), Some(now));
    }

    pub(super) fn glass_for_lift_off(&mut self, by: By) -> bool {
        let may = self.lifted.is_none();
        if may {
            self.leaves(by.now);
        }
        may
    }

    pub(super) fn ask(&mut self, stations: Vec<&'static str>, within: Sec, by: By) -> bool {
        let waiting = self.poll(by.now).is_some_and(|(poll, stations, until)| {
            let votes: Vec<Option<bool>> = stations.iter().map(|s| self.vote_of(poll, s)).collect();
            by.now < until && votes.contains(&None) && !votes.contains(&Some(false))
        });
        if !waiting {
            self.asked = Some((1000 + by.seq, stations, by.now + within));
        }
        !waiting
    }

    pub(super) fn vote(&mut self, station: &'static str, go: bool, numbers: bool, by: By) -> bool {
        let Some((poll, stations, until)) = self.poll(by.now) else { return false };
        let may =
            stations.contains(&station) && by.role == Some(station) && by.now < until && (!go || numbers);
        if may {
            self.votes.entry(poll).or_default().insert(station, Some(go));
        }
        may
    }

    pub(super) fn lapse(&mut self, desk: usize, by: By) -> bool {
        if self.desk != Some(desk) {
            return false;
        }
        // Of the poll there is, else of the first hold that lies ahead, under a hold by hand.
        let go = |poll: &u64| self.votes.get(poll).is_some_and(|v| v.values().any(|v| *v == Some(true)));
        let current = self.poll(by.now).map(|(poll, _, _)| poll).filter(go);
        let ahead = (0..self.stops.len()).filter(|stop| !self.passed.contains(stop)).map(|stop| stop as u64);
        let Some(poll) = current.or_else(|| ahead.into_iter().find(go)) else { return false };
        let votes = self.votes.entry(poll).or_default();
        let mut any = false;
        for vote in votes.values_mut().filter(|vote| **vote == Some(true)) {
            (*vote, any) = (None, true);
        }
        any
    }

    /// The terminal that has the desk.
    pub(super) fn desk(&self) -> Option<usize> {
        self.desk
    }

    pub(super) fn take_desk(&mut self, desk: usize, force: bool) -> bool {
        let may = self.desk.is_none() || (self.desk != Some(desk) && force);
        if may {
            self.desk = Some(desk);
        }
        may
    }

    pub(super) fn leave_desk(&mut self, desk: usize) -> bool {
        let may = self.desk == Some(desk);
        if may {
            self.desk = None;
        }
        may
    }

    pub(super) fn propose(&mut self, desk: usize, cause: usize, hold: bool, by: By) -> bool {
        let may = self.desk == Some(desk)
            && !self.proposals.iter().any(|open| open.open && open.cause == cause)
            && !(hold && self.by_hand(by.now));
        if may {
            self.proposals.push(Proposal { seq: by.seq, cause, hold, until: by.now + ANSWER, open: true });
        }
        may
    }

    pub(super) fn answer(&mut self, seq: u64, confirm: bool, by: By) -> bool {
        let Some(found) = self.proposals.iter_mut().find(|p| p.seq == seq && p.open) else { return false };
        found.open = false;
        if confirm && found.hold {
            self.hold_by_hand(by.now);
        }
        true
    }

    pub(super) fn silence(&mut self, desk: usize, seq: u64, by: By) -> bool {
        let has = self.desk == Some(desk);
        let found = self.proposals.iter_mut().find(|p| p.seq == seq && p.open && by.now >= p.until);
        let Some(found) = found.filter(|_| has) else { return false };
        found.open = false;
        self.hold_by_hand(by.now);
        true
    }

    pub(super) fn reached(&mut self, desk: usize, stop: usize, by: By) -> bool {
        let held = self.holding(by.now).filter(|held| held.stop == Some(stop) && !held.written);
        let Some(held) = held.filter(|_| self.desk == Some(desk)) else { return false };
        self.held = Some(Stands { written: true, ..held });
        true
    }

    pub(super) fn resumes_by_itself(&mut self, desk: usize, by: By) -> bool {
        let stop = self.holding(by.now).and_then(|held| held.stop);
        let by_itself = stop.is_some_and(|stop| self.stops[stop].1 != Ends::Poll);
        self.desk == Some(desk) && by_itself && self.resume(true, by)
    }

    pub(super) fn wait_over(&mut self, desk: usize, i: usize, by: By) -> bool {
        let by = By { role: self.lines[i].role.or(by.role), ..by };
        let waits = matches!(self.lines[i].what, What::Wait | What::GatedWait);
        self.desk == Some(desk) && waits && self.tick(i, true, by)
    }

    pub(super) fn wait_failed(&mut self, desk: usize, i: usize) -> bool {
        let waits = matches!(self.lines[i].what, What::Wait | What::GatedWait);
        let may = self.desk == Some(desk) && self.open(i) && waits && self.items[i].begun.is_some();
        if may {
            self.items[i].is = Is::Failed;
        }
        may
    }
}
