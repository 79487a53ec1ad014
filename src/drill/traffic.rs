//! The requests of all tenants to all services: a slow wave, short bursts, and what the flag adds.

use std::f64::consts::TAU;
use std::time::Duration;

use super::dice::{Dice, Stream, seconds};
use super::service::{Nature, Route, Served, Service, Shape};
use super::tenants::Shares;

/// Requests come in slices of this length.
pub const SLICE: Duration = Duration::from_millis(100);

/// The service that the launch is about.
pub const TASKS: usize = 0;
/// The pages that customers see; it asks for the flags.
pub const PORTAL: usize = 1;
/// The back office.
pub const ADMIN: usize = 2;
/// Sign-ins and tokens.
pub const IDENTITY: usize = 3;

static SERVICES: [Nature; 4] = [
    Nature {
        name: "tasks",
        routes: &[
            Route::new("GET", 0.58, 200, (404, 0.012)),
            Route::new("POST", 0.30, 201, (422, 0.015)),
            Route::new("PATCH", 0.09, 200, (409, 0.010)),
            Route::new("DELETE", 0.03, 204, (404, 0.010)),
        ],
        entitles: true,
        median: 0.070,
        sigma: 0.60,
    },
    Nature {
        name: "portal",
        routes: &[Route::new("GET", 0.85, 200, (404, 0.010)), Route::new("POST", 0.15, 200, (400, 0.010))],
        entitles: false,
        median: 0.055,
        sigma: 0.55,
    },
    Nature {
        name: "admin",
        routes: &[Route::new("GET", 0.80, 200, (403, 0.006)), Route::new("POST", 0.20, 201, (422, 0.020))],
        entitles: false,
        median: 0.085,
        sigma: 0.55,
    },
    Nature {
        name: "identity",
        routes: &[Route::new("GET", 0.20, 200, (401, 0.010)), Route::new("POST", 0.80, 200, (401, 0.015))],
        entitles: false,
        median: 0.030,
        sigma: 0.50,
    },
];

/// A burst: one service is asked more for some seconds.
#[derive(Clone, Copy, Debug)]
struct Burst {
    service: usize,
    factor: f64,
    until: Duration,
}

/// What an inject or a test does to one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strain {
    /// The least probability of a 5xx.
    pub failing: f64,
    /// How much longer a request takes (1 is normal).
    pub slower: f64,
    /// The probability of a 403.
    pub denied: f64,
    /// The only tenant that is answered so, by its place; `None`: all.
    pub denied_only: Option<usize>,
    /// How much more is asked (1 is normal).
    pub surge: f64,
}

impl Strain {
    /// Nothing is done to it.
    pub const NONE: Strain = Strain { failing: 0.0, slower: 1.0, denied: 0.0, denied_only: None, surge: 1.0 };
}

/// What bears on the services from outside.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Percent of callers for whom Tasks is on.
    pub percent: f64,
    /// The trouble of the story, 0 to 1.
    pub trouble: f64,
    /// What is done to each service, in the order of the table.
    pub strains: [Strain; SERVICES.len()],
    /// The tenant, by its place, that asks so many times as much of the tasks service.
    pub noisy: Option<(usize, f64)>,
}

/// All services.
#[derive(Debug)]
pub struct Traffic {
    /// In the order of [`TASKS`], [`PORTAL`], [`ADMIN`], [`IDENTITY`].
    pub services: Vec<Service>,
    shares: Shares,
    bursts: Dice,
    burst: Option<Burst>,
}

impl Traffic {
    /// Services that have not been asked yet.
    pub fn new(seed: u64) -> Self {
        let service = |(place, nature): (u8, &'static Nature)| {
            Service::new(nature, Dice::new(seed, Stream::Requests(place)))
        };
        Self {
            services: (0..).zip(&SERVICES).map(service).collect(),
            shares: Shares::new(),
            bursts: Dice::new(seed, Stream::Bursts),
            burst: None,
        }
    }

    /// The requests of one slice of time, to the service at a place in the table.
    pub fn serve(&mut self, place: usize, now: Duration, weather: Weather, served: &mut Vec<Served>) {
        let burst = self.burst.filter(|burst| burst.service == place && burst.until > now);
        let (Some(service), Some(strain)) = (self.services.get_mut(place), weather.strains.get(place)) else {
            return;
        };
        let mean = per_second(place, weather.percent)
            * wave(now)
            * burst.map_or(1.0, |b| b.factor)
            * strain.surge
            * SLICE.as_secs_f64();
        let shape = shape(place, weather, *strain);
        service.serve(&self.shares, mean, shape, served);
        if let Some((tenant, factor)) = weather.noisy.filter(|_| place == TASKS) {
            service.serve_tenant(tenant, mean * self.shares.of(tenant) * (factor - 1.0), shape, served);
        }
    }

    /// A burst begins; returns how long until the next one.
    pub fn burst(&mut self, now: Duration) -> Duration {
        self.burst = Some(Burst {
            service: (self.bursts.unit() * SERVICES.len() as f64) as usize,
            factor: self.bursts.between(1.2, 1.45),
            until: now + seconds(self.bursts.between(5.0, 15.0)),
        });
        self.bursts.wait(Duration::from_secs(90))
    }
}

/// Requests a second that a service is asked on average.
fn per_second(place: usize, percent: f64) -> f64 {
    match place {
        TASKS => 3.0 + 2.1 * percent,
        PORTAL => 42.0,
        ADMIN => 5.0,
        _ => 13.0,
    }
}

/// The day in small: a wave of 17 minutes and a ripple on it.
fn wave(now: Duration) -> f64 {
    let minutes = now.as_secs_f64() / 60.0;
    1.0 + 0.07 * (TAU * minutes / 17.0).sin() + 0.03 * (TAU * minutes / 3.1).sin()
}

fn shape(place: usize, weather: Weather, strain: Strain) -> Shape {
    let load = weather.percent / 50.0;
    let (failing, slower) = match place {
        TASKS => (
            0.0005 + 0.0008 * load + 0.040 * weather.trouble,
            1.0 + 0.25 * load * load + 2.4 * weather.trouble,
        ),
        PORTAL => (0.0003 + 0.004 * weather.trouble, 1.0 + 0.1 * load + 0.6 * weather.trouble),
        ADMIN => (0.0002 + 0.002 * weather.trouble, 1.0 + 0.3 * weather.trouble),
        _ => (0.0001, 1.0),
    };
    Shape {
        failing: failing.max(strain.failing),
        slower: slower * strain.slower,
        denied: strain.denied,
        denied_only: strain.denied_only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(percent: f64, place: usize) -> usize {
        let mut traffic = Traffic::new(7);
        let strains = [Strain::NONE; SERVICES.len()];
        let weather = Weather { percent, trouble: 0.0, strains, noisy: None };
        let mut served = Vec::new();
        for slice in 0..600 {
            traffic.serve(place, SLICE * slice, weather, &mut served);
        }
        served.len()
    }

    #[test]
    fn a_higher_percentage_brings_more_tasks_requests_and_leaves_the_portal_as_it_was() {
        let (low, high) = (requests(25.0, TASKS), requests(50.0, TASKS));
        assert!(high as f64 > 1.7 * low as f64, "{low} {high}");
        assert_eq!(requests(25.0, PORTAL), requests(50.0, PORTAL));
    }
}
