//! What each endpoint of the product tells: the state of the model as families of samples.

mod api;
mod identity;
mod process;
mod worker;

use std::time::Duration;

use super::exposition::{self, Dialect, Family, Format};
use super::product::Product;
use process::Work;

/// A metrics endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/worker/metrics`: queues and jobs.
    Worker,
    /// `/api/metrics`: requests of tasks, portal and admin; flags, usage, support.
    Api,
    /// `/identity/metrics`: sign-ins, tokens, requests of identity.
    Identity,
}

impl Page {
    /// All endpoints.
    pub const ALL: [Page; 3] = [Page::Worker, Page::Api, Page::Identity];

    /// The path it is served under.
    pub fn path(self) -> &'static str {
        match self {
            Self::Worker => "/worker/metrics",
            Self::Api => "/api/metrics",
            Self::Identity => "/identity/metrics",
        }
    }

    /// The path of its second replica.
    pub fn replica_path(self) -> &'static str {
        match self {
            Self::Worker => "/worker/2/metrics",
            Self::Api => "/api/2/metrics",
            Self::Identity => "/identity/2/metrics",
        }
    }
}

/// What an endpoint sends now.
pub fn render(product: &Product, page: Page, format: Format) -> String {
    match page {
        Page::Worker => exposition::page(worker::families(product), Dialect::Node, format),
        Page::Api => exposition::page(api::families(product), Dialect::Node, format),
        Page::Identity => exposition::page(identity::families(product), Dialect::Go, format),
    }
}

/// What the second replica of an endpoint sends: only how its process does, because the first one tells
/// what they have in common.
pub fn render_replica(product: &Product, page: Page, format: Format) -> String {
    let began = if page == Page::Worker { product.workers_began } else { Duration::ZERO };
    let work = Work { done: 0, cost: 0.0, held: 0.0, mebibytes: 96.0, began };
    let families: fn(&Product, Work) -> Vec<Family> = match page {
        Page::Worker | Page::Api => process::node,
        Page::Identity => process::go,
    };
    let dialect = if page == Page::Identity { Dialect::Go } else { Dialect::Node };
    exposition::page(families(product, work), dialect, format)
}
