//! Entitlements, organisation by organisation: some in each poll, the one that was asked about longest
//! ago first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::docs::EntitlementsDoc;
use super::parts::{SELDOM, due, rest};
use super::service::{Service, Tagged};
use crate::model::identity::{Entitlements, Org, Part};
use crate::model::{Fault, FaultCode, Time};

/// How many organisations are asked about in one poll, and how many of them at once.
const EACH_POLL: usize = 8;
const AT_ONCE: usize = 4;
/// The most organisations that are asked about at all.
const MOST: usize = 500;

/// What was told of each organisation, and when.
#[derive(Default)]
pub(super) struct EntitlementsOf {
    orgs: BTreeMap<String, Kept>,
    /// Until when nobody is asked about, where all of a poll failed.
    quiet: Option<(Time, Duration)>,
}

#[derive(Default)]
struct Kept {
    tagged: Option<Tagged<Entitlements>>,
    asked: Option<Time>,
    rest: Duration,
}

impl EntitlementsOf {
    /// Whether the organisations are known.
    pub(super) fn has_orgs(&self) -> bool {
        !self.orgs.is_empty()
    }

    /// Asks about these organisations from now on, and about no others.
    pub(super) fn follow(&mut self, orgs: &[Org]) {
        let ids: Vec<&String> = orgs.iter().take(MOST).map(|org| &org.id).collect();
        self.orgs.retain(|id, _| ids.contains(&id));
        for id in ids {
            if !self.orgs.contains_key(id) {
                self.orgs.insert(id.clone(), Kept::default());
            }
        }
    }

    /// Asks about some of those that are due.
    pub(super) async fn ask(
        &mut self,
        service: &Service,
        offered: bool,
        now: Time,
    ) -> Vec<(String, Part<Entitlements>)> {
        if !offered || self.quiet.is_some_and(|(since, rest)| !due(Some(since), rest, now)) {
            return Vec::new();
        }
        // Where the last ones were all refused, one is enough to see whether that has changed.
        let most = if self.quiet.is_some() { 1 } else { EACH_POLL };
        let mut turn: Vec<(Option<Time>, &String)> = self
            .orgs
            .iter()
            .filter(|(_, kept)| due(kept.asked, kept.rest, now))
            .map(|(id, kept)| (kept.asked, id))
            .collect();
        turn.sort();
        let chosen: Vec<String> = turn.into_iter().take(most).map(|(_, id)| id.clone()).collect();
        let asked = chosen.into_iter().map(|id| {
            let mut tagged = self.orgs.get_mut(&id).and_then(|kept| kept.tagged.take());
            async move {
                let told = one(service, &id, &mut tagged).await;
                (id, tagged, told)
            }
        });
        let told: Vec<_> = stream::iter(asked.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
        let mut out = Vec::new();
        for (id, tagged, outcome) in told {
            let rest = outcome.as_ref().err().map_or(SELDOM, |fault| rest(fault, SELDOM));
            self.orgs.insert(id.clone(), Kept { tagged, asked: Some(now), rest });
            out.push((id, Part { asked: now, outcome }));
        }
        let faults = out.iter().filter_map(|(_, part)| part.outcome.as_ref().err());
        let longest = faults.map(|fault| rest(fault, SELDOM)).max();
        let all = !out.is_empty() && out.iter().all(|(_, part)| part.outcome.is_err());
        if !out.is_empty() {
            self.quiet = longest.filter(|_| all).map(|rest| (now, rest));
        }
        out
    }
}

async fn one(
    service: &Service,
    id: &str,
    tagged: &mut Option<Tagged<Entitlements>>,
) -> Result<Entitlements, Fault> {
    if matches!(id, "." | "..") {
        // As a segment of a path these two lead elsewhere, however they are written.
        return Err(Fault::new(FaultCode::Unreadable, format!("{id:?} is no id of an organisation")));
    }
    let path = format!("orgs/{}/entitlements", segment(id));
    let told = service.ask(&path, Vec::new(), tagged, |doc: EntitlementsDoc| doc.of(id)).await?;
    Ok(told.value)
}

/// A text as one segment of a path: an id must not lead to another place.
fn segment(id: &str) -> String {
    let mut out = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_the_path_whatever_it_holds() {
        assert_eq!(segment("org_acme-1"), "org_acme-1");
        assert_eq!(segment("../meta?a=b#c é"), "..%2Fmeta%3Fa%3Db%23c%20%C3%A9");
    }
}
