//! `[[route]]`, and gates on what routes need.

use std::time::Duration;

use super::super::file::At;
use super::super::file::config::{RouteTable, SourceWord};
use super::gate::{Checked, Written, watched};
use super::{Check, Names, known_name};
use crate::model::gate::Idle;
use crate::model::route::ANY_ROUTE;
use crate::model::{Condition, GateDef, GateId, Op, RouteDef, SourceId};

impl Check<'_> {
    /// What a route needs.
    pub(super) fn api_route(&mut self, at: &At<RouteTable>, names: &Names) -> RouteDef {
        let table = at.get();
        let wanted = &table.source;
        let known = names.sources.iter().filter(|s| s.kind == SourceWord::Identity).map(|s| s.name.as_str());
        known_name(&mut self.troubles, wanted.span(), "identity source", wanted.get(), &names.config, known);
        let all = |check: &mut Self, list: &Option<At<Vec<At<String>>>>| -> Vec<String> {
            list.iter().flat_map(At::get).map(|one| check.words(one)).collect()
        };
        for claim in table.claims.iter().flat_map(At::get) {
            if !claim.get().starts_with('/') || claim.get().len() < 2 {
                self.troubles.add(claim.span(), "is no JSON pointer: write \"/org_id\"");
            }
        }
        let route = RouteDef {
            id: table.id.get().clone(),
            title: self.some_words(table.title.as_ref()).unwrap_or_else(|| table.id.get().clone()),
            source: SourceId::new(wanted.get().as_str()),
            scopes: all(self, &table.scopes),
            claims: all(self, &table.claims),
            roles: all(self, &table.roles),
        };
        if route.scopes.is_empty() && route.claims.is_empty() {
            self.troubles.add(at.span(), "what does the route need? give `scopes`, `claims` or both");
        }
        if let (Some(roles), true) = (&table.roles, route.scopes.is_empty()) {
            self.troubles.add(roles.span(), "`roles` are held against `scopes`, which are missing");
        }
        route
    }

    /// A gate that passes while everything that a route needs is granted.
    pub(super) fn route_gate(
        &mut self,
        written: &Written<'_>,
        route: &At<String>,
        names: Option<&Names>,
    ) -> Checked {
        let terms = written.terms;
        self.only_keys(terms, &[], |key| {
            format!("`{key}` has no meaning for a route, whose needs are granted or not: it has `hold` and `max-age`")
        });
        if let Some(names) = names {
            if route.get() != ANY_ROUTE {
                let known = names.routes.iter().map(String::as_str);
                known_name(&mut self.troubles, route.span(), "route", route.get(), &names.config, known);
            } else if names.routes.is_empty() {
                let message = format!("{} has no [[route]], so this could never pass", names.config);
                self.troubles.add(route.span(), message);
            }
        }
        let gate = GateDef {
            id: GateId::new(written.id),
            title: written.title.to_owned(),
            condition: Condition::Route(route.get().clone()),
            matching: Vec::new(),
            op: Op::Equal,
            value: 0.0,
            clear: None,
            hold: self.span_or(terms.hold.as_ref(), Duration::ZERO, Duration::ZERO),
            max_age: self.max_age(terms.max_age.as_ref(), Duration::ZERO),
            expect_series: None,
            min_volume: None,
            idle: Idle::Unknown,
            allow_infinite: false,
            watch: watched(terms),
        };
        Checked { gate, signal: None }
    }
}
