//! `gonogo demo`: the launch room on the simulated product, over real HTTP, in step with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::app::{Key, List};
use crate::checklist::{Begun, Mode, Present};
use crate::drill::{self, DEMO_SEED, DEMO_START, DEMO_WARM_UP, Product, Server, SharedProduct};
use crate::ledger::{Approved, DirectoryLedger};
use crate::model::text::harmless_line;
use crate::model::{Launch, SourceKind, Time, duration};
use crate::runtime::feed::Lockstep;
use crate::runtime::hands::Book;
use crate::runtime::once::{self, Once};
use crate::runtime::{Clock, Feed, Setup};
use crate::settings::{self, Listed};
use crate::sources::capture::Written;
use crate::ui;

use super::{Exit, output, room};

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

/// The one terminal of the demo.
const DESK: &str = "demo";

/// The host and port that the embedded config names, replaced by the port that was free.
const CONFIGURED: &str = "127.0.0.1:9464";

/// How the demo is run.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    #[command(flatten)]
    /// How the room is opened.
    pub room: room::Args,
    /// Another story: the same seed gives the same numbers on every machine
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Serve the simulated product for others to poll instead of opening the room
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["svg", "at", "keys"])]
    pub serve: Option<SocketAddr>,
    /// Play this scenario of a drill instead of the demo's story: an id, or a file by its path
    #[arg(long, value_name = "FILE|ID", requires = "serve")]
    pub scenario: Option<String>,
    /// Stand still at this simulated time after the beginning, print one frame and leave
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub at: Option<Duration>,
    /// Keys to press before that frame is taken: "j j space"
    #[arg(long, value_name = "KEYS", requires = "at")]
    pub keys: Option<String>,
    /// Write that frame as SVG to this file
    #[arg(long, value_name = "FILE", requires = "at")]
    pub svg: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// What is wrong with the terminal, a port or a file.
pub fn open(args: &Args) -> anyhow::Result<Exit> {
    let seed = args.seed.unwrap_or(DEMO_SEED);
    if let Some(address) = args.serve {
        let Some(wanted) = &args.scenario else {
            return serve(address, DEMO_WARM_UP, |begin| Product::new(seed, begin));
        };
        let scenario = settings::find_scenario(wanted).map_err(|e| anyhow!(e.rendered))?;
        let seed = args.seed.unwrap_or(scenario.seed);
        output::print(&format!("scenario {}: {}\n", scenario.id, harmless_line(&scenario.title, 100)))?;
        return serve(address, scenario.start.warm_up, |begin| {
            Product::with_scenario(seed, begin, &scenario)
        });
    }
    let (setup, _runs) = setup(args, seed)?;
    let Some(_) = args.at else { return room::show(setup, &args.room) };
    let keys = Key::parse_all(args.keys.as_deref().unwrap_or("")).map_err(|e| anyhow!("--keys: {e}"))?;
    let once = Once { size: room::frame_size(&args.room), keys, patience: Duration::from_mins(2) };
    let theme = setup.theme.clone();
    let (buffer, _) = once::frame(setup, &once)?;
    match &args.svg {
        Some(file) => std::fs::write(file, ui::svg::svg(&buffer, &theme))
            .with_context(|| format!("cannot write {}", file.display()))?,
        None => output::print(&ui::text::plain(&buffer))?,
    }
    Ok(Exit::Yes)
}

/// The room on the simulated product, and the directory of its run, which goes when it is dropped.
fn setup(args: &Args, seed: u64) -> anyhow::Result<(Setup, tempfile::TempDir)> {
    let opens = DEMO_START.after(args.at.unwrap_or(DEMO_WARM_UP));
    let product: SharedProduct = Arc::new(Mutex::new(Product::new(seed, DEMO_START)));
    let address = serve_beside(Arc::clone(&product))?;
    let Embedded { mut launch, list, lists } = parse()?;
    point_at(&mut launch, address);
    let launch = Arc::new(launch);

    let clock = Clock::simulated(DEMO_START);
    let runs =
        tempfile::Builder::new().prefix("gonogo-demo-").tempdir().context("no room for the demo's run")?;
    let store = {
        let clock = clock.clone();
        Arc::new(move || clock.now())
    };
    let read = Arc::new(|text: &str| settings::template("template.toml", text).map_err(|e| e.message));
    let author = args.room.signed.author()?;
    let me = Present { terminal: DESK.into(), name: author.name() };
    let book = Book {
        ledger: Arc::new(DirectoryLedger::new(runs.path().to_owned(), store, read)),
        runs: runs.path().to_owned(),
        approved: Approved::new(runs.path().join("approved")),
        author,
        me,
        list: Arc::clone(&list),
        begun: Begun { mode: Mode::Drill, t0: Some(t0()), ..Begun::default() },
        run: None,
        start: true,
        clock: clock.clone(),
    };
    let mut state = room::state(&args.room, &launch, Some(list), lists, &clock)?;
    state.demo = true;
    state.terminal = DESK.into();
    let stop_at = (args.at.is_some() || args.room.once || !is_terminal()).then_some(opens);
    let feed = Feed::Lockstep(Lockstep { product, start: DEMO_START, forward_to: opens, stop_at });
    let theme = room::theme(&args.room, &launch)?;
    let written = |name: &str, text: &str| Written { name: name.into(), text: text.into() };
    let label = (written("demo.toml", CONFIG), Some(written("tasks-launch.toml", CHECKLIST)));
    Ok((Setup { theme, launch, state, feed, clock, book: Some(book), label: Some(label) }, runs))
}

/// T-0 of the demo: a day and two hours after it opens, before anything of its checklist is due. `:t0 +12m` brings
/// the holds near.
fn t0() -> Time {
    DEMO_START.after(DEMO_WARM_UP + Duration::from_hours(26))
}

fn is_terminal() -> bool {
    use std::io::IsTerminal as _;
    std::io::stdout().is_terminal()
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

/// `--serve`: the product for other programs to poll, moving with the wall clock, until it is ended. It
/// has been running for `warm_up` when it is first served.
fn serve(
    address: SocketAddr,
    warm_up: Duration,
    product: impl FnOnce(Time) -> Product,
) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let begin = Clock::wall().now().before(warm_up);
        let mut product = product(begin);
        product.advance_to(begin.after(warm_up));
        let product = Arc::new(Mutex::new(product));
        let server = Server::start(Arc::clone(&product), address)
            .await
            .with_context(|| format!("cannot serve on {address}"))?;
        output::print(&format!(
            "the simulated product is served at {base}: /worker/metrics, /api/metrics, /identity/metrics, /redis/metrics, /alertmanager/metrics, /launch/v1, /api/v1/rules, /alertmanager/api/v2\n",
            base = server.base_url()
        ))?;
        drill::pace(product, 1.0).await;
        Ok(Exit::Yes)
    })
}
