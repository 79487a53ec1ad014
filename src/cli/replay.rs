//! `gonogo replay FILE`: the launch room on a capture, watermarked and read only.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::checklist::Template;
use crate::model::{Launch, Time};
use crate::runtime::once::{self, Once};
use crate::runtime::replay::Replay;
use crate::runtime::{Clock, Feed, Setup};
use crate::sources::capture::Tape;
use crate::{settings, ui};

use super::{Common, Exit, output, room};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The capture; what `gonogo record` wrote, or with --config any `OpenMetrics` with timestamps
    file: PathBuf,
    /// How many times faster than it was: 10x
    #[arg(long, value_name = "FACTOR", value_parser = speed, default_value = "1x")]
    speed: f64,
    /// Begin at this moment instead of the capture's first
    #[arg(long, value_name = "TIME", value_parser = Time::parse)]
    from: Option<Time>,
    /// The moment of the one frame [default: the capture's end]
    #[arg(long, value_name = "TIME", value_parser = Time::parse, requires = "once")]
    at: Option<Time>,
    /// Print one frame as text and leave
    #[arg(long)]
    once: bool,
    /// dark, light, high-contrast, colour-blind or mono [default: the config's, else dark]
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Size of the one frame [default: the terminal's, else 160x48]
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = room::size)]
    size: Option<(u16, u16)>,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the capture, the config or the terminal.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    use std::io::IsTerminal as _;
    let taped = open(&args.file, common)?;
    let one_frame = args.once || !std::io::stdout().is_terminal();
    let look =
        room::Args { once: args.once, theme: args.theme.clone(), size: args.size, ..room::Args::default() };
    let begin = args.from.or(taped.tape.span().map(|(first, _)| first)).unwrap_or_default();
    let clock = Clock::simulated(begin);
    let launch = Arc::new(taped.launch);
    let main = taped.template.map(|template| room::list(template, "", settings::Texts::new()));
    let mut state = room::state(&look, &launch, main, Vec::new(), &clock)?;
    state.replay = Some(crate::app::Replay { speed: args.speed, ..crate::app::Replay::default() });
    state.write = false;
    state.run_note = Some("a replay has no run: it shows what the sources said".into());
    let theme = room::theme(&look, &launch)?;
    let feed = Feed::Replay(Box::new(Replay {
        tape: taped.tape,
        recorded: taped.recorded,
        from: args.from,
        stop_at: one_frame.then_some(args.at),
        speed: args.speed,
    }));
    let setup = Setup { theme, launch, state, feed, clock, book: None, label: None };
    if !one_frame {
        return room::show(setup, &look);
    }
    let once = Once { size: room::frame_size(&look), keys: Vec::new(), patience: Duration::from_mins(10) };
    let (buffer, state) = once::frame(setup, &once)?;
    output::print(&ui::text::plain(&buffer))?;
    let trouble = state.replay.map(|replay| replay.trouble).unwrap_or_default();
    for text in &trouble {
        output::complain(text);
    }
    Ok(if state.watch.sources.iter().all(|s| s.last_asked.is_none()) { Exit::CannotTell } else { Exit::Yes })
}

/// A capture with the launch that it is replayed for.
pub(super) struct Taped {
    pub(super) tape: Tape,
    pub(super) launch: Launch,
    pub(super) template: Option<Template>,
    /// The launch of the capture's own config, where it has one.
    pub(super) recorded: Option<Launch>,
}

/// Opens a capture, for the launch of `--config` or else for its own.
///
/// # Errors
/// What is wrong with either.
pub(super) fn open(file: &Path, common: &Common) -> anyhow::Result<Taped> {
    let name = || crate::model::text::harmless_line(&file.display().to_string(), 300);
    let tape = Tape::open(file).with_context(name)?;
    let own = tape.head().map(|head| {
        let checklist = head.checklist.as_ref().map(|c| (c.name.as_str(), c.text.as_str()));
        settings::parse(&head.config.name, &head.config.text, Path::new(""), checklist)
            .map_err(|e| anyhow!("{}: the launch in the capture: {}", name(), e.rendered))
    });
    let config = common.config.as_deref().filter(|path| !path.as_os_str().is_empty());
    // A config that the environment names for the room must not quietly judge a capture that has its own.
    let ignored = config.filter(|_| !common.config_is_named && own.is_some());
    if let Some(path) = ignored {
        output::complain(&format!(
            "judged by the launch in the capture, not by $GONOGO_CONFIG: --config {} would be",
            crate::model::text::harmless_line(&path.display().to_string(), 300)
        ));
    }
    let config = config.filter(|_| ignored.is_none());
    let Some(config) = config else {
        let (launch, template) = own.transpose()?.ok_or_else(|| {
            anyhow!("{} holds no launch (there is no {}.jsonl): name one with --config", name(), name())
        })?;
        return Ok(Taped { tape, recorded: Some(launch.clone()), launch, template });
    };
    let loaded = settings::load(config).map_err(|e| anyhow!(e.rendered))?;
    let recorded = own.transpose().ok().flatten().map(|(launch, _)| launch);
    Ok(Taped { tape, launch: loaded.launch, template: loaded.template, recorded })
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches(['x', 'X', '×']);
    number
        .parse::<f64>()
        .ok()
        .filter(|speed| (0.1..=1000.0).contains(speed))
        .ok_or_else(|| "write a factor between 0.1x and 1000x, as in 10x".into())
}
