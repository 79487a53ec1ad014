//! Where a launch config is looked for.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The places a config is looked for when none is named, in their order: `gonogo.toml` and
/// `config/gonogo.toml` in the working directory, then the user's config directory.
pub fn places(cwd: &Path) -> Vec<PathBuf> {
    let user = ProjectDirs::from("", "", "gonogo").map(|dirs| dirs.config_dir().join("gonogo.toml"));
    [cwd.join("gonogo.toml"), cwd.join("config").join("gonogo.toml")].into_iter().chain(user).collect()
}

/// The config to use: the named one (`--config`, `$GONOGO_CONFIG`), whether it exists or not, so that
/// a wrong name is said and not passed over; else the first of [`places`] where something is. An empty
/// name names none.
pub fn discover(explicit: Option<&Path>, cwd: &Path) -> Option<PathBuf> {
    match explicit.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Some(path.to_owned()),
        None => places(cwd).into_iter().find(|path| path.symlink_metadata().is_ok()),
    }
}

/// What to say where [`discover`] finds none.
pub fn nothing_found(cwd: &Path) -> String {
    let places: Vec<String> = places(cwd).iter().map(|p| format!("  {}", p.display())).collect();
    format!(
        "no launch config was found; looked at\n{}\nname one with --config FILE or $GONOGO_CONFIG",
        places.join("\n")
    )
}
