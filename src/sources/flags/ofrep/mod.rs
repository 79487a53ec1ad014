//! Servers that speak the `OpenFeature` Remote Evaluation Protocol (OFREP), such as flagd.
//!
//! The protocol tells what one context gets, and no percentage. One is estimated from made-up targeting
//! keys, the same ones each time (`seed`), at most [`A_POLL`] of them asked about in a poll, in turn. What
//! each key last got is kept; its share and how many keys that is are the estimate. A key that gets
//! something else than before says that the flag was changed: all older answers on the flag are dropped,
//! and the estimate begins anew with fewer keys and a larger error.

mod evaluation;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Polling, Told, Wanted, answer, clean, without_cause};
use crate::http::{Client, Request, Response};
use crate::model::poll::Notes;
use crate::model::provider::{FlagSource, OfrepDef};
use crate::model::{Caps, Fault, FaultCode, Flag, Percent, Time};
use crate::sources::json;
use evaluation::{Counted, Evaluation, State, evaluations, state, targeting_key};

/// How many keys are asked about in a poll; one by one, how many requests a poll costs where there are
/// fewer flags than this.
const A_POLL: usize = 20;
/// How many requests are under way at once.
const AT_ONCE: usize = 4;
/// The most bytes of a refusal that are read for its error code.
const EXPLANATION: usize = 16 * 1024;

/// One OFREP server.
pub struct Ofrep {
    client: Client,
    /// Its base URL; a fault where the environment names none.
    base: Result<String, Fault>,
    environment: String,
    def: OfrepDef,
    wanted: Wanted,
    /// Whether all flags are asked for at once; no more where the server cannot.
    bulk: bool,
    /// The key that is next to be asked about.
    turn: usize,
    /// For each key, the `ETag` of its last whole answer, and that answer.
    kept: BTreeMap<usize, (String, Vec<Evaluation>)>,
    counted: BTreeMap<String, Counted>,
    /// What flags answered that are in no bulk answer; `None` where they do not exist.
    alone: BTreeMap<String, Option<Evaluation>>,
    /// Of the flags that are in no bulk answer, the one that is next to be asked for.
    alone_turn: usize,
    /// Whether some of those were not asked for yet.
    unasked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDoc {
    error_code: Option<String>,
}

/// A flag that the server does not have.
const NOT_FOUND: &str = "FLAG_NOT_FOUND";

impl Ofrep {
    /// A server at the base URL (with or without `/ofrep/v1` at its end), or the one that `OFREP_ENDPOINT`
    /// names, which `OFREP_HEADERS` are sent to.
    pub fn new(def: &FlagSource, ofrep: &OfrepDef, keys: Vec<String>, client: Client) -> Self {
        let (base, client) = if def.url.is_empty() {
            let secret = std::env::var("OFREP_HEADERS").ok().map(SecretString::from);
            let client = client.adding(headers(secret.as_ref()));
            let missing = || {
                let text = "no url is configured, and the environment variable OFREP_ENDPOINT is not set";
                Fault::new(FaultCode::Credential, text)
            };
            (
                std::env::var("OFREP_ENDPOINT").ok().filter(|e| !e.trim().is_empty()).ok_or_else(missing),
                client,
            )
        } else {
            (Ok(def.url.clone()), client)
        };
        Self {
            client,
            base: base.map(|base| base.trim().trim_end_matches('/').trim_end_matches("/ofrep/v1").to_owned()),
            environment: def.environment.clone(),
            def: ofrep.clone(),
            wanted: Wanted::new(keys),
            bulk: ofrep.bulk,
            turn: 0,
            kept: BTreeMap::new(),
            counted: BTreeMap::new(),
            alone: BTreeMap::new(),
            alone_turn: 0,
            unasked: false,
        }
    }

