//! The sign-in of a person as a file, which all terminals of a user share.
//!
//! The directory is the user's alone (0700), the file too (0600); what others could read or have made is
//! refused, never repaired: a token that others may have seen is no longer a secret. A file takes the
//! place of another whole (written, synced, renamed). Who refreshes holds the lock beside it from
//! before reading until after writing, because a refresh token that rotates works once: used twice, the
//! server takes it for stolen and ends the sign-in everywhere (RFC 9700, 4.14).
//!
//! All of this blocks for a moment, and is called on threads that may. Nothing here waits for the lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::reply;
use crate::model::credential::SignInDef;
use crate::model::{Fault, FaultCode, Time};

/// The version of the form; another one is as if there were no file.
const FORM: u32 = 1;
/// More is no sign-in.
const MOST_BYTES: u64 = 1 << 20;
/// A file written later than this from now was written by a clock that has been set back since.
const AHEAD: Duration = Duration::from_secs(60);

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".tmp-";
/// How old one must be before it counts as left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

/// What is kept of a sign-in.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// The token; `None` where the sign-in has ended.
    pub(super) access: Option<SecretString>,
    /// What it is renewed with.
    pub(super) refresh: Option<SecretString>,
    /// When it was got, by this machine's wall clock.
    pub(super) got: Time,
    /// How long it lives from then.
    pub(super) life: Option<Duration>,
    /// What was granted; `None`: what was asked for.
    pub(super) scope: Option<String>,
    /// Whether there was an ID token.
    pub(super) openid: bool,
    /// Who it is, by the newest ID token.
    pub(super) claims: Map<String, Value>,
    /// What `userinfo` said beside it, when it was last asked.
    pub(super) userinfo: Map<String, Value>,
    /// The issuer's clock less this one's, in seconds.
    pub(super) clock_offset: Option<f64>,
    /// What is worth knowing: `the server now gives opaque tokens …`.
    pub(super) remarks: Vec<String>,
    /// Why the sign-in has ended.
    pub(super) ended: Option<String>,
}

impl Kept {
    /// How long the token still lives by the wall clock; `None`: it does not say. Nothing where the clock
    /// was set back, and never longer than its whole life.
    pub(super) fn left(&self, now: Time) -> Option<Duration> {
        let life = self.life?;
        if self.got.since(now) > AHEAD {
            return Some(Duration::ZERO);
        }
        Some(self.got.after(life).since(now).min(life))
    }

    /// When it ends, by the wall clock.
    pub(super) fn ends(&self) -> Option<Time> {
        Some(self.got.after(self.life?))
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    form: u32,
    #[serde(serialize_with = "written", deserialize_with = "reply::maybe_secret")]
    access: Option<SecretString>,
    #[serde(serialize_with = "written", deserialize_with = "reply::maybe_secret")]
    refresh: Option<SecretString>,
    got: i64,
    life: Option<f64>,
    scope: Option<String>,
    openid: bool,
    claims: Map<String, Value>,
    #[serde(default)]
    userinfo: Map<String, Value>,
    clock_offset: Option<f64>,
    #[serde(default)]
    remarks: Vec<String>,
    ended: Option<String>,
}

/// Where one sign-in is kept.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    path: PathBuf,
}

/// The lock beside the file; it is free again when this is dropped, and when the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not read")] File);

