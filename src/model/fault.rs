//! What went wrong with a source, kept by kind, in words a person can act on.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kind of a fault; its text in JSON output is the `code` of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// Nothing answered: refused, reset, no route, no such host.
    Unreachable,
    /// The answer did not come, or not wholly, within the time-out.
    TimedOut,
    /// TLS failed: unknown issuer, expired, wrong host.
    Tls,
    /// A status other than 2xx (and no kind of its own below).
    Status,
    /// 401: a credential is needed, or was not accepted.
    SignInNeeded,
    /// 403: the credential lacks a right.
    Forbidden,
    /// 429: asked too often.
    RateLimited,
    /// An HTML page, or another content type than the one asked for.
    ContentType,
    /// The body ended before it was whole.
    CutShort,
    /// The body is larger than the cap.
    TooLarge,
    /// The body, or a line of it that matters, cannot be read.
    Unreadable,
    /// An answer for another environment than the one asked for.
    WrongEnvironment,
    /// The server refused the query (400, 422), or evaluating it failed.
    Query,
    /// A window of the expression reaches back further than what has been seen.
    TooLittleHistory,
    /// The credential could not be had (environment variable, file, command).
    Credential,
}

impl FaultCode {
    /// The code as printed in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::SignInNeeded => "sign-in-needed",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate-limited",
            Self::ContentType => "content-type",
            Self::CutShort => "cut-short",
            Self::TooLarge => "too-large",
            Self::Unreadable => "unreadable",
            Self::WrongEnvironment => "wrong-environment",
            Self::Query => "query",
            Self::TooLittleHistory => "too-little-history",
            Self::Credential => "credential",
        }
    }
}

/// A fault of a source or of one of its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its kind.
    pub code: FaultCode,
    /// A short sentence for the screen, already harmless: `answers 503`, `refused`, `no answer in 3s`.
    pub text: String,
    /// How long the server asked to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// A fault; `text` is made harmless here.
    pub fn new(code: FaultCode, text: impl AsRef<str>) -> Self {
        Self { code, text: super::text::harmless_line(text.as_ref(), 300), retry_after: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}
