//! Asking the service: one GET, under the `ETag` of what was told before.

use serde::de::DeserializeOwned;

use super::json;
use super::wire::Problem;
use crate::http::{Client, Request, Response};
use crate::model::{Fault, FaultCode};

/// The most bytes of a refusal that are read for its reason.
const EXPLANATION: usize = 16 * 1024;

/// Names and values of a query.
pub(super) type Pairs = Vec<(String, String)>;

/// Where the service is, and how it is asked.
pub(super) struct Service {
    pub(super) client: Client,
    pub(super) base: String,
}

/// What was told to one question, to be repeated where the service says that nothing changed.
pub(super) struct Tagged<T> {
    path: String,
    query: Pairs,
    etag: Option<String>,
    value: T,
}

/// What a question was answered with.
pub(super) struct Told<T> {
    pub(super) value: T,
    /// Whether the service sent it, or said that nothing changed.
    pub(super) new: bool,
}

impl Service {
    /// Asks, and reads the answer with `read`; what came is kept for the next time.
    ///
    /// # Errors
    /// Any of the client, of a refusal, of a body that is no `D`, and those of `read`.
    pub(super) async fn ask<D, T>(
        &self,
        path: &str,
        query: Pairs,
        kept: &mut Option<Tagged<T>>,
        read: impl FnOnce(D) -> Result<T, Fault>,
    ) -> Result<Told<T>, Fault>
    where
        D: DeserializeOwned + Send + 'static,
        T: Clone,
    {
        // The tag belongs to the very question.
        let known = kept.as_ref().filter(|kept| kept.path == path && kept.query == query);
        let etag = known.and_then(|known| known.etag.clone());
        let tagged = etag.is_some();
        let mut response = self.send(path, query.clone(), etag).await?;
        if response.status == 304 {
            // A server that sends 304 unasked has told nothing.
            let known = known.filter(|_| tagged).ok_or_else(without_cause)?;
            return Ok(Told { value: known.value.clone(), new: false });
        }
        let etag = response.etag.clone();
        let value = read(json::body::<D>(&mut response).await?)?;
        *kept = Some(Tagged { path: path.to_owned(), query, etag, value: value.clone() });
        Ok(Told { value, new: true })
    }

    /// Sends a GET; only 2xx and 304 come through.
    pub(super) async fn send(
        &self,
        path: &str,
        query: Pairs,
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

pub(super) fn without_cause() -> Fault {
    Fault::new(FaultCode::Status, "answers 304 without cause")
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
