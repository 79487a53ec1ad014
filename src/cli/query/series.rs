//! `gonogo query --series`: which series a server has.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::answer::{metric, shown};
use super::failure::Failure;
use super::origin::{self, Origin};
use super::{Args, server};
use crate::cli::{Common, Exit, Output, output};
use crate::http::Client;
use crate::model::Time;
use crate::promql::Expr;
use crate::runtime::Clock;
use crate::sources::prometheus::{Api, SeriesList};

/// How far back is looked without `--start`.
const SPAN: Duration = Duration::from_hours(1);

/// Lists them, and counts. 0: there are some; 1: there is none; 2: no selector; 3: nothing answered.
pub(super) fn run(selector: &str, args: &Args, common: &Common) -> anyhow::Result<Exit> {
    match list(selector, args, common) {
        Ok(list) => {
            match common.output {
                Output::Json => output::json(&document(&list))?,
                Output::Text => {
                    let lines: Vec<String> = list.series.iter().map(|s| shown(s) + "\n").collect();
                    output::print(&lines.concat())?;
                    list.warnings.iter().for_each(|warning| output::complain(warning));
                    let count = list.series.len();
                    output::complain(&format!("{count} series"));
                }
            }
            Ok(if list.series.is_empty() { Exit::No } else { Exit::Yes })
        }
        Err(failure) => super::tell(&failure, selector, common),
    }
}

fn list(selector: &str, args: &Args, common: &Common) -> Result<SeriesList, Failure> {
    let (start, end) = span(args)?;
    let Origin::Server(server) = origin::of(args, common)? else {
        return Err(Failure::usage(
            "--series asks a Prometheus server; `gonogo scrape` lists what an endpoint sends",
        ));
    };
    // What is no selector is refused here, with its place; what only a newer server knows, by the server.
    if let Ok(expr) = Expr::parse(selector)
        && !expr.is_selector()
    {
        return Err(Failure::usage(format!("{selector} is no selector like name{{label=\"value\"}}")));
    }
    let api = Api::new(&server.url, Client::new(server.options));
    server::block_on(api.series(selector, start, end))?.map_err(Failure::from)
}

fn span(args: &Args) -> Result<(Time, Time), Failure> {
    match (args.start, args.end) {
        (Some(start), Some(end)) if end < start => Err(Failure::usage("--end lies before --start")),
        (Some(start), Some(end)) => Ok((start, end)),
        _ => {
            let now = Clock::wall().now();
            Ok((now.before(SPAN), now))
        }
    }
}

/// The document of Prometheus' API.
fn document(list: &SeriesList) -> Json {
    let mut document = Map::new();
    document.insert("status".into(), json!("success"));
    document.insert("data".into(), list.series.iter().map(metric).collect());
    if !list.warnings.is_empty() {
        document.insert("warnings".into(), json!(list.warnings));
    }
    document.into()
}
