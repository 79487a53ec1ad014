//! Roles with their scopes, who acts in whose name, and what was changed.

use std::time::Duration;

use crate::app::identity;

use crate::engine::identity::Trust;
use crate::engine::source::STALE_INTERVALS;
use crate::model::duration::short;
use crate::model::identity::{AuditEvent, AuditOutcome, Capability, Impersonation, Roles};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, RouteDef, Time};

use super::identity::none;
use super::row::{Row, cells, cut};
use super::scene::Scene;
use super::words;

/// A session that ends this soon is marked.
const ENDS_SOON: Duration = Duration::from_mins(5);

fn known<'a>(scene: &Scene<'a>) -> Option<&'a Roles> {
    scene.state.identity()?.roles.value.as_ref()
}

fn is_new(roles: &Roles, scope: &str) -> bool {
    roles.scopes.iter().any(|s| s.key == scope && !s.introduced_in.is_empty())
}

/// `Roles  6   + new: 2025-11-20`
pub(super) fn roles_note(scene: &Scene<'_>, title: Row) -> Row {
    let theme = scene.theme;
    let Some(roles) = known(scene) else { return title };
    let mut since: Vec<&str> =
        roles.scopes.iter().map(|s| s.introduced_in.as_str()).filter(|since| !since.is_empty()).collect();
    since.sort_unstable();
    since.dedup();
    let title = title.put(format!("  {}", roles.roles.len()), theme.dim);
    match since.as_slice() {
        [] => title,
        since => title.put(format!("  + new: {}", cut(&since.join(", "), 30)), theme.accent),
    }
}

/// One row for each role: its scopes, the new ones with a plus.
pub(super) fn roles(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let Some(roles) = known(scene) else { return none(scene, Capability::Roles, "no role") };
    if roles.roles.is_empty() {
        return none(scene, Capability::Roles, "no role");
    }
    let key = roles.roles.iter().map(|r| cells(&r.key)).max().unwrap_or(0).clamp(4, (width / 3).max(4));
    let line = |role: &crate::model::identity::Role| {
        let mut row = Row::new().put(format!(" {}", cut(&role.key, key)), theme.strong).to(1 + key + 2);
        // What is new is what the review is about.
        let (new, old): (Vec<&String>, Vec<&String>) = role.scopes.iter().partition(|s| is_new(roles, s));
        for scope in new {
            row = row.put(format!("+{scope} "), theme.accent);
        }
        for scope in old {
            row = row.put(format!("{scope} "), theme.dim);
        }
        if role.scopes.is_empty() { row.put("no scope", theme.dim) } else { row }
    };
    roles.roles.iter().map(line).collect()
}

/// How long what a source told of routes counts as fresh: as long as a gate on them believes it.
fn routes_patience(scene: &Scene<'_>) -> Duration {
    let watch = &scene.state.watch;
    let source = watch.routes.first().and_then(|route| watch.source(&route.source));
    source.map_or(Duration::ZERO, |source| source.def.every * STALE_INTERVALS)
}

/// Whether what was told of the routes can be believed, and how old the oldest of it is. They need not hang
/// on roles, nor on the source that the rest of the screen is about.
pub(super) fn routes_trust(scene: &Scene<'_>) -> (Trust, Option<Duration>) {
    let watch = &scene.state.watch;
    let source = watch.routes.first().and_then(|route| watch.source(&route.source));
    let judged: Vec<_> = watch.routes.iter().map(|route| watch.grants.lacks(route)).collect();
    let told = judged.iter().filter_map(|judged| judged.as_ref().ok()).map(|(_, told)| *told).min();
    let age = told.map(|told| scene.state.now.since(told));
    let why = judged.iter().filter_map(|judged| judged.as_ref().err());
    let mut why = why.filter(|why| !["no-roles", "no-claims"].contains(&why.code.as_str()));
    let trust = match (source.and_then(|source| source.fault.clone()), why.next(), age) {
        (Some(fault), ..) => Trust::Failed(fault),
        (None, Some(why), _) if why.code == FaultCode::Forbidden.as_str() => {
            Trust::Failed(Fault::new(FaultCode::Forbidden, why.text.clone()))
        }
        (None, Some(why), _) => Trust::Failed(Fault::new(FaultCode::Status, why.text.clone())),
        (None, None, None) => Trust::NoAnswer,
        (None, None, Some(age)) if age > routes_patience(scene) => Trust::Stale(age),
        (None, None, Some(_)) => Trust::Good,
    };
    (trust, age)
}

