//! Names to addresses, by the system, at most one question a name at a time.
//!
//! A name server that does not answer keeps the system's resolver for many seconds, long after the
//! poll that asked has been given up. If every poll asked anew, they would soon take all the threads
//! that may block, and sources with sound names would wait behind them.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::watch;

/// What a question came to; the text is the system's.
type Answer = Option<Result<Arc<[SocketAddr]>, Arc<str>>>;

/// How a name is looked up.
type LookUp = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// The questions under way, by name. Answers are not kept, so that a name that comes to life, or
/// moves, is seen with the next connection.
pub(super) struct Resolver {
    asked: Arc<Mutex<HashMap<String, watch::Receiver<Answer>>>>,
    look_up: LookUp,
}

impl Default for Resolver {
    fn default() -> Self {
        Self { asked: Arc::default(), look_up: |host| Ok((host, 0).to_socket_addrs()?.collect()) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let mut answer = self.ask(host);
        Box::pin(async move {
            let answer = answer.wait_for(Option::is_some).await.map(|answer| answer.clone());
            match answer {
                Ok(Some(Ok(addresses))) => {
                    let all: Vec<SocketAddr> = addresses.to_vec();
                    Ok(Box::new(all.into_iter()) as Addrs)
                }
                Ok(Some(Err(text))) => Err(text.to_string().into()),
                Ok(None) | Err(_) => Err("the name could not be asked for".into()),
            }
        })
    }
}

impl Resolver {
    /// Joins the question about this host, or asks it.
    fn ask(&self, host: String) -> watch::Receiver<Answer> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = asked.get(&host) {
            return under_way.clone();
        }
        let (tell, answer) = watch::channel(None);
        asked.insert(host.clone(), answer.clone());
        let (all, look_up) = (Arc::clone(&self.asked), self.look_up);
        tokio::task::spawn_blocking(move || {
            let found = look_up(&host).map(Into::into);
            all.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
            let _ = tell.send(Some(found.map_err(|error| error.to_string().into())));
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_name_that_did_not_exist_is_found_as_soon_as_it_does() {
        static EXISTS: AtomicBool = AtomicBool::new(false);
        let look_up: LookUp = |host| {
            assert_eq!(host, "metrics.internal");
            if EXISTS.load(Ordering::SeqCst) {
                return Ok(vec![([127, 0, 0, 1], 0).into()]);
            }
            Err(io::Error::other("Name or service not known"))
        };
        let resolver = Resolver { look_up, ..Resolver::default() };
        let asked = || resolver.resolve("metrics.internal".parse().unwrap());
        assert!(asked().await.is_err());
        EXISTS.store(true, Ordering::SeqCst);
        assert_eq!(asked().await.unwrap().count(), 1);
    }

    #[tokio::test]
    async fn callers_that_ask_for_the_same_name_share_one_question() {
        let resolver = Resolver::default();
        let first = resolver.ask("localhost".into());
        let second = resolver.ask("localhost".into());
        assert!(first.same_channel(&second));
        let addresses = resolver.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(addresses.into_iter().all(|a| a.ip().is_loopback()));
        let mut waited = second;
        waited.wait_for(Option::is_some).await.unwrap();
        assert!(resolver.asked.lock().unwrap().is_empty());
    }
}
