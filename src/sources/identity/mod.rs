//! The identity contract `launch-identity/1`: flags, who the token stands for, and the service itself.
//!
//! Start with [`Identity::poll`]; `wire` says what the JSON means.

mod flags;
mod wire;

use std::time::Duration;

use futures_util::future::join3;
use serde::de::DeserializeOwned;

use super::{Outcome, clock_offset, json};
use crate::http::{Client, Request, Response};
use crate::model::identity::{Meta, Whoami};
use crate::model::{Answer, Fault, FaultCode, Time};
use flags::Flags;
use wire::{MetaDoc, Problem, WhoamiDoc};

const META_EVERY: Duration = Duration::from_mins(5);
const WHOAMI_EVERY: Duration = Duration::from_mins(1);
/// The most bytes of a refusal that are read for its reason.
const EXPLANATION: usize = 16 * 1024;

/// One identity service.
pub struct Identity {
    service: Service,
    flags: Flags,
    meta: Kept<Meta>,
    whoami: Kept<Whoami>,
    /// Server's clock less this program's, as last told.
    offset: Option<f64>,
}

/// Where the service is, and how it is asked.
struct Service {
    client: Client,
    base: String,
}

/// Something that changes seldom, and when it was last asked for.
struct Kept<T> {
    value: Option<T>,
    asked: Option<Time>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { value: None, asked: None }
    }
}

impl<T> Kept<T> {
    /// Whether it is time to ask again. A clock that stepped back asks at once.
    fn due(&self, now: Time, every: Duration) -> bool {
        self.asked.is_none_or(|asked| now < asked || now.since(asked) >= every)
    }
}

impl Identity {
    /// A service at `url` (without `/launch/v1`), asked for these flags of one environment, or for
    /// all flags where no key is given.
    pub fn new(url: &str, environment: &str, keys: Vec<String>, client: Client) -> Self {
        let base = url.trim().trim_end_matches('/').trim_end_matches("/launch/v1").to_owned();
        Self {
            service: Service { client, base },
            flags: Flags::new(environment, keys),
            meta: Kept::default(),
            whoami: Kept::default(),
            offset: None,
        }
    }

    /// Asks for the flags, and now and then for the service and the subject. Not being told who the
    /// subject is, or what the service is, does not make the flags worth less.
    ///
    /// # Errors
    /// What kept the flags from being told.
    pub(super) async fn poll(&mut self, now: Time) -> Outcome {
        let service = &self.service;
        let begun = tokio::time::Instant::now();
        let meta = async {
            if self.meta.due(now, META_EVERY) { Some(service.get::<MetaDoc>("meta").await) } else { None }
        };
        let whoami = async {
            if self.whoami.due(now, WHOAMI_EVERY) {
                Some(service.get::<WhoamiDoc>("whoami").await)
            } else {
                None
            }
        };
        let (flags, meta, whoami) = join3(self.flags.ask(service), meta, whoami).await;
        if let Some(meta) = meta {
            self.meta.asked = Some(now);
            if let Ok(doc) = meta {
                self.offset = doc.server_time().map(|server| clock_offset(server, now, begun.elapsed()));
                self.meta.value = Some(doc.meta());
            }
        }
        if let Some(whoami) = whoami {
            self.whoami.asked = Some(now);
            match whoami {
                Ok(doc) => self.whoami.value = Some(doc.whoami()),
                // The token stands for nobody any more; on any other fault it stands for whom it did.
                Err(Fault { code: FaultCode::SignInNeeded | FaultCode::Forbidden, .. }) => {
                    self.whoami.value = None;
                }
                Err(_) => {}
            }
        }
        let (flags, mut notes) = flags?;
        notes.clock_offset = self.offset;
        Ok(Answer {
            flags: Some(flags),
            whoami: self.whoami.value.clone(),
            meta: self.meta.value.clone(),
            notes,
            ..Answer::default()
        })
    }
}

impl Service {
    async fn get<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Result<T, Fault> {
        let mut response = self.send(path, Vec::new(), None).await?;
        json::body(&mut response).await
    }

    /// Sends a GET; only 2xx and 304 come through.
    async fn send(
        &self,
        path: &str,
        query: Vec<(String, String)>,
        etag: Option<String>,
    ) -> Result<Response, Fault> {
        let request = Request {
            url: format!("{}/launch/v1/{path}", self.base),
            query,
            etag,
            accept: Some("application/json, application/problem+json".into()),
            ..Request::default()
        };
        let mut response = self.client.send(&request).await?;
        match response.fault() {
            Some(fault) => Err(told(fault, &mut response).await),
            None => Ok(response),
        }
    }
}

/// The fault with the words of its problem details.
async fn told(fault: Fault, response: &mut Response) -> Fault {
    let body = response.explanation(EXPLANATION).await;
    let Ok(problem) = serde_json::from_str::<Problem>(&body) else { return fault };
    let title = problem.detail.or(problem.title).filter(|t| !t.trim().is_empty());
    let text = match (&problem.required_scope, title, fault.code) {
        (Some(scope), _, FaultCode::Forbidden) => format!("forbidden: needs {scope}"),
        (_, Some(title), _) => format!("{}: {title}", fault.text),
        _ => return fault,
    };
    Fault { retry_after: fault.retry_after, ..Fault::new(fault.code, text) }
}
