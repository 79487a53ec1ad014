//! The flags of one environment: pages, `ETag`s, and what is missing.

use std::collections::HashSet;

use super::service::{Service, without_cause};
use super::wire::FlagsDoc;
use crate::model::poll::{FlagsAnswer, Notes};
use crate::model::text::harmless_line;
use crate::model::{Caps, Fault, FaultCode, Flag};
use crate::sources::json;

/// The most flags on a page, as the contract says.
const PAGE: &str = "200";
/// The most pages that are followed.
const MAX_PAGES: usize = 50;
/// With more keys than these the URL would grow too long, and all flags are asked for.
const MAX_KEYS: usize = 50;

/// Reads one page's flags, those of `keys` or all where there are none.
///
/// # Errors
/// No such document, or a flag among `keys` with a percentage that cannot be one.
pub fn decode(bytes: &[u8], keys: &[String]) -> Result<Vec<Flag>, Fault> {
    let doc: FlagsDoc = json::decode(bytes)?;
    told(&doc, keys)
}

/// Flags that nobody asked for may be as broken as they like.
fn told(doc: &FlagsDoc, keys: &[String]) -> Result<Vec<Flag>, Fault> {
    let wanted: HashSet<&str> = keys.iter().map(String::as_str).collect();
    let asked = |key: &str| wanted.is_empty() || wanted.contains(key);
    doc.flags.iter().filter(|flag| asked(&flag.key)).map(super::wire::FlagDoc::flag).collect()
}

/// What is asked for, and the pages that came last, to be repeated where the server says that nothing
/// changed.
pub(super) struct Flags {
    environment: String,
    keys: Vec<String>,
    pages: Vec<Page>,
}

/// One page as it came.
#[derive(Clone)]
struct Page {
    cursor: Option<String>,
    etag: Option<String>,
    next: Option<String>,
    flags: Vec<Flag>,
    missing: Vec<String>,
}

impl Flags {
    pub(super) fn new(environment: &str, keys: Vec<String>) -> Self {
        Self { environment: environment.to_owned(), keys, pages: Vec::new() }
    }

    /// The flags it asks for; all of them where there are none.
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Asks for every page, each under its own `ETag`. The pages are kept only when all came.
    pub(super) async fn ask(&mut self, service: &Service) -> Result<(FlagsAnswer, Notes), Fault> {
        let mut pages: Vec<Page> = Vec::new();
        let mut notes = Notes { not_modified: true, ..Notes::default() };
        let mut cursor = None;
        loop {
            let known = self.pages.get(pages.len()).filter(|page| page.cursor == cursor);
            let page = self.page(service, cursor.take(), known, &mut notes).await?;
            let next = page.next.clone();
            pages.push(page);
            let Some(next) = next else { break };
            if pages.len() == MAX_PAGES || pages.iter().any(|p| p.cursor.as_ref() == Some(&next)) {
                return Err(Fault::new(FaultCode::Unreadable, "the pages of flags have no end"));
            }
            cursor = Some(next);
        }
        self.pages = pages;
        Ok((self.answer(), notes))
    }

    async fn page(
        &self,
        service: &Service,
        cursor: Option<String>,
        known: Option<&Page>,
        notes: &mut Notes,
    ) -> Result<Page, Fault> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut query = vec![pair("environment", &self.environment)];
        if self.keys.len() <= MAX_KEYS {
            query.extend(self.keys.iter().map(|key| pair("key", key)));
        }
        query.push(pair("limit", PAGE));
        query.extend(cursor.iter().map(|cursor| pair("cursor", cursor)));
        let etag = known.and_then(|page| page.etag.clone());
        let mut response = service.send("flags", query, etag).await?;
        if response.status == 304 {
            // A server that sends 304 unasked has told nothing.
            return known.filter(|page| page.etag.is_some()).cloned().ok_or_else(without_cause);
        }
        notes.not_modified = false;
        let etag = response.etag.clone();
        let doc: FlagsDoc = json::body(&mut response).await?;
        if doc.environment != self.environment {
            let text = format!("answers for environment {}, not {}", doc.environment, self.environment);
            return Err(Fault::new(FaultCode::WrongEnvironment, text));
        }
        let flags = told(&doc, &self.keys)?;
        Ok(Page {
            cursor,
            etag,
            next: doc.next_cursor.filter(|next| !next.is_empty()),
            flags,
            missing: doc.missing.unwrap_or_default(),
        })
    }

    /// All pages as one answer. A key that was asked for and is on no page is missing, whether the
    /// server says so or not.
    fn answer(&self) -> FlagsAnswer {
        let flags: Vec<Flag> = self.pages.iter().flat_map(|page| page.flags.iter().cloned()).collect();
        let clean = |key: &String| harmless_line(key, 200);
        let mut missing: Vec<String> =
            self.keys.iter().map(clean).filter(|key| !flags.iter().any(|f| f.key == *key)).collect();
        for key in self.pages.iter().flat_map(|page| &page.missing).map(clean) {
            if !missing.contains(&key) && !flags.iter().any(|f| f.key == key) {
                missing.push(key);
            }
        }
        FlagsAnswer {
            environment: self.environment.clone(),
            flags,
            missing,
            caps: Caps { environments: false, ..Caps::ALL },
        }
    }
}
