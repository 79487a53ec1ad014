//! One service of the API: its routes, what it answers and how fast.

use super::dice::Dice;
use super::histogram::Histogram;
use super::tenants::{self, Shares};

/// Upper bounds of request durations, in seconds.
const BOUNDS: [f64; 14] = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

/// A kind of request.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, …
    pub method: &'static str,
    /// Its share of the service's requests.
    share: f64,
    /// The code of success.
    done: u16,
    /// The code when the client is wrong, and how often it is.
    refused: (u16, f64),
}

impl Route {
    /// A kind of request.
    pub const fn new(method: &'static str, share: f64, done: u16, refused: (u16, f64)) -> Self {
        Self { method, share, done, refused }
    }

    /// The codes it answers, in the order of [`Outcome`].
    fn codes(self) -> [u16; OUTCOMES] {
        [self.done, self.refused.0, 500, 503, 403]
    }
}

const OUTCOMES: usize = 5;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// The client was wrong.
    Refused,
    /// 500.
    Broken,
    /// 503.
    Unavailable,
    /// 403: the tenant may not.
    Denied,
}

/// What a service is like when nothing is wrong.
#[derive(Debug)]
pub struct Nature {
    /// Its name.
    pub name: &'static str,
    /// Its kinds of requests.
    pub routes: &'static [Route],
    /// Whether it asks what a tenant is entitled to.
    pub entitles: bool,
    /// The median duration, in seconds.
    pub median: f64,
    /// The spread of its logarithm.
    pub sigma: f64,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// The kind.
    pub method: &'static str,
    /// Who asked, by the place in the table of tenants.
    pub tenant: usize,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a service does at the moment.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The probability of a 5xx.
    pub failing: f64,
    /// How much longer a request takes (1 is normal).
    pub slower: f64,
    /// The probability of a 403.
    pub denied: f64,
    /// The only tenant that is answered so, by its place; `None`: all.
    pub denied_only: Option<usize>,
}

impl Shape {
    fn denies(self, tenant: usize) -> f64 {
        if self.denied_only.is_none_or(|only| only == tenant) { self.denied } else { 0.0 }
    }
}

/// A service with its counters.
#[derive(Debug)]
pub struct Service {
    nature: &'static Nature,
    dice: Dice,
    // Every combination is there from the start, at 0: an error counted for the first time would be
    // invisible to `rate()` otherwise.
    counts: Vec<[u64; OUTCOMES]>,
    /// Durations of requests.
    pub durations: Histogram,
}

impl Service {
    /// A service that has not been asked yet.
    pub fn new(nature: &'static Nature, dice: Dice) -> Self {
        let counts = vec![[0; OUTCOMES]; tenants::NAMES.len() * nature.routes.len()];
        Self { nature, dice, counts, durations: Histogram::new(&BOUNDS) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.nature.name
    }

    /// Answers as many requests as come where `mean` are expected, and adds them to `served`.
    pub fn serve(&mut self, shares: &Shares, mean: f64, shape: Shape, served: &mut Vec<Served>) {
        for _ in 0..self.dice.count(mean) {
            let tenant = shares.pick(self.dice.unit());
            self.answer(tenant, shape, served);
        }
    }

    /// As [`Self::serve`], where all requests are of one tenant.
    pub fn serve_tenant(&mut self, tenant: usize, mean: f64, shape: Shape, served: &mut Vec<Served>) {
        for _ in 0..self.dice.count(mean) {
            self.answer(tenant, shape, served);
        }
    }

    fn answer(&mut self, tenant: usize, shape: Shape, served: &mut Vec<Served>) {
        let (place, route) = pick(self.nature.routes, self.dice.unit());
        let outcome = outcome(route, shape.failing, shape.denies(tenant), self.dice.unit());
        let took = self.dice.took(self.nature.median * shape.slower, self.nature.sigma);
        self.durations.observe(match outcome {
            Outcome::Done | Outcome::Unavailable => took,
            Outcome::Refused | Outcome::Denied => took / 2,
            Outcome::Broken => took * 2,
        });
        let row = self.counts.get_mut(tenant * self.nature.routes.len() + place);
        if let Some(count) = row.and_then(|row| row.get_mut(outcome as usize)) {
            *count += 1;
        }
        served.push(Served { method: route.method, tenant, outcome });
    }

    /// Every counter: tenant, method, code, count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u16, u64)> + '_ {
        let kinds = tenants::NAMES
            .into_iter()
            .flat_map(|tenant| self.nature.routes.iter().map(move |route| (tenant, route)));
        let outcomes = if self.nature.entitles { OUTCOMES } else { Outcome::Denied as usize };
        kinds.zip(&self.counts).flat_map(move |((tenant, route), counts)| {
            let coded = route.codes().into_iter().zip(*counts).take(outcomes);
            coded.map(move |(code, count)| (tenant, route.method, code, count))
        })
    }

