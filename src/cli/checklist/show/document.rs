//! A run for programs.
//!
//! ```text
//! {"run","title","checklist","kind","mode","started","by","of","params":{…},"closed":{"by","at"}|null,
//!  "overridden":{"by","at","what","reason"}|null,
//!  "deviations":[{"seq","by","as","at","kind","what","reason"}],
//!  "t0","clock":{"phase":"no-t0|counting|held|scrubbed|lifted","t":"T-00:10:00","next_hold":{"id","at"},"passed":[…],
//!    "hold":{"id","since","by","reason","exit":"poll|gates|time","until","left_seconds"}|null,
//!    "scrubbed":{"by","at","reason"}|null,"lifted"},
//!  "poll":{"id","stations","since","deadline","outcome":"go|no-go|waiting","reasons":[{"code":"no-go|silent","text"}],
//!    "votes":[{"station","go","counts","by","at","note","lapsed"}]}|null,
//!  "desk":{"terminal","by","since"}|null,
//!  "proposals":[{"seq","cause","action","at","deadline","reason","answer":{"confirmed","by","at","reason"}|null}],
//!  "rollbacks":[{"run","by","at","reason"}],"score","seq","head","settled","items_total","template_changed",
//!  "milestones":[{"id","title","from","date","settled","items","late":[ids]}],"notes":[{"by","at","text"}],
//!  "items":[{"id","section","title","detail","kind","stage","ready","lapsed","waits_for","optional","rev","role",
//!    "owner","due","late","on_timeout","milestone","runbook","undo","waivable_by","begun","by","at","reason",
//!    "overridden","notes","wants_evidence","evidence","signoff":{"count","roles","missing"}|null,
//!    "signatures":[{"by","as","at","note"}],
//!    "attempt":{"seq","by","at","argv","timeout_seconds","state":"running|unknown|ended","outcome","ended",
//!      "took_seconds","bytes","output"}|null}]}
//! ```
//!
//! `lapsed` is a settled item that rests on one that was opened again. `template_changed` is null where the
//! template's file is not found. `t` is null without T-0; `answer.confirmed` is null where nobody answered in
//! time. Whether a ticked gate still passes is not here: nothing is polled (`gonogo check --run` does).

use serde_json::{Map, Value, json};

use crate::checklist::item_state::Signature;
use crate::checklist::template::OnTimeout;
use crate::checklist::{Attempt, Author, Derived, Item, ItemState, Poll, PollOutcome, Run};
use crate::model::Time;

use super::late;

pub(super) fn of(run: &Run, changed: Option<bool>, now: Time) -> Value {
    let (settled, total) = run.progress();
    let all = run.template.items.iter().zip(&run.items).zip(run.all_derived());
    let items: Vec<Value> =
        all.map(|((item, state), derived)| one(run, item, state, &derived, now)).collect();
    let params: Map<String, Value> =
        run.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let milestones: Vec<Value> = late::milestones(run, now)
        .iter()
        .map(|progress| {
            let milestone = progress.milestone;
            json!({
                "id": milestone.id, "title": milestone.title, "from": milestone.from, "date": milestone.date,
                "settled": progress.settled, "items": progress.items, "late": progress.late,
            })
        })
        .collect();
    let rollbacks: Vec<Value> = run
        .rollbacks
        .iter()
        .map(|(id, by, at, reason)| json!({ "run": id, "by": by.by, "at": at, "reason": reason }))
        .collect();
    json!({
        "run": run.id, "title": run.template.title, "checklist": run.template.id,
        "kind": run.template.kind.as_str(), "mode": run.mode,
        "started": run.started.as_ref().map(|(_, at)| at),
        "by": run.started.as_ref().map(|(author, _)| &author.by),
        "of": run.of, "params": params,
        "closed": run.closed.as_ref().map(|(by, at)| json!({ "by": by.by, "at": at })),
        "overridden": run.overridden().map(|deviation| json!({
            "by": deviation.author.by, "at": deviation.at, "what": deviation.what, "reason": deviation.reason,
        })),
        "deviations": deviations(run), "t0": run.clock.t0, "clock": clock(run, now),
        "poll": run.poll_at(now).map(|asked| poll(&asked, now)),
        "desk": run.desk.as_ref().map(|desk| json!({
            "terminal": desk.terminal, "by": desk.author.by, "since": desk.since,
        })),
        "proposals": proposals(run), "rollbacks": rollbacks, "score": run.score,
        "seq": run.seq, "head": run.head, "settled": settled, "items_total": total,
        "template_changed": changed, "milestones": milestones, "notes": notes(&run.notes), "items": items,
    })
}

/// What was done against the rules or excused from them.
pub(in super::super) fn deviations(run: &Run) -> Vec<Value> {
    let one = |deviation: &crate::checklist::Deviation| {
        json!({
            "seq": deviation.seq, "by": deviation.author.by, "as": deviation.author.role, "at": deviation.at,
            "kind": deviation.kind, "what": deviation.what, "reason": deviation.reason,
        })
    };
    run.deviations.iter().map(one).collect()
}

