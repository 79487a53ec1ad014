//! `[source.NAME]`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::super::file::At;
use super::super::file::config::{SourceTable, SourceWord};
use super::super::file::credential::CredentialTable;
use super::address::Part;
use super::{Check, known_name, size};
use crate::model::credential::CredentialDef;
use crate::model::launch::SourceKind;
use crate::model::{Labels, SourceDef, SourceId};

/// The shortest time between two polls.
const SHORTEST: Duration = Duration::from_millis(200);
/// The time between two polls.
pub(super) const EVERY: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(3);
const MAX_SERIES: usize = 20_000;
/// The longest history, where nothing is said.
pub(super) const MAX_HISTORY: Duration = Duration::from_hours(24);
/// A shorter one would not hold what a window needs.
const SHORTEST_HISTORY: Duration = Duration::from_mins(1);
const MAX_LINE: u64 = 1 << 20;
const MAX_BODY_SCRAPE: u64 = 512 << 20;
const MAX_BODY: u64 = 16 << 20;

/// Headers that carry secrets, or that the client sets itself.
pub(super) const REFUSED_HEADERS: [(&str, &str); 8] = [
    ("authorization", "a config holds no secrets; use `credential`"),
    ("proxy-authorization", "a config holds no secrets"),
    ("cookie", "a config holds no secrets; use `credential`"),
    ("host", "the client sets it"),
    ("content-length", "the client sets it"),
    ("transfer-encoding", "the client sets it"),
    ("connection", "the client sets it"),
    ("accept-encoding", "the client sets it"),
];

/// What sources refer to.
pub(super) struct Around<'c> {
    pub(super) credentials: &'c BTreeMap<String, At<CredentialTable>>,
    /// Those of them that are right.
    pub(super) defs: &'c BTreeMap<String, CredentialDef>,
    pub(super) environment: &'c str,
    pub(super) config: &'c str,
}

/// A key, where it is written, and the kinds of sources it belongs to.
type OfKinds = (&'static str, Option<Range<usize>>, &'static [SourceWord]);

