//! One measurement of a gate on routes: what each needs, held against what the identity service grants.

use std::collections::BTreeSet;

use crate::model::identity::{Part, Roles, Whoami};
use crate::model::route::ANY_ROUTE;
use crate::model::{Answer, Fault, Labels, Reason, RouteDef, Time, Verdict};

use super::measure::Measure;

/// What an identity service has told last of what it grants.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    roles: Option<Part<Roles>>,
    whoami: Option<(Time, Result<Whoami, Fault>)>,
}

/// What a route needs and does not have, in words, and when that was told; or why it cannot be said.
pub type Lacks = Result<(Vec<String>, Time), Reason>;

/// Whether a gate that names a route means this one.
pub fn means(wanted: &str, route: &RouteDef) -> bool {
    wanted == ANY_ROUTE || wanted == route.id
}

/// Measures a gate on the routes that it names. One lack fails it, whatever else cannot be told.
pub(super) fn measure<'r>(routes: impl Iterator<Item = &'r RouteDef>, grants: &Grants, at: Time) -> Measure {
    let (mut missing, mut unknown, mut count) = (Vec::new(), None, 0);
    let mut sampled = at;
    for route in routes {
        count += 1;
        match grants.lacks(route) {
            Ok((lacks, told)) => {
                missing.extend(lacks.into_iter().map(|lack| format!("{}: {lack}", route.id)));
                sampled = sampled.min(told);
            }
            Err(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    let made = |verdict, code: &str, text: String, value| Measure {
        at,
        verdict,
        reason: Reason::new(code, text),
        value: Some(value),
        labels: Labels::none(),
        sampled: Some(sampled),
    };
    match (missing.first(), unknown) {
        (Some(first), _) => {
            let more = missing.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            made(Verdict::Fail, "missing", format!("{first}{more}"), missing.len() as f64)
        }
        (None, Some(reason)) => Measure { reason, ..Measure::unknown(at, "unknown", "") },
        (None, None) if count == 0 => Measure::unknown(at, "no-data", "the config has no such route"),
        (None, None) => {
            let routes = if count == 1 { "the route needs" } else { "the routes need" };
            made(Verdict::Pass, "granted", format!("everything {routes} is granted"), 0.0)
        }
    }
}

impl Grants {
    /// Takes an answer in; what it does not speak of stands as it was told.
    pub(super) fn observe(&mut self, answer: &Answer, asked: Time) {
        let Some(identity) = &answer.identity else { return };
        if let Some(roles) = &identity.roles {
            self.roles = Some(roles.clone());
        }
        let who = match (&identity.whoami, &answer.whoami) {
            (Some(fault), _) => Some(Err(fault.clone())),
            (None, who) => who.clone().map(Ok),
        };
        if let Some(who) = who {
            self.whoami = Some((asked, who));
        }
    }

    /// What a route lacks.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn lacks(&self, route: &RouteDef) -> Lacks {
        let (mut lacks, mut told) = (Vec::new(), Time::MAX);
        if !route.scopes.is_empty() {
            let none = || Reason::new("no-roles", "the service has not told roles and their scopes");
            let part = self.roles.as_ref().ok_or_else(none)?;
            lacks.extend(scopes(route, part.outcome.as_ref().map_err(Reason::from)?));
            told = told.min(part.asked);
        }
        if !route.claims.is_empty() {
            let none = || Reason::new("no-claims", "the service has not said who the credential stands for");
            let (asked, who) = self.whoami.as_ref().ok_or_else(none)?;
            let who = who.as_ref().map_err(Reason::from)?;
            let absent = route.claims.iter().filter(|claim| !who.claims.contains(claim));
            lacks.extend(absent.map(|claim| format!("{} has no claim {claim}", who.display)));
            told = told.min(*asked);
        }
        Ok((lacks, told))
    }
}

fn scopes(route: &RouteDef, told: &Roles) -> Vec<String> {
    // A service that lists scopes lists all of them; one that lists none says nothing about them.
    let known: BTreeSet<&str> = told.scopes.iter().map(|scope| scope.key.as_str()).collect();
    let mut lacks: Vec<String> = Vec::new();
    let unknown = |scope: &&String| !known.is_empty() && !known.contains(scope.as_str());
    lacks.extend(route.scopes.iter().filter(unknown).map(|scope| format!("there is no scope {scope}")));
    let not_there: Vec<&String> = route.scopes.iter().filter(unknown).collect();
    let missing = |granted: &[String]| -> Vec<&str> {
        let lacks =
            route.scopes.iter().filter(|scope| !granted.contains(scope) && !not_there.contains(scope));
        lacks.map(String::as_str).collect()
    };
    if route.roles.is_empty() {
        let all = told.roles.iter().any(|role| missing(&role.scopes).is_empty());
        if !all && not_there.len() < route.scopes.len() {
            lacks.push(format!("no role is granted {}", route.scopes.join(" and ")));
        }
        return lacks;
    }
    for wanted in &route.roles {
        let Some(role) = told.roles.iter().find(|role| role.key == *wanted || role.name == *wanted) else {
            lacks.push(format!("there is no role {wanted}"));
            continue;
        };
        let missing = missing(&role.scopes);
        if !missing.is_empty() {
            lacks.push(format!("{wanted} is not granted {}", missing.join(" and ")));
        }
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FaultCode;
    use crate::model::identity::{IdentityAnswer, Role, Scope};

    fn at() -> Time {
        Time::from_millis(1_000)
    }

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(|word| (*word).to_owned()).collect()
    }

    fn answer(outcome: Result<Roles, Fault>) -> Grants {
        let mut grants = Grants::default();
        grants.observe(&told_by(outcome), at());
        grants
    }

    fn told_by(outcome: Result<Roles, Fault>) -> Answer {
        let roles = Some(Part { asked: at(), outcome });
        let who = r#"{"id":"ada","display":"Ada","roles":[],"scopes":[],"claims":["/org_id","/subject/id"]}"#;
        Answer {
            identity: Some(IdentityAnswer { roles, ..IdentityAnswer::default() }),
            whoami: Some(serde_json::from_str(who).unwrap()),
            ..Answer::default()
        }
    }

    fn told() -> Roles {
        let role = |key: &str, scopes: &[&str]| Role {
            key: key.into(),
            name: key.to_uppercase(),
            system: false,
            scopes: words(scopes),
        };
        let scope =
            |key: &str| Scope { key: key.into(), description: String::new(), introduced_in: String::new() };
        Roles {
            roles: vec![role("member", &["tasks:read", "tasks:write"]), role("support", &["tasks:read"])],
            scopes: ["tasks:read", "tasks:write", "tasks:admin"].map(scope).into(),
        }
    }

    fn judged(scopes: &[&str], claims: &[&str], roles: &[&str], answer: &Grants) -> (Verdict, String) {
        let route = RouteDef {
            id: "tasks".into(),
            scopes: words(scopes),
            claims: words(claims),
            roles: words(roles),
            ..RouteDef::default()
        };
        let measure = measure(std::iter::once(&route), answer, at());
        (measure.verdict, measure.reason.text)
    }

    #[test]
    fn what_a_route_needs_is_granted_to_each_role_or_named() {
        let answer = answer(Ok(told()));
        let on = |scopes: &[&str], claims: &[&str], roles: &[&str]| judged(scopes, claims, roles, &answer);
        assert_eq!(on(&["tasks:read"], &["/org_id"], &["member", "SUPPORT"]).0, Verdict::Pass);
        assert_eq!(on(&["tasks:read", "tasks:write"], &[], &[]).0, Verdict::Pass, "one role has both");
        for (scopes, claims, roles, why) in [
            (&["tasks:write"][..], &[][..], &["member", "support"][..], "support is not granted tasks:write"),
            (&["tasks:admin"], &[], &[], "no role is granted tasks:admin"),
            (&["tasks:gone"], &[], &["member"], "there is no scope tasks:gone"),
            (&["tasks:read"], &[], &["nobody"], "there is no role nobody"),
            (&[], &["/tenant"], &[], "Ada has no claim /tenant"),
        ] {
            assert_eq!(on(scopes, claims, roles), (Verdict::Fail, format!("tasks: {why}")));
        }
    }

    #[test]
    fn what_is_not_told_is_unknown_and_a_lack_outweighs_it() {
        let needs = Fault::new(FaultCode::Forbidden, "needs entitlements:read");
        let (verdict, why) = judged(&["tasks:read"], &[], &[], &answer(Err(needs)));
        assert_eq!((verdict, why.as_str()), (Verdict::Unknown, "needs entitlements:read"));
        assert_eq!(judged(&["tasks:read"], &[], &[], &Grants::default()).0, Verdict::Unknown);
        assert_eq!(judged(&[], &["/org_id"], &[], &Grants::default()).0, Verdict::Unknown);
        // Who it was is known no more, while the roles stand as they were told.
        let mut silent = answer(Ok(told()));
        let whoami = Some(Fault::new(FaultCode::TimedOut, "no answer"));
        let identity = Some(IdentityAnswer { whoami, ..IdentityAnswer::default() });
        silent.observe(&Answer { identity, ..Answer::default() }, at());
        assert_eq!(judged(&[], &["/org_id"], &[], &silent).0, Verdict::Unknown);
        let (verdict, _) = measure_two(&silent);
        assert_eq!(verdict, Verdict::Fail);
        assert_eq!(measure(std::iter::empty(), &silent, at()).verdict, Verdict::Unknown);
    }

    fn measure_two(answer: &Grants) -> (Verdict, String) {
        let route = |scopes: &[&str], claims: &[&str]| RouteDef {
            scopes: words(scopes),
            claims: words(claims),
            ..RouteDef::default()
        };
        let both = [route(&[], &["/org_id"]), route(&["tasks:admin"], &[])];
        let measure = measure(both.iter(), answer, at());
        (measure.verdict, measure.reason.text)
    }
}
