//! The part of `/api/metrics` that tells of entitlements: who was denied, and whether what must be
//! denied is.

use std::collections::BTreeMap;

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::service::Service;
use super::super::tenants;
use super::super::traffic::TASKS;

/// Of the requests that found nothing, every so many'th asked for what its caller may not see.
const DENIED_OF_MISSED: u64 = 4;

/// The families.
pub fn families(product: &Product) -> [Family; 2] {
    [denials(product), probes(product)]
}

fn denials(product: &Product) -> Family {
    let mut missed: BTreeMap<&str, u64> = tenants::NAMES.into_iter().map(|tenant| (tenant, 0)).collect();
    let counts = product.traffic.services.get(TASKS).into_iter().flat_map(Service::counts);
    for (tenant, _, _, count) in counts.filter(|(_, method, code, _)| *method == "GET" && *code == 404) {
        *missed.entry(tenant).or_default() += count;
    }
    let family = Family::counter(
        "tasks_entitlement_denials_total",
        "Requests to Tasks that were refused for want of a role, a plan or a scope, by tenant.",
    );
    tenants::NAMES.into_iter().enumerate().fold(family, |family, (place, tenant)| {
        let beyond = if place == 0 { product.surroundings.denials } else { 0 };
        let usual = missed.get(tenant).copied().unwrap_or_default() / DENIED_OF_MISSED;
        family.count([("tenant", tenant)], usual + beyond)
    })
}

fn probes(product: &Product) -> Family {
    let around = &product.surroundings;
    let refused = |is: bool| f64::from(u8::from(is));
    Family::gauge(
        "tasks_boundary_probe_refused",
        "Whether the last probe that asks for what it must not get was refused, by boundary.",
    )
    .value([("boundary", "tenant")], refused(around.tenant_boundary))
    .value([("boundary", "product")], refused(around.product_boundary))
}