impl Check<'_> {
    /// A source with its defaults.
    pub(super) fn source(
        &mut self,
        name: &str,
        at: &At<SourceTable>,
        around: &Around<'_>,
    ) -> Option<SourceDef> {
        let table = at.get();
        self.id_text(name, at.span());
        let kind = *table.kind.get();
        self.keys_of_other_kinds(table, kind);
        let credential = table.credential.as_ref().and_then(|wanted| {
            let known = around.credentials.keys().map(String::as_str);
            known_name(&mut self.troubles, wanted.span(), "credential", wanted.get(), around.config, known);
            around.defs.get(wanted.get()).cloned()
        });
        let max_body = if kind == SourceWord::Scrape { MAX_BODY_SCRAPE } else { MAX_BODY };
        let source = SourceDef {
            id: SourceId::new(name),
            every: self.span_or(table.every.as_ref(), SHORTEST, EVERY),
            timeout: self.span_or(table.timeout.as_ref(), Duration::from_millis(10), TIMEOUT),
            max_body: table.max_body.as_ref().and_then(|b| self.size(b)).unwrap_or(max_body),
            max_series: table.max_series.as_ref().map_or(MAX_SERIES, |n| *n.get() as usize),
            max_history: self.span_or(table.max_history.as_ref(), SHORTEST_HISTORY, MAX_HISTORY),
            max_line: table.max_line.as_ref().and_then(|b| self.size(b)).unwrap_or(MAX_LINE),
            headers: self.headers(table.headers.as_ref()),
            credential,
            ca_file: table.ca_file.as_ref().map(|p| self.path(p)),
            route: self.source_route(table),
            allow_http: table.allow_http.unwrap_or(false),
            kind: self.source_kind(at, around)?,
        };
        Some(source)
    }

    fn source_kind(&mut self, at: &At<SourceTable>, around: &Around<'_>) -> Option<SourceKind> {
        let table = at.get();
        let allow = table.allow_http.unwrap_or(false);
        let base = match table.kind.get() {
            SourceWord::Scrape => {
                let urls = self.endpoints(at)?;
                return Some(SourceKind::Scrape { urls, labels: self.labels(table.labels.as_ref()) });
            }
            SourceWord::Prometheus => "/api/v1",
            SourceWord::Alertmanager => "/api/v2",
            SourceWord::Identity => "/launch/v1",
            SourceWord::Unleash | SourceWord::Ofrep | SourceWord::Launchdarkly | SourceWord::Json => {
                return self.flag_source(at, around);
            }
        };
        let Some(url) = &table.url else {
            let kind = table.kind.get().as_str();
            let a = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
            self.troubles.missing(at.span(), "url", format!("{a} {kind} source needs its address"));
            return None;
        };
        let url = self.address(url, Part::Base(base), allow);
        match table.kind.get() {
            SourceWord::Prometheus => {
                let alerts = table.alerts.as_ref().is_some_and(|a| *a.get());
                return Some(SourceKind::Prometheus { url, alerts });
            }
            SourceWord::Alertmanager => {
                let watchdog = self.some_words(table.watchdog.as_ref());
                return Some(SourceKind::Alertmanager { url, watchdog });
            }
            _ => {}
        }
        let own = self.some_words(table.environment.as_ref());
        let environment = own.unwrap_or_else(|| around.environment.to_owned());
        let beside = self.beside(table, &environment);
        Some(SourceKind::Identity { url, environment, grants: false, beside })
    }

    fn endpoints(&mut self, at: &At<SourceTable>) -> Option<Vec<String>> {
        let table = at.get();
        let written: Vec<&At<String>> = match (&table.url, &table.urls) {
            (Some(_), Some(urls)) => {
                self.troubles.add(urls.span(), "a scrape source has `url` or `urls`, not both");
                return None;
            }
            (Some(url), None) => vec![url],
            (None, Some(urls)) => urls.get().iter().collect(),
            (None, None) => {
                self.troubles.missing(at.span(), "urls", "a scrape source needs its address or addresses");
                return None;
            }
        };
        if let (true, Some(urls)) = (written.is_empty(), &table.urls) {
            self.troubles.add(urls.span(), "a scrape source needs at least one address");
        }
        let mut seen = super::values::Seen::default();
        let mut urls = Vec::with_capacity(written.len());
        for url in written {
            // An address with a password is refused anyway, and is not to be repeated.
            if !url.get().contains('@') {
                self.once(url, "the address", &mut seen);
            }
            urls.push(self.address(url, Part::Endpoint, table.allow_http.unwrap_or(false)));
        }
        Some(urls)
    }

    /// Keys that say nothing about this kind would be promises without effect.
    fn keys_of_other_kinds(&mut self, table: &SourceTable, kind: SourceWord) {
        use SourceWord::{Alertmanager, Identity, Json, Launchdarkly, Ofrep, Prometheus, Scrape, Unleash};
        let written: [OfKinds; 17] = [
            ("urls", table.urls.as_ref().map(At::span), &[Scrape]),
            ("labels", table.labels.as_ref().map(At::span), &[Scrape]),
            ("max-series", table.max_series.as_ref().map(At::span), &[Scrape]),
            ("max-history", table.max_history.as_ref().map(At::span), &[Scrape]),
            ("max-line", table.max_line.as_ref().map(At::span), &[Scrape]),
            ("alerts", table.alerts.as_ref().map(At::span), &[Prometheus]),
            ("watchdog", table.watchdog.as_ref().map(At::span), &[Alertmanager]),
            ("environment", table.environment.as_ref().map(At::span), SourceWord::OF_FLAGS),
            ("beside", table.beside.as_ref().map(At::span), &[Identity, Unleash, Launchdarkly]),
            ("project", table.project.as_ref().map(At::span), &[Unleash, Launchdarkly]),
            ("admin-credential", table.admin_credential.as_ref().map(At::span), &[Unleash]),
            ("bulk", table.bulk.as_ref().map(At::span), &[Ofrep]),
            ("context", table.context.as_ref().map(At::span), &[Ofrep]),
            ("keys", table.keys.as_ref().map(At::span), &[Ofrep]),
            ("seed", table.seed.as_ref().map(At::span), &[Ofrep]),
            ("on", table.on.as_ref().map(At::span), &[Ofrep, Launchdarkly]),
            ("map", table.map.as_ref().map(At::span), &[Json]),
        ];
        for (key, place, of) in written {
            if let Some(place) = place.filter(|_| !of.contains(&kind)) {
                let of = of.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ");
                let kind = kind.as_str();
                self.troubles
                    .add(place, format!("`{key}` belongs to sources of kind {of}; this one is {kind}"));
            }
        }
    }

    fn labels(&mut self, table: Option<&At<BTreeMap<String, At<String>>>>) -> Labels {
        let Some(table) = table else { return Labels::none() };
        for (name, value) in table.get() {
            if name.is_empty() || name.starts_with("__") {
                self.troubles.add(
                    value.span(),
                    format!("{name:?} is no label for a series: it must not be empty or begin with \"__\""),
                );
            }
        }
        Labels::from_pairs(table.get().iter().map(|(name, value)| (name.as_str(), value.get().as_str())))
    }

    fn headers(&mut self, table: Option<&At<BTreeMap<String, At<String>>>>) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        // A value may be a secret, also that of the header beside it: no line is shown.
        for (name, value) in table.into_iter().flat_map(At::get) {
            let refused = REFUSED_HEADERS.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
            if let Some((_, why)) = refused {
                self.troubles
                    .add_secret(value.span(), format!("the header {name} cannot be set here: {why}"));
            } else if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
                self.troubles.add_secret(value.span(), format!("{name:?} is no name of a header"));
            } else if reqwest::header::HeaderValue::from_str(value.get()).is_err() {
                self.troubles.add_secret(value.span(), format!("the header {name} cannot hold this text"));
            }
            headers.push((name.clone(), value.get().clone()));
        }
        headers
    }

    fn size(&mut self, value: &At<toml::Value>) -> Option<u64> {
        let size = match value.get() {
            toml::Value::Integer(bytes) => return u64::try_from(*bytes).ok(),
            toml::Value::String(text) => size::parse(text),
            _ => return None,
        };
        size.map_err(|message| self.troubles.add(value.span(), message)).ok()
    }
}
