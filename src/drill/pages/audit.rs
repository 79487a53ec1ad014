//! The part of `/identity/metrics` that tells of people in others' clothes: impersonation, its audit
//! records, and switches of the organisation.

use super::super::exposition::Family;
use super::super::product::Product;

/// One impersonation in so many sign-ins: support helps a customer now and then.
const SIGN_INS_PER_IMPERSONATION: u64 = 40;
/// One switch of the organisation in so many tokens.
const TOKENS_PER_SWITCH: u64 = 30;

/// The families.
pub fn families(product: &Product) -> [Family; 3] {
    let (tally, around) = (&product.tally, &product.surroundings);
    let audited = tally.sign_ins / SIGN_INS_PER_IMPERSONATION;
    let switches = tally.tokens / TOKENS_PER_SWITCH;
    let action = |action| [("action", action)];
    let result = |result| [("result", result)];
    [
        Family::counter("identity_impersonations_total", "Sessions in the name of somebody else that began.")
            .count([], audited + around.unaudited),
        Family::counter("identity_audit_events_total", "Audit records, by action.")
            .count(action("impersonation_started"), audited)
            .count(action("organisation_switched"), switches)
            .count(action("role_changed"), tally.sign_ins / 500),
        Family::counter("identity_org_switches_total", "Switches of the organisation, by result.")
            .count(result("success"), switches)
            .count(result("failure"), around.failed_switches),
    ]
}
