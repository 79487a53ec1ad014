//! The HTTP API of Prometheus, or of one that speaks it: Thanos, Mimir, `VictoriaMetrics`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::engine;
use super::reply::{self, Reply};
use crate::http::{Client, Request, Response};
use crate::model::{Fault, Labels, Time, value};
use crate::sources::json;

/// The most bytes of a refusal that are read for its reason.
const EXPLANATION: usize = 16 * 1024;

/// A server's API.
pub struct Api {
    client: Client,
    base: String,
    /// Whether the server was found to take questions only by GET.
    only_get: AtomicBool,
}

/// The series that a selector has, and why there may be more.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesList {
    /// Their labels, in the server's order.
    pub series: Vec<Labels>,
    /// Why the list may be incomplete, harmless to print.
    pub warnings: Vec<String>,
}

type Form = Vec<(String, String)>;

impl Api {
    /// The API under `base`, with or without `/api/v1` at its end.
    pub fn new(base: &str, client: Client) -> Self {
        let base = base.trim().trim_end_matches('/').trim_end_matches("/api/v1").trim_end_matches('/');
        Self { client, base: base.to_owned(), only_get: AtomicBool::new(false) }
    }

    /// Evaluates at `at`, or at the server's own now.
    ///
    /// # Errors
    /// Transport faults; [`FaultCode::Query`](crate::model::FaultCode::Query) with the server's words
    /// where it refuses the query.
    pub async fn instant(&self, query: &str, at: Option<Time>) -> Result<Reply, Fault> {
        let mut form = vec![("query".to_owned(), query.to_owned())];
        form.extend(at.map(|at| ("time".to_owned(), seconds(at))));
        self.query("query", form).await
    }

    /// Evaluates at `start`, `start + step`, … up to `end`.
    ///
    /// # Errors
    /// As [`Api::instant`].
    pub async fn range(&self, query: &str, start: Time, end: Time, step: Duration) -> Result<Reply, Fault> {
        let form = [
            ("query", query.to_owned()),
            ("start", seconds(start)),
            ("end", seconds(end)),
            ("step", value::text(step.as_secs_f64())),
        ];
        self.query("query_range", form.map(|(name, text)| (name.to_owned(), text)).to_vec()).await
    }

    /// The series that match a selector and had samples between `start` and `end`, as far as the
    /// server's index tells: Prometheus may name some that ended up to two hours before.
    ///
    /// # Errors
    /// As [`Api::instant`].
    pub async fn series(&self, selector: &str, start: Time, end: Time) -> Result<SeriesList, Fault> {
        let form = [("match[]", selector.to_owned()), ("start", seconds(start)), ("end", seconds(end))];
        let form = form.map(|(name, text)| (name.to_owned(), text)).to_vec();
        let mut response = self.ask("series", form).await?;
        let told = json::read(&mut response, reply::decode_series).await?;
        Ok(SeriesList { series: told.data, warnings: told.warnings })
    }

    /// What the server says it is: `Prometheus 2.42.0`. `None` where it answers and does not say.
    ///
    /// # Errors
    /// As [`Api::instant`]; a server without `status/buildinfo` answers 404.
    pub async fn engine(&self) -> Result<Option<String>, Fault> {
        let request = self.request("status/buildinfo");
        let mut response = heard(self.client.send(&request).await?).await?;
        let build = json::read(&mut response, reply::decode_build).await?;
        if engine::is_a_mask(&build) {
            let versions = self.instant(engine::VERSIONS, None).await.map(|reply| reply.value);
            return Ok(Some(engine::unmasked(versions.ok().as_ref())));
        }
        Ok(engine::name(&build))
    }

    async fn query(&self, path: &str, form: Form) -> Result<Reply, Fault> {
        let mut response = self.ask(path, form).await?;
        let date = response.date;
        json::read(&mut response, reply::decode).await.map(|reply| Reply { date, ..reply })
    }

    fn request(&self, path: &str) -> Request {
        Request {
            url: format!("{}/api/v1/{path}", self.base),
            accept: Some("application/json".into()),
            ..Request::default()
        }
    }

    /// Asks by POST, which long expressions need; of a server that takes none, by GET.
    async fn ask(&self, path: &str, form: Form) -> Result<Response, Fault> {
        let mut request = self.request(path);
        if self.only_get.load(Ordering::Relaxed) {
            request.query = form;
            return heard(self.client.send(&request).await?).await;
        }
        request.form = Some(form);
        let mut response = self.client.send(&request).await?;
        if matches!(response.status, 405 | 501) {
            request.query = request.form.take().unwrap_or_default();
            response = self.client.send(&request).await?;
            self.only_get.store((200..300).contains(&response.status), Ordering::Relaxed);
        }
        heard(response).await
    }
}

fn seconds(at: Time) -> String {
    value::text(at.seconds())
}

/// The answer, unless it is a refusal.
async fn heard(mut response: Response) -> Result<Response, Fault> {
    let Some(fault) = response.fault() else { return Ok(response) };
    let html = response.content_type.as_deref().is_some_and(json::is_html);
    let body = response.explanation(EXPLANATION).await;
    Err(reply::refused(response.status, fault, html, &body))
}
