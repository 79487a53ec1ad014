//! The lists that gonogo brings: every gate and trigger of them is seen to pass, to fail and not to know,
//! and nothing that they name is missing.

mod coverage;
mod gates;
mod names;
mod queues;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::checklist::Template;
use gonogo::drill::{DEMO_START, Product, Server, SharedProduct};
use gonogo::engine::{Judgement, Watch};
use gonogo::model::{GateId, Launch, Scenario, SourceId, Time};
use gonogo::promql::Expr;
use gonogo::runtime::feed;
use gonogo::settings::{self, Listed};
use gonogo::sources::Source;

/// The address that the demo's config names.
const CONFIGURED: &str = "127.0.0.1:9464";

/// For how many minutes the product has run when a scenario opens: longer than every window.
const WARM_UP: u64 = 16;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The checklists of the repository, by their file names.
fn files() -> Vec<String> {
    let names = std::fs::read_dir(file("checklists")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|e| e == "toml"));
    names.sort();
    assert!(names.len() > 7, "{names:?}");
    names
}

/// The config's launch with its checklist, and what that leads to.
fn launch(config: &str, text: &str) -> (Launch, Template, Vec<Listed>) {
    let name = file("checklists/tasks-launch.toml");
    let list = std::fs::read_to_string(&name).unwrap();
    let shown = name.display().to_string();
    let parsed = settings::parse(config, text, &file("config"), Some((&shown, &list)));
    let (mut launch, template) = parsed.unwrap_or_else(|error| panic!("{error}"));
    let template = template.unwrap();
    let beside = settings::files_beside(&name);
    let (_, lists) = settings::lists((&shown, &list), &template, config, &mut launch, &beside)
        .unwrap_or_else(|error| panic!("{error}"));
    (launch, template, lists)
}

/// A config's launch with the signals of all lists of the repository, and these lists.
fn launch_of_all(config: &str, text: &str) -> (Launch, Vec<Template>) {
    let (mut launch, template, lists) = launch(config, text);
    let mut all: Vec<Template> = lists.into_iter().map(|listed| listed.template).collect();
    all.push(template);
    for name in files() {
        let list = self::text(&format!("checklists/{name}"));
        if all.iter().any(|known| format!("{}.toml", known.id) == name) {
            continue;
        }
        let (list, signals) =
            settings::template_for(&name, &list, config, &launch).unwrap_or_else(|error| panic!("{error}"));
        launch.signals.extend(signals);
        all.push(list);
    }
    (launch, all)
}

/// A scenario of an hour that has run so long before it opens, with the flag at so many percent.
fn scenario(percent: f64, injects: &str) -> Scenario {
    let text = format!(
        "schema = 1\nid = \"test\"\ntitle = \"Test\"\nsummary = \"Injects.\"\nseed = 5\n\
         start = {{ percent = {percent:?}, warm-up = \"{WARM_UP}m\" }}\nlength = \"60m\"\n\
         expect = {{ detect = [\"x\"], decide = \"none\" }}\n{injects}"
    );
    settings::scenario("test.toml", &text).unwrap_or_else(|error| panic!("{error}"))
}

/// A gate's name in its own list: those of a rollback or runbook are told apart by their list.
fn own_name(gate: &GateId) -> &str {
    gate.as_str().rsplit('/').next().unwrap_or_default()
}

fn inject(at: &str, lines: &str) -> String {
    format!("[[inject]]\nat = \"{at}\"\ntext = \"It is tested.\"\n{lines}\n")
}

/// The demo's room without a screen: the simulated product over HTTP, and everything that watches it.
struct Room {
    product: SharedProduct,
    server: Server,
    sources: Vec<Source>,
    watch: Watch,
    templates: Vec<Template>,
    /// When the scenario opens.
    opens: Time,
}

impl Room {
    async fn open(scenario: &Scenario) -> Self {
        Self::with(scenario, |config, _| config).await
    }

    /// With the demo's config changed, which is given with the product's address.
    async fn with(scenario: &Scenario, change: impl FnOnce(String, &str) -> String) -> Self {
        let product = Product::with_scenario(scenario.seed, DEMO_START, scenario);
        let product = Arc::new(Mutex::new(product));
        let server =
            Server::start(Arc::clone(&product), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = server.addr().to_string();
        let config = change(text("config/demo.toml").replace(CONFIGURED, &address), &address);
        let (launch, templates) = launch_of_all("config/demo.toml", &config);
        let sources = launch.sources.iter().map(|def| feed::source(&launch, def).unwrap()).collect();
        let watch = Watch::new(&launch, templates.iter().flat_map(Template::gates));
        let opens = Product::opens(DEMO_START, scenario);
        Self { product, server, sources, watch, templates, opens }
    }

    /// Every gate of the config and the lists, and those of the triggers.
    fn gates(&self) -> Vec<GateId> {
        self.watch.gates.iter().map(|gate| gate.def.id.clone()).collect()
    }

    /// A gate by its name without that of its list.
    fn gate(&self, name: &str) -> GateId {
        let found = self.gates().into_iter().find(|gate| own_name(gate) == name);
        found.unwrap_or_else(|| panic!("there is no gate {name}"))
    }

    /// How many seconds a gate's expression looks back.
    fn window(&self, gate: &GateId) -> i64 {
        let query = &self.watch.gate(gate).unwrap().query;
        // Flags and alerts have none.
        Expr::parse(query).map_or(0, |expr| i64::try_from(expr.window().as_secs()).unwrap())
    }

    /// So many seconds after the scenario has opened; negative before.
    fn at(&self, seconds: i64) -> Time {
        let span = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self.opens.before(span) } else { self.opens.after(span) }
    }

    /// Brings the product to a moment and asks these sources.
    async fn poll(&mut self, at: Time, wanted: &BTreeSet<SourceId>) {
        self.product.lock().unwrap().advance_to(at);
        self.ask(at, wanted).await;
    }

    /// Asks these sources, with the product as it is.
    async fn ask(&mut self, at: Time, wanted: &BTreeSet<SourceId>) {
        for source in self.sources.iter_mut().filter(|source| wanted.contains(source.id())) {
            let polled = source.poll(at).await;
            self.watch.observe(&polled);
        }
        self.watch.tick(at);
    }

    fn all_sources(&self) -> BTreeSet<SourceId> {
        self.sources.iter().map(|source| source.id().clone()).collect()
    }

    fn judge(&self, gate: &GateId, at: Time) -> Judgement {
        self.watch.judge(gate, at).unwrap_or_else(|| panic!("there is no gate {gate}"))
    }

    /// How long each trigger's trouble must last, by its gate.
    fn lasting(&self) -> BTreeMap<GateId, Duration> {
        let triggers = self.templates.iter().flat_map(|template| &template.triggers);
        triggers.map(|trigger| (trigger.gate.id.clone(), trigger.lasting)).collect()
    }
}
