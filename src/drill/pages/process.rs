//! What client libraries tell of their own process, made up from how much work it has done.

use std::time::Duration;

use super::super::exposition::Family;
use super::super::product::Product;

/// How busy a process is and has been.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Units of work done since the start.
    pub done: u64,
    /// CPU seconds that one unit costs.
    pub cost: f64,
    /// Things held in memory at the moment.
    pub held: f64,
    /// Resident memory with nothing held, in mebibytes.
    pub mebibytes: f64,
    /// When the process was started, from the start of the product.
    pub started: Duration,
}

impl Work {
    /// A process beside the product that is scraped now and then, and does nothing else.
    pub const EXPORTER: Work =
        Work { done: 0, cost: 0.0, held: 0.0, mebibytes: 24.0, started: Duration::ZERO };

    fn cpu(self, product: &Product) -> f64 {
        let up = product.uptime().saturating_sub(self.started);
        let seconds = up.as_secs_f64() * 0.011 + self.done as f64 * self.cost;
        (seconds * 100.0).round() / 100.0
    }

    fn bytes(self) -> f64 {
        // In pages of 4 KiB, as the kernel counts.
        ((self.mebibytes * 256.0) + self.held * 0.6).round() * 4096.0
    }
}

/// The default metrics of prom-client.
pub fn node(product: &Product, work: Work) -> Vec<Family> {
    let cpu = work.cpu(product);
    let lag = 0.0011 + 0.000_004 * work.held;
    vec![
        Family::counter("process_cpu_user_seconds_total", "Total user CPU time spent in seconds.")
            .value([], (cpu * 83.0).round() / 100.0),
        Family::counter("process_cpu_system_seconds_total", "Total system CPU time spent in seconds.")
            .value([], (cpu * 17.0).round() / 100.0),
        Family::counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
            .value([], cpu),
        start_time(product, work),
        Family::gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
            .value([], work.bytes()),
        Family::gauge("process_open_fds", "Number of open file descriptors.")
            .value([], 31.0 + (work.held / 40.0).floor()),
        Family::gauge("nodejs_eventloop_lag_seconds", "Lag of event loop in seconds.")
            .value([], (lag * 1e6).round() / 1e6),
        Family::gauge("nodejs_heap_size_total_bytes", "Process heap size from Node.js in bytes.")
            .value([], (work.bytes() * 0.62).floor()),
        Family::gauge("nodejs_heap_size_used_bytes", "Process heap size used from Node.js in bytes.")
            .value([], (work.bytes() * 0.51).floor()),
        Family::gauge("nodejs_version_info", "Node.js version info.")
            .value([("version", "v22.11.0"), ("major", "22"), ("minor", "11"), ("patch", "0")], 1.0),
    ]
}

/// The default metrics of `client_golang`.
pub fn go(product: &Product, work: Work) -> Vec<Family> {
    vec![
        Family::gauge("go_goroutines", "Number of goroutines that currently exist.")
            .value([], 14.0 + work.held.floor()),
        Family::gauge("go_info", "Information about the Go environment.")
            .value([("version", "go1.23.3")], 1.0),
        Family::gauge("go_memstats_alloc_bytes", "Number of bytes allocated and still in use.")
            .value([], (work.bytes() * 0.3).floor()),
        Family::counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
            .value([], work.cpu(product)),
        Family::gauge("process_open_fds", "Number of open file descriptors.").value([], 12.0),
        Family::gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
            .value([], work.bytes()),
        start_time(product, work),
    ]
}

fn start_time(product: &Product, work: Work) -> Family {
    let start = product.at(work.started).seconds();
    Family::gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
        .value([], start)
}