/// `Routes  4   1 lacks something`
pub(super) fn routes_note(scene: &Scene<'_>, title: Row) -> Row {
    let theme = scene.theme;
    let watch = &scene.state.watch;
    let told: Vec<_> = watch.routes.iter().map(|route| watch.grants.lacks(route)).collect();
    let lacking = told.iter().filter(|told| matches!(told, Ok((lacks, _)) if !lacks.is_empty())).count();
    let title = title.put(format!("  {}", told.len()), theme.dim);
    let bad = if routes_trust(scene).0 == Trust::Good { theme.bad } else { theme.stale };
    match lacking {
        0 => title,
        1 => title.put("  1 lacks something", bad),
        many => title.put(format!("  {many} lack something"), bad),
    }
}

/// One row for each route: whether what it needs is granted, or what it lacks.
pub(super) fn routes(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let theme = scene.theme;
    let watch = &scene.state.watch;
    let name = |route: &RouteDef| harmless_line(&route.title, 60);
    let widest = watch.routes.iter().map(|r| cells(&name(r))).max().unwrap_or(0);
    let widest = widest.clamp(4, (width / 2).max(4));
    let source = watch.routes.first().and_then(|route| watch.source(&route.source));
    let is_down = source.is_some_and(|source| source.fault.is_some());
    let patience = routes_patience(scene);
    // What was granted when it was last told may not be now.
    let is_old = |told: Time| is_down || scene.state.now.since(told) > patience;
    let line = |route: &RouteDef| {
        let row = Row::new().put(format!(" {}", cut(&name(route), widest)), theme.strong).to(1 + widest + 2);
        let needs =
            route.scopes.iter().chain(&route.claims).map(String::as_str).collect::<Vec<_>>().join(" ");
        match watch.grants.lacks(route) {
            Ok((lacks, told)) if lacks.is_empty() && is_old(told) => {
                row.put("? was granted  ", theme.stale).put(harmless_line(&needs, 100), theme.stale)
            }
            Ok((lacks, told)) if is_old(told) => row.put(format!("✗ {}", lacks.join("; ")), theme.stale),
            Ok((lacks, _)) if lacks.is_empty() => {
                row.put("✓ granted  ", theme.good).put(harmless_line(&needs, 100), theme.dim)
            }
            Ok((lacks, _)) => row.put(format!("✗ {}", lacks.join("; ")), theme.bad),
            Err(why) => row.put(format!("? {}", why.text), theme.warn),
        }
    };
    watch.routes.iter().map(line).collect()
}

/// Far ends are told in whole minutes: seconds would only flicker.
fn rough(left: Duration) -> Duration {
    let seconds = left.as_secs();
    Duration::from_secs(if left > ENDS_SOON { seconds - seconds % 60 } else { seconds })
}

/// One row for each session.
pub(super) fn sessions(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let all = identity::sessions(scene.state);
    if all.is_empty() {
        return none(scene, Capability::Impersonation, "nobody acts in somebody else's name");
    }
    all.into_iter().map(|session| session_row(scene, session, width)).collect()
}

