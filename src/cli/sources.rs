//! `gonogo sources`: how the launch's sources are, each polled once.
//!
//! JSON: `{"sources":[{"id","kind","health":"fresh|failed","asked","last_good","took_seconds","reason":
//! {"code","text"},"retry_after_seconds","series_kept","series_sent","series_cut","unreadable",
//! "first_unreadable":{"line","text"},"clock_offset_seconds","bytes"}]}`. Exit codes: 0 every source
//! is well and wholly readable, 1 lines were unreadable or series left out, 3 a source gave no answer.

use std::fmt::Write as _;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Common, Exit, Output, output};
use crate::engine::SourceState;
use crate::http::{Pool, sign_in};
use crate::model::{Launch, Reason, SourceKind, Time, Unit, value};
use crate::runtime::feed;
use crate::settings;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this source (may be given again)
    #[arg(value_name = "SOURCE")]
    only: Vec<String>,
}

/// Polls every source once, all at the same time.
///
/// # Errors
/// No config, one that cannot be read, or a source that it does not have.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = std::env::current_dir().context("the working directory cannot be found")?;
    let path = settings::discover(common.config.as_deref(), &cwd)
        .ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))?;
    let mut launch = settings::load(&path)?.launch;
    if let Some(unknown) = args.only.iter().find(|id| !launch.sources.iter().any(|s| s.id.as_str() == **id)) {
        let known: Vec<&str> = launch.sources.iter().map(|s| s.id.as_str()).collect();
        return Err(anyhow!("no source {unknown:?}; this launch has {}", known.join(", ")));
    }
    launch.sources.retain(|def| args.only.is_empty() || args.only.iter().any(|id| def.id.as_str() == id));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let polled = runtime.block_on(sign_in::settling(poll(&launch)));
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    let polled = polled?;
    match common.output {
        Output::Json => {
            let sources: Vec<Value> = polled.iter().map(document).collect();
            output::json(&json!({ "sources": sources }))?;
        }
        Output::Text => output::print(&table(&polled))?,
    }
    for source in &polled {
        for remark in &source.notes.remarks {
            output::complain(&format!("{}: {remark}", source.def.id));
        }
    }
    let partly = |s: &SourceState| s.notes.unreadable + s.notes.series_cut > 0;
    Ok(if polled.iter().any(|s| s.fault.is_some()) {
        Exit::CannotTell
    } else if polled.iter().any(partly) {
        Exit::No
    } else {
        Exit::Yes
    })
}

async fn poll(launch: &Launch) -> anyhow::Result<Vec<SourceState>> {
    let mut polls = Vec::new();
    let pool = std::sync::Arc::new(Pool::default());
    for def in &launch.sources {
        let mut source = feed::source_sharing(launch, def, &pool)?;
        polls.push(async move {
            let polled = source.poll(now()).await;
            let mut state = SourceState::new(def.clone());
            state.observe(&polled);
            state
        });
    }
    Ok(futures_util::future::join_all(polls).await)
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn kind(source: &SourceState) -> &'static str {
    match &source.def.kind {
        SourceKind::Scrape { .. } => "scrape",
        SourceKind::Prometheus { .. } => "prometheus",
        SourceKind::Alertmanager { .. } => "alertmanager",
        SourceKind::Identity { .. } => "identity",
        SourceKind::Flags(flags) => flags.provider.as_str(),
    }
}

fn document(source: &SourceState) -> Value {
    let notes = &source.notes;
    let well = source.fault.is_none();
    let scraped = well && matches!(source.def.kind, SourceKind::Scrape { .. });
    let only = |there: bool, value: Value| if there { value } else { Value::Null };
    json!({
        "id": source.def.id,
        "kind": kind(source),
        "health": source.health(now()),
        "asked": source.last_asked,
        "last_good": source.last_good,
        "took_seconds": source.took.map(|took| took.as_secs_f64()),
        "reason": source.fault.as_ref().map(Reason::from),
        "retry_after_seconds": source.fault.as_ref().and_then(|f| f.retry_after).map(|r| r.as_secs_f64()),
        "series_kept": only(scraped, json!(notes.series_kept)),
        "series_sent": only(scraped, json!(notes.series_sent)),
        "series_cut": only(scraped, json!(notes.series_cut)),
        "unreadable": only(scraped, json!(notes.unreadable)),
        "first_unreadable":
            notes.first_unreadable.as_ref().map(|(line, text)| json!({ "line": line, "text": text })),
        "clock_offset_seconds": notes.clock_offset,
        "bytes": only(well, json!(notes.bytes)),
    })
}

fn table(polled: &[SourceState]) -> String {
    let width = polled.iter().map(|s| s.def.id.as_str().width()).max().unwrap_or(0);
    let mut text = String::new();
    for source in polled {
        let id = source.def.id.as_str();
        let health = source.health(now());
        let took = source.took.map(|t| value::in_unit(t.as_secs_f64(), Unit::Seconds)).unwrap_or_default();
        let what = source.fault.as_ref().map_or_else(|| remarks(source), ToString::to_string);
        let pad = width.saturating_sub(id.width());
        let _ = writeln!(
            text,
            "{} {id}{:pad$}  {:<10}  {:<7}  took {took:>7}  {what}",
            health.glyph(),
            "",
            kind(source),
            health.word()
        );
    }
    if polled.is_empty() {
        text.push_str("this launch polls nothing\n");
    }
    text
}

fn remarks(source: &SourceState) -> String {
    let notes = &source.notes;
    let mut parts = Vec::new();
    if matches!(source.def.kind, SourceKind::Scrape { .. }) {
        parts.push(format!("{} of {} series kept", notes.series_kept, notes.series_sent));
    }
    if notes.series_cut > 0 {
        parts.push(format!("{} series left out (max-series)", notes.series_cut));
    }
    if let (Some(lines), Some((line, why))) = (notes.unreadable_lines(), &notes.first_unreadable) {
        parts.push(format!("{lines}, the first is line {line}: {why}"));
    }
    if let Some(offset) = notes.clock_offset {
        let side = if offset >= 0.0 { "ahead" } else { "behind" };
        parts.push(format!("its clock {} {side}", value::in_unit(offset.abs(), Unit::Seconds)));
    }
    parts.join(", ")
}
