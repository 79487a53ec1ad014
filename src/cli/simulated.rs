//! A room on the simulated product, served on a loopback port and kept step with: the demo and the drills.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use anyhow::{Context as _, anyhow};

use crate::app::List;
use crate::checklist::{Begun, Mode, Present};
use crate::drill::{Server, SharedProduct};
use crate::ledger::{Approved, DirectoryLedger};
use crate::model::{Launch, SourceKind, Time};
use crate::runtime::feed::Lockstep;
use crate::runtime::hands::Book;
use crate::runtime::{Clock, Feed, Setup};
use crate::settings::{self, Listed};
use crate::sources::capture::Written;

use super::room;

/// The embedded config and its checklist: the files of the repository, so that they cannot drift.
const CONFIG: &str = include_str!("../../config/demo.toml");
const CHECKLIST: &str = include_str!("../../checklists/tasks-launch.toml");

/// Makes the table of what lies beside the embedded checklist.
macro_rules! beside {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../checklists/", $file)))),*]
    };
}

/// What lies beside the embedded checklist, by its name there.
pub const FILES: &[(&str, &str)] = beside![
    "backfill.toml",
    "error-spike.toml",
    "incident-response.toml",
    "noisy-tenant.toml",
    "queue-stalled.toml",
    "tasks-dry-run.toml",
    "tasks-rollback.toml",
    "messages/customer-notice.md",
    "messages/incident-update.md",
    "messages/internal-faq.md",
    "messages/release-notes.md",
    "messages/rollback-notice.md",
    "messages/status-page.md",
    "messages/support-enablement.md",
];

/// The host and port that the embedded config names, replaced by the port that was free.
const CONFIGURED: &str = "127.0.0.1:9464";

/// What a simulated room is made of.
pub(super) struct Simulated<'a> {
    /// How it looks, and who is at the keyboard.
    pub(super) room: &'a room::Args,
    /// The product, and how time passes.
    pub(super) step: Lockstep,
    /// The directory of its run.
    pub(super) runs: PathBuf,
    /// T-0.
    pub(super) t0: Option<Time>,
    /// The name of its one terminal.
    pub(super) terminal: &'static str,
}

/// The room; a run of the embedded checklist is begun in it.
pub(super) fn room(simulated: Simulated<'_>) -> anyhow::Result<Setup> {
    let Simulated { room: args, step, runs, t0, terminal } = simulated;
    let product = Arc::clone(&step.product);
    let address = serve_beside(Arc::clone(&product))?;
    let Embedded { mut launch, list, lists } = parse()?;
    point_at(&mut launch, address);
    let launch = Arc::new(launch);
    let clock = Clock::simulated(step.start);
    let store = {
        let clock = clock.clone();
        Arc::new(move || clock.now())
    };
    let read = Arc::new(|text: &str| settings::template("template.toml", text).map_err(|e| e.message));
    let author = args.signed.author()?;
    let me = Present { terminal: terminal.into(), name: author.name() };
    let book = Book {
        ledger: Arc::new(DirectoryLedger::new(runs.clone(), store, read)),
        approved: Approved::new(runs.join("approved")),
        runs,
        author,
        me,
        list: Arc::clone(&list),
        begun: Begun { mode: Mode::Drill, t0, ..Begun::default() },
        run: None,
        start: true,
        clock: clock.clone(),
        product: Some(product),
    };
    let mut state = room::state(args, &launch, Some(list), lists, &clock)?;
    state.terminal = terminal.into();
    let theme = room::theme(args, &launch)?;
    let written = |name: &str, text: &str| Written { name: name.into(), text: text.into() };
    let label = (written("demo.toml", CONFIG), Some(written("tasks-launch.toml", CHECKLIST)));
    Ok(Setup {
        theme,
        launch,
        state,
        feed: Feed::Lockstep(step),
        clock,
        book: Some(book),
        label: Some(label),
    })
}

/// The embedded launch, its checklist, and the lists beside that.
struct Embedded {
    launch: Launch,
    list: Arc<List>,
    lists: Vec<Listed>,
}

fn parse() -> anyhow::Result<Embedded> {
    let file = "checklists/tasks-launch.toml";
    let config = "config/demo.toml";
    let parsed = settings::parse(config, CONFIG, Path::new("config"), Some((file, CHECKLIST)));
    let (mut launch, template) = parsed.map_err(|e| anyhow!(e.rendered))?;
    let template = template.context("the demo has no checklist")?;
    let beside = |name: &str| {
        let found = FILES.iter().find(|(file, _)| *file == name);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    };
    let lists = settings::lists((file, CHECKLIST), &template, config, &mut launch, &beside);
    let (messages, lists) = lists.map_err(|e| anyhow!(e.rendered))?;
    Ok(Embedded { launch, list: room::list(template, CHECKLIST, messages), lists })
}

/// Points the embedded config's sources at the port that was free.
fn point_at(launch: &mut Launch, address: SocketAddr) {
    let here = address.to_string();
    for source in &mut launch.sources {
        match &mut source.kind {
            SourceKind::Scrape { urls, .. } => {
                for url in urls {
                    *url = url.replacen(CONFIGURED, &here, 1);
                }
            }
            SourceKind::Prometheus { url, .. }
            | SourceKind::Alertmanager { url, .. }
            | SourceKind::Identity { url, .. } => {
                *url = url.replacen(CONFIGURED, &here, 1);
            }
            SourceKind::Flags(flags) => flags.url = flags.url.replacen(CONFIGURED, &here, 1),
        }
    }
}

/// Serves a product on a free loopback port for as long as the program lives.
fn serve_beside(product: SharedProduct) -> anyhow::Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (told, address) = mpsc::channel();
    std::thread::Builder::new().name("product".into()).spawn(move || {
        runtime.block_on(async move {
            let server = Server::start(product, SocketAddr::from(([127, 0, 0, 1], 0))).await;
            let _ = told.send(server.as_ref().map(Server::addr).map_err(ToString::to_string));
            if server.is_ok() {
                std::future::pending::<()>().await;
            }
        });
    })?;
    address.recv()?.map_err(|e| anyhow!("the simulated product cannot be served: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the files in a directory of the repository.
    fn names(dir: &str, extension: &str) -> Vec<String> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string());
        let fits = |name: &String| Path::new(name).extension().is_some_and(|e| e == extension);
        let mut names: Vec<String> = names.map(Result::unwrap).filter(fits).collect();
        names.sort();
        names
    }

    #[test]
    fn every_list_and_message_of_the_repository_is_in_the_program() {
        let mut there = names("checklists", "toml");
        there.retain(|name| name != "tasks-launch.toml");
        there.extend(names("checklists/messages", "md").into_iter().map(|name| format!("messages/{name}")));
        let mut embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        embedded.sort_by_key(|name| (name.contains('/'), *name));
        assert_eq!(embedded, there);
        let beside = settings::files_beside(&Path::new(env!("CARGO_MANIFEST_DIR")).join("checklists/x.toml"));
        for (name, text) in FILES {
            assert_eq!(beside(name).unwrap(), *text, "{name}");
        }
    }
}
