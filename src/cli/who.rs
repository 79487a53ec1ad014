//! Who is at the keyboard, as far as anybody can tell.

use anyhow::bail;

use crate::checklist::Author;

/// Who writes.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct Signed {
    /// Your name; it is written down as unverified [default: the user name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The role you act in
    #[arg(long = "as", value_name = "ROLE")]
    pub role: Option<String>,
}

impl Signed {
    /// Nobody is authenticated here, so every name is marked as unverified.
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
}

fn from_system() -> String {
    let named =
        ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|n| !n.is_empty()));
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}
