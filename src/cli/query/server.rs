//! The expression, evaluated by a server.

use super::Moments;
use super::answer::Answer;
use super::failure::Failure;
use super::origin::Server;
use crate::http::Client;
use crate::model::Fault;
use crate::sources::prometheus::Api;

/// Asks a server once.
pub(super) fn ask(expression: &str, server: Server, moments: Moments) -> Result<Answer, Failure> {
    let api = Api::new(&server.url, Client::new(server.options));
    let reply = block_on(async {
        match moments {
            Moments::One(at) => api.instant(expression, at).await,
            Moments::Many { start, end, step } => api.range(expression, start, end, step).await,
        }
    })?;
    let reply = reply.map_err(|fault: Fault| Failure::from(fault))?;
    Ok(Answer::of_server(reply))
}

/// Runs one task to its end.
pub(super) fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unknown(format!("cannot start: {error}")))?;
    let done = runtime.block_on(task);
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    Ok(done)
}
