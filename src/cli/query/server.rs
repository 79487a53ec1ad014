//! The expression, evaluated by a server.

use super::Moments;
use super::answer::Answer;
use super::failure::Failure;
use super::origin::Server;
use crate::http::{Client, sign_in};
use crate::model::Fault;
use crate::promql::Expr;
use crate::runtime::Clock;
use crate::sources::prometheus::{Api, why_empty};

/// Asks a server once, and where it has nothing to say at its now, also why.
pub(super) fn ask(expression: &str, server: Server, moments: Moments) -> Result<Answer, Failure> {
    let api = Api::new(&server.url, Client::new(server.options));
    let (reply, absence) = block_on(async {
        let reply = match moments {
            Moments::One(at) => api.instant(expression, at).await,
            Moments::Many { start, end, step } => api.range(expression, start, end, step).await,
        };
        let empty = reply.as_ref().is_ok_and(|reply| reply.value.is_empty());
        let absence = match Expr::parse(expression) {
            Ok(expr) if empty && moments == Moments::One(None) => {
                why_empty(&api, &expr, Clock::wall().now()).await.ok().flatten()
            }
            _ => None,
        };
        (reply, absence)
    })?;
    let reply = reply.map_err(|fault: Fault| Failure::from(fault))?;
    Ok(Answer { absence, ..Answer::of_server(reply) })
}

/// Runs one task to its end.
pub(super) fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unknown(format!("cannot start: {error}")))?;
    let done = runtime.block_on(sign_in::settling(task));
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    Ok(done)
}
