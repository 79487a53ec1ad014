//! `gonogo whoami`: who is signed in, and what they may do. Asks nobody: it tells what was kept.
//!
//! JSON: `{"credential","signed_in","name","subject","issuer","claimed_roles":[…],"roles":[…]|null,
//! "scopes":[…],"withheld_scopes":[…],"expires","clock_offset_seconds","remarks":[…],"reason"}`; `roles` is
//! null where the config does not say where the roles are. Nobody: `{"credential","signed_in":false,
//! "reason"}`. Exit codes: 0 signed in, 1 nobody, or no more, 2 usage or config.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};

use super::{Common, Exit, Output, login, output};
use crate::http::SignIn;
use crate::model::credential::CredentialDef;
use crate::model::{Launch, Person, Unit, value};
use crate::runtime::credential;
use crate::settings;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The credential of kind device [default: the launch's identity]
    #[arg(value_name = "CREDENTIAL")]
    credential: Option<String>,
}

/// Tells who is signed in.
///
/// # Errors
/// No config, or no such credential.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let (def, sign_in) = chosen(args.credential.as_deref(), common)?;
    let nobody = format!("nobody is signed in: gonogo login {} signs in", def.name);
    let (document, text, exit) = match sign_in.person_now() {
        Ok(Some(person)) => {
            let exit = if person.is_signed_in() { Exit::Yes } else { Exit::No };
            (document(&person), page(&person), exit)
        }
        Ok(None) => (
            json!({ "credential": def.name, "signed_in": false, "reason": { "code": "sign-in-needed", "text": nobody } }),
            format!("{nobody}\n"),
            Exit::No,
        ),
        Err(fault) => (
            json!({ "credential": def.name, "signed_in": false, "reason": login::reason(&fault) }),
            format!("{fault}\n"),
            Exit::No,
        ),
    };
    match common.output {
        Output::Json => output::json(&document)?,
        Output::Text if exit == Exit::Yes => output::print(&text)?,
        Output::Text => output::complain(&text),
    }
    Ok(exit)
}

/// The credential that is meant: the one that is named, or the one that says who is at the keyboard.
///
/// # Errors
/// No config, one that cannot be read, or no such credential.
pub(super) fn chosen(name: Option<&str>, common: &Common) -> anyhow::Result<(CredentialDef, SignIn)> {
    let cwd = std::env::current_dir().context("the working directory cannot be found")?;
    let path = settings::discover(common.config.as_deref(), &cwd)
        .ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))?;
    let launch = settings::load(&path)?.launch;
    let def = pick(&launch, name)?.clone();
    let sign_in = credential::sign_in(&def).ok_or_else(|| anyhow!("{} is no sign-in", def.name))?;
    Ok((def, sign_in))
}

fn pick<'l>(launch: &'l Launch, name: Option<&str>) -> anyhow::Result<&'l CredentialDef> {
    let devices: Vec<&CredentialDef> =
        launch.credentials.values().filter(|def| def.device().is_some()).collect();
    let names: Vec<&str> = devices.iter().map(|def| def.name.as_str()).collect();
    if names.is_empty() {
        bail!("nobody can sign in with this launch: it has no credential of kind device");
    }
    let there_are = names.join(", ");
    match name {
        None => launch
            .identity_credential()
            .ok_or_else(|| anyhow!("name the credential to sign in with: {there_are}")),
        Some(name) => match launch.credentials.get(name) {
            Some(def) if def.device().is_some() => Ok(def),
            Some(def) => {
                bail!(
                    "{name} is a {} credential: nobody signs in with it; there are {there_are}",
                    def.kind.as_str()
                )
            }
            None => bail!("no credential {name:?}; one can sign in with {there_are}"),
        },
    }
}

/// A person as a JSON document.
pub(super) fn document(person: &Person) -> Value {
    json!({
        "credential": person.credential,
        "signed_in": person.is_signed_in(),
        "name": person.name,
        "subject": person.subject,
        "issuer": person.issuer,
        "claimed_roles": person.claimed,
        "roles": person.tells_roles.then_some(&person.roles),
        "scopes": person.scopes,
        "withheld_scopes": person.withheld,
        "expires": person.expires,
        "clock_offset_seconds": person.clock_offset,
        "remarks": person.remarks,
        "reason": person.ended.as_ref().map(|why| json!({ "code": "sign-in-needed", "text": why })),
    })
}

/// A person as lines of text.
pub(super) fn page(person: &Person) -> String {
    let or_none = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let mut text = match &person.ended {
        None => format!("signed in as {} ({})\n", person.name, person.credential),
        Some(why) => format!("{why}: gonogo login {} signs {} in again\n", person.credential, person.name),
    };
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(text, "  {name:<8} {what}");
    };
    line("issuer", &person.issuer);
    if person.tells_roles {
        let given = if person.claimed == person.roles {
            String::new()
        } else {
            format!(" (of {})", or_none(&person.claimed))
        };
        line("roles", &format!("{}{given}", or_none(&person.roles)));
    } else {
        line("roles", "unknown: the credential does not say where they are (`roles`)");
    }
    line("scopes", &or_none(&person.scopes));
    if !person.withheld.is_empty() {
        line("missing", &format!("the server did not grant {}", person.withheld.join(", ")));
    }
    if let Some(expires) = person.expires.filter(|_| person.is_signed_in()) {
        line("until", &format!("{}; renewed before", expires.rfc3339()));
    }
    if let Some(skew) = person.skew() {
        let side = if skew >= 0.0 { "ahead of" } else { "behind" };
        line(
            "clock",
            &format!("the issuer's is {} {side} this one", value::in_unit(skew.abs(), Unit::Seconds)),
        );
    }
    for remark in &person.remarks {
        line("mind", remark);
    }
    text
}
