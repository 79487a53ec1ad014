//! What each endpoint of the product tells: the state of the model as families of samples.

mod api;
mod audit;
mod boundaries;
mod identity;
mod jobs;
mod pager;
mod process;
mod redis;
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
    /// `/redis/metrics`: the Redis that holds the queues.
    Redis,
    /// `/alertmanager/metrics`: delivery of notifications, silences.
    Pager,
}

impl Page {
    /// All endpoints.
    pub const ALL: [Page; 5] = [Page::Worker, Page::Api, Page::Identity, Page::Redis, Page::Pager];

    /// The path it is served under.
    pub fn path(self) -> &'static str {
        match self {
            Self::Worker => "/worker/metrics",
            Self::Api => "/api/metrics",
            Self::Identity => "/identity/metrics",
            Self::Redis => "/redis/metrics",
            Self::Pager => "/alertmanager/metrics",
        }
    }

    /// The path of its second replica.
    pub fn replica_path(self) -> &'static str {
        match self {
            Self::Worker => "/worker/2/metrics",
            Self::Api => "/api/2/metrics",
            Self::Identity => "/identity/2/metrics",
            Self::Redis => "/redis/2/metrics",
            Self::Pager => "/alertmanager/2/metrics",
        }
    }
}

/// What an endpoint sends now.
pub fn render(product: &Product, page: Page, format: Format) -> String {
    match page {
        Page::Worker => exposition::page(worker::families(product), Dialect::Node, format),
        Page::Api => exposition::page(api::families(product), Dialect::Node, format),
        Page::Identity => exposition::page(identity::families(product), Dialect::Go, format),
        Page::Redis => exposition::page(redis::families(product), Dialect::Go, format),
        Page::Pager => exposition::page(pager::families(product), Dialect::Go, format),
    }
}

/// What the second replica of an endpoint sends: only how its process does, because the first one tells
/// what they have in common.
pub fn render_replica(product: &Product, page: Page, format: Format) -> String {
    let began = if page == Page::Worker { product.surroundings.worker_started } else { Duration::ZERO };
    let work = Work { done: 0, cost: 0.0, held: 0.0, mebibytes: 96.0, started: began };
    let families: fn(&Product, Work) -> Vec<Family> = match page {
        Page::Worker | Page::Api => process::node,
        Page::Identity | Page::Redis | Page::Pager => process::go,
    };
    let dialect = if matches!(page, Page::Worker | Page::Api) { Dialect::Node } else { Dialect::Go };
    exposition::page(families(product, work), dialect, format)
}