    async fn ask(&mut self) -> Told {
        let base = self.base.clone()?;
        let mut keys = self.keys_of_this_poll();
        let mut notes = Notes { not_modified: true, ..Notes::default() };
        let mut told: Vec<(usize, Vec<Evaluation>)> = Vec::new();
        if self.bulk {
            if let Some(all) = self.all_at_once(&base, &keys, &mut notes).await? {
                told = all;
            } else {
                // No bulk evaluation there: from now on one by one, for which there is time for fewer.
                self.bulk = false;
                keys = self.keys_of_this_poll();
            }
        }
        if !self.bulk {
            notes.not_modified = false;
            told = self.one_by_one(&base, &keys).await?;
        }
        self.turn = keys.last().map_or(0, |last| last + 1);
        let mut flags = self.count(&told, &keys)?;
        self.unasked = false;
        if self.bulk {
            flags.extend(self.absent(&base, &flags, &keys).await?);
        }
        let caps = self.told();
        Ok((answer(&self.environment, &self.wanted.0, flags, caps), notes))
    }

    /// The numbers of the keys whose turn it is.
    fn keys_of_this_poll(&self) -> Vec<usize> {
        let all = (self.def.keys as usize).max(1);
        let flags = if self.bulk { 1 } else { self.wanted.0.len().max(1) };
        let count = (A_POLL / flags).clamp(1, all);
        let from = if self.turn >= all { 0 } else { self.turn };
        (from..all.min(from + count)).collect()
    }

    fn context(&self, key: usize) -> Bytes {
        let mut context = self.def.context.clone();
        context.insert("targetingKey".into(), targeting_key(&self.def.seed, key).into());
        serde_json::json!({ "context": context }).to_string().into()
    }

