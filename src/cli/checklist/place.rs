//! Where runs and templates are found.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use directories::ProjectDirs;

use crate::ledger::{Clock, DirectoryLedger};
use crate::model::Time;
use crate::settings;

use super::Common;

/// The directory for runs where no config names one: `runs` in the user's state directory (Linux), or
/// local data directory (macOS has no other); without a home, `runs` in the working directory.
pub fn default_dir() -> PathBuf {
    state_dir().map_or_else(|| PathBuf::from("runs"), |dir| dir.join("runs"))
}

/// The directory for the histories of scrape sources: `history` beside the runs.
pub fn history_dir() -> PathBuf {
    state_dir().map_or_else(|| PathBuf::from("history"), |dir| dir.join("history"))
}

/// The directory that says which templates' commands this user has approved.
pub fn approved_dir() -> PathBuf {
    state_dir().map_or_else(|| PathBuf::from("approved"), |dir| dir.join("approved"))
}

fn state_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "gonogo")?;
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
}

/// A ledger in a directory, with the system's clock and the parser of `settings`.
pub fn directory_ledger(path: PathBuf) -> DirectoryLedger {
    let clock: Clock = Arc::new(|| Time::from_millis(jiff::Timestamp::now().as_millisecond()));
    let parse = Arc::new(|text: &str| settings::template("template.toml", text).map_err(|e| e.message));
    DirectoryLedger::new(path, clock, parse)
}

/// The ledger and where templates are looked for.
pub(super) struct Place {
    pub(super) ledger: DirectoryLedger,
    /// Directories named `checklists`, the nearest first.
    templates: Vec<PathBuf>,
    /// Whether the config takes changes only from people who are signed in; why it cannot be read.
    require_identity: Result<bool, String>,
}

impl Place {
    /// `--ledger` first, then the config's `ledger.path`, then the user's state directory. A config
    /// that cannot be read is an error only where it would have named the ledger.
    pub(super) fn find(ledger: Option<&Path>, common: &Common) -> anyhow::Result<Self> {
        let config = settings::discover(common.config.as_deref(), Path::new(""));
        // A checklist that is being written may be wrong; the runs that are under way have their own.
        let loaded = config.as_deref().map(settings::launch);
        let named = loaded.as_ref().and_then(|l| l.as_ref().ok()?.checklist.as_deref()?.parent());
        let mut templates: Vec<PathBuf> = named.map(Path::to_owned).into_iter().collect();
        if let Some(dir) = config.as_deref().and_then(Path::parent) {
            templates.extend([dir.join("checklists"), dir.join("..").join("checklists")]);
        }
        if !templates.iter().any(|dir| dir == Path::new("checklists")) {
            templates.push("checklists".into());
        }
        let require_identity = match &loaded {
            None => Ok(false),
            Some(Ok(launch)) => Ok(launch.require_identity),
            Some(Err(why)) => Err(why.rendered.clone()),
        };
        let path = match (ledger, loaded) {
            (Some(path), _) => path.to_owned(),
            (None, Some(loaded)) => {
                loaded.map_err(|e| anyhow!(e.rendered))?.ledger.unwrap_or_else(default_dir)
            }
            (None, None) => default_dir(),
        };
        Ok(Self { ledger: directory_ledger(path), templates, require_identity })
    }

    /// Whether a run that begins now takes changes only from people who are signed in.
    ///
    /// # Errors
    /// The config cannot be read, and could ask for it.
    pub(super) fn requires_identity(&self) -> anyhow::Result<bool> {
        self.require_identity.clone().map_err(|why| anyhow!(why))
    }

    /// The file of a template that is named by its path or by its id.
    pub(super) fn template(&self, named: &str) -> anyhow::Result<PathBuf> {
        let path = PathBuf::from(named);
        if path.is_file() {
            return Ok(path);
        }
        if let Some(found) = self.template_file(named) {
            return Ok(found);
        }
        if named.contains('/') || Path::new(named).extension().is_some_and(|e| e == "toml") {
            fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        let nearest = self.ids().into_iter().max_by(|a, b| like(a, named).total_cmp(&like(b, named)));
        let hint = nearest.filter(|id| like(id, named) >= 0.5).map(|id| format!("; did you mean {id}?"));
        let looked: Vec<String> = self.templates.iter().map(|dir| dir.display().to_string()).collect();
        Err(anyhow!("no template {named:?} in {}{}", looked.join(" or "), hint.unwrap_or_default()))
    }

    /// `checklists/ID.toml`, where there is one.
    pub(super) fn template_file(&self, id: &str) -> Option<PathBuf> {
        if id.contains(['/', '\\']) {
            return None;
        }
        self.templates.iter().map(|dir| dir.join(format!("{id}.toml"))).find(|file| file.is_file())
    }

    fn ids(&self) -> Vec<String> {
        let files = self.templates.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
        let ids = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
        ids.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
    }
}

fn like(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}
