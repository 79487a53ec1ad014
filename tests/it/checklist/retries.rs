//! Bots that call again, and people who come second.

use serde_json::{Value, json};

use super::people::LAUNCH;
use super::{Desk, desk, desk_with, text};

const ID: &str = "01KAX3R0000000000000000000";
const OTHER: &str = "01KAX3R0000000000000000001";

fn seqs(value: &Value) -> Vec<u64> {
    value["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[test]
fn a_call_that_is_made_again_with_its_event_id_writes_nothing_twice() {
    let desk = desk();
    let run = desk.run.as_str();
    let tick = ["tick", run, "flags", "--event-id", ID, "--evidence", "text=seen"];
    let first = desk.json(&tick);
    assert_eq!((seqs(&first), &first["repeated"]), (vec![2, 3], &false.into()));
    assert_eq!(first["events"][1]["id"], ID);
    desk.json(&["note", run, "meanwhile"]);
    let again = desk.json(&tick);
    assert_eq!((seqs(&again), &again["repeated"]), (vec![3], &true.into()));
    assert_eq!(
        (&again["seq"], &again["head"], &again["stage"]),
        (&first["seq"], &first["head"], &first["stage"])
    );
    assert!(!desk.event(5).exists());
    let (_, said, _) = desk.says(&tick);
    assert!(said.starts_with("saved already: flags done by ana at "), "{said}");

    let (code, _, error) = desk.says(&["note", run, "another", "--event-id", ID]);
    assert!(
        code == 5 && error.contains(&format!("{ID} is the id of event 3 already: ana? ticked flags")),
        "{error}"
    );
    let (code, _, error) = desk.says(&["note", run, "another", "--event-id", "seven"]);
    assert!(code == 2 && error.contains("\"seven\" is no ULID"), "{error}");
}

#[test]
fn a_start_that_is_made_again_starts_no_second_run() {
    let desk = desk();
    let start = ["start", "launch", "--event-id", OTHER];
    let first = desk.json(&start);
    let again = desk.json(&start);
    assert_eq!((&first["repeated"], &again["repeated"]), (&false.into(), &true.into()));
    assert_eq!(first["run"], again["run"]);
    assert_eq!(desk.json(&["list"])["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn of_people_who_settle_one_item_at_once_one_is_first_and_the_others_are_told_who() {
    let desk = desk();
    let run = desk.run.as_str();
    let codes: Vec<(i32, String)> = std::thread::scope(|scope| {
        let desk: &Desk = &desk;
        let tick = move |n: usize| {
            let by = format!("person{n}");
            let output = desk.does(&["tick", run, "flags", "--by", &by]);
            (output.status.code().unwrap(), text(&output.stderr))
        };
        let all: Vec<_> = (0..8).map(|n| scope.spawn(move || tick(n))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|(code, _)| *code == 0).count(), 1, "{codes:?}");
    for (code, error) in codes.iter().filter(|(code, _)| *code != 0) {
        assert!([1, 5].contains(code) && error.contains("flags is already done by person"), "{code} {error}");
    }
}

#[test]
fn evidence_that_was_brought_is_not_written_where_the_tick_would_be_refused() {
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let (code, _, error) = desk.says(&["tick", run, "ramp", "--evidence", "text=ran it by hand"]);
    assert!(code == 1 && error.contains("ramp is a command: it is done when it has run"), "{error}");
    assert!(!desk.event(2).exists());
}

#[test]
fn a_conflict_is_exit_5_and_says_who_was_first() {
    use gonogo::checklist::{Author, Command, expects};
    use gonogo::ledger::Ledger as _;
    // The same ledger through the library: what a verb does between reading and writing cannot be timed from
    // outside, so the revision that it saw is made old here.
    let desk = desk();
    let ledger = gonogo::cli::checklist::directory_ledger(desk.ledger.clone());
    let seen = ledger.open(&desk.run).unwrap();
    desk.json(&["tick", &desk.run, "flags", "--by", "ben"]);
    let skip = Command::Skip { item: "flags".into(), reason: "x".into() };
    let error =
        ledger.append(&seen, &expects(&seen, &skip), ID, &Author::unverified("ana"), &skip).unwrap_err();
    assert!(error.to_string().contains("flags is already done by ben at "), "{error}");
    assert!(matches!(error, gonogo::ledger::LedgerError::Conflict(_)));
    let told = desk.json(&["note", &desk.run, "x", "--event-id", ID]);
    let clash = desk.json(&["begin", &desk.run, "ramp", "--event-id", ID]);
    assert_eq!(told["seq"], 3);
    assert_eq!(clash["reason"]["code"], json!("conflict"));
}
