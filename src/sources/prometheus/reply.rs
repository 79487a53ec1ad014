//! What a server answers, as values, or as the fault that it says.

use serde::Deserialize;

use super::samples::Samples;
use super::wire::{BuildInfo, Envelope, Half, Held, Metrics, Outcome, Plain, Refusal, plain};
use crate::model::{Fault, FaultCode, Labels, Time};
use crate::sources::json;

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
    Matrix(Vec<(Labels, Samples)>),
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

    /// Whether it holds no series at all.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(..) | Self::String(..) => false,
            Self::Vector(rows) => rows.is_empty(),
            Self::Matrix(series) => series.is_empty(),
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

/// A server's answer to a question that is no query.
pub(super) struct Told<T> {
    pub(super) data: T,
    pub(super) warnings: Vec<String>,
}

/// Reads the whole body of an answer to `query` or `query_range`. Never panics, never needs more than
/// a few times the body's bytes, and never makes a number of what is none.
///
/// # Errors
/// [`FaultCode::Query`] with the server's words where it says that the query failed (also
/// [`FaultCode::TimedOut`] where it says that it took too long); else what cannot be read of it.
pub fn decode(body: &[u8]) -> Result<Reply, Fault> {
    plain(body).and_then(decode_plain).map_or_else(|| decode_any(body), Ok)
}

/// Reads an answer whose result is read already; `None` where the rest of it is not that of an answer.
pub(super) fn decode_plain(plain: Plain) -> Option<Reply> {
    let told = data::<Outcome>(&plain.without).ok()?;
    reply(told, plain.held).ok()
}

/// Reads any answer.
pub(super) fn decode_any(body: &[u8]) -> Result<Reply, Fault> {
    let mut told = data::<Outcome>(body)?;
    let held = told.data.result.take().unwrap_or_default();
    reply(told, held)
}

fn reply(told: Whole<Outcome>, held: Held) -> Result<Reply, Fault> {
    let histograms = held.histograms;
    let value = value_of(told.data.result_type.as_deref(), held).map_err(|why| unreadable(&why))?;
    Ok(Reply { value, warnings: told.warnings, infos: told.infos, date: None, histograms })
}

/// Reads an answer whose data are label sets.
pub(super) fn decode_series(body: &[u8]) -> Result<Told<Vec<Labels>>, Fault> {
    data::<Metrics>(body).map(|told| Told { data: told.data.0, warnings: told.warnings })
}

/// Reads an answer of `status/buildinfo`.
pub(super) fn decode_build(body: &[u8]) -> Result<BuildInfo, Fault> {
    data::<BuildInfo>(body).map(|told| told.data)
}

struct Whole<D> {
    data: D,
    warnings: Vec<String>,
    infos: Vec<String>,
}

/// The data of an answer that says that it succeeded.
fn data<'b, D: Deserialize<'b>>(body: &'b [u8]) -> Result<Whole<D>, Fault> {
    let envelope: Envelope<D> = match json::decode(body) {
        Ok(envelope) => envelope,
        // Data of a failure may have any shape; its words count.
        Err(fault) => {
            return Err(serde_json::from_slice(body)
                .ok()
                .and_then(|refusal| failure(&refusal))
                .unwrap_or(fault));
        }
    };
    if envelope.status.as_deref() != Some("success") || envelope.error.is_some() {
        // `{"status":"ok"}` is what other services say; only the API's own word is about the query.
        let said_so = envelope.status.as_deref() == Some("error") || envelope.error.is_some();
        return Err(failure(&without_data(envelope)).unwrap_or_else(|| {
            if said_so {
                Fault::new(FaultCode::Query, "the query failed")
            } else {
                unreadable("it holds no data")
            }
        }));
    }
    let (mut warnings, infos) = (envelope.warnings.0, envelope.infos.0);
    if envelope.is_partial == Some(true) {
        warnings.push("the server says that its answer is partial".into());
    }
    let data = envelope.data.ok_or_else(|| unreadable("it holds no data"))?;
    Ok(Whole { data, warnings, infos })
}

