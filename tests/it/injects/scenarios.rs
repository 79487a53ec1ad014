//! Whole scenarios: the same bytes however time is cut, what the team's actions do, those that are built
//! in, and what is said of wrong ones.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use gonogo::drill::action_of;
use gonogo::drill::score::{Moment, Observed, score};
use gonogo::model::scenario::{Action, Decision};
use proptest::prelude::*;

use super::*;

const WRONG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/drills");

/// One inject of each kind, all at once for a time, two of them bound to the flag.
fn everything() -> String {
    let kinds = [
        "kind = \"worker-stall\"\npercent = 60\nuntil = \"3m\"\ncured-by = [\"restart-workers\"]",
        "kind = \"worker-slow\"",
        "kind = \"worker-restarts\"\nevery = \"35s\"\nwhile-flag = 20",
        "kind = \"replicas-lost\"",
        "kind = \"poison-jobs\"",
        "kind = \"billing-poison\"",
        "kind = \"api-errors\"\nafter-flag = 40",
        "kind = \"api-slow\"",
        "kind = \"access-denied\"",
        "kind = \"traffic-surge\"",
        "kind = \"noisy-tenant\"",
        "kind = \"billing-starved\"\npercent = 50",
        "kind = \"end-to-end-broken\"",
        "kind = \"redis-full\"",
        "kind = \"source-down\"\npage = \"identity\"",
        "kind = \"coverage\"",
        "kind = \"alert-storm\"",
        "kind = \"alerts-lost\"",
        "kind = \"silenced\"\nalert = \"Watchdog\"",
        "kind = \"flag-moved\"\npercent = 50",
        "kind = \"flag-stuck\"\nuntil = \"4m\"",
        "kind = \"identity-errors\"",
        "kind = \"escalations\"",
        "kind = \"boundary-open\"",
        "kind = \"audit-lost\"",
        "kind = \"switch-errors\"",
        "kind = \"pages-undelivered\"",
    ];
    kinds.iter().map(|lines| inject("1m", lines)).collect()
}

#[test]
fn the_same_seed_and_scenario_give_the_same_bytes_however_time_is_cut() {
    let scenario = scenario(&everything());
    let acted = |steps: &dyn Fn(&mut Product, u64)| {
        let mut product = Product::with_scenario(scenario.seed, DEMO_START, &scenario);
        steps(&mut product, 150);
        product.act(Action::SetFlag { percent: 10.0 });
        product.act(Action::RestartWorkers);
        steps(&mut product, 330);
        product
    };
    let whole = acted(&|product, to| product.advance_to(at(&scenario, to)));
    let cut = acted(&|product, to| {
        while product.now() < at(&scenario, to) {
            let next = product.now().after(Duration::from_millis(1_337)).min(at(&scenario, to));
            product.advance_to(next);
        }
    });
    for page in Page::ALL {
        for format in [Format::Text, Format::OpenMetrics] {
            assert!(whole.exposition(page, format) == cut.exposition(page, format), "{page:?}");
        }
    }
    assert_eq!((whole.happened(), whole.redis()), (cut.happened(), cut.redis()));
    assert!(whole.happened().iter().all(|inject| inject.began == Some(at(&scenario, 60))));
    let mut other = Product::with_scenario(scenario.seed + 1, DEMO_START, &scenario);
    other.advance_to(at(&scenario, 330));
    assert_ne!(other.exposition(Page::Api, Format::Text), whole.exposition(Page::Api, Format::Text));
}

#[test]
fn the_built_in_story_does_not_play_in_a_scenario() {
    let late = scenario(&inject("19m", "kind = \"flag-stuck\""));
    let product = product(&late, 1_500);
    assert_eq!(product.flag_percent(), (25.0, 25.0), "the story would have been at 50 %");
    let api = page(&product, Page::Api);
    let failed = sum(&api, "http_requests_total", &["\"tasks\"", "code=\"50"]);
    assert!(failed / sum(&api, "http_requests_total", &["\"tasks\""]) < 0.003);
    assert!(product.happened()[0].began.is_some() && product.happened()[0].ended.is_none());
}

