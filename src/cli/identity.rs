//! `gonogo identity`: organisations against what they do, who acts in whose name, what was changed.
//!
//! JSON: `{"organisations":[{"id","slug","name","plan","status","members","entitled","traffic","refused",
//! "finding":{"code","text"},"unknown","entitlements":[…]}],"sessions":[…],"changes":[…],
//! "errors":[{"part","text"}]}`; rates are requests a second, as text. Exit codes: 0 nothing is found, 1
//! something is, 3 cannot tell (of the organisations; a part that is not told is named on stderr).

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use tokio::sync::mpsc::channel;
use tokio::time::{Instant, timeout_at};

use super::{Common, Exit, Output, check, flags, output};
use crate::app::Msg;
use crate::app::identity::{event_words, session_words};
use crate::engine::identity::Trust;
use crate::engine::tenants::{Standing, TenantRow};
use crate::engine::{IdentityState, Watch};
use crate::model::identity::{Capability, Entitlements, Org};
use crate::model::{FaultCode, Launch, SignalId, SourceId, SourceKind, Time, Unit, duration, value};
use crate::runtime::{Clock, Feed, Past};
use crate::settings;

/// How many changes are printed.
const CHANGES: usize = 20;
/// The parts, with the word for each.
const PARTS: [(Capability, &str); 5] = [
    (Capability::Orgs, "organisations"),
    (Capability::Entitlements, "entitlements"),
    (Capability::Roles, "roles"),
    (Capability::Impersonation, "impersonation"),
    (Capability::Audit, "audit"),
];

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this organisation: its id, slug or name
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    /// The longest to wait until everything is told [default: the longest window of a signal and a minute]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// Polls until every organisation can be judged, or time is over.
///
/// # Errors
/// No config, one that cannot be read, or one without an identity source; an organisation that does not
/// exist.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = Path::new("");
    let path =
        settings::discover(common.config.as_deref(), cwd).with_context(|| settings::nothing_found(cwd))?;
    let launch = needed(settings::load(&path).map_err(|e| anyhow!(e.rendered))?.launch);
    if Watch::new(&launch, []).identity.is_none() {
        let path = path.display();
        return Err(anyhow!("{path} has no source of organisations: add one of kind \"identity\""));
    }
    let patience = args.timeout.unwrap_or_else(|| check::patience(&launch, &[]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (watch, now) = runtime.block_on(listen(&Arc::new(launch.clone()), patience))?;
    let identity = watch.identity.as_ref().context("no identity source")?;
    let org = match &args.org {
        None => None,
        Some(_) if identity.orgs.value.is_none() => None,
        Some(name) => {
            let found = identity.org_of_tenant(name).map(|org| org.id.clone());
            Some(found.ok_or_else(|| anyhow!("no organisation {name:?}: give its id, slug or name"))?)
        }
    };
    let rows = rows(&launch, &watch, identity, org.as_deref(), now);
    let view = View { launch: &launch, identity, rows, org, now };
    match common.output {
        Output::Json => output::json(&view.document())?,
        Output::Text => output::print(&view.page())?,
    }
    for (part, why) in view.untold() {
        output::complain(&format!("{part}: {why}"));
    }
    Ok(view.exit())
}

/// The launch with the sources that matter here only. The service is asked as often as it allows, so that
/// nobody waits for intervals that are meant for a room.
fn needed(mut launch: Launch) -> Launch {
    let of = |id: &SignalId| launch.signal(id).map(|signal| signal.source.clone());
    let tenants = launch.tenants.iter().flat_map(|t| std::iter::once(&t.traffic).chain(&t.refused));
    let ids: Vec<SignalId> = tenants.cloned().collect();
    let sources: Vec<SourceId> = ids.iter().filter_map(of).collect();
    launch.signals.retain(|signal| ids.contains(&signal.id));
    // No flag is printed, so one that cannot be read must not hide what can.
    launch.flags.clear();
    let is_identity = |kind: &SourceKind| matches!(kind, SourceKind::Identity { .. });
    launch.sources.retain(|source| is_identity(&source.kind) || sources.contains(&source.id));
    for source in launch.sources.iter_mut().filter(|source| is_identity(&source.kind)) {
        source.every = source.every.min(Duration::from_secs(1));
    }
    launch
}

async fn listen(launch: &Arc<Launch>, patience: Duration) -> anyhow::Result<(Watch, Time)> {
    let mut watch = Watch::new(launch, []);
    let clock = Clock::wall();
    let (room, mut messages) = channel(64);
    let _polls = Feed::Polling(Some(Past { dir: super::checklist::history_dir(), save: false }))
        .start(launch, &clock, room)?;
    let until = Instant::now() + patience;
    while !settled(launch, &watch, clock.now()) {
        match timeout_at(until, messages.recv()).await {
            Ok(Some(Msg::Polled(poll))) => {
                watch.observe(&poll);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    Ok((watch, clock.now()))
}

/// Whether waiting longer would tell no more.
fn settled(launch: &Launch, watch: &Watch, now: Time) -> bool {
    if watch.sources.iter().any(|source| source.last_asked.is_none()) {
        return false;
    }
    let Some(identity) = &watch.identity else { return true };
    if identity.down.is_some() {
        return true;
    }
    let pending = |trust: Trust| trust == Trust::NoAnswer;
    let parts = PARTS.iter().any(|(part, _)| pending(identity.trust(*part, now)) && has_any(identity, *part));
    let orgs = identity.orgs.value.iter().flat_map(|orgs| &orgs.orgs);
    let of_orgs = orgs.into_iter().any(|org| pending(identity.trust_of(&org.id, now)));
    let short = |id: &SignalId| {
        let fault = watch.track(id).and_then(|track| track.fault.as_ref());
        fault.is_some_and(|fault| fault.code == FaultCode::TooLittleHistory)
    };
    let waits = launch.tenants.iter().any(|t| short(&t.traffic) || t.refused.as_ref().is_some_and(short));
    !(parts || of_orgs || waits)
}

/// Entitlements of no organisation are never told.
fn has_any(identity: &IdentityState, part: Capability) -> bool {
    part != Capability::Entitlements || identity.orgs.value.as_ref().is_some_and(|orgs| !orgs.orgs.is_empty())
}

fn rows(
    launch: &Launch,
    watch: &Watch,
    identity: &IdentityState,
    org: Option<&str>,
    now: Time,
) -> Vec<TenantRow> {
    let orgs = identity.orgs.value.iter().flat_map(|orgs| &orgs.orgs);
    let listed = orgs.map(|org| TenantRow {
        org: Some(org.id.clone()),
        name: org.name.clone(),
        entitled: None,
        traffic: None,
        refused: None,
        standing: Standing::NoTraffic,
    });
    let compared = launch.tenants.as_ref().map(|def| watch.tenants(def, now));
    let mut rows = compared.unwrap_or_else(|| listed.collect());
    rows.retain(|row| org.is_none() || row.org.as_deref() == org);
    rows
}

/// What is printed.
struct View<'a> {
    launch: &'a Launch,
    identity: &'a IdentityState,
    rows: Vec<TenantRow>,
    org: Option<String>,
    now: Time,
}

impl View<'_> {
    /// Parts that are offered and not told, and why.
    fn untold(&self) -> Vec<(&'static str, String)> {
        let told = |(part, name): &(Capability, &'static str)| {
            let trust = self.identity.trust(*part, self.now);
            let silent =
                trust == Trust::NotOffered || (trust == Trust::NoAnswer && !has_any(self.identity, *part));
            trust.words().filter(|_| !silent).map(|words| (*name, words))
        };
        PARTS.iter().filter_map(told).collect()
    }

    fn exit(&self) -> Exit {
        let is = |standing: fn(&Standing) -> bool| self.rows.iter().any(|row| standing(&row.standing));
        if is(|s| matches!(s, Standing::Found(_))) {
            return Exit::No;
        }
        let orgs = self.identity.trust(Capability::Orgs, self.now);
        let unknown = is(|s| matches!(s, Standing::Unknown(_)));
        if unknown || orgs != Trust::Good { Exit::CannotTell } else { Exit::Yes }
    }

    fn entitlements(&self, id: Option<&String>) -> Option<&Entitlements> {
        self.identity.entitlements.get(id?)?.value.as_ref()
    }

    fn org_of(&self, row: &TenantRow) -> Option<&Org> {
        self.identity.org(row.org.as_deref()?)
    }

    fn document(&self) -> Value {
        let organisations: Vec<Value> = self.rows.iter().map(|row| self.row_document(row)).collect();
        let org = self.org.as_deref();
        let sessions: Vec<_> = self.sessions().collect();
        let changes: Vec<_> = self.identity.audit_tail(org).collect();
        let errors: Vec<Value> =
            self.untold().into_iter().map(|(part, text)| json!({ "part": part, "text": text })).collect();
        json!({ "organisations": organisations, "sessions": sessions, "changes": changes, "errors": errors })
    }

    fn sessions(&self) -> impl Iterator<Item = &crate::model::identity::Impersonation> {
        let active = self.identity.active_sessions(self.now).into_iter();
        active.filter(|s| self.org.is_none() || s.org_id == self.org)
    }

    fn row_document(&self, row: &TenantRow) -> Value {
        let org = self.org_of(row);
        let (finding, unknown) = match &row.standing {
            Standing::Found(found) => (Some(json!({ "code": found.code(), "text": found.words() })), None),
            Standing::Unknown(why) => (None, Some(why)),
            Standing::Fine | Standing::NoTraffic => (None, None),
        };
        json!({
            "id": row.org,
            "slug": org.map(|org| &org.slug),
            "name": row.name,
            "plan": org.map(|org| &org.plan),
            "status": org.map(|org| org.status),
            "members": org.and_then(|org| org.members),
            "entitled": row.entitled,
            "traffic": row.traffic.map(value::text),
            "refused": row.refused.map(value::text),
            "finding": finding,
            "unknown": unknown,
            "entitlements": self.entitlements(row.org.as_ref()).map(|of| &of.entitlements),
        })
    }

    fn page(&self) -> String {
        let mut rows =
            vec![["ORGANISATION", "PLAN", "STATUS", "ENTITLED", "TRAFFIC", "FINDING"].map(String::from)];
        rows.extend(self.rows.iter().map(|row| self.cells(row)));
        let mut text = flags::columns(&rows);
        if self.launch.tenants.is_none() {
            text.push_str("nothing is compared: the config has no [tenants]\n");
        }
        if self.org.is_some()
            && let Some(of) = self.rows.first().and_then(|row| self.entitlements(row.org.as_ref()))
        {
            let mut rows = vec![["ENTITLEMENT", "STATE", "UNTIL"].map(String::from)];
            rows.extend(of.entitlements.iter().map(|e| {
                let state = match (e.granted, e.holds(self.now)) {
                    (true, true) => "granted",
                    (true, false) => "ended",
                    (false, _) => "not granted",
                };
                let until = e.expires_at.map_or_else(|| "-".to_owned(), Time::rfc3339);
                [e.key.clone(), state.to_owned(), until]
            }));
            text.push('\n');
            text.push_str(&flags::columns(&rows));
        }
        let sessions: Vec<String> = self.sessions().map(|s| session_words(Some(self.identity), s)).collect();
        let changes = self.identity.audit_tail(self.org.as_deref()).take(CHANGES).map(|event| {
            let at = event.at.map_or_else(|| "?".to_owned(), Time::rfc3339);
            format!("{at}  {}", event_words(event))
        });
        for (title, lines) in [("ACTING FOR OTHERS", sessions), ("CHANGES", changes.collect())] {
            if !lines.is_empty() {
                let _ = write!(text, "\n{title}\n{}\n", lines.join("\n"));
            }
        }
        text
    }

    fn cells(&self, row: &TenantRow) -> [String; 6] {
        let org = self.org_of(row);
        let compared = self.launch.tenants.is_some();
        let entitled = match row.entitled {
            Some(true) => "yes",
            Some(false) => "no",
            None if compared => "?",
            None => "-",
        };
        let rate = row.traffic.map(|rate| value::in_unit(rate, Unit::PerSecond));
        let words = match &row.standing {
            Standing::Found(found) => found.words().to_owned(),
            Standing::Unknown(why) => format!("unknown: {why}"),
            Standing::NoTraffic if compared => "no traffic".into(),
            Standing::Fine | Standing::NoTraffic => String::new(),
        };
        [
            row.name.clone(),
            org.map(|org| org.plan.clone()).unwrap_or_default(),
            org.map(|org| org.status.word().to_owned()).unwrap_or_default(),
            entitled.to_owned(),
            rate.unwrap_or_else(|| if compared { "?".into() } else { "-".into() }),
            words,
        ]
    }
}