/// The envelope without its data.
fn without_data<D>(envelope: Envelope<D>) -> Refusal {
    Envelope {
        status: envelope.status,
        data: None,
        error_type: envelope.error_type,
        error: envelope.error,
        warnings: envelope.warnings,
        infos: envelope.infos,
        is_partial: envelope.is_partial,
    }
}

/// The fault that an answer tells in its words; `None` where it tells none.
fn failure(refusal: &Refusal) -> Option<Fault> {
    if refusal.status.as_deref() == Some("success") && refusal.error.is_none() {
        return None;
    }
    words(refusal).map(|said| Fault::new(code(refusal), said))
}

/// The words of a refusal: what is wrong, or else its kind.
fn words(refusal: &Refusal) -> Option<String> {
    let clean = |text: &Option<Box<str>>| {
        let text = text.as_deref()?.trim();
        (!text.is_empty()).then(|| text.chars().take(400).collect())
    };
    clean(&refusal.error).or_else(|| clean(&refusal.error_type))
}

/// The kind of fault that an `errorType` is, of an answer without a telling status.
fn code(refusal: &Refusal) -> FaultCode {
    match refusal.error_type.as_deref() {
        Some("timeout" | "canceled") => FaultCode::TimedOut,
        Some("unavailable" | "internal") => FaultCode::Status,
        _ => FaultCode::Query,
    }
}

/// The fault of a refusal by status, with the words of the server where they can be read.
pub(super) fn refused(status: u16, fault: Fault, html: bool, body: &str) -> Fault {
    let refusal = serde_json::from_str::<Refusal>(body).ok();
    let said = match &refusal {
        Some(refusal) => words(refusal).or_else(|| other_words(body)),
        // A proxy's or a gateway's words, which are not the API's; a page says nothing in one line.
        None if html || body.trim_start().starts_with('<') => None,
        None if body.trim_start().starts_with('{') => other_words(body),
        None => body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    };
    let retry_after = fault.retry_after;
    let gave_up = refusal.as_ref().is_some_and(|r| code(r) == FaultCode::TimedOut);
    let told = match (status, said) {
        (400 | 422, Some(said)) => Fault::new(FaultCode::Query, said),
        (400 | 422, None) => Fault::new(FaultCode::Query, fault.text),
        // The query took the server too long, which says nothing of other queries.
        (_, Some(said)) if gave_up => Fault::new(FaultCode::TimedOut, format!("{}: {said}", fault.text)),
        (_, Some(said)) => Fault::new(fault.code, format!("{}: {said}", fault.text)),
        (_, None) => return fault,
    };
    Fault { retry_after, ..told }
}

/// The words of JSON that is not the API's: what gateways call `message`, `error.message`, `detail`.
fn other_words(body: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(body).ok()?;
    let places = ["/error/message", "/message", "/error_description", "/detail", "/msg", "/title"];
    let said = places.iter().find_map(|place| json.pointer(place)?.as_str())?.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

fn unreadable(why: &str) -> Fault {
    Fault::new(FaultCode::Unreadable, format!("the answer cannot be read: {why}"))
}

fn value_of(result_type: Option<&str>, held: Held) -> Result<Value, String> {
    let (bare, rows, series) = (held.time.is_some(), !held.rows.is_empty(), !held.series.is_empty());
    match result_type {
        Some("scalar") if !rows && !series => match (held.time, held.half) {
            (Some(at), Some(half)) => Ok(Value::Scalar(at, half.number()?)),
            _ => Err("a scalar is a pair of time and value".into()),
        },
        Some("string") if !rows && !series => match (held.time, held.half) {
            (Some(at), Some(Half::Text(text))) => Ok(Value::String(at, text.into())),
            _ => Err("a string is a pair of time and text".into()),
        },
        Some("vector") if !bare && !series => Ok(Value::Vector(held.rows)),
        Some("matrix") if !bare && !rows => Ok(Value::Matrix(held.series)),
        Some(known @ ("scalar" | "string" | "vector" | "matrix")) => {
            Err(format!("what it calls a {known} is none"))
        }
        Some(other) => Err(format!("{:?} is no type of result", other.chars().take(40).collect::<String>())),
        None => Err("it does not say its type".into()),
    }
}