    /// How many requests it has answered.
    pub fn total(&self) -> u64 {
        self.durations.count()
    }
}

fn pick(routes: &'static [Route], unit: f64) -> (usize, Route) {
    let mut left = unit;
    let found = routes.iter().enumerate().find(|(_, route)| {
        left -= route.share;
        left < 0.0
    });
    let last = || routes.iter().enumerate().next_back();
    found.or_else(last).map_or((0, Route::new("GET", 1.0, 200, (404, 0.0))), |(place, route)| (place, *route))
}

fn outcome(route: Route, failing: f64, denied: f64, unit: f64) -> Outcome {
    if unit < failing * 0.6 {
        Outcome::Unavailable
    } else if unit < failing {
        Outcome::Broken
    } else if unit < failing + route.refused.1 {
        Outcome::Refused
    } else if unit < failing + route.refused.1 + denied {
        Outcome::Denied
    } else {
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Stream;
    use super::*;

    static ROUTES: [Route; 2] =
        [Route::new("GET", 0.8, 200, (404, 0.1)), Route::new("POST", 0.2, 201, (422, 0.0))];
    static NATURE: Nature =
        Nature { name: "tasks", routes: &ROUTES, entitles: false, median: 0.1, sigma: 0.5 };
    const CALM: Shape = Shape { failing: 0.0, slower: 1.0, denied: 0.0, denied_only: None };

    #[test]
    fn requests_fail_as_often_as_the_service_is_said_to_and_every_one_is_counted() {
        let mut service = Service::new(&NATURE, Dice::new(5, Stream::Requests(0)));
        let mut served = Vec::new();
        let shape = Shape { failing: 0.05, ..CALM };
        service.serve(&Shares::new(), 20_000.0, shape, &mut served);
        let codes = |low: u16| -> u64 {
            service.counts().filter(|(_, _, code, _)| *code / 100 == low).map(|(.., n)| n).sum()
        };
        let all = served.len() as u64;
        assert_eq!((codes(2) + codes(4) + codes(5), service.total()), (all, all));
        assert!((0.045..0.055).contains(&(codes(5) as f64 / all as f64)), "{}", codes(5));
        let posts = served.iter().filter(|s| s.method == "POST").count() as f64;
        assert!((0.18..0.22).contains(&(posts / all as f64)));
        assert_eq!(service.counts().count(), 20 * 2 * 4);
    }

    #[test]
    fn a_tenant_is_denied_what_others_get_and_a_request_of_its_own_is_counted_as_its_own() {
        let nature = Box::leak(Box::new(Nature { entitles: true, ..NATURE }));
        let mut service = Service::new(nature, Dice::new(5, Stream::Requests(0)));
        let mut served = Vec::new();
        let shape = Shape { denied: 0.5, denied_only: Some(2), ..CALM };
        service.serve(&Shares::new(), 5_000.0, shape, &mut served);
        let denied = |s: &&Served| s.outcome == Outcome::Denied;
        let of_two = served.iter().filter(|s| s.tenant == 2).count() as f64;
        let share = served.iter().filter(denied).count() as f64 / of_two;
        assert!((0.4..0.6).contains(&share), "{share}");
        assert!(served.iter().filter(denied).all(|s| s.tenant == 2));
        let told =
            service.counts().filter(|(tenant, _, code, n)| *code == 403 && *n > 0 && *tenant != "initech");
        assert_eq!((told.count(), service.counts().count()), (0, 20 * 2 * 5));
        served.clear();
        service.serve_tenant(7, 100.0, CALM, &mut served);
        assert!(served.len() > 60 && served.iter().all(|s| s.tenant == 7));
    }
}
