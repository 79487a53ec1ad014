//! The product on a loopback port: HTTP/1.1 in front of the pages and the contract.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::alert_pages;
use super::contract::{self, Access, Ask, Reply};
use super::exposition::Format;
use super::pages::{self, Page};
use super::product::Product;
use crate::model::Time;
use crate::model::scenario::{Down, Endpoint};

/// A product that a server shows and somebody else moves on.
pub type SharedProduct = Arc<Mutex<Product>>;

/// How far simulated time goes in one piece while others wait for the product.
const PIECE: Duration = Duration::from_mins(1);
/// How often a free-running product is moved on.
const PACE: Duration = Duration::from_millis(200);

/// A product being served. It shows the simulated second that the product is at, and nothing moves
/// on by itself (see [`pace`]). Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves a product to everybody on this machine, on the current runtime. Port 0 finds a free one.
    ///
    /// # Errors
    /// What binding the port says; `InvalidInput` where the address is not a loopback one: a
    /// simulated product must not be mistaken for a real one by another machine.
    pub async fn start(product: SharedProduct, addr: SocketAddr) -> io::Result<Self> {
        Self::start_as(product, addr, Access::default()).await
    }

    /// As [`Server::start`], where the identity contract asks for this bearer token.
    pub async fn start_with_token(product: SharedProduct, addr: SocketAddr, token: &str) -> io::Result<Self> {
        Self::start_as(product, addr, Access { token: Some(token.into()), ..Access::default() }).await
    }

    /// As [`Server::start`], where the identity contract lets in whom `access` says, with those scopes.
    pub async fn start_as(product: SharedProduct, addr: SocketAddr, access: Access) -> io::Result<Self> {
        if !addr.ip().is_loopback() {
            let text =
                format!("{addr} is not on loopback: the simulated product is served to this machine only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        Ok(Self { addr, accepting: tokio::spawn(accept(listener, product, Arc::new(access))) })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The connections belong to the accepting task and end with it.
        self.accepting.abort();
    }
}

/// Moves a product on with the wall clock for ever, `speed` simulated seconds each second. A clock
/// that steps back or a suspended machine makes it wait or catch up.
pub async fn pace(product: SharedProduct, speed: f64) {
    let began = SystemTime::now();
    let from = lock(&product).now();
    let mut ticks = tokio::time::interval(PACE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let passed = SystemTime::now().duration_since(began).unwrap_or_default();
        let target =
            from.after(Duration::try_from_secs_f64(passed.as_secs_f64() * speed).unwrap_or_default());
        while move_on(&product, target) {
            tokio::task::yield_now().await;
        }
    }
}

/// One piece of the way to `target`; whether there is more to go.
fn move_on(product: &SharedProduct, target: Time) -> bool {
    let mut product = lock(product);
    let stop = product.now().after(PIECE);
    product.advance_to(target.min(stop));
    product.now() < target
}

fn lock(product: &SharedProduct) -> MutexGuard<'_, Product> {
    // A product whose owner panicked is still a consistent one: every event is handled whole.
    product.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, product: SharedProduct, access: Arc<Access>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, Arc::clone(&product), Arc::clone(&access)));
            }
            // Out of descriptors: others must close theirs first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, product: SharedProduct, access: Arc<Access>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = match down(&product, request.uri().path()) {
            None => Ok(respond(&product, &request, &access)),
            Some(Down::Unavailable) => Ok(unavailable()),
            Some(how @ (Down::Hang | Down::Reset)) => Err(how),
        };
        async move {
            match answer {
                Ok(response) => Ok(response),
                // Until the client has had enough, and hangs up.
                Err(Down::Hang) => std::future::pending().await,
                // The connection is closed without a word.
                Err(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    });
    // A client that hangs up or sends nonsense is its own affair.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// How what is served under a path is down at the moment, where an inject makes it so.
fn down(product: &SharedProduct, path: &str) -> Option<Down> {
    let product = lock(product);
    let now = &product.injects.now;
    let endpoint = match path.split('/').nth(1)? {
        "worker" => Endpoint::Worker,
        "api" if path.starts_with("/api/v1/") => Endpoint::Prometheus,
        "api" => Endpoint::Api,
        "identity" => Endpoint::IdentityMetrics,
        "launch" => Endpoint::Identity,
        "redis" => Endpoint::Redis,
        "alertmanager" if path.ends_with("/metrics") => Endpoint::Pager,
        "alertmanager" => Endpoint::Alertmanager,
        _ => return None,
    };
    let replica = Page::ALL.into_iter().any(|page| page.replica_path() == path);
    let unscraped = replica && now.unscraped(endpoint);
    now.down(endpoint).or(unscraped.then_some(Down::Unavailable))
}

fn unavailable() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"no healthy upstream\n")));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn respond(product: &SharedProduct, request: &Request<Incoming>, access: &Access) -> Response<Full<Bytes>> {
    let product = lock(product);
    let path = request.uri().path();
    let mut response = if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let detail = format!("{path} is only read");
        let mut response = written(Reply::problem(405, "method", "Method not allowed", &detail));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    } else if let Some(page) = Page::ALL.into_iter().find(|page| page.path() == path) {
        scrape(request.headers(), |format| product.exposition(page, format))
    } else if let Some(page) = Page::ALL.into_iter().find(|page| page.replica_path() == path) {
        scrape(request.headers(), |format| pages::render_replica(&product, page, format))
    } else if contract::is_contract(path) {
        let ask = Ask {
            path,
            query: request.uri().query().unwrap_or_default(),
            authorization: text(request.headers(), &AUTHORIZATION),
            if_none_match: text(request.headers(), &IF_NONE_MATCH),
        };
        written(contract::answer(&product, ask, access))
    } else {
        written(alert_pages::answer(&product, path).unwrap_or_else(|| Reply::unknown_path(path)))
    };
    // Simulated time here too: who compares clocks must see the same one everywhere.
    if let Ok(date) = HeaderValue::from_str(&http_date(product.now())) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

fn scrape(headers: &HeaderMap, page: impl Fn(Format) -> String) -> Response<Full<Bytes>> {
    // A client may send several Accept headers; they count as one list (RFC 9110, section 5.3).
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = Format::accepted(&accept.join(","));
    let mut response = Response::new(Full::new(Bytes::from(page(format))));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn written(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(content_type) = reply.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A date as HTTP writes it: `Tue, 02 Dec 2025 14:02:11 GMT`.
fn http_date(at: Time) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{DEMO_SEED, DEMO_START};
    use super::*;

    #[test]
    fn a_long_way_is_gone_in_pieces_so_that_readers_are_let_in_between() {
        let product = Arc::new(Mutex::new(Product::new(DEMO_SEED, DEMO_START)));
        let target = DEMO_START.after(Duration::from_secs(150));
        let mut pieces = 1;
        while move_on(&product, target) {
            pieces += 1;
        }
        assert_eq!((pieces, lock(&product).now()), (3, target));
        assert!(!move_on(&product, DEMO_START));
        assert_eq!(lock(&product).now(), target);
    }

    #[tokio::test]
    async fn a_paced_product_moves_on_by_itself() {
        let product = Arc::new(Mutex::new(Product::new(DEMO_SEED, DEMO_START)));
        let pacing = tokio::spawn(pace(Arc::clone(&product), 600.0));
        while lock(&product).now() < DEMO_START.after(Duration::from_mins(2)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        pacing.abort();
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(http_date(DEMO_START), "Tue, 02 Dec 2025 14:00:00 GMT");
        assert_eq!(http_date(Time::from_millis(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