#[test]
fn an_inject_bound_to_the_flag_comes_and_goes_with_it_or_stays_behind_it() {
    let injects = inject("1m", "kind = \"api-errors\"\nwhile-flag = 50")
        + &inject("1m", "kind = \"identity-errors\"\nafter-flag = 50");
    let scenario = scenario(&injects);
    let mut product = product(&scenario, 120);
    let state = |product: &Product| -> Vec<(bool, bool)> {
        product.happened().iter().map(|inject| (inject.began.is_some(), inject.ended.is_some())).collect()
    };
    assert_eq!(state(&product), [(false, false); 2]);
    product.act(Action::SetFlag { percent: 50.0 });
    assert_eq!(state(&product), [(true, false); 2]);
    product.advance_to(at(&scenario, 180));
    product.act(Action::SetFlag { percent: 49.0 });
    assert_eq!(state(&product), [(true, true), (true, false)]);
    let [errors, _] = &product.happened()[..] else { panic!() };
    assert_eq!((errors.began, errors.ended), (Some(at(&scenario, 120)), Some(at(&scenario, 180))));
    product.act(Action::SetFlag { percent: 80.0 });
    assert_eq!(state(&product), [(true, false); 2], "it began again, and its first beginning counts");
    assert_eq!(product.happened()[0].began, Some(at(&scenario, 120)));
}

#[test]
fn stopped_producers_make_no_jobs_and_cleared_letters_are_gone() {
    let poison = scenario(&inject("1m", "kind = \"poison-jobs\"\npercent = 50"));
    let mut product = product(&poison, 180);
    let enqueued =
        |product: &Product| sum(&page(product, Page::Worker), "tasks_jobs_enqueued_total", &["\"tasks\""]);
    assert!(product.dead_letters() > 100);
    product.act(Action::StopProducers);
    let before = enqueued(&product);
    product.advance_to(at(&poison, 300));
    assert_eq!(enqueued(&product) - before, 2.0, "the synthetic task goes on, once a minute");
    product.act(Action::ClearFailed);
    assert_eq!(product.dead_letters(), 0);
    let kept = sum(&page(&product, Page::Worker), "tasks_queue_depth", &["\"tasks\"", "failed"]);
    assert_eq!(kept, 0.0);
    product.act(Action::StartProducers);
    product.advance_to(at(&poison, 360));
    assert!(enqueued(&product) > before + 300.0 && product.dead_letters() > 0);
}

#[test]
fn a_tenant_that_is_limited_is_no_longer_noisy() {
    let noisy = scenario(&inject("1m", "kind = \"noisy-tenant\""));
    let mut product = product(&noisy, 120);
    product.act(Action::LimitTenant);
    assert_eq!(product.happened()[0].ended, Some(at(&noisy, 120)));
    let own = |product: &Product| {
        sum(&page(product, Page::Api), "http_requests_total", &["\"tasks\"", "\"globex\""])
    };
    let before = own(&product);
    product.advance_to(at(&noisy, 180));
    assert!((own(&product) - before) / 60.0 < 12.0);
}

/// What the shipped scenarios promise: it goes wrong, the rollback that a run records mends it, and the
/// score of a team that does so passes.
#[test]
fn the_rollback_of_a_shipped_scenario_mends_the_product() {
    for (id, tags) in
        [("worker-stall", ["sim:flag=0", "sim:restart-workers"]), ("api-errors", ["sim:flag=0", ""])]
    {
        let scenario = settings::find_scenario(id).unwrap();
        let mut product = product(&scenario, 0);
        let trouble = |product: &mut Product, seconds: u64| {
            let failed = |product: &Product| {
                let api = page(product, Page::Api);
                let of = |code| sum(&api, "http_requests_total", &["\"tasks\"", code]);
                (of("code=\"50"), of("code"))
            };
            product.advance_to(at(&scenario, seconds - 60));
            let before = failed(product);
            product.advance_to(at(&scenario, seconds));
            let after = failed(product);
            let waiting = sum(&page(product, Page::Worker), "tasks_queue_depth", &["\"tasks\"", "waiting"]);
            (waiting, 100.0 * (after.0 - before.0) / (after.1 - before.1))
        };
        let well = |(waiting, errors): (f64, f64)| waiting < 300.0 && errors < 0.5;
        assert!(well(trouble(&mut product, 110)), "{id}: calm until the first inject");
        let worst = trouble(&mut product, 300);
        assert!(!well(worst), "{id}: {worst:?}");
        for action in action_of(&tags.map(String::from)) {
            product.act(action);
        }
        let mended = trouble(&mut product, 720);
        assert!(well(mended), "{id}: {mended:?}");
        assert!(
            product
                .happened()
                .iter()
                .all(|i| i.began.is_none() || i.ended.is_some() || i.kind == "flag-moved")
        );

        let moments: Vec<Moment> = [
            (200, Observed::Bad(scenario.expect.detect[0].clone())),
            (260, Observed::Decided(Decision::Rollback)),
            (300, Observed::RolledBack),
        ]
        .map(|(seconds, what)| Moment { at: at(&scenario, seconds), what })
        .into();
        let score = score(id, &scenario.expect, &product.happened(), &moments);
        assert!(score.passed() && score.detect.took == Some(Duration::from_secs(80)), "{score}");
    }
}

