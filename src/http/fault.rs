//! What an error of the transport is called on the screen.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::model::duration::short;
use crate::model::{Fault, FaultCode};

/// How far an exchange had come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the header of the answer was whole.
    Head,
    /// While the body was read.
    Body,
}

/// The time-out struck.
pub(super) fn timed_out(phase: Phase, timeout: Duration) -> Fault {
    let after = short(timeout);
    let text = match phase {
        Phase::Head => format!("no answer in {after}"),
        Phase::Body => format!("answer incomplete after {after}"),
    };
    Fault::new(FaultCode::TimedOut, text)
}

/// The body went over the cap.
pub(super) fn too_large(cap: u64) -> Fault {
    Fault::new(FaultCode::TooLarge, format!("body larger than {} (max-body)", bytes(cap)))
}

fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS
        .iter()
        .find(|(size, _)| count >= *size && count.is_multiple_of(*size))
        .map_or_else(|| format!("{count} bytes"), |(size, unit)| format!("{} {unit}", count / size))
}

/// Names an error of the client. The error's own text is not used where it could hold the URL.
pub(super) fn of_error(error: &reqwest::Error, phase: Phase, timeout: Duration) -> Fault {
    if error.is_timeout() {
        return timed_out(phase, timeout);
    }
    let chain: Vec<&(dyn StdError + 'static)> = causes(error).collect();
    if let Some(tls) = chain.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return Fault::new(FaultCode::Tls, tls_text(tls));
    }
    if error.is_dns() {
        let temporary = chain.iter().any(|cause| cause.to_string().contains("emporary failure"));
        let text = if temporary { "the name server does not answer" } else { "no such host" };
        return Fault::new(FaultCode::Unreachable, text);
    }
    let http = chain.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let io = chain.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).next_back();
    match phase {
        Phase::Head => of_head(http, io),
        Phase::Body => of_body(http, io),
    }
}

fn of_head(http: Option<&hyper::Error>, io: Option<&io::Error>) -> Fault {
    let unreachable = |text: &str| Fault::new(FaultCode::Unreachable, text);
    if let Some(http) = http {
        if http.is_parse_too_large() {
            return Fault::new(FaultCode::Unreadable, "the header of the answer is too large");
        }
        if http.is_parse() {
            return Fault::new(FaultCode::Unreadable, "what answers does not speak HTTP");
        }
        if http.is_incomplete_message() {
            return unreachable("connection closed without an answer");
        }
    }
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => unreachable("refused"),
        Some(
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe,
        ) => unreachable("connection reset"),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            unreachable("no route to host")
        }
        Some(io::ErrorKind::NetworkDown) => unreachable("the network is down"),
        Some(io::ErrorKind::UnexpectedEof) => unreachable("connection closed without an answer"),
        _ => io.map_or_else(
            || unreachable("the connection failed"),
            |io| unreachable(&format!("the connection failed: {io}")),
        ),
    }
}

fn of_body(http: Option<&hyper::Error>, io: Option<&io::Error>) -> Fault {
    let cut = |text: &str| Fault::new(FaultCode::CutShort, text);
    match io.map(io::Error::kind) {
        Some(
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe,
        ) => cut("cut short: connection reset"),
        Some(io::ErrorKind::UnexpectedEof) => cut("cut short: the body ends too early"),
        _ if http.is_some_and(hyper::Error::is_parse) => cut("cut short: a broken chunk"),
        _ => cut("cut short: the body ends too early"),
    }
}

/// The causes of an error, those that `std::io::Error` wraps and hides from `source` among them.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause: &&'e (dyn StdError + 'static)| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    })
    .take(32)
}

fn tls_text(error: &rustls::Error) -> String {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::Expired | C::ExpiredContext { .. } => "certificate expired".into(),
            C::NotValidYet | C::NotValidYetContext { .. } => "certificate is not valid yet".into(),
            C::UnknownIssuer => "unknown issuer: set ca-file to trust a private authority".into(),
            C::NotValidForName | C::NotValidForNameContext { .. } => "certificate is for another host".into(),
            C::Revoked => "certificate is revoked".into(),
            // What `webpki` says of a server that sends its authority's certificate as its own.
            other if other.to_string().contains("CaUsedAsEndEntity") => {
                "unknown issuer: the certificate is an authority's".into()
            }
            other => format!("certificate refused: {other}"),
        },
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "a client certificate is required".into()
        }
        rustls::Error::AlertReceived(alert) => format!("the server ended TLS: {alert:?}"),
        rustls::Error::InvalidMessage(_) => "what answers does not speak TLS".into(),
        other => format!("TLS failed: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_named_in_the_unit_it_was_written_in() {
        assert_eq!(too_large(64 << 20).text, "body larger than 64 MiB (max-body)");
        assert_eq!(too_large(1500).text, "body larger than 1500 bytes (max-body)");
    }

    #[test]
    fn tls_faults_say_what_failed() {
        let text = |e| tls_text(&rustls::Error::InvalidCertificate(e));
        assert_eq!(text(CertificateError::Expired), "certificate expired");
        assert_eq!(text(CertificateError::NotValidForName), "certificate is for another host");
        assert!(text(CertificateError::UnknownIssuer).starts_with("unknown issuer"));
    }
}
