//! `gonogo`: the launch room of the config that is found, or with none the demo.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::app::command::Keymap;
use crate::app::{List, State};
use crate::checklist::{Begun, Present, Template};
use crate::ledger::Approved;
use crate::model::Launch;
use crate::runtime::hands::Book;
use crate::runtime::once::{self, Once};
use crate::runtime::{Clock, Ending, Feed, Past, Setup, room};
use crate::settings::{self, Listed, Loaded, Texts};
use crate::ui;

use super::{Common, Exit, demo, output, who};

/// How the room is opened.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Print one frame as text and leave
    #[arg(long)]
    pub once: bool,
    /// Allow changes to a live run
    #[arg(long)]
    pub write: bool,
    /// The run to open: its name, or a part that fits no other [default: the newest open one]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// dark, light, high-contrast, colour-blind or mono [default: the config's, else dark]
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Size of the one frame [default: the terminal's, else 160x48]
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = size)]
    pub size: Option<(u16, u16)>,
    #[command(flatten)]
    /// Who writes.
    pub signed: who::Signed,
}

impl Args {
    /// Whether any of them was given; they mean nothing to other commands.
    pub fn given(&self) -> bool {
        self.once || self.write || self.run.is_some() || self.theme.is_some() || self.size.is_some()
    }
}

/// Opens the room.
///
/// # Errors
/// What is wrong with the config, the ledger or the terminal.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = Path::new("");
    let Some(config) = settings::discover(common.config.as_deref(), cwd) else {
        return demo::open(&demo::Args { room: args.clone(), ..demo::Args::default() });
    };
    let loaded = settings::load(&config).map_err(|e| anyhow!(e.rendered))?;
    show(live(args, &config, loaded)?, args)
}

/// The room of a launch config.
fn live(args: &Args, config: &Path, loaded: Loaded) -> anyhow::Result<Setup> {
    let label = super::record::written(config, &loaded);
    let list = loaded.template.zip(loaded.template_text);
    let list = list.map(|(template, text)| self::list(template, &text, loaded.messages));
    let launch = Arc::new(loaded.launch);
    let clock = Clock::wall();
    let mut state = state(args, &launch, list.clone(), loaded.lists, &clock)?;
    // What was kept and is refused keeps nobody from watching; the room says why.
    // The screen waits for no issuer: the room's own watch renews what is due.
    let sign_in = launch.identity_credential().and_then(crate::runtime::credential::sign_in);
    let person = sign_in.and_then(|sign_in| sign_in.person_kept().unwrap_or_default());
    let author = args.signed.author_of(person.as_ref())?;
    state.author = author.clone();
    state.person = person;
    let runs = launch.ledger.clone().unwrap_or_else(super::checklist::default_dir);
    state.terminal = terminal();
    let me = Present { terminal: state.terminal.clone(), name: author.name() };
    let book = list.map(|list| Book {
        ledger: Arc::new(super::checklist::directory_ledger(runs.clone())),
        runs,
        approved: Approved::new(super::checklist::approved_dir()),
        author: author.clone(),
        me,
        list,
        begun: Begun { t0: launch.t0, require_identity: launch.require_identity, ..Begun::default() },
        run: args.run.clone(),
        start: false,
        clock: clock.clone(),
        product: None,
    });
    let save = !args.once && std::io::stdout().is_terminal();
    let past = Past { dir: super::checklist::history_dir(), save };
    Ok(Setup {
        theme: theme(args, &launch)?,
        launch,
        state,
        feed: Feed::Polling(Some(past)),
        clock,
        book,
        label: Some(label),
    })
}

/// A checklist with the texts of its messages.
pub(super) fn list(template: Template, text: &str, messages: Texts) -> Arc<List> {
    Arc::new(List { template: Arc::new(template), text: text.into(), messages })
}

/// This terminal's name among those on a run: the machine, the process, and when it began, since a
/// process's number comes again.
fn terminal() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let host: String = host.chars().take(40).map(safe).collect();
    format!("{host}-{}-{}", std::process::id(), Clock::wall().now().millis() % 100_000)
}

/// A room before anything happened. The gates of the lists beside the checklist are watched from the
/// start: a hold that a rollback asks for takes its time.
pub(super) fn state(
    args: &Args,
    launch: &Arc<Launch>,
    main: Option<Arc<List>>,
    lists: Vec<Listed>,
    clock: &Clock,
) -> anyhow::Result<State> {
    let keymap = Keymap::new(&launch.keys).map_err(|e| anyhow!(e))?;
    let template = main.as_ref().map(|main| Arc::clone(&main.template));
    let lists = lists.into_iter().map(|listed| list(listed.template, &listed.text, listed.messages));
    let mut state = State::with_lists(Arc::clone(launch), template, lists.collect(), keymap, clock.now());
    state.list = main;
    state.author = args.signed.author()?;
    state.unsigned = state.author.clone();
    state.write |= args.write;
    Ok(state)
}

/// `--theme`, else mono where `NO_COLOR` asks for it, else the config's.
pub(super) fn theme(args: &Args, launch: &Launch) -> anyhow::Result<ui::Theme> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let name = match (&args.theme, &launch.theme) {
        (None, _) if no_color => "mono",
        (Some(name), _) | (None, Some(name)) => name.as_str(),
        (None, None) => "dark",
    };
    ui::Theme::named(name)
        .with_context(|| format!("no theme {name:?}; there are {}", ui::Theme::NAMES.join(", ")))
}

/// On a terminal the room itself, elsewhere one frame of it as text.
pub(super) fn show(setup: Setup, args: &Args) -> anyhow::Result<Exit> {
    if args.once || !std::io::stdout().is_terminal() {
        let once = Once { size: frame_size(args), keys: Vec::new(), patience: patience(&setup.launch) };
        let (buffer, _) = once::frame(setup, &once)?;
        output::print(&ui::text::plain(&buffer))?;
        return Ok(Exit::Yes);
    }
    match room::open(setup).context("cannot use this terminal (gonogo --once prints one frame)")? {
        (Ending::Quit, _) => Ok(Exit::Yes),
        (Ending::Signal(number), _) => Ok(Exit::Signal(number)),
    }
}

/// The size of one frame.
pub(super) fn frame_size(args: &Args) -> (u16, u16) {
    let terminal = || crossterm::terminal::size().ok().filter(|_| std::io::stdout().is_terminal());
    args.size.or_else(terminal).unwrap_or((160, 48))
}

/// How long one frame waits for the sources: the longest of their time-outs, and a little.
fn patience(launch: &Launch) -> Duration {
    let longest = launch.sources.iter().map(|s| s.timeout).max().unwrap_or_default();
    longest + Duration::from_secs(1)
}

pub(super) fn size(text: &str) -> Result<(u16, u16), String> {
    let sides = text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides
        .filter(|(w, h): &(u16, u16)| (1..=1000).contains(w) && (1..=500).contains(h))
        .ok_or_else(|| "write COLUMNSxROWS, as in 160x48, of at most 1000x500".into())
}
