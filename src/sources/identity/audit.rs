//! The tail of the audit log: the newest at first, then only what came after.

use super::docs::AuditDoc;
use super::service::{Pairs, Service, Tagged};
use crate::model::identity::AuditNews;
use crate::model::{Fault, FaultCode};

/// The most events in one page, as the contract says.
const PAGE: &str = "200";
/// How many pages are read in one poll; more wait for the next.
const PAGES: usize = 5;

/// How far the log was read.
#[derive(Default)]
pub(super) struct Audit {
    /// The id of the newest event that was told.
    last: Option<String>,
    /// Whether the log was ever read: an empty one has no newest event.
    begun: bool,
    /// Whether the place was lost since, and with it perhaps some events.
    missed: bool,
    tagged: Option<Tagged<AuditNews>>,
}

impl Audit {
    /// What is new: every event of the pages that were read, so that none of them is passed over.
    pub(super) async fn ask(&mut self, service: &Service) -> Result<AuditNews, Fault> {
        let mut all = AuditNews { anew: !self.begun, ..AuditNews::default() };
        for _ in 0..PAGES {
            let page = match self.page(service).await {
                Ok(page) => page,
                // Where the service does not know the place any more, the next poll begins at its newest.
                Err(fault) if all.events.is_empty() => {
                    if is_gone(&fault) && self.last.is_some() {
                        *self = Self { missed: true, ..Self::default() };
                    }
                    return Err(fault);
                }
                // What was read of this poll counts; the rest is asked for again.
                Err(_) => break,
            };
            if page.anew {
                // Its newest lies before ours: another log, or one begun anew.
                *self = Self { missed: true, ..Self::default() };
                all = AuditNews { anew: true, ..AuditNews::default() };
                continue;
            }
            self.begun = true;
            all.missed |= std::mem::take(&mut self.missed);
            all.more = page.more;
            let last = self.last.clone();
            // Told again, or out of order: an event is told once.
            let new =
                page.events.into_iter().filter(|event| last.as_ref().is_none_or(|last| event.id > *last));
            let new: Vec<_> = new.collect();
            if let Some(newest) = new.iter().map(|event| &event.id).max() {
                self.last = Some(newest.clone());
            }
            let none = new.is_empty();
            all.events.extend(new);
            if !all.more || none {
                break;
            }
        }
        all.events.sort_by(|a, b| a.id.cmp(&b.id));
        all.events.dedup_by(|a, b| a.id == b.id);
        Ok(all)
    }

    async fn page(&mut self, service: &Service) -> Result<AuditNews, Fault> {
        let mut query: Pairs = vec![("limit".to_owned(), PAGE.to_owned())];
        query.extend(self.last.iter().map(|last| ("after".to_owned(), last.clone())));
        let after = self.last.clone();
        let told = service
            .ask("audit-events", query, &mut self.tagged, |doc: AuditDoc| doc.news(after.as_deref()))
            .await?;
        if told.new {
            return Ok(told.value);
        }
        // The same page as before: what is in it was told.
        Ok(AuditNews::default())
    }
}

fn is_gone(fault: &Fault) -> bool {
    fault.code == FaultCode::Status
        && ["answers 400", "answers 404", "answers 410"].iter().any(|status| fault.text.starts_with(status))
}
