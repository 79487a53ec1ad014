//! `LaunchDarkly`'s REST API: all flags of a project in pages, with several environments at once; who
//! changed one is asked of the audit log when it was changed.
//!
//! Weights are in thousandths of a percent. A flag that is off gives its off variation, which may be the
//! one that means on; rules, targets and prerequisites come before the fallthrough, so that beside them
//! its percentage is a bound.

mod meaning;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Polling, Told, Wanted, answer, moment, path_segment, send};
use crate::http::{Client, Request};
use crate::model::poll::Notes;
use crate::model::provider::FlagSource;
use crate::model::{Caps, Fault, FaultCode, Flag, Time};
use crate::sources::json;
use meaning::Reader;
use wire::MemberDoc;

/// The version of the API that the types here are of.
const VERSION: &str = "20240415";
/// Flags on a page, and the most pages that are followed.
const PAGE: usize = 100;
const MAX_PAGES: usize = 100;
/// The most questions to the audit log in one poll.
const AUDITS: usize = 20;
/// How many entries of the audit log are looked through for one change.
const ENTRIES: &str = "10";
/// How far the audit log's moment of a change may lie from the flag's.
const SAME: Duration = Duration::from_secs(2);
/// How often an author who was not found is asked for again.
const AGAIN: Duration = Duration::from_mins(1);

/// One project of an account.
pub struct LaunchDarkly {
    client: Client,
    base: String,
    project: String,
    environment: String,
    beside: Vec<String>,
    on: Vec<String>,
    wanted: Wanted,
    /// By flag, the change that was asked about, and who made it.
    authors: BTreeMap<String, Asked>,
    /// Why the audit log did not answer last.
    silent: Option<Fault>,
}

/// What came of asking who made a change.
struct Asked {
    /// When the change was made.
    of: Time,
    at: Time,
    /// `None` where the audit log does not hold that change, or not yet.
    author: Option<Author>,
}

#[derive(Default)]
struct Author {
    name: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
struct AuditDoc {
    items: Vec<AuditEntryDoc>,
}

#[derive(Deserialize)]
struct AuditEntryDoc {
    date: Option<Value>,
    kind: Option<String>,
    accesses: Option<Vec<AccessDoc>>,
    member: Option<MemberDoc>,
}

#[derive(Deserialize)]
struct AccessDoc {
    resource: Option<String>,
}

impl AuditEntryDoc {
    /// Whether this is the change of that moment, of the resource `proj/a:env/b:flag/c`.
    fn is_of(&self, moment_of: Time, resource: &str) -> bool {
        let at = self.date.as_ref().and_then(moment);
        let near = at.is_some_and(|at| at.since(moment_of).max(moment_of.since(at)) <= SAME);
        // Each part may be followed by its tags.
        let plain = |text: &str| {
            text.split(':').filter_map(|part| part.split(';').next()).collect::<Vec<_>>().join(":")
        };
        let mut told =
            self.accesses.iter().flatten().filter_map(|access| access.resource.as_deref()).peekable();
        let ours = told.peek().is_none() || told.any(|told| plain(told) == resource);
        near && ours && self.kind.as_deref().is_none_or(|kind| kind == "flag")
    }
}

impl LaunchDarkly {
    /// A project of the account at the base URL (with or without `/api/v2` at its end); `on` names
    /// variations that count as on where none is `true`.
    pub fn new(def: &FlagSource, project: &str, on: &[String], keys: Vec<String>, client: &Client) -> Self {
        Self {
            client: client.adding(vec![("LD-API-Version".into(), VERSION.into())]),
            base: def.url.trim().trim_end_matches('/').trim_end_matches("/api/v2").to_owned(),
            project: project.to_owned(),
            environment: def.environment.clone(),
            beside: def.beside.clone(),
            on: on.to_vec(),
            wanted: Wanted::new(keys),
            authors: BTreeMap::new(),
            silent: None,
        }
    }

    async fn ask(&mut self, now: Time) -> Told {
        let mut flags: Vec<Flag> = Vec::new();
        let mut offset = 0;
        for page in 0.. {
            if page == MAX_PAGES {
                return Err(Fault::new(FaultCode::Unreadable, "the pages of flags have no end"));
            }
            let (told, count, total) = self.page(offset).await?;
            flags.extend(told);
            offset += count;
            // A count that is not told is known when a page is not full.
            if count == 0 || total.map_or(count < PAGE, |total| offset >= total) {
                break;
            }
        }
        self.authors.retain(|key, _| flags.iter().any(|flag| flag.key == *key));
        self.learn_authors(&flags, now).await;
        for flag in &mut flags {
            let asked = self.authors.get(&flag.key).filter(|asked| Some(asked.of) == flag.updated_at);
            if let Some(author) = asked.and_then(|asked| asked.author.as_ref()) {
                flag.updated_by.clone_from(&author.name);
                flag.updated_by_id.clone_from(&author.id);
            }
        }
        let remarks =
            self.silent.iter().map(|fault| format!("audit log: who changed flags is not told: {fault}"));
        let notes = Notes { remarks: remarks.collect(), ..Notes::default() };
        Ok((answer(&self.environment, &self.wanted.0, flags, self.told()), notes))
    }

