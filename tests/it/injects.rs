//! Scenarios of drills: each kind of inject is served, and its effect is seen from outside.

mod effects;
mod scenarios;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::drill::{DEMO_START, Format, Page, Product, Server, SharedProduct};
use gonogo::model::{Launch, Scenario, Time};
use gonogo::settings;

/// The samples of a page.
type Samples = BTreeMap<String, f64>;

/// A scenario of twenty minutes that opens after five, with the flag at 25 %, and these injects.
fn scenario(injects: &str) -> Scenario {
    let text = format!(
        "schema = 1\nid = \"test\"\ntitle = \"Test\"\nsummary = \"One inject.\"\nseed = 5\n\
         start = {{ percent = 25, warm-up = \"5m\" }}\nlength = \"20m\"\n\
         expect = {{ detect = [\"x\"], decide = \"none\" }}\n{injects}"
    );
    settings::scenario("test.toml", &text).unwrap_or_else(|error| panic!("{error}"))
}

/// One inject, from this moment on.
fn inject(at: &str, lines: &str) -> String {
    format!("[[inject]]\nat = \"{at}\"\ntext = \"It is tested.\"\n{lines}\n")
}

/// So many seconds after the scenario opens.
fn at(scenario: &Scenario, seconds: u64) -> Time {
    Product::opens(DEMO_START, scenario).after(Duration::from_secs(seconds))
}

fn product(scenario: &Scenario, seconds: u64) -> Product {
    let mut product = Product::with_scenario(scenario.seed, DEMO_START, scenario);
    product.advance_to(at(scenario, seconds));
    product
}

fn samples(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(n, v)| (n.into(), v.parse().unwrap())).collect()
}

fn page(product: &Product, page: Page) -> Samples {
    samples(&product.exposition(page, Format::Text))
}

/// The sum of the series of a name that have all of these labels.
fn sum(samples: &Samples, name: &str, labels: &[&str]) -> f64 {
    let wanted = |series: &str| {
        series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
    };
    samples.iter().filter(|(series, _)| wanted(series)).map(|(_, value)| value).sum()
}

async fn served(product: Product) -> (SharedProduct, Server) {
    let product = Arc::new(Mutex::new(product));
    let server = Server::start(Arc::clone(&product), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    (product, server)
}

/// The demo's launch, on a server.
fn launch(server: &Server) -> Launch {
    let config = include_str!("../../config/demo.toml").replace("127.0.0.1:9464", &server.addr().to_string());
    settings::parse("demo.toml", &config, Path::new("config"), None).unwrap().0
}
