//! `/identity/metrics`: sign-ins, tokens and requests, as a Go service exports them.

use std::time::Duration;

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::service::Service;
use super::super::traffic::IDENTITY;
use super::process::{self, Work};
use super::{api, audit};

/// All families of the page. Every series says `service="identity"`, the service's default label.
pub fn families(product: &Product) -> Vec<Family> {
    let services = product.traffic.services.get(IDENTITY..).unwrap_or_default();
    let work = Work {
        done: services.iter().map(Service::total).sum(),
        cost: 0.0006,
        held: (product.tally.tokens % 7) as f64,
        mebibytes: 41.0,
        started: Duration::ZERO,
    };
    let tally = &product.tally;
    let mut families = process::go(product, work);
    families.push(
        Family::counter("identity_signins_total", "Sign-ins, by result.")
            .count([("result", "failure")], tally.sign_in_failures)
            .count([("result", "success")], tally.sign_ins),
    );
    families.push(
        Family::counter("identity_token_requests_total", "Requests for a token, by result.")
            .count([("result", "error")], tally.token_errors)
            .count([("result", "success")], tally.tokens),
    );
    families.extend(audit::families(product));
    for family in &mut families {
        family.label_all("service", "identity");
    }
    families.extend(api::requests(services, 0));
    families
}