fn session_row(scene: &Scene<'_>, session: &Impersonation, width: usize) -> Row {
    let theme = scene.theme;
    let now = scene.state.now;
    let identity = scene.state.identity();
    let org = session.org_id.as_deref().map(|id| identity.map_or(id, |i| i.org_name(id)));
    let org = org.map(|name| format!(" ({})", cut(name, 20))).unwrap_or_default();
    let who = format!(" {} as {}{org}  ", cut(&session.actor.display, 20), cut(&session.subject, 20));
    let (rights, rights_style) = match session.read_only {
        Some(true) => ("read only", theme.dim),
        Some(false) => ("may change", theme.warn),
        None => ("rights unknown", theme.warn),
    };
    let since = session.started_at.map(|at| format!("  since {}", words::when(at, now))).unwrap_or_default();
    let (until, until_style) = match session.expires_at {
        None => ("  without end".to_owned(), theme.warn),
        Some(end) => {
            let left = end.since(now);
            let style = if left <= ENDS_SOON { theme.warn } else { theme.dim };
            (format!("  ends {} in {}", words::when(end, now), short(rough(left))), style)
        }
    };
    let row = Row::new()
        .put(who, theme.strong)
        .put(rights, rights_style)
        .put(since, theme.dim)
        .put(until, until_style);
    let reason =
        if session.reason.is_empty() { "no reason given".to_owned() } else { session.reason.clone() };
    row.put(format!("  {reason}"), theme.base).fit(width)
}

/// One row for each change that the filter leaves, newest first.
pub(super) fn changes(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let events = identity::changes(scene.state);
    if events.is_empty() {
        let kept = scene.state.identity().and_then(|s| s.audit.value.as_ref());
        let narrowed = kept.is_some_and(|kept| !kept.is_empty());
        let words = if narrowed { "no change that fits" } else { "no change is known" };
        return none(scene, Capability::Audit, words);
    }
    let actor = events.iter().map(|e| cells(&e.actor.display)).max().unwrap_or(0).min(12);
    let action =
        events.iter().map(|e| cells(&e.action)).max().unwrap_or(0).min(if width < 70 { 16 } else { 22 });
    events.into_iter().map(|event| change_row(scene, event, actor, action)).collect()
}

fn change_row(scene: &Scene<'_>, event: &AuditEvent, actor: usize, action: usize) -> Row {
    let theme = scene.theme;
    let when = event.at.map_or_else(|| "?".into(), |at| words::when(at, scene.state.now));
    let target = event.target.as_ref().map(|target| target.id.as_str()).unwrap_or_default();
    let identity = scene.state.identity();
    let org = event.org_id.as_deref().map(|id| identity.map_or(id, |i| i.org_name(id)));
    let org = org.map(|name| format!(" ({})", cut(name, 16))).unwrap_or_default();
    let mut row = Row::new()
        .put(format!(" {when}"), theme.dim)
        .to(13)
        .put(cut(&event.actor.display, actor).into_owned(), theme.strong)
        .to(13 + actor + 1)
        .put(cut(&event.action, action).into_owned(), theme.base)
        .to(13 + actor + 1 + action + 1)
        .put(format!("{target}{org} "), theme.strong);
    match event.outcome {
        AuditOutcome::Success => {}
        AuditOutcome::Denied => row = row.put("denied ", theme.warn),
        AuditOutcome::Failure => row = row.put("failed ", theme.warn),
        AuditOutcome::Other => row = row.put("outcome unknown ", theme.dim),
    }
    if let Some(session) = &event.impersonation_id {
        row = row.put(format!("impersonating, {} ", cut(session, 20)), theme.warn);
    }
    row.put(identity::change_words(event), theme.base)
}

/// One line for the room where somebody acts in somebody else's name, which explains odd traffic.
pub(super) fn room_note(scene: &Scene<'_>) -> Option<Row> {
    let identity = scene.state.identity()?;
    let all = identity.active_sessions(scene.state.now);
    let first = all.first()?;
    let more = if all.len() > 1 { format!("  +{} more", all.len() - 1) } else { String::new() };
    let said = identity::session_words(Some(identity), first);
    // What was true when it was last told may not be now.
    let old = identity.trust(Capability::Impersonation, scene.state.now).words().is_some();
    let age = identity.impersonations.age(scene.state.now).filter(|_| old);
    let age = age.map(|age| format!("told {} ago: ", words::age(Some(age)))).unwrap_or_default();
    let row = Row::new().put("  ● ", scene.theme.warn).put(age, scene.theme.warn);
    Some(row.put(said, scene.theme.base).put(more, scene.theme.dim))
}
