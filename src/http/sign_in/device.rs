//! A person signs in with a browser on any machine (RFC 8628).

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::grant::Answered;
use super::reply::Failed;
use super::{SignIn, claims, now, session};
use crate::model::credential::Flow;
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Person};

/// Where the server does not say how often it may be asked (RFC 8628, 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The least and the most time between two questions, and a code's life where none is told.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const LIFE: Duration = Duration::from_secs(600);
/// How often the time between questions is doubled at most.
const MOST_DOUBLED: u32 = 6;
/// The longest that a code is waited for, whatever the server says.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What the person needs, and what is asked with meanwhile.
pub struct Code {
    /// What they type in, harmless to print.
    pub user_code: String,
    /// Where, an http or https address, harmless to print.
    pub uri: String,
    /// The same with the code in it, where the server gives one.
    pub complete: Option<String>,
    /// How long the code can be used from now on.
    pub life: Duration,
    secret: SecretString,
    ends: Instant,
    every: Duration,
}

/// Why nobody has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The person said no.
    Denied(String),
    /// Nobody typed the code in, in time.
    Expired(String),
    /// Something is wrong.
    Failed(Fault),
}

impl Unfinished {
    /// As a sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Denied(text) | Self::Expired(text) => text,
            Self::Failed(fault) => &fault.text,
        }
    }
}

impl SignIn {
    /// Asks for a code.
    ///
    /// # Errors
    /// The issuer cannot be reached, is another one, offers no such sign-in, or refuses.
    pub async fn begin(&self) -> Result<Code, Fault> {
        if self.0.def.flow != Flow::Device {
            let text = format!("{} is the program's own: nobody signs in with it", self.0.name);
            return Err(Fault::new(FaultCode::Credential, text));
        }
        let code = self.0.issuer.device_code().await.map_err(|failed| failed.fault("the sign-in"))?;
        let uri = address(&code.verification_uri).ok_or_else(|| {
            Fault::new(FaultCode::Unreadable, "the issuer's page for signing in is no http or https address")
        })?;
        let life = code.expires_in.filter(|life| !life.is_zero()).unwrap_or(LIFE).min(PATIENCE);
        Ok(Code {
            user_code: harmless_line(&code.user_code, 60),
            uri,
            complete: code.verification_uri_complete.as_deref().and_then(address),
            life,
            ends: Instant::now() + life,
            every: code.interval.unwrap_or(INTERVAL).clamp(SHORTEST, LONGEST),
            secret: code.secret,
        })
    }

    /// Waits until the person has signed in, and keeps the sign-in. Dropping this stops it.
    ///
    /// # Errors
    /// They said no, the code ended, or what came back cannot be used or kept.
    pub async fn finish(&self, code: &Code) -> Result<Person, Unfinished> {
        let answered = self.wait(code).await?;
        let inner = &self.0;
        let failed = |text: String| Unfinished::Failed(Fault::new(FaultCode::Credential, text));
        let token = answered.granted.access_token.clone();
        let mut kept = session::of_person(answered, &inner.def, now()).map_err(failed)?;
        if !claims::are_enough(&kept.claims, &inner.def) {
            match inner.issuer.userinfo(&token).await {
                Ok(None) => {}
                Ok(Some(more)) => match claims::with_userinfo(kept.claims.clone(), more.clone()) {
                    Ok(_) => kept.userinfo = more,
                    Err(why) => return Err(failed(format!("the answer of userinfo is refused: {why}"))),
                },
                // A token for an API is often refused there; the sign-in stands all the same.
                Err(fault) => kept.remarks.push(format!("userinfo does not say more about you: {fault}")),
            }
        }
        if !kept.claims.contains_key("sub") && !kept.userinfo.contains_key("sub") {
            kept.remarks.push("the issuer does not say who has signed in (no ID token)".into());
        }
        let person = session::person(&kept, &inner.name, &inner.def, now());
        let _lock = inner.lock().await.map_err(Unfinished::Failed)?;
        inner.keep(kept).await.map_err(Unfinished::Failed)?;
        Ok(person)
    }

