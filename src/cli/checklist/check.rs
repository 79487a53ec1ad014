//! `gonogo checklist check`: is a template right, with everything that it names.

use std::path::{Path, PathBuf};

use crate::settings;

use super::super::settings::{count, report};
use super::super::{Common, Exit};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The template's file
    file: PathBuf,
}

/// Checks a template: its keys and values, the texts of its messages, the lists that it names, and, where a
/// config is named or found, that what its gates look at exists there. Exit 2 with everything that is wrong.
/// JSON: `{"ok","file","config","findings":[{"file","line","column","key","message"}]}`; `config` is null where
/// none was found, and then no name in a gate was looked up.
pub(super) fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let config = settings::discover(common.config.as_deref(), Path::new(""));
    let name = config.as_ref().map(|path| path.display().to_string());
    // A config that is wrong is told like a list that is: nothing could be looked up in it.
    let launch = config.as_deref().map(settings::launch).transpose();
    let template =
        launch.and_then(|launch| settings::checklist_file(&args.file, name.as_deref().zip(launch.as_ref())));
    let checked = template.map(|template| {
        let against = name.as_ref().map_or_else(
            || "; no config was found, so the names in its gates were not looked up".to_owned(),
            |name| format!("; its gates fit {name}"),
        );
        format!("ok, a {} list of {}{against}", template.kind.as_str(), count(template.items.len(), "item"))
    });
    report(&args.file, &checked, "findings", &[("config", name.into())], common.output)
}