fn proposals(run: &Run) -> Vec<Value> {
    let one = |proposal: &crate::checklist::Proposal| {
        json!({
            "seq": proposal.seq, "cause": proposal.cause, "action": proposal.action, "at": proposal.at,
            "deadline": proposal.deadline, "reason": proposal.reason,
            "answer": proposal.answer.as_ref().map(|answer| json!({
                "confirmed": answer.confirmed, "by": answer.author.by, "at": answer.at, "reason": answer.reason,
            })),
        })
    };
    run.proposals.iter().map(one).collect()
}

fn clock(run: &Run, now: Time) -> Value {
    let (clock, template) = (&run.clock, &run.template);
    let hold = clock.hold_at(template, now).map(|held| {
        let until = held.until(template);
        let def = held.hold.as_deref().and_then(|id| template.hold(id));
        json!({
            "id": held.hold, "since": held.since, "by": held.by.as_ref().map(|by| &by.by),
            "reason": held.reason, "exit": def.map(|def| def.exit.as_str()), "until": until,
            "left_seconds": until.map(|until| until.since(now).as_secs_f64()),
        })
    });
    let next = clock.next_hold(template).filter(|(_, at)| *at > now);
    json!({
        "phase": clock.phase(template, now), "t": clock.mark(template, now).map(|mark| mark.to_string()),
        "hold": hold, "next_hold": next.map(|(def, at)| json!({ "id": def.id, "at": at })),
        "passed": clock.passed,
        "scrubbed": clock.scrubbed.as_ref().map(|(by, at, reason)| {
            json!({ "by": by.by, "at": at, "reason": reason })
        }),
        "lifted": clock.lifted,
    })
}

/// A poll at a moment.
pub(in super::super) fn poll(poll: &Poll, now: Time) -> Value {
    let told = |code: &str, texts: Vec<String>| -> Vec<Value> {
        texts.into_iter().map(|text| json!({ "code": code, "text": text })).collect()
    };
    let (outcome, reasons) = match poll.outcome(now) {
        PollOutcome::Go => ("go", Vec::new()),
        PollOutcome::NoGo(why) => ("no-go", told("no-go", why)),
        PollOutcome::Waiting(stations) => {
            ("waiting", told("silent", stations.iter().map(|s| format!("{s} did not answer yet")).collect()))
        }
    };
    let votes: Vec<Value> = poll
        .votes
        .iter()
        .map(|(station, vote)| {
            json!({
                "station": station, "go": vote.go, "counts": vote.lapsed.is_none(), "by": vote.author.by,
                "at": vote.at, "note": vote.note, "lapsed": vote.lapsed,
            })
        })
        .collect();
    json!({
        "id": poll.id, "stations": poll.stations, "since": poll.since, "deadline": poll.deadline,
        "outcome": outcome, "reasons": reasons, "votes": votes,
    })
}

fn one(run: &Run, item: &Item, state: &ItemState, derived: &Derived, now: Time) -> Value {
    let signed = |signature: &Signature| {
        json!({
            "by": signature.author.by, "as": signature.author.role, "at": signature.at, "note": signature.note,
        })
    };
    let wants: Vec<&str> = item.evidence.iter().map(|kind| kind.as_str()).collect();
    json!({
        "id": item.id, "section": item.section, "title": item.title, "detail": item.detail,
        "kind": item.kind.word(), "stage": state.stage.word(), "ready": *derived == Derived::Ready,
        "lapsed": run.lapsed(&item.id), "waits_for": run.waits_for(&item.id), "optional": item.optional,
        "rev": state.rev, "role": item.role, "owner": item.owner, "due": late::due(run, item),
        "late": late::is_late(run, item, now),
        "on_timeout": match item.on_timeout { OnTimeout::Hold => "hold", OnTimeout::Remind => "remind" },
        "milestone": item.milestone, "runbook": item.runbook, "undo": item.undo,
        "waivable_by": item.waivable_by, "begun": state.begun.as_ref().map(|(_, at)| at),
        "by": state.settled.as_ref().map(|(author, _)| &author.by),
        "at": state.settled.as_ref().map(|(_, at)| at),
        "reason": state.reason, "overridden": state.overridden, "notes": notes(&state.notes),
        "wants_evidence": wants, "evidence": state.evidence,
        "signoff": item.signoff.as_ref().map(|signoff| json!({
            "count": signoff.count, "roles": signoff.roles, "missing": run.signatures_missing(&item.id),
        })),
        "signatures": state.signatures.iter().map(signed).collect::<Vec<_>>(),
        "attempt": state.attempt.as_ref().map(|tried| attempt(tried, now)),
    })
}

fn attempt(attempt: &Attempt, now: Time) -> Value {
    let end = attempt.end.as_ref();
    let state = match end {
        Some(_) => "ended",
        None if attempt.is_unknown(now) => "unknown",
        None => "running",
    };
    json!({
        "seq": attempt.seq, "by": attempt.author.by, "at": attempt.at, "argv": attempt.argv,
        "timeout_seconds": attempt.timeout.as_secs_f64(), "state": state,
        "outcome": end.map(|end| &end.outcome), "ended": end.map(|end| end.at),
        "took_seconds": end.map(|end| end.took.as_secs_f64()), "bytes": end.map(|end| end.bytes),
        "output": end.and_then(|end| end.output.as_ref()),
    })
}

fn notes(notes: &[(Author, Time, String)]) -> Vec<Value> {
    notes.iter().map(|(author, at, text)| json!({ "by": author.by, "at": at, "text": text })).collect()
}
