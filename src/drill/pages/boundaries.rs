//! The part of `/api/metrics` that tells of entitlements: who was denied, and whether what must be
//! denied is.

use std::collections::BTreeMap;

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::service::Service;
use super::super::tenants;
use super::super::traffic::TASKS;
use crate::model::scenario::Boundary;

/// Of the requests that found nothing, every so many'th asked for what its caller may not see.
const DENIED_OF_MISSED: u64 = 4;

/// The families.
pub fn families(product: &Product) -> [Family; 2] {
    [denials(product), probes(product)]
}

fn denials(product: &Product) -> Family {
    let mut missed: BTreeMap<&str, u64> = tenants::NAMES.into_iter().map(|tenant| (tenant, 0)).collect();
    let counts = product.traffic.services.get(TASKS).into_iter().flat_map(Service::counts);
    let mut refused = missed.clone();
    for (tenant, method, code, count) in counts {
        match (method, code) {
            ("GET", 404) => *missed.entry(tenant).or_default() += count,
            (_, 403) => *refused.entry(tenant).or_default() += count,
            _ => {}
        }
    }
    let family = Family::counter(
        "tasks_entitlement_denials_total",
        "Requests to Tasks that were refused for want of a role, a plan or a scope, by tenant.",
    );
    let family = family.count([("tenant", tenants::LOCKED_OUT)], tenants::locked_out(product.uptime()));
    tenants::NAMES.into_iter().fold(family, |family, tenant| {
        let usual = missed.get(tenant).copied().unwrap_or_default() / DENIED_OF_MISSED;
        let beyond = refused.get(tenant).copied().unwrap_or_default();
        family.count([("tenant", tenant)], usual + beyond)
    })
}

fn probes(product: &Product) -> Family {
    let family = Family::gauge(
        "tasks_boundary_probe_refused",
        "Whether the last probe that asks for what it must not get was refused, by boundary.",
    );
    Boundary::ALL.into_iter().fold(family, |family, boundary| {
        let refused = !product.injects.now.open.contains(&boundary);
        family.value([("boundary", boundary.as_str())], f64::from(u8::from(refused)))
    })
}
