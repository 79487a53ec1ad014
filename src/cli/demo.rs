//! `gonogo demo`: the launch room on the simulated product, over real HTTP, in step with it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::app::Key;
use crate::drill::{self, DEMO_SEED, DEMO_START, DEMO_WARM_UP, Product, Server, SharedProduct};
use crate::model::text::harmless_line;
use crate::model::{Time, duration};
use crate::runtime::feed::Lockstep;
use crate::runtime::once::{self, Once};
use crate::runtime::{Clock, Setup};
use crate::settings;
use crate::ui;

use super::simulated::{self, Simulated};
use super::{Exit, output, room};

/// The one terminal of the demo.
const DESK: &str = "demo";

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
    let runs =
        tempfile::Builder::new().prefix("gonogo-demo-").tempdir().context("no room for the demo's run")?;
    let stop_at = (args.at.is_some() || args.room.once || !is_terminal()).then_some(opens);
    let mut setup = simulated::room(Simulated {
        room: &args.room,
        step: Lockstep { stop_at, ..Lockstep::new(product, DEMO_START, opens) },
        runs: runs.path().to_owned(),
        t0: Some(t0()),
        terminal: DESK,
    })?;
    setup.state.demo = true;
    Ok((setup, runs))
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
