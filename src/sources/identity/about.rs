//! What the service is, and who the credential stands for: both change seldom and are asked seldom.

use std::time::Duration;

use futures_util::future::join;

use super::service::{Service, Tagged, Told};
use super::wire::{self, MetaDoc};
use super::{clock_offset, parts};
use crate::model::identity::{CONTRACT, IdentityAnswer, Meta, Whoami};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Time};

const META_EVERY: Duration = Duration::from_mins(5);
const WHOAMI_EVERY: Duration = Duration::from_mins(1);

/// What is known of the service and the subject.
pub(super) struct About {
    environment: String,
    meta: Kept<(Meta, Option<Time>)>,
    whoami: Kept<Whoami>,
    whoami_every: Duration,
    /// Server's clock less this program's, as last told.
    offset: Option<f64>,
}

/// Something that changes seldom: what was told, when it is to be asked for again, and why it was not
/// told last time.
struct Kept<T> {
    tagged: Option<Tagged<T>>,
    value: Option<T>,
    asked: Option<Time>,
    rest: Duration,
    fault: Option<Fault>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { tagged: None, value: None, asked: None, rest: Duration::ZERO, fault: None }
    }
}

impl<T> Kept<T> {
    fn due(&self, now: Time) -> bool {
        parts::due(self.asked, self.rest, now)
    }

    fn take(&mut self, told: Result<Told<T>, Fault>, now: Time, every: Duration) {
        self.asked = Some(now);
        match told {
            Ok(told) => {
                (self.value, self.fault, self.rest) = (Some(told.value), None, every);
            }
            Err(fault) => {
                self.rest = parts::rest(&fault, every);
                self.fault = Some(fault);
            }
        }
    }
}

impl About {
    pub(super) fn new(environment: &str, eager: bool) -> Self {
        Self {
            environment: environment.to_owned(),
            whoami_every: if eager { Duration::ZERO } else { WHOAMI_EVERY },
            meta: Kept::default(),
            whoami: Kept::default(),
            offset: None,
        }
    }

    /// Whether the service has not said yet what it is, and may be asked now.
    pub(super) fn is_unknown(&self) -> bool {
        self.meta.value.is_none()
    }

    /// The service's description of itself, once it was told.
    pub(super) fn offers(&self) -> Option<&Meta> {
        self.meta.value.as_ref().map(|(meta, _)| meta)
    }

    /// Who the credential stands for.
    pub(super) fn whoami(&self) -> Option<&Whoami> {
        self.whoami.value.as_ref()
    }

    /// Server's clock less this program's, in seconds.
    pub(super) fn offset(&self) -> Option<f64> {
        self.offset
    }

    /// The shortest time between two polls that the service asks for.
    pub(super) fn least_interval(&self) -> Duration {
        Duration::from_secs(self.offers().and_then(|meta| meta.min_interval_s).unwrap_or(0))
    }

    /// Asks for what is due.
    pub(super) async fn ask(&mut self, service: &Service, now: Time) {
        let Self { meta, whoami, whoami_every, offset, .. } = self;
        join(ask_meta(meta, offset, service, now), async {
            if !whoami.due(now) {
                return;
            }
            let told = service.ask("whoami", Vec::new(), &mut whoami.tagged, wire::whoami).await;
            // The token stands for nobody any more; on any other fault it stands for whom it did.
            if let Err(Fault { code: FaultCode::SignInNeeded | FaultCode::Forbidden, .. }) = &told {
                whoami.value = None;
            }
            whoami.take(told, now, *whoami_every);
        })
        .await;
    }

    /// Asks what the service is, where that is due.
    pub(super) async fn ask_meta(&mut self, service: &Service, now: Time) {
        ask_meta(&mut self.meta, &mut self.offset, service, now).await;
    }

    /// Whether the service speaks the contract, as far as is known.
    ///
    /// # Errors
    /// It speaks another one: what it sends may mean something else.
    pub(super) fn spoken(&self) -> Result<(), Fault> {
        let Some(meta) = self.offers() else { return Ok(()) };
        if meta.contract == CONTRACT {
            return Ok(());
        }
        let spoken = match meta.contract.as_str() {
            "" => "does not say which contract it speaks".to_owned(),
            other => format!("speaks {}", harmless_line(other, 60)),
        };
        let text = format!("the service {spoken}; this version of gonogo reads {CONTRACT}");
        Err(Fault::new(FaultCode::Unreadable, text))
    }

    /// Where flags could not be told because the service does not know the environment, says so.
    pub(super) fn explain(&self, fault: Fault) -> Fault {
        match (fault.code, self.foreign_environment()) {
            (FaultCode::Status, Some(text)) => {
                Fault { retry_after: fault.retry_after, ..Fault::new(FaultCode::WrongEnvironment, text) }
            }
            _ => fault,
        }
    }

    fn foreign_environment(&self) -> Option<String> {
        let known = &self.offers()?.environments;
        let foreign = !known.is_empty() && !known.contains(&self.environment);
        foreign.then(|| {
            format!("the service does not list environment {}, only {}", self.environment, known.join(", "))
        })
    }

    /// Adds to an answer what was not told, and what is odd.
    pub(super) fn tell(&self, answer: &mut IdentityAnswer) {
        answer.meta.clone_from(&self.meta.fault);
        answer.whoami.clone_from(&self.whoami.fault);
        answer.remarks.extend(self.foreign_environment().map(|text| harmless_line(&text, 300)));
    }
}

async fn ask_meta(
    meta: &mut Kept<(Meta, Option<Time>)>,
    offset: &mut Option<f64>,
    service: &Service,
    now: Time,
) {
    if !meta.due(now) {
        return;
    }
    let begun = tokio::time::Instant::now();
    let read = |doc: MetaDoc| {
        let server = doc.server_time();
        Ok((doc.meta(), server))
    };
    let told = service.ask("meta", Vec::new(), &mut meta.tagged, read).await;
    if let Ok(Told { value: (_, server), new: true }) = &told {
        *offset = server.map(|server| clock_offset(server, now, begun.elapsed()));
    }
    meta.take(told, now, META_EVERY);
}
