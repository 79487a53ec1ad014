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

use super::exposition::{self, Dialect, Format};
use super::product::Product;

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