    /// All flags for each of these keys; `None` where the server evaluates no flags in bulk.
    async fn all_at_once(
        &mut self,
        base: &str,
        keys: &[usize],
        notes: &mut Notes,
    ) -> Result<Option<Vec<(usize, Vec<Evaluation>)>>, Fault> {
        let url = format!("{base}/ofrep/v1/evaluate/flags");
        let (client, wanted) = (&self.client, &self.wanted);
        let asks = keys.iter().map(|&key| {
            let etag = self.kept.get(&key).map(|(etag, _)| etag.clone());
            let request =
                Request { url: url.clone(), json: Some(self.context(key)), etag, ..Request::default() };
            async move { (key, bulk(client, request, wanted.clone()).await) }
        });
        let answers: Vec<_> = stream::iter(asks.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
        let mut told = Vec::new();
        for (key, answer) in answers {
            match answer? {
                Bulk::Unsupported => return Ok(None),
                Bulk::Told(etag, evaluations) => {
                    notes.not_modified = false;
                    match etag {
                        Some(etag) => drop(self.kept.insert(key, (etag, evaluations.clone()))),
                        None => drop(self.kept.remove(&key)),
                    }
                    told.push((key, evaluations));
                }
                Bulk::Unchanged => {
                    let (_, kept) = self.kept.get(&key).ok_or_else(without_cause)?;
                    told.push((key, kept.clone()));
                }
            }
        }
        Ok(Some(told))
    }

    /// Each flag by a request of its own. A flag that does not exist is asked about once only.
    async fn one_by_one(&self, base: &str, keys: &[usize]) -> Result<Vec<(usize, Vec<Evaluation>)>, Fault> {
        if self.wanted.0.is_empty() {
            let text = "without bulk evaluation the flags must be named: add [[flag]] tables, or bulk = true";
            return Err(Fault::new(FaultCode::Query, text));
        }
        let asks = keys.iter().flat_map(|&key| {
            self.wanted
                .0
                .iter()
                .map(move |flag| async move { (key, self.single(base, flag, key, true).await) })
        });
        let answers: Vec<_> = stream::iter(asks.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
        let mut told: BTreeMap<usize, Vec<Evaluation>> = BTreeMap::new();
        for (key, answer) in answers {
            told.entry(key).or_default().extend(answer?);
        }
        Ok(told.into_iter().collect())
    }

    /// One flag for one key; `None` where it does not exist. A 404 that does not say that it is the flag
    /// which is not found means, where `strict`, that there is no such server.
    async fn single(
        &self,
        base: &str,
        flag: &str,
        key: usize,
        strict: bool,
    ) -> Result<Option<Evaluation>, Fault> {
        let url = format!("{base}/ofrep/v1/evaluate/flags/{}", super::path_segment(flag));
        let request = Request { url, json: Some(self.context(key)), ..Request::default() };
        let mut response = post(&self.client, request).await?;
        if response.status == 404 {
            let body = response.explanation(EXPLANATION).await;
            let error = serde_json::from_str::<ErrorDoc>(&body).ok().and_then(|doc| doc.error_code);
            if !strict || error.as_deref() == Some(NOT_FOUND) {
                return Ok(None);
            }
            let text = "answers 404, and not that the flag is not found: nothing speaks OFREP there";
            return Err(Fault::new(FaultCode::Status, text));
        }
        let mut told: Evaluation = json::body(&mut response).await?;
        told.key = Some(flag.to_owned());
        Ok(Some(told).filter(|told| told.error_code.as_deref() != Some(NOT_FOUND)))
    }

    /// Flags that were asked for and are in no bulk answer: servers leave those out that are disabled, and
    /// only asked for one by one say whether they exist. Where they are many they are asked for in turn.
    async fn absent(&mut self, base: &str, told: &[Flag], keys: &[usize]) -> Result<Vec<Flag>, Fault> {
        let absent: Vec<String> = self
            .wanted
            .0
            .iter()
            .filter(|key| !told.iter().any(|flag| flag.key == clean(key)))
            .cloned()
            .collect();
        self.alone.retain(|flag, _| absent.contains(flag));
        let from = if self.alone_turn < absent.len() { self.alone_turn } else { 0 };
        let turn: Vec<&String> = absent.iter().cycle().skip(from).take(absent.len().min(A_POLL)).collect();
        let key = keys.first().copied().unwrap_or(0);
        let asks = turn.iter().map(|flag| self.single(base, flag, key, false));
        let answers: Vec<_> = stream::iter(asks.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
        for (flag, answer) in turn.into_iter().zip(answers) {
            self.alone.insert(flag.clone(), answer?);
        }
        self.alone_turn = (from + A_POLL) % absent.len().max(1);
        let mut flags = Vec::new();
        for flag in &absent {
            let Some(told) = self.alone.get(flag) else {
                self.unasked = true;
                continue;
            };
            let evaluation = told.as_ref();
            let state = evaluation.map(|told| state(flag, told, &self.def.on)).transpose()?;
            // Other keys have got it before; these were asked, and did not.
            match (state, self.counted.get_mut(flag)) {
                (Some(State::Got(_)), Some(counted)) => {
                    counted.take(&keys.iter().map(|key| (*key, Some(false))).collect::<Vec<_>>());
                }
                _ => drop(self.counted.remove(flag)),
            }
            let counted = self.counted.get(flag);
            flags.extend(evaluation.map(|told| self.flag(told, counted)).transpose()?);
        }
        Ok(flags)
    }

    /// Takes what these keys got into account, and tells each flag that any of them got an answer on.
    fn count(&mut self, told: &[(usize, Vec<Evaluation>)], keys: &[usize]) -> Result<Vec<Flag>, Fault> {
        let mut fresh: BTreeMap<&str, Vec<(usize, &Evaluation)>> = BTreeMap::new();
        for (key, evaluations) in told {
            for evaluation in evaluations {
                if let Some(flag) = &evaluation.key {
                    fresh.entry(flag).or_default().push((*key, evaluation));
                }
            }
        }
        // Of a flag that is in no bulk answer it is not known yet whether it exists.
        let open = |flag: &String| self.bulk && self.wanted.0.contains(flag);
        self.counted.retain(|flag, _| fresh.contains_key(flag.as_str()) || open(flag));
        let mut flags = Vec::new();
        for (flag, mut found) in fresh {
            // A flag that vanished while the keys were asked for is as the last of them said.
            found.retain(|(_, evaluation)| evaluation.error_code.as_deref() != Some(NOT_FOUND));
            let Some(&(_, last)) = found.last() else {
                self.counted.remove(flag);
                continue;
            };
            let counted = self.counted.entry(flag.to_owned()).or_default();
            let mut got = Vec::new();
            for (key, evaluation) in &found {
                got.push((
                    *key,
                    match state(flag, evaluation, &self.def.on)? {
                        State::Off => Some(false),
                        State::Got(got) => got,
                    },
                ));
            }
            // Keys whose answers leave it out were asked too, and did not get it.
            let others =
                keys.iter().filter(|_| self.bulk).filter(|key| !found.iter().any(|(of, _)| of == *key));
            got.extend(others.map(|key| (*key, Some(false))));
            counted.take(&got);
            flags.push((flag, last));
        }
        flags.into_iter().map(|(flag, last)| self.flag(last, self.counted.get(flag))).collect()
    }

    /// A flag as its last evaluation and what was counted say. One that no key got is not known to be
    /// switched on, and not known to be off unless the server says so.
    fn flag(&self, evaluation: &Evaluation, counted: Option<&Counted>) -> Result<Flag, Fault> {
        let key = evaluation.key.as_deref().unwrap_or_default();
        let state = state(key, evaluation, &self.def.on)?;
        let off = matches!(state, State::Off);
        let got = matches!(state, State::Got(Some(true))) || counted.is_some_and(Counted::is_on);
        let untold = if self.def.keys > 0 { Percent::Unknown } else { Percent::Unsupported };
        let percent = counted.and_then(Counted::percent).filter(|_| self.def.keys > 0).unwrap_or(untold);
        let (enabled, enabled_unknown) = (!off && got, !off && !got);
        Ok(Flag { key: clean(key), enabled, enabled_unknown, percent, ..Flag::default() })
    }

    fn told(&self) -> Caps {
        Caps {
            percent: self.def.keys > 0,
            missing: !self.unasked,
            conditional: !self.kept.is_empty(),
            ..Caps::NONE
        }
    }
}

impl super::Provider for Ofrep {
    fn caps(&self) -> Caps {
        self.told()
    }

    fn poll(&mut self, _now: Time) -> Polling<'_> {
        Box::pin(self.ask())
    }
}

/// Sends a request; 2xx, 304 and 404 come through.
async fn post(client: &Client, request: Request) -> Result<Response, Fault> {
    let mut response = client.send(&request).await?;
    match response.fault() {
        Some(fault) if response.status != 404 => Err(super::refusal(fault, &mut response).await),
        _ => Ok(response),
    }
}

/// What came of asking for all flags at once.
enum Bulk {
    /// The server has no bulk evaluation.
    Unsupported,
    /// Nothing changed.
    Unchanged,
    /// The answer with its `ETag`.
    Told(Option<String>, Vec<Evaluation>),
}

/// All flags for one key.
async fn bulk(client: &Client, request: Request, wanted: Wanted) -> Result<Bulk, Fault> {
    let mut response = client.send(&request).await?;
    match response.status {
        404 | 405 | 501 => return Ok(Bulk::Unsupported),
        304 => return Ok(Bulk::Unchanged),
        _ => {}
    }
    if let Some(fault) = response.fault() {
        return Err(super::refusal(fault, &mut response).await);
    }
    let etag = response.etag.clone();
    let told = json::read(&mut response, move |bytes| evaluations(bytes, &wanted)).await?;
    Ok(Bulk::Told(etag, told))
}

/// `OFREP_HEADERS`: `name=value,name=value`.
fn headers(text: Option<&SecretString>) -> Vec<(String, String)> {
    let pairs = text.map_or("", |text| text.expose_secret()).split(',');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_environment_are_pairs() {
        let text = SecretString::from("X-API-Key=a=b, Authorization=Bearer x,junk,=y");
        let pairs = headers(Some(&text));
        assert_eq!(
            pairs,
            [("X-API-Key".into(), "a=b".into()), ("Authorization".into(), "Bearer x".to_owned())]
        );
        assert!(headers(None).is_empty());
    }
}
