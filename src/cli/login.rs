//! `gonogo login`: signs a person in with a browser on any machine.
//!
//! Text: the address and the code, then who has signed in. JSON, one object a line:
//! `{"step":"code","credential","issuer","user_code","verification_uri","verification_uri_complete",
//! "expires_in_seconds"}`, then `{"step":"signed-in", …}` with what [`super::whoami`] says, or
//! `{"step":"failed","reason":{"code","text"}}`. Exit codes: 0 signed in, 1 denied or refused, 2 usage or
//! config, 3 the issuer is not reached, 4 nobody signed in before the code ended.

use std::fmt::Write as _;

use serde_json::json;

use super::{Common, Exit, Output, output, whoami};
use crate::http::SignIn;
use crate::http::sign_in::{Code, Unfinished};
use crate::model::{Fault, FaultCode, Person, Reason, duration};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The credential of kind device [default: the launch's identity]
    #[arg(value_name = "CREDENTIAL")]
    credential: Option<String>,
}

/// Signs in and waits until that is done.
///
/// # Errors
/// No config, or no such credential.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let (def, sign_in) = whoami::chosen(args.credential.as_deref(), common)?;
    let issuer = def.device().map(|server| server.issuer.clone()).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = runtime.block_on(signed_in(&sign_in, &issuer, common));
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    exit
}

async fn signed_in(sign_in: &SignIn, issuer: &str, common: &Common) -> anyhow::Result<Exit> {
    let code = match sign_in.begin().await {
        Ok(code) => code,
        Err(fault) => return failed(&Unfinished::Failed(fault), common),
    };
    match common.output {
        Output::Json => output::json(&json!({
            "step": "code",
            "credential": sign_in.name(),
            "issuer": issuer,
            "user_code": code.user_code,
            "verification_uri": code.uri,
            "verification_uri_complete": code.complete,
            "expires_in_seconds": code.life.as_secs(),
        }))?,
        Output::Text => output::print(&invitation(&code))?,
    }
    match sign_in.finish(&code).await {
        Err(why) => failed(&why, common),
        Ok(person) => {
            told(&person, common)?;
            Ok(Exit::Yes)
        }
    }
}

fn invitation(code: &Code) -> String {
    let mut text = format!("Open    {}\nType in {}\n", code.uri, code.user_code);
    if let Some(complete) = &code.complete {
        let _ = writeln!(text, "or open {complete}");
    }
    let _ = writeln!(text, "The code is good for {}; ctrl-c gives up.", duration::short(code.life));
    text
}

fn told(person: &Person, common: &Common) -> anyhow::Result<()> {
    match common.output {
        Output::Json => {
            let mut document = whoami::document(person);
            if let Some(object) = document.as_object_mut() {
                object.insert("step".into(), "signed-in".into());
            }
            output::json(&document)?;
        }
        Output::Text => output::print(&whoami::page(person))?,
    }
    Ok(())
}

fn failed(why: &Unfinished, common: &Common) -> anyhow::Result<Exit> {
    let (code, exit) = match why {
        Unfinished::Denied(_) => ("denied", Exit::No),
        Unfinished::Expired(_) => ("timed-out", Exit::TimedOut),
        Unfinished::Failed(fault) => (fault.code.as_str(), exit_of(fault)),
    };
    match common.output {
        Output::Json => {
            output::json(&json!({ "step": "failed", "reason": { "code": code, "text": why.text() } }))?;
        }
        Output::Text => output::complain(why.text()),
    }
    Ok(exit)
}

/// The exit code of a fault of the issuer's.
pub(super) fn exit_of(fault: &Fault) -> Exit {
    match fault.code {
        FaultCode::Unreachable | FaultCode::Tls | FaultCode::Status | FaultCode::RateLimited => {
            Exit::CannotTell
        }
        FaultCode::TimedOut => Exit::TimedOut,
        _ => Exit::No,
    }
}

/// A fault as a reason of a JSON document.
pub(super) fn reason(fault: &Fault) -> serde_json::Value {
    json!(Reason::from(fault))
}