#[test]
fn every_shipped_scenario_is_right_and_its_file_is_called_after_its_id() {
    let mut files: Vec<String> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/config/drills"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut ids: Vec<&str> = settings::scenario_texts().map(|(id, _)| id).collect();
    files.sort();
    ids.sort_unstable();
    assert_eq!(ids, files);
    for id in ids {
        let scenario = settings::find_scenario(id).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.id, id);
        let path = format!("{}/config/drills/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(settings::find_scenario(&path).unwrap(), scenario);
        assert!(matches!(settings::check_file(Path::new(&path)), Ok(settings::Checked::Scenario(_))));
        let last = scenario.injects.iter().map(|inject| inject.until.unwrap_or(inject.at)).max().unwrap();
        assert!(last < scenario.length);
    }
    let error = settings::find_scenario("worker-stal").unwrap_err();
    assert!(error.message.contains("did you mean `worker-stall`?"), "{error}");
}

fn gonogo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("GONOGO_CONFIG")
        .output()
        .unwrap()
}

/// `GONOGO_BLESS=1 cargo test` writes the texts anew; read the difference before it is committed.
#[test]
fn every_wrong_scenario_is_refused_with_exactly_the_text_beside_it() {
    let files = fs::read_dir(WRONG).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    assert!(files.len() >= 2);
    for path in files {
        let name = format!("tests/data/drills/{}", path.file_name().unwrap().to_str().unwrap());
        let output = gonogo(&["config", "check", &name]);
        let found = String::from_utf8(output.stderr).unwrap();
        let beside = path.with_extension("error");
        if std::env::var_os("GONOGO_BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(found, fs::read_to_string(&beside).unwrap_or_default(), "{name}");
    }
}

#[test]
fn config_check_says_what_a_scenario_is() {
    let output = gonogo(&["config", "check", "config/drills/blind.toml"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "config/drills/blind.toml: ok, a drill of 15m with 2 injects\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_damaged_scenario_is_taken_or_refused_with_a_place_and_never_panics(
        which in 0..3usize, cut in any::<prop::sample::Index>(), new in "[ -~\n]{0,12}",
    ) {
        let (_, text) = settings::scenario_texts().nth(which).unwrap();
        let from = cut.index(text.len());
        let to = (from + new.len()).min(text.len());
        let text = format!("{}{new}{}", &text[..from], &text[to..]);
        match settings::scenario("damaged.toml", &text) {
            Err(error) => prop_assert!(error.findings.iter().all(|f| f.line > 0 && f.column > 0), "{error}"),
            Ok(scenario) => {
                // Whatever is taken can be played.
                let mut product = Product::with_scenario(scenario.seed, DEMO_START, &scenario);
                product.advance_to(DEMO_START.after(Duration::from_secs(2)));
            }
        }
    }
}

#[test]
fn a_scenario_can_be_served_for_others_to_poll() {
    let mut serving = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["demo", "--serve", "127.0.0.1:0", "--scenario", "blind"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let (first, second) = (lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap());
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(first, "scenario blind: Identity and Prometheus are down together");
    assert!(second.contains("is served at http://127.0.0.1:"), "{second}");

    for (args, wrong) in [
        (&["demo", "--scenario", "blind"][..], "--serve"),
        (&["demo", "--serve", "127.0.0.1:0", "--scenario", "./none.toml"], "there is no such file"),
    ] {
        let output = gonogo(args);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(wrong), "{output:?}");
    }
}
