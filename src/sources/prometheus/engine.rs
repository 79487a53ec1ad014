//! Which engine answers, from what each says of itself at `status/buildinfo`.

use std::collections::BTreeSet;

use super::reply::Value;
use super::wire::BuildInfo;
use crate::model::text::harmless_line;

/// What a `VictoriaMetrics` that is scraped by itself says of its version.
pub(super) const VERSIONS: &str = "count by (short_version) (vm_app_version)";

/// Whether this is what `VictoriaMetrics` answers: nothing, or the version of a Prometheus that
/// Grafana knows, and nothing else.
pub(super) fn is_a_mask(build: &BuildInfo) -> bool {
    build.application.is_none() && build.revision.is_none() && build.go_version.is_none()
}

/// `VictoriaMetrics`, with its version where all that it knows of run the same.
pub(super) fn unmasked(versions: Option<&Value>) -> String {
    let Some(Value::Vector(rows)) = versions else { return "VictoriaMetrics".into() };
    let versions: BTreeSet<&str> =
        rows.iter().filter_map(|(labels, ..)| labels.get("short_version")).collect();
    match versions.iter().next() {
        Some(only) if versions.len() == 1 => format!("VictoriaMetrics {}", short(only)),
        _ => "VictoriaMetrics".into(),
    }
}

/// The engine's name and version: Mimir and Cortex say their name, and Thanos is the one whose
/// version still begins with a zero. `None` where it says no version.
pub(super) fn name(build: &BuildInfo) -> Option<String> {
    let version = build.version.as_deref().map(str::trim).filter(|version| !version.is_empty())?;
    let name = match build.application.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => short(name),
        None if version.trim_start_matches('v').starts_with("0.") => "Thanos".into(),
        None => "Prometheus".into(),
    };
    Some(format!("{name} {}", short(version)))
}

fn short(text: &str) -> String {
    harmless_line(text, 60)
}

#[cfg(test)]
mod tests {
    use super::super::reply::decode_build;
    use super::*;

    /// What each engine's source writes; a real Prometheus and a real `VictoriaMetrics` are asked in
    /// the integration tests.
    #[test]
    fn each_engine_is_known_by_what_it_says_of_itself() {
        for (data, engine) in [
            (
                r#"{"version":"2.42.0+ds","revision":"2.42.0+ds-5+b5","branch":"debian/sid","buildUser":"team","buildDate":"20230201-12:00:00","goVersion":"go1.19.8"}"#,
                Some("Prometheus 2.42.0+ds"),
            ),
            (
                r#"{"application":"Grafana Mimir","version":"2.9.0","revision":"f1a","features":{"ruler_config_api":"true"}}"#,
                Some("Grafana Mimir 2.9.0"),
            ),
            (r#"{"version":"0.31.0","revision":"9d2","goVersion":"go1.19"}"#, Some("Thanos 0.31.0")),
            (r#"{"version":"3.1.0\u001b[2J","revision":"x"}"#, Some("Prometheus 3.1.0\\u{1b}[2J")),
            (r#"{"version":"","goVersion":"go1.2"}"#, None),
        ] {
            let body = format!(r#"{{"status":"success","data":{data}}}"#);
            let build = decode_build(body.as_bytes()).ok().unwrap();
            assert!(!is_a_mask(&build), "{data}");
            assert_eq!(name(&build).as_deref(), engine, "{data}");
        }
        for mask in ["{}", r#"{"version":"2.24.0"}"#] {
            let body = format!(r#"{{"status":"success","data":{mask}}}"#);
            assert!(is_a_mask(&decode_build(body.as_bytes()).ok().unwrap()), "{mask}");
        }
        assert_eq!(unmasked(None), "VictoriaMetrics");
    }
}
