//! The HTTP API of Prometheus, or of one that speaks it: Thanos, Mimir, `VictoriaMetrics`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::wire::{Data, Element, Envelope, Series, moment, number};
use crate::http::{Client, Request, Response};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Labels, Time, value};
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

/// What a query came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, and the moment it was evaluated at.
    Scalar(Time, f64),
    /// A text, and the moment it was evaluated at.
    String(Time, String),
    /// Series with one sample each, in the server's order.
    Vector(Vec<(Labels, Time, f64)>),
    /// Series with their samples.
    Matrix(Vec<(Labels, Vec<(Time, f64)>)>),
}

impl Value {
    /// The moment of evaluation by the server's clock, where the value says it.
    pub fn evaluated(&self) -> Option<Time> {
        match self {
            Self::Scalar(at, _) | Self::String(at, _) => Some(*at),
            Self::Vector(rows) => rows.first().map(|(_, at, _)| *at),
            Self::Matrix(_) => None,
        }
    }
}

/// A server's answer to a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The value.
    pub value: Value,
    /// Why it may be incomplete, harmless to print.
    pub warnings: Vec<String>,
    /// Remarks on the query, harmless to print; the value is whole.
    pub infos: Vec<String>,
    /// The server's `Date`.
    pub date: Option<Time>,
    /// Native histograms that were left out, because they are no numbers.
    pub histograms: usize,
}

impl Api {
    /// The API under `base`, with or without `/api/v1` at its end.
    pub fn new(base: &str, client: Client) -> Self {
        let base = base.trim().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        Self { client, base, only_get: AtomicBool::new(false) }
    }

    /// Evaluates at `at`, or at the server's own now.
    ///
    /// # Errors
    /// Transport faults; [`FaultCode::Query`] with the server's words where it refuses the query.
    pub async fn instant(&self, query: &str, at: Option<Time>) -> Result<Reply, Fault> {
        let mut form = vec![("query".to_owned(), query.to_owned())];
        form.extend(at.map(|at| ("time".to_owned(), seconds(at))));
        self.ask("query", form).await
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
        self.ask("query_range", form.map(|(name, text)| (name.to_owned(), text)).to_vec()).await
    }

    async fn ask(&self, path: &str, form: Vec<(String, String)>) -> Result<Reply, Fault> {
        let mut request = Request {
            url: format!("{}/api/v1/{path}", self.base),
            accept: Some("application/json".into()),
            ..Request::default()
        };
        if self.only_get.load(Ordering::Relaxed) {
            request.query = form;
            return read(&mut self.client.send(&request).await?).await;
        }
        request.form = Some(form);
        let mut response = self.client.send(&request).await?;
        if matches!(response.status, 405 | 501) {
            request.query = request.form.take().unwrap_or_default();
            response = self.client.send(&request).await?;
            self.only_get.store((200..300).contains(&response.status), Ordering::Relaxed);
        }
        read(&mut response).await
    }
}

fn seconds(at: Time) -> String {
    value::text(at.seconds())
}

async fn read(response: &mut Response) -> Result<Reply, Fault> {
    if let Some(fault) = response.fault() {
        return Err(refusal(response, fault).await);
    }
    let envelope: Envelope = json::body(response).await?;
    if envelope.status.as_deref() == Some("error") || envelope.error.is_some() {
        return Err(Fault::new(
            FaultCode::Query,
            words(&envelope).unwrap_or_else(|| "the query failed".into()),
        ));
    }
    let unreadable =
        |why: String| Fault::new(FaultCode::Unreadable, format!("the answer cannot be read: {why}"));
    let data = envelope.data.ok_or_else(|| unreadable("it holds no data".into()))?;
    if envelope.status.as_deref() != Some("success") {
        return Err(unreadable("it does not say that the query succeeded".into()));
    }
    let (value, histograms) = value_of(data).map_err(unreadable)?;
    let clean = |texts: Option<Vec<String>>| {
        texts.unwrap_or_default().iter().map(|text| harmless_line(text, 300)).collect()
    };
    Ok(Reply {
        value,
        warnings: clean(envelope.warnings),
        infos: clean(envelope.infos),
        date: response.date,
        histograms,
    })
}

/// The fault of a refusal, with the words of the server where they can be read.
async fn refusal(response: &mut Response, fault: Fault) -> Fault {
    let html = response.content_type.as_deref().is_some_and(json::is_html);
    let body = response.explanation(EXPLANATION).await;
    let said = match serde_json::from_str::<Envelope>(&body) {
        Ok(envelope) => words(&envelope),
        // A proxy's or a gateway's words, which are not JSON; a page says nothing in one line.
        Err(_) if html || body.trim_start().starts_with(['<', '{']) => None,
        Err(_) => body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    };
    let retry_after = fault.retry_after;
    let told = match (response.status, said) {
        (400 | 422, Some(said)) => Fault::new(FaultCode::Query, said),
        (400 | 422, None) => Fault::new(FaultCode::Query, fault.text),
        (_, Some(said)) => Fault::new(fault.code, format!("{}: {said}", fault.text)),
        (_, None) => return fault,
    };
    Fault { retry_after, ..told }
}

fn words(envelope: &Envelope) -> Option<String> {
    let error = envelope.error.as_deref().map(str::trim).filter(|e| !e.is_empty());
    error.or(envelope.error_type.as_deref()).map(str::to_owned)
}

fn value_of(data: Data) -> Result<(Value, usize), String> {
    let elements = data.result.map(|e| e.0).unwrap_or_default();
    match data.result_type.as_deref() {
        Some("scalar") => match elements.as_slice() {
            [at, value] => Ok((Value::Scalar(moment(at)?, number(value)?), 0)),
            _ => Err("a scalar is a pair of time and value".into()),
        },
        Some("string") => match elements.as_slice() {
            [at, Element::Text(text)] => Ok((Value::String(moment(at)?, text.clone()), 0)),
            _ => Err("a string is a pair of time and text".into()),
        },
        Some("vector") => {
            let (series, histograms) = all_series(elements)?;
            let row = |s: Series| match s.samples.as_slice() {
                [(at, value)] => Ok((s.labels, *at, *value)),
                _ => Err("a series of a vector has one value".to_owned()),
            };
            Ok((Value::Vector(series.into_iter().map(row).collect::<Result<_, _>>()?), histograms))
        }
        Some("matrix") => {
            let (series, histograms) = all_series(elements)?;
            Ok((Value::Matrix(series.into_iter().map(|s| (s.labels, s.samples)).collect()), histograms))
        }
        Some(other) => Err(format!("{other:?} is no type of result")),
        None => Err("it does not say its type".into()),
    }
}

/// The series that hold numbers, and how many hold native histograms.
fn all_series(elements: Vec<Element>) -> Result<(Vec<Series>, usize), String> {
    let mut histograms = 0;
    let mut all = Vec::with_capacity(elements.len());
    for element in elements {
        match element {
            Element::Series(series) if series.histograms && series.samples.is_empty() => histograms += 1,
            Element::Series(series) => all.push(series),
            Element::Number(_) | Element::Text(_) => return Err("a bare value among series".into()),
        }
    }
    Ok((all, histograms))
}
