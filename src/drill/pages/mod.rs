//! What each endpoint of the product tells: the state of the model as families of samples.

mod api;
mod identity;
mod process;
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
}

/// What an endpoint sends now.
pub fn render(product: &Product, page: Page, format: Format) -> String {
    match page {
        Page::Worker => exposition::page(worker::families(product), Dialect::Node, format),
        Page::Api => exposition::page(api::families(product), Dialect::Node, format),
        Page::Identity => exposition::page(identity::families(product), Dialect::Go, format),
    }
}