    async fn page(&self, offset: usize) -> Result<(Vec<Flag>, usize, Option<usize>), Fault> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut query =
            vec![pair("summary", "0"), pair("limit", &PAGE.to_string()), pair("offset", &offset.to_string())];
        query.extend([&self.environment].into_iter().chain(&self.beside).map(|name| pair("env", name)));
        let url = format!("{}/api/v2/flags/{}", self.base, path_segment(&self.project));
        let mut response = send(&self.client, Request { url, query, ..Request::default() }).await?;
        let reader = Reader {
            environment: self.environment.clone(),
            beside: self.beside.clone(),
            on: self.on.clone(),
            wanted: self.wanted.clone(),
        };
        json::read(&mut response, move |bytes| reader.page(bytes)).await
    }

    /// Asks who made the changes that are not known yet.
    async fn learn_authors(&mut self, flags: &[Flag], now: Time) {
        self.silent = None;
        let mut unknown = Vec::new();
        for flag in flags {
            // Of a change without a moment nobody can say which entry tells of it.
            let Some(of) = flag.updated_at else { continue };
            let asked = self.authors.get(&flag.key).filter(|asked| asked.of == of);
            let again =
                |asked: &Asked| asked.author.is_none() && (now < asked.at || now.since(asked.at) >= AGAIN);
            if asked.is_none_or(again) {
                unknown.push((asked.map(|asked| asked.at), of, &flag.key));
            }
        }
        unknown.sort();
        for (_, of, key) in unknown.into_iter().take(AUDITS) {
            match self.author(key, of).await {
                Ok(author) => drop(self.authors.insert(key.clone(), Asked { of, at: now, author })),
                // Without the right to read it the next flag is no better off.
                Err(fault) => {
                    self.silent = Some(fault);
                    return;
                }
            }
        }
    }

    async fn author(&self, key: &str, of: Time) -> Result<Option<Author>, Fault> {
        let spec = format!("proj/{}:env/{}:flag/{key}", self.project, self.environment);
        let query = vec![("spec".to_owned(), spec.clone()), ("limit".to_owned(), ENTRIES.to_owned())];
        let url = format!("{}/api/v2/auditlog", self.base);
        let mut response = send(&self.client, Request { url, query, ..Request::default() }).await?;
        let doc: AuditDoc = json::body(&mut response).await?;
        let entry = doc.items.into_iter().find(|entry| entry.is_of(of, &spec));
        let author = |member: MemberDoc| Author { name: member.name(), id: member.id() };
        Ok(entry.and_then(|entry| entry.member).map(author))
    }

    fn told(&self) -> Caps {
        Caps {
            percent: true,
            rules: true,
            environments: !self.beside.is_empty(),
            changed: true,
            author: self.silent.is_none(),
            missing: true,
            ..Caps::NONE
        }
    }
}

impl super::Provider for LaunchDarkly {
    fn caps(&self) -> Caps {
        self.told()
    }

    fn poll(&mut self, now: Time) -> Polling<'_> {
        Box::pin(self.ask(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_of_a_change_where_moment_flag_and_environment_fit() {
        let of = Time::from_millis(1_764_000_000_000);
        let resource = "proj/default:env/production:flag/tasks";
        for (entry, expected) in [
            (r#"{"date":1764000000000,"kind":"flag"}"#, true),
            (r#"{"date":1764000002000}"#, true),
            (r#"{"date":1764000002001}"#, false),
            (r#"{"date":1763999997999}"#, false),
            (r#"{"kind":"flag"}"#, false),
            (r#"{"date":1764000000000,"kind":"member"}"#, false),
            (
                r#"{"date":1764000000000,"accesses":[{"action":"updateOn","resource":"proj/default;a:env/production;live:flag/tasks;b,c"}]}"#,
                true,
            ),
            (
                r#"{"date":1764000000000,"accesses":[{"action":"updateOn","resource":"proj/default:env/staging:flag/tasks"}]}"#,
                false,
            ),
        ] {
            let doc: AuditEntryDoc = serde_json::from_str(entry).unwrap();
            assert_eq!(doc.is_of(of, resource), expected, "{entry}");
        }
    }
}
