//! `LaunchDarkly`'s REST API: all flags of a project in pages, with several environments at once; who
//! changed one is asked of the audit log when it was changed.
//!
//! Weights are in thousandths of a percent. A flag that is off gives its off variation, which may be the
//! one that means on; rules, targets and prerequisites come before the fallthrough, so that beside them
//! its percentage is a bound.

mod meaning;
mod wire;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Polling, Told, Wanted, answer, path_segment, send};
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
    authors: BTreeMap<String, (Option<Time>, Author)>,
    /// Why the audit log did not answer last.
    silent: Option<Fault>,
}

#[derive(Clone, Default)]
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
    member: Option<MemberDoc>,
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

    async fn ask(&mut self) -> Told {
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
        self.learn_authors(&flags).await;
        for flag in &mut flags {
            if let Some((at, author)) = self.authors.get(&flag.key).filter(|(at, _)| *at == flag.updated_at) {
                debug_assert!(*at == flag.updated_at);
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
    async fn learn_authors(&mut self, flags: &[Flag]) {
        self.silent = None;
        let unknown = |flag: &&Flag| self.authors.get(&flag.key).is_none_or(|(at, _)| *at != flag.updated_at);
        let unknown: Vec<&Flag> = flags.iter().filter(unknown).take(AUDITS).collect();
        for flag in unknown {
            match self.author(&flag.key).await {
                Ok(author) => drop(self.authors.insert(flag.key.clone(), (flag.updated_at, author))),
                // Without the right to read it the next flag is no better off.
                Err(fault) => {
                    self.silent = Some(fault);
                    return;
                }
            }
        }
    }

    async fn author(&self, key: &str) -> Result<Author, Fault> {
        let spec = format!("proj/{}:env/{}:flag/{key}", self.project, self.environment);
        let query = vec![("spec".to_owned(), spec), ("limit".to_owned(), "1".to_owned())];
        let url = format!("{}/api/v2/auditlog", self.base);
        let mut response = send(&self.client, Request { url, query, ..Request::default() }).await?;
        let doc: AuditDoc = json::body(&mut response).await?;
        let member = doc.items.into_iter().next().and_then(|entry| entry.member);
        Ok(member.map_or_else(Author::default, |member| Author { name: member.name(), id: member.id() }))
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

    fn poll(&mut self, _now: Time) -> Polling<'_> {
        Box::pin(self.ask())
    }
}
