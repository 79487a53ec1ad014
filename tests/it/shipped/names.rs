//! What the lists name is there: messages that fill, tags that do something, lists that are found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gonogo::app::command::Keymap;
use gonogo::app::{Msg, State, message, update};
use gonogo::checklist::template::ListKind;
use gonogo::checklist::{Kind, Run, Template, params};
use gonogo::drill::{action_of, wrong_tags};
use gonogo::model::scenario::Effect;
use gonogo::settings;

use super::{Room, file, files, inject, launch, launch_of_all, scenario, text};

fn templates() -> Vec<Template> {
    launch_of_all("config/demo.toml", &text("config/demo.toml")).1
}

#[test]
fn every_tag_of_the_simulator_does_something_and_every_way_back_is_tagged() {
    let templates = templates();
    let items = templates.iter().flat_map(|template| &template.items);
    let mut tagged = 0;
    for item in items {
        assert!(wrong_tags(&item.tags).is_empty(), "{}: {:?}", item.id, item.tags);
        tagged += action_of(&item.tags).len();
        if !item.tags.is_empty() {
            assert!(matches!(item.kind, Kind::Command(_)), "{} is tagged and does nothing", item.id);
        }
    }
    assert!(tagged > 10, "{tagged}");
}

#[test]
fn every_list_is_begun_by_somebody_or_leads_there() {
    let templates = templates();
    let ids: BTreeSet<&str> = templates.iter().map(|template| template.id.as_str()).collect();
    let named: BTreeSet<String> = files().into_iter().map(|name| name.replace(".toml", "")).collect();
    assert_eq!(ids, named.iter().map(String::as_str).collect(), "a file is named as its list");
    let mut led_to = BTreeSet::new();
    for template in &templates {
        let runbooks = template.items.iter().filter_map(|item| item.runbook.as_deref());
        for id in runbooks.chain(template.rollback.as_deref()) {
            assert!(ids.contains(id), "{} leads to {id}, which is not there", template.id);
            led_to.insert(id);
        }
    }
    for template in templates.iter().filter(|template| template.kind != ListKind::Launch) {
        assert!(led_to.contains(template.id.as_str()), "nothing leads to {}", template.id);
    }
    let begun: Vec<&str> =
        templates.iter().filter(|t| t.kind == ListKind::Launch).map(|t| t.id.as_str()).collect();
    assert_eq!(begun.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&"tasks-dry-run", &"tasks-launch"]));
    // The room of the launch finds all but those that are begun by themselves.
    let (_, _, beside) = launch("config/demo.toml", &text("config/demo.toml"));
    let found: Vec<&str> = beside.iter().map(|listed| listed.template.id.as_str()).collect();
    assert_eq!(found.len() + begun.len(), ids.len(), "{found:?}");
}

#[test]
fn the_config_of_a_real_launch_loads_with_every_list() {
    let loaded = settings::load(&file("config/tasks.toml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (loaded.template.unwrap().id.as_str(), loaded.lists.len()),
        ("tasks-launch", files().len() - 2)
    );
    let (_, templates) = launch_of_all("config/tasks.toml", &text("config/tasks.toml"));
    assert_eq!(templates.len(), files().len());
}

#[test]
fn what_a_scenario_expects_to_be_seen_is_there() {
    let (launch, templates) = launch_of_all("config/demo.toml", &text("config/demo.toml"));
    let mut known: BTreeSet<&str> = launch.gates.iter().map(|gate| gate.id.as_str()).collect();
    known.extend(launch.sources.iter().map(|source| source.id.as_str()));
    for template in &templates {
        known.extend(template.gates().map(|gate| gate.id.as_str()));
        known.extend(template.triggers.iter().map(|trigger| trigger.id.as_str()));
    }
    let mut texts =
        settings::scenario_texts().map(|(id, text)| (id, text.to_owned())).collect::<BTreeMap<_, _>>();
    let on_disk = std::fs::read_dir(file("config/drills")).unwrap().map(|entry| entry.unwrap().path());
    let on_disk: Vec<_> = on_disk.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    assert_eq!(on_disk.len(), texts.len(), "every file is built in");
    for (id, text) in &mut texts {
        let scenario = settings::scenario(id, text).unwrap();
        assert_eq!(scenario.id, *id);
        for expected in &scenario.expect.detect {
            assert!(known.contains(expected.as_str()), "{id} expects {expected}");
        }
        let alerts = scenario.injects.iter().filter_map(|inject| match &inject.effect {
            Effect::Silenced(alert) => Some(alert),
            _ => None,
        });
        assert_eq!(alerts.count(), 0, "the alerts of a scenario are to be looked up here too");
    }
}

/// Each message, in a room that has seen everything and in one that has seen nothing.
#[tokio::test]
async fn every_message_fills_with_the_numbers_of_the_room_and_without_any() {
    let mut room = Room::open(&scenario(25.0, &inject("59m", "kind = \"api-slow\""))).await;
    let address = room.server.addr().to_string();
    let config = text("config/demo.toml").replace(super::CONFIGURED, &address);
    let (launch, templates) = launch_of_all("config/demo.toml", &config);
    let launch = Arc::new(launch);
    let mut filled = BTreeMap::new();
    for template in templates {
        let template = Arc::new(template);
        let now = room.at(0);
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        let mut state = State::new(Arc::clone(&launch), Some(Arc::clone(&template)), keymap, now);
        let mut run = Run::new("2025-12-02-test-01kax3".into(), Arc::clone(&template));
        let given = [("tenant", "acme"), ("from", "2025-12-02T14:00Z"), ("until", "2025-12-02T15:00Z")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = given.into_iter().filter(|(name, _)| template.params.iter().any(|p| p.name == *name));
        let given: Vec<_> = given.collect();
        run.params = params::of_run(&template, &given).unwrap_or_else(|e| panic!("{}: {e:?}", template.id));
        for seen in [false, true] {
            if seen {
                room.product.lock().unwrap().advance_to(now);
                for source in &mut room.sources {
                    let polled = source.poll(now).await;
                    update(&mut state, Msg::Polled(Box::new(polled)));
                }
            }
            for item in &template.items {
                let Kind::Message(message) = &item.kind else { continue };
                let source = text(&format!("checklists/{}", message.file));
                let text = message::fill(&source, &state, &run)
                    .unwrap_or_else(|error| panic!("{} of {}: {error}", message.file, template.id));
                assert!(!text.contains("{{") && !text.contains("{%") && text.contains("Tasks"), "{text}");
                filled.entry(message.file.clone()).or_insert_with(Vec::new).push(text);
            }
        }
    }
    let written = std::fs::read_dir(file("checklists/messages")).unwrap();
    let written: BTreeSet<String> =
        written.map(|entry| format!("messages/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    assert_eq!(filled.keys().cloned().collect::<BTreeSet<_>>(), written, "every message is somebody's");
    let incident = &filled["messages/incident-update.md"];
    assert!(incident[0].contains("unknown") && incident[0] != incident[1], "{incident:?}");
}