impl Cache {
    /// In this directory, for this credential of this client at this issuer.
    pub(super) fn new(dir: &Path, name: &str, def: &SignInDef) -> Self {
        let mut hash = Sha256::new();
        let resource = def.resource.as_deref().unwrap_or("");
        let audience = def.audience.as_deref().unwrap_or("");
        for part in [name, &def.issuer, &def.client_id, resource, audience] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let id = digest.iter().take(12).fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
        Self { dir: dir.to_owned(), path: dir.join(format!("{id}.json")) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is kept; `None` where there is nothing.
    ///
    /// # Errors
    /// The directory or the file is not this user's alone, or cannot be read.
    pub(super) fn read(&self) -> Result<Option<Kept>, Fault> {
        match fs::symlink_metadata(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => self.check_dir(found)?,
        }
        self.read_file(true)
    }

    /// As [`Cache::read`], for taking back at the issuer what is in the user's own file: also where others
    /// could read it, which is then all the more wanted.
    ///
    /// # Errors
    /// As there.
    pub(super) fn read_to_revoke(&self) -> Result<Option<Kept>, Fault> {
        self.read_file(false)
    }

    fn read_file(&self, is_private: bool) -> Result<Option<Kept>, Fault> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(&self.path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if is_loop(&error) => return Err(self.refused("is a symbolic link", "remove it")),
            Err(error) => return Err(self.unusable("read", &error)),
        };
        let meta = file.metadata().map_err(|error| self.unusable("read", &error))?;
        if !meta.is_file() {
            return Err(self.refused("is no file", "remove it"));
        }
        if meta.uid() != me() {
            return Err(self.refused("belongs to another user", "remove it"));
        }
        if is_private && meta.mode() & 0o077 != 0 {
            let what = format!("may be read by others (mode {:04o})", meta.mode() & 0o7777);
            return Err(self.refused(&what, &format!("sign out, or chmod 600 {}", self.path.display())));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| self.unusable("read", &error))?;
        let wire: Wire = match serde_json::from_str(&text) {
            Ok(wire) => wire,
            Err(_) => return Err(self.refused("is damaged", "remove it, and sign in again")),
        };
        if wire.form != FORM {
            return Ok(None);
        }
        Ok(Some(Kept {
            access: wire.access,
            refresh: wire.refresh,
            got: Time::from_millis(wire.got),
            life: wire.life.and_then(|life| Duration::try_from_secs_f64(life).ok()),
            scope: wire.scope,
            openid: wire.openid,
            claims: wire.claims,
            userinfo: wire.userinfo,
            clock_offset: wire.clock_offset,
            remarks: wire.remarks,
            ended: wire.ended,
        }))
    }

    /// Keeps it, in the place of what was there.
    ///
    /// # Errors
    /// The system's; what was there before is then still there.
    pub(super) fn write(&self, kept: &Kept) -> Result<(), Fault> {
        self.make_dir()?;
        let wire = Wire {
            form: FORM,
            access: kept.access.clone(),
            refresh: kept.refresh.clone(),
            got: kept.got.millis(),
            life: kept.life.map(|life| life.as_secs_f64()),
            scope: kept.scope.clone(),
            openid: kept.openid,
            claims: kept.claims.clone(),
            userinfo: kept.userinfo.clone(),
            clock_offset: kept.clock_offset,
            remarks: kept.remarks.clone(),
            ended: kept.ended.clone(),
        };
        let text = serde_json::to_vec(&wire)
            .map(Zeroizing::new)
            .map_err(|_| Fault::new(FaultCode::Credential, "the sign-in cannot be written as JSON"))?;
        self.sweep();
        let mut new = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .tempfile_in(&self.dir)
            .map_err(|error| self.unusable("written", &error))?;
        let written = new.write_all(&text).and_then(|()| new.as_file().sync_all());
        written.map_err(|error| self.unusable("written", &error))?;
        new.persist(&self.path).map_err(|error| self.unusable("written", &error.error))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|error| self.unusable("written", &error))
    }

    /// Removes what a process that died in the middle of writing has left behind: it holds tokens.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(UNFINISHED)) {
            let modified = entry.metadata().and_then(|meta| meta.modified()).ok();
            let age = modified.and_then(|then| then.elapsed().ok());
            if age.is_some_and(|age| age >= LEFT_BEHIND) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Forgets it; whether there was anything.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn forget(&self) -> Result<bool, Fault> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.unusable("removed", &error)),
        }
    }

    /// The lock, unless somebody holds it.
    ///
    /// # Errors
    /// The directory is not this user's alone, or the system's.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>, Fault> {
        self.make_dir()?;
        let path = self.path.with_extension("lock");
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // The file stays: if it were removed, two could each lock a file of this name.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
            .map_err(|error| self.unusable("locked", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.unusable("locked", &error)),
        }
    }

    fn make_dir(&self) -> Result<(), Fault> {
        if let Some(parent) = self.dir.parent() {
            fs::create_dir_all(parent).map_err(|error| self.unusable("kept", &error))?;
        }
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(self.unusable("kept", &error));
            }
            _ => {}
        }
        self.check_dir(fs::symlink_metadata(&self.dir))
    }

    fn check_dir(&self, found: io::Result<fs::Metadata>) -> Result<(), Fault> {
        let meta = found.map_err(|error| self.unusable("kept", &error))?;
        let dir = self.dir.display();
        let refused = |what: &str, help: &str| {
            Err(Fault::new(FaultCode::Credential, format!("the directory of sign-ins {dir} {what}: {help}")))
        };
        if !meta.is_dir() {
            return refused("is a symbolic link or no directory", "remove it");
        }
        if meta.uid() != me() {
            return refused("belongs to another user", "remove it");
        }
        if meta.mode() & 0o077 != 0 {
            return refused("is open to others", &format!("chmod 700 {dir}"));
        }
        Ok(())
    }

    fn refused(&self, what: &str, help: &str) -> Fault {
        let text = format!("the sign-in {} is not used, it {what}: {help}", self.path.display());
        Fault::new(FaultCode::Credential, text)
    }

    fn unusable(&self, what: &str, error: &io::Error) -> Fault {
        let text = format!("the sign-in {} cannot be {what}: {error}", self.path.display());
        Fault::new(FaultCode::Credential, text)
    }
}

/// The one place where a token is written down.
#[expect(clippy::ref_option, reason = "serde hands the field over so")]
fn written<S: Serializer>(token: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    token.as_ref().map(ExposeSecret::expose_secret).serialize(serializer)
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests;
