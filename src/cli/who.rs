//! Who is at the keyboard, as far as anybody can tell.

use std::path::Path;

use anyhow::{anyhow, bail};

use super::Common;
use crate::app::signing::author;
use crate::checklist::Author;
use crate::model::text::harmless_line;
use crate::model::{Launch, Person};
use crate::runtime::credential;
use crate::settings;

/// Who writes.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct Signed {
    /// Your name where nobody is signed in; it is written down as unverified [default: the user name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The role you act in
    #[arg(long = "as", value_name = "ROLE")]
    pub role: Option<String>,
}

impl Signed {
    /// Who writes where nobody can sign in: every name is marked as unverified.
    ///
    /// # Errors
    /// A blank name.
    pub fn author(&self) -> anyhow::Result<Author> {
        let name = match &self.by {
            Some(by) if by.trim().is_empty() => bail!("--by needs a name"),
            Some(by) => by.trim().to_owned(),
            None => from_system(),
        };
        Ok(Author { role: self.role.clone(), ..Author::unverified(&name) })
    }

    /// Who writes for the launch of the config that is found: who is signed in, else as
    /// [`Signed::author`]. A config that cannot be read lets nobody sign in.
    ///
    /// # Errors
    /// As [`Signed::author_of`].
    pub fn author_here(&self, common: &Common) -> anyhow::Result<Author> {
        let config = settings::discover(common.config.as_deref(), Path::new(""));
        match config.as_deref().map(settings::launch) {
            Some(Ok(launch)) => self.author_of(person(&launch)?.as_ref()),
            _ => self.author(),
        }
    }

    /// Who writes, where this person is signed in, or nobody.
    ///
    /// # Errors
    /// Another name than theirs, a role that is not theirs, a blank name.
    pub fn author_of(&self, person: Option<&Person>) -> anyhow::Result<Author> {
        let Some(person) = person.filter(|person| person.is_signed_in()) else { return self.author() };
        if let Some(by) = self.by.as_deref().filter(|by| by.trim() != person.name) {
            bail!(
                "--by {} is refused: you are signed in as {}; gonogo logout {} signs out",
                harmless_line(by, 60),
                person.name,
                person.credential
            );
        }
        if let Some(role) = self.role.as_deref().filter(|role| !person.may_act_as(role)) {
            bail!(person.without(&harmless_line(role, 60)));
        }
        Ok(Author { role: self.role.clone(), ..author(person) })
    }
}

/// Who is signed in with the credential that says who is at the keyboard of this launch.
///
/// # Errors
/// The sign-in that was kept is refused or cannot be read.
pub fn person(launch: &Launch) -> anyhow::Result<Option<Person>> {
    let sign_in = launch.identity_credential().and_then(credential::sign_in);
    sign_in.map_or(Ok(None), |sign_in| sign_in.person_now().map_err(|fault| anyhow!(fault.text)))
}

fn from_system() -> String {
    let named =
        ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|n| !n.is_empty()));
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}
