//! Reading a file whole, if it can be a config at all.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::document::{Document, Troubles};
use super::finding::SettingsError;

/// No config written by people comes near.
const LARGEST: u64 = 1 << 20;

/// Whether somebody means a file, and not something built in: those names have no slash and no ending.
pub(super) fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

/// The text of a config or checklist file.
///
/// # Errors
/// No such file, a directory, larger than a config can be, not UTF-8.
pub(super) fn text(path: &Path) -> Result<String, SettingsError> {
    let bytes = bytes(path).map_err(|error| SettingsError::unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or(0);
        let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let mut troubles = Troubles::default();
        troubles.add(at..at + 1, format!("the byte 0x{byte:02x} is not UTF-8, which TOML is written in"));
        Document::unparsed(&path.display().to_string(), &lossy).error(troubles)
    })
}

/// Never more than the largest, so that neither a capture given by mistake nor an endless device
/// fills the memory.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("is larger than {LARGEST} bytes, which no config or checklist is");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}
