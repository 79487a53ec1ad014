//! Evidence that a person brings: a link, words, or a file by its hash.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::checklist::{Evidence, Hash};

/// What `--evidence` takes: `link=https://…`, `text=words`, `file=PATH`.
#[derive(Clone, Debug)]
pub(super) enum Brought {
    Link(String),
    Text(String),
    File(PathBuf),
}

impl Brought {
    /// Reads `link=…`, `text=…`, `file=…`.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("link", url)) => Self::link(url),
            Some(("text", words)) => Ok(Self::Text(words.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.into())),
            _ => Err(format!("{text:?} is no evidence: write link=https://…, text=WORDS or file=PATH")),
        }
    }

    /// An address with its scheme, so that it can be opened later.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub(super) fn link(url: &str) -> Result<Self, String> {
        let url = url.trim();
        let plain = |scheme: &str| !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric());
        let whole = url.split_once("://").is_some_and(|(scheme, rest)| plain(scheme) && !rest.is_empty());
        if whole && !url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Ok(Self::Link(url.to_owned()));
        }
        Err(format!("{url:?} is no link: write the whole address, https://…"))
    }

    /// As it is stored; of a file, its name and the hash of its bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn evidence(&self) -> anyhow::Result<Evidence> {
        match self {
            Self::Link(url) => Ok(Evidence::brought("link", url)),
            Self::Text(words) => Ok(Evidence::brought("text", words)),
            Self::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let hash = hash(path)?;
                Ok(Evidence { hash: Some(hash), ..Evidence::brought("file", &name) })
            }
        }
    }
}

/// The hash of a file's bytes, read in pieces: a load test's archive may be larger than the memory.
fn hash(path: &Path) -> anyhow::Result<Hash> {
    let shown = path.display();
    // Asked before opening: a named pipe would wait for a writer for ever.
    let kind = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    if !kind.is_file() {
        bail!("{shown} is no file, so it has no hash");
    }
    let digest = digest(path).with_context(|| format!("cannot read {shown}"))?;
    let mut text = String::from("sha256:");
    for byte in digest {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Hash(text))
}

fn digest(path: &Path) -> io::Result<impl IntoIterator<Item = u8>> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(count) => hasher.update(piece.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
