//! `gonogo logout`: forgets a sign-in, and takes it back at the issuer.
//!
//! JSON: `{"credential","was_signed_in","revoked":true|false|null,"reason":{"code","text"}}`; `revoked` is
//! null where the issuer has no place for that or there was nothing to revoke. Exit codes: 0 signed out (also
//! where nobody was signed in), 2 usage or config, 3 forgotten here, but the issuer was not told, 6 not
//! forgotten.

use serde_json::{Value, json};

use super::{Common, Exit, Output, login, output, whoami};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The credential of kind device [default: the launch's identity]
    #[arg(value_name = "CREDENTIAL")]
    credential: Option<String>,
}

/// Signs out.
///
/// # Errors
/// No config, or no such credential.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let (_, sign_in) = whoami::chosen(args.credential.as_deref(), common)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(sign_in.sign_out());
    runtime.shutdown_background();
    let name = sign_in.name();
    let (was, revoked, fault, text, exit) = match outcome {
        Err(fault) => {
            let text = fault.text.clone();
            (Value::Null, Value::Null, Some(fault), text, Exit::NotSaved)
        }
        Ok(out) => {
            let done = if out.was {
                format!("signed out of {name}")
            } else {
                format!("nobody was signed in as {name}")
            };
            match out.revoked {
                None => (out.was.into(), Value::Null, None, done, Exit::Yes),
                Some(Ok(())) => (
                    out.was.into(),
                    true.into(),
                    None,
                    format!("{done}; the issuer has taken it back"),
                    Exit::Yes,
                ),
                Some(Err(fault)) => {
                    let text = format!(
                        "{done} here, but the issuer was not told ({fault}): the token ends by itself"
                    );
                    (out.was.into(), false.into(), Some(fault), text, Exit::CannotTell)
                }
            }
        }
    };
    match common.output {
        Output::Json => output::json(&json!({
            "credential": name,
            "was_signed_in": was,
            "revoked": revoked,
            "reason": fault.as_ref().map(login::reason),
        }))?,
        Output::Text if exit == Exit::Yes => output::print(&format!("{text}\n"))?,
        Output::Text => output::complain(&text),
    }
    Ok(exit)
}
