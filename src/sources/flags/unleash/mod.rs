//! Unleash: its client API tells the state of all flags of one environment in one answer with an `ETag`;
//! with a second credential its admin API adds who changed a flag, its other environments, and what
//! callers got.

mod admin;
mod client_api;
mod rollout;

use std::sync::Arc;
use std::time::Duration;

use super::{Polling, Provider as _, Told, Wanted, answer, send, without_cause};
use crate::http::{Client, Credential, Request};
use crate::model::poll::Notes;
use crate::model::provider::{FlagSource, Provider as Kind};
use crate::model::{Caps, Fault, FaultCode, Flag, Time};
use crate::sources::json;
use admin::Admin;

pub use client_api::{Features, decode};

/// One Unleash server.
pub struct Unleash {
    client: Client,
    base: String,
    environment: String,
    wanted: Wanted,
    /// The last whole answer, to be repeated where the server says that nothing changed.
    kept: Option<(String, Features)>,
    whole: bool,
    admin: Option<Admin>,
    /// What the admin API is asked about, where there is a credential for it.
    scope: admin::Scope,
}

impl Unleash {
    /// A server at the base URL (with or without `/api` at its end), asked for these flags of one
    /// environment.
    pub fn new(def: &FlagSource, keys: Vec<String>, client: Client) -> Self {
        let base = def.url.trim().trim_end_matches('/').trim_end_matches("/api").to_owned();
        let project = match &def.provider {
            Kind::Unleash { project, .. } => project.clone(),
            _ => String::new(),
        };
        let scope = admin::Scope {
            base: base.clone(),
            project,
            environment: def.environment.clone(),
            beside: def.beside.clone(),
        };
        Self {
            client,
            base,
            environment: def.environment.clone(),
            wanted: Wanted::new(keys),
            kept: None,
            whole: true,
            admin: None,
            scope,
        }
    }

    async fn features(&mut self) -> Result<(Features, Notes), Fault> {
        let request = Request {
            url: format!("{}/api/client/features", self.base),
            etag: self.kept.as_ref().map(|(etag, _)| etag.clone()),
            ..Request::default()
        };
        let mut response = send(&self.client, request).await?;
        if response.status == 304 {
            let (_, features) = self.kept.clone().ok_or_else(without_cause)?;
            return Ok((features, Notes { not_modified: true, ..Notes::default() }));
        }
        let etag = response.etag.clone();
        let (wanted, environment) = (self.wanted.clone(), self.environment.clone());
        let features = json::read(&mut response, move |bytes| decode(bytes, &wanted.0, &environment))
            .await
            .map_err(at_the_wrong_address)?;
        self.kept = etag.map(|etag| (etag, features.clone()));
        Ok((features, Notes::default()))
    }

    async fn ask(&mut self, now: Time) -> Told {
        let before = self.kept.as_ref().map(|(_, features)| features.flags.clone()).unwrap_or_default();
        let (features, mut notes) = self.features().await?;
        let Features { mut flags, whole } = features;
        self.whole = whole;
        if let Some(admin) = &mut self.admin {
            let keys: Vec<String> = flags.iter().map(|flag| flag.key.clone()).collect();
            let other = |flag: &&Flag| !before.contains(flag);
            let changed = || flags.iter().filter(other).map(|flag| flag.key.clone()).collect();
            let changed = (!notes.not_modified).then(changed);
            admin.refresh(&keys, now, changed.as_ref()).await;
            admin.tell(&mut flags, now);
            notes.remarks = admin.remarks();
        }
        let caps = self.caps();
        Ok((answer(&self.environment, &self.wanted.0, flags, caps), notes))
    }
}

impl super::Provider for Unleash {
    fn caps(&self) -> Caps {
        let told = self.admin.as_ref().map_or(Caps::NONE, Admin::caps);
        Caps { percent: true, rules: true, missing: self.whole, conditional: true, ..told }
    }

    fn poll(&mut self, now: Time) -> Polling<'_> {
        Box::pin(self.ask(now))
    }

    /// From now on the admin API is asked too.
    fn ask_also_as(&mut self, credential: Arc<dyn Credential>, patience: Duration) {
        let client = self.client.asking_as(credential);
        self.admin = Some(Admin::new(self.scope.clone(), client, patience));
    }
}

/// Unleash answers paths that it does not know with its page, and status 200.
fn at_the_wrong_address(fault: Fault) -> Fault {
    if fault.code != FaultCode::ContentType {
        return fault;
    }
    Fault::new(fault.code, format!("{}: `url` must be Unleash's own address, before /api", fault.text))
}
