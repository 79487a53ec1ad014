//! The same flags in other environments, each asked for at most once a minute and under its `ETag`s.

use std::time::Duration;

use futures_util::future::join_all;

use super::flags::Flags;
use super::parts::{due, rest};
use super::service::Service;
use crate::model::flag::Elsewhere;
use crate::model::poll::{FlagsAnswer, Notes};
use crate::model::text::harmless_line;
use crate::model::{Fault, Flag, Percent, Time};

/// How often another environment is asked for: it is shown, and decides no gate.
const EVERY: Duration = Duration::from_mins(1);

/// The other environments, in the order of the config.
pub(super) struct Beside(Vec<Environment>);

struct Environment {
    name: String,
    flags: Flags,
    asked: Option<Time>,
    /// How long it is left alone after that.
    rest: Duration,
    /// What it last told, or why it did not.
    told: Result<Vec<Flag>, Fault>,
}

impl Beside {
    /// These environments, asked for these flags.
    pub(super) fn new(environments: &[String], keys: &[String]) -> Self {
        let environment = |name: &String| Environment {
            name: name.clone(),
            flags: Flags::new(name, keys.to_vec()),
            asked: None,
            rest: EVERY,
            told: Ok(Vec::new()),
        };
        Self(environments.iter().map(environment).collect())
    }

    /// Asks for those whose turn it is.
    pub(super) async fn ask(&mut self, service: &Service, now: Time) {
        let due = self.0.iter_mut().filter(|environment| due(environment.asked, environment.rest, now));
        let asks = due.map(|environment| async {
            environment.told = environment.flags.ask(service).await.map(|(answer, _)| answer.flags);
            environment.rest = environment.told.as_ref().err().map_or(EVERY, |fault| rest(fault, EVERY));
            environment.asked = Some(now);
        });
        join_all(asks.collect::<Vec<_>>()).await;
    }

    /// Adds them to each flag. One that failed is left out, and a remark says why: the others, and the
    /// flags themselves, are worth no less.
    pub(super) fn tell(&self, answer: &mut FlagsAnswer, notes: &mut Notes) {
        if self.0.is_empty() {
            return;
        }
        answer.caps.environments = self.0.iter().all(|environment| environment.told.is_ok());
        for environment in &self.0 {
            let name = harmless_line(&environment.name, 200);
            match &environment.told {
                Ok(told) => answer.flags.iter_mut().for_each(|flag| {
                    let there = told.iter().find(|there| there.key == flag.key);
                    flag.elsewhere.push(Elsewhere {
                        environment: name.clone(),
                        enabled: there.map(|there| there.enabled),
                        percent: there.map_or(Percent::Unknown, |there| there.percent),
                    });
                }),
                Err(fault) => notes.remarks.push(format!("flags in {name} are not told: {fault}")),
            }
        }
    }
}
