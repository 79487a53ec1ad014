//! `GET /orgs` and `GET /orgs/{id}/entitlements`: the customers of the product, and what they may use.
//!
//! They are the tenants of the metrics, so that what they may use can be compared with what they do: one
//! has Tasks traffic and no right to it, one may use Tasks and gets nothing but 403.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::product::Product;
use super::super::tenants::{LOCKED_OUT, NAMES};
use super::query::Query;
use super::{Reply, bad, capital};

/// Organisations in one page.
const PAGE: usize = 10;
/// Where staff try things before customers get them.
const INTERNAL: &str = "internal";
/// Its plan ended, and with it the right to Tasks; nobody has told its people.
pub const LAPSED: &str = "vandelay";
/// It tries the product, for some days more.
const TRIAL: &str = "monsters";
const DAY: Duration = Duration::from_hours(24);

/// The slugs of all organisations, the largest first.
pub fn slugs() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().chain([LOCKED_OUT, INTERNAL])
}

/// The id of an organisation: `org_pied_piper`.
pub fn id(slug: &str) -> String {
    format!("org_{}", slug.replace('-', "_"))
}

/// One page of organisations, by their names.
///
/// # Errors
/// A cursor that is none.
pub fn page(product: &Product, query: &Query) -> Result<Value, Reply> {
    let wanted = query.one("q").unwrap_or_default().to_lowercase();
    let matches = |slug: &str| slug.contains(&wanted) || id(slug).contains(&wanted);
    let mut found: Vec<(usize, &str)> = slugs().enumerate().filter(|(_, slug)| matches(slug)).collect();
    found.sort_by_key(|(_, slug)| *slug);
    if let Some(cursor) = query.one("cursor") {
        let last = cursor.strip_prefix("after:").filter(|last| slugs().any(|slug| slug == *last));
        let last = last.ok_or_else(|| bad("cursor", "the cursor is none that was handed out here"))?;
        found.retain(|(_, slug)| *slug > last);
    }
    let next = found.get(PAGE).and(found.get(PAGE - 1)).map(|(_, slug)| format!("after:{slug}"));
    found.truncate(PAGE);
    let orgs: Vec<Value> = found.into_iter().map(|(place, slug)| org(product, place, slug)).collect();
    Ok(json!({ "next_cursor": next, "orgs": orgs }))
}

fn org(product: &Product, place: usize, slug: &str) -> Value {
    let age = DAY * (40 + 13 * u32::try_from(place).unwrap_or(0));
    json!({
        "id": id(slug),
        "slug": slug,
        "name": name(slug),
        "plan": plan(place, slug),
        "status": if slug == TRIAL { "trial" } else { "active" },
        "region": if place.is_multiple_of(3) { "us" } else { "eu" },
        "member_count": 480 / (place + 1) + 3,
        "created_at": product.at(Duration::ZERO).before(age).rfc3339(),
    })
}

fn name(slug: &str) -> String {
    slug.split('-').map(capital).collect::<Vec<_>>().join(" ")
}

fn plan(place: usize, slug: &str) -> &'static str {
    match slug {
        LAPSED => "free",
        TRIAL => "trial",
        INTERNAL => "staff",
        _ if place < 5 => "enterprise",
        _ => "team",
    }
}

/// What an organisation may use.
///
/// # Errors
/// 404 where there is none with this id.
pub fn entitlements(product: &Product, org: &str) -> Result<Value, Reply> {
    let Some((place, slug)) = slugs().enumerate().find(|(_, slug)| id(slug) == org) else {
        return Err(Reply::problem(
            404,
            "no-organisation",
            "Not found",
            "there is no organisation with this id",
        ));
    };
    let start = product.at(Duration::ZERO);
    let plan = plan(place, slug);
    let seats = if plan == "enterprise" { 1_000 } else { 100 };
    let ends = (slug == TRIAL).then(|| start.after(DAY * 3).rfc3339());
    let row = |key: &str, granted: bool, source: &str| json!({ "key": key, "granted": granted, "source": source, "limit": null, "used": null, "expires_at": null });
    let mut tasks = row("tasks", slug != LAPSED, if slug == INTERNAL { "override" } else { "plan" });
    if let Some(fields) = tasks.as_object_mut() {
        fields.insert("limit".into(), seats.into());
        fields.insert("used".into(), (seats * 3 / (4 + place % 5)).into());
        fields.insert("expires_at".into(), ends.into());
    }
    Ok(json!({
        "org_id": id(slug),
        "plan": plan,
        "updated_at": start.before(DAY * if slug == LAPSED { 2 } else { 12 }).rfc3339(),
        "entitlements": [
            tasks,
            row("billing", true, "plan"),
            row("sso", plan == "enterprise", "plan"),
            row("api", plan != "free", "plan"),
        ],
    }))
}

#[cfg(test)]
mod tests {
    use super::super::super::{DEMO_SEED, DEMO_START};
    use super::*;

    #[test]
    fn the_pages_hold_every_organisation_once_and_a_search_narrows_them() {
        let product = Product::new(DEMO_SEED, DEMO_START);
        let mut ids = Vec::new();
        let mut query = String::new();
        loop {
            let page = page(&product, &Query::parse(&query)).unwrap();
            ids.extend(page["orgs"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("cursor={next}");
        }
        assert_eq!(ids.len(), slugs().count());
        assert!(ids.is_sorted() && ids.contains(&"org_internal".to_owned()), "{ids:?}");
        let one = page(&product, &Query::parse("q=PIED")).unwrap();
        assert_eq!(
            (one["orgs"][0]["name"].as_str(), &one["next_cursor"]),
            (Some("Pied Piper"), &Value::Null)
        );
        assert_eq!(page(&product, &Query::parse("cursor=after:nobody")).unwrap_err().status, 400);
    }

    #[test]
    fn every_organisation_but_one_may_use_tasks() {
        let product = Product::new(DEMO_SEED, DEMO_START);
        let may =
            |slug: &str| entitlements(&product, &id(slug)).unwrap()["entitlements"][0]["granted"] == true;
        let without: Vec<&str> = slugs().filter(|slug| !may(slug)).collect();
        assert_eq!(without, [LAPSED]);
        assert_eq!(entitlements(&product, "org_none").unwrap_err().status, 404);
    }
}
