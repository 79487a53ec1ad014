//! Alerts: of the server that evaluates the rules ([`Rules`]), and of an Alertmanager, which knows who
//! silenced them ([`Alertmanager`]).
//!
//! `wire` says what the JSON means; texts are made harmless and capped there.

mod alertmanager;
mod external;
mod rules;
mod wire;

use serde::de::DeserializeOwned;

use super::{clock_offset, json};
use crate::http::{Client, Request, Response};
use crate::model::{Fault, Time};

pub use alertmanager::Alertmanager;
pub use rules::Rules;

/// The most bytes of a refusal that are read for its reason.
const EXPLANATION: usize = 4 * 1024;

/// A clock that is further off than this is told apart from this program's: `Date` counts whole
/// seconds, and an answer takes a while.
const SAME_CLOCK: f64 = 2.0;

/// Asks with GET and reads the body of a 2xx answer; also the server's `Date`.
async fn get<T: DeserializeOwned + Send + 'static>(
    client: &Client,
    url: String,
    query: &[(&str, &str)],
) -> Result<(T, Option<Time>), Fault> {
    let request = Request {
        url,
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        accept: Some("application/json".into()),
        ..Request::default()
    };
    let mut response = client.send(&request).await?;
    if let Some(fault) = response.fault() {
        return Err(told(fault, &mut response).await);
    }
    let body = json::body(&mut response).await?;
    Ok((body, response.date))
}

/// The fault with the words of the server, where they can be read.
async fn told(fault: Fault, response: &mut Response) -> Fault {
    #[derive(serde::Deserialize)]
    struct Words {
        error: Option<String>,
        message: Option<String>,
    }
    let body = response.explanation(EXPLANATION).await;
    let said = match serde_json::from_str::<Words>(&body) {
        Ok(words) => words.error.or(words.message),
        Err(_) => serde_json::from_str::<String>(&body).ok(),
    };
    match said.filter(|s| !s.trim().is_empty()) {
        Some(said) => Fault {
            retry_after: fault.retry_after,
            ..Fault::new(fault.code, format!("{}: {said}", fault.text))
        },
        None => fault,
    }
}

/// How far the server's clock is off, in seconds; 0 where that cannot be told from how it is read.
fn offset(date: Option<Time>, asked: Time, took: std::time::Duration) -> f64 {
    let offset = date.map_or(0.0, |date| clock_offset(date, asked, took));
    if offset.abs() <= SAME_CLOCK { 0.0 } else { offset }
}