    async fn wait(&self, code: &Code) -> Result<Answered, Unfinished> {
        let (mut every, mut failures, mut peace, mut asked) = (code.every, 0, Duration::ZERO, false);
        loop {
            let left = code.ends.saturating_duration_since(Instant::now());
            // What fails is asked more slowly (RFC 8628, 3.5), until it answers again.
            let slower =
                if failures == 0 { every } else { (every * 2_u32.pow(failures)).min(LONGEST.max(every)) };
            let Some(pause) = pause(slower, peace, left, asked) else {
                sleep(left).await;
                return Err(Unfinished::Expired("the code has expired: sign in again".into()));
            };
            sleep(pause).await;
            (asked, peace) = (true, Duration::ZERO);
            let failed = match self.0.issuer.device_token(&code.secret).await {
                Ok(answered) => return Ok(answered),
                Err(failed) => failed,
            };
            match &failed {
                Failed::Refused(refusal) => match refusal.code.as_str() {
                    "authorization_pending" => failures = 0,
                    "slow_down" => (every, failures) = (every + SLOWER, 0),
                    // What passes by itself is waited out.
                    "temporarily_unavailable" | "server_error" => failures = (failures + 1).min(MOST_DOUBLED),
                    "expired_token" => {
                        return Err(Unfinished::Expired("the code has expired: sign in again".into()));
                    }
                    "access_denied" => {
                        return Err(Unfinished::Denied("the sign-in was denied at the issuer".into()));
                    }
                    _ => return Err(Unfinished::Failed(failed.fault("the sign-in"))),
                },
                Failed::Fault(fault) if passes(fault) => {
                    failures = (failures + 1).min(MOST_DOUBLED);
                    peace = fault.retry_after.unwrap_or_default();
                }
                Failed::Fault(_) => return Err(Unfinished::Failed(failed.fault("the sign-in"))),
            }
        }
    }
}

/// How long to wait before the next question, where the code ends after `left`; `None`: there is none. The last
/// one comes a little before the end, also where the time between is longer than what is left; a code that
/// ends at once is asked about once. A server that asks for `peace` has it.
fn pause(every: Duration, peace: Duration, left: Duration, asked: bool) -> Option<Duration> {
    let next = every.max(peace);
    if next < left {
        return Some(next);
    }
    let last = left.saturating_sub(SHORTEST.min(left / 2));
    let least = if asked { SHORTEST.max(peace) } else { peace };
    (last >= least).then_some(last)
}

fn passes(fault: &Fault) -> bool {
    match fault.code {
        FaultCode::Unreachable | FaultCode::TimedOut | FaultCode::RateLimited | FaultCode::CutShort => true,
        FaultCode::Status => fault.text.starts_with("answers 5"),
        _ => false,
    }
}

/// An address that a person may open: it is shown, and copied to the clipboard.
fn address(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && plain && url.host_str().is_some())
        .then(|| harmless_line(url.as_str(), 300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_question_comes_before_the_code_ends_and_one_in_any_case() {
        let pause = |every, peace, left, asked| {
            let seconds = Duration::from_secs;
            super::pause(seconds(every), seconds(peace), seconds(left), asked)
                .map(|pause| pause.as_secs_f64())
        };
        assert_eq!(pause(5, 0, 60, false), Some(5.0));
        assert_eq!(pause(5, 0, 4, true), Some(3.0), "a last time");
        assert_eq!(pause(5, 0, 1, true), None, "that was the last time");
        assert_eq!((pause(5, 0, 5, false), pause(5, 0, 1, false)), (Some(4.0), Some(0.5)));
        assert_eq!(pause(5, 0, 0, false), Some(0.0));
        assert_eq!((pause(5, 20, 60, true), pause(5, 20, 20, true)), (Some(20.0), None));
    }

    #[test]
    fn only_a_web_address_is_shown_to_be_opened() {
        assert_eq!(
            address("https://id.example.com/device").as_deref(),
            Some("https://id.example.com/device")
        );
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "device",
            "https://a:b@id.example.com/",
            "mailto:a@b",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert!(!address("https://id.example.com/\u{1b}]52;c;x").unwrap().contains('\u{1b}'));
    }
}
