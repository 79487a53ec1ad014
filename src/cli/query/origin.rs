//! Who is to answer: what the arguments name, or what the config has.

use std::path::PathBuf;

use super::Args;
use super::failure::Failure;
use crate::cli::Common;
use crate::http;
use crate::model::text::harmless_line;
use crate::model::{SourceDef, SourceKind};
use crate::runtime::credential::credential;
use crate::settings;
use crate::sources;

/// Who is to answer.
pub(super) enum Origin {
    /// A file.
    Capture(PathBuf),
    /// A server that evaluates.
    Server(Server),
    /// Endpoints that send exposition text; gonogo evaluates.
    Endpoints(Box<SourceDef>),
}

/// A server, and how to talk to it.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) options: http::Options,
}

/// Who is to answer these arguments.
pub(super) fn of(args: &Args, common: &Common) -> Result<Origin, Failure> {
    if let Some(path) = &args.file {
        return Ok(Origin::Capture(path.clone()));
    }
    if let Some(url) = &args.url {
        // Typed by hand for one question, so plain http is the caller's own choice.
        let options = http::Options { timeout: args.timeout, allow_http: true, ..http::Options::default() };
        return Ok(Origin::Server(Server { url: url.clone(), options }));
    }
    let def = configured(args.source.as_deref(), common)?;
    match &def.kind {
        SourceKind::Prometheus { url, .. } => {
            let options = sources::options(&def, def.credential.as_ref().map(credential));
            Ok(Origin::Server(Server { url: url.clone(), options }))
        }
        SourceKind::Scrape { .. } => Ok(Origin::Endpoints(Box::new(def))),
        SourceKind::Alertmanager { .. } => {
            Err(Failure::usage(format!("source {} tells alerts, it has no metrics to query", def.id)))
        }
        SourceKind::Identity { .. } | SourceKind::Flags(_) => {
            Err(Failure::usage(format!("source {} tells flags, it has no metrics to query", def.id)))
        }
    }
}

/// The source of that name, or the one that is meant where none is named.
fn configured(name: Option<&str>, common: &Common) -> Result<SourceDef, Failure> {
    let cwd = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the working directory cannot be found: {error}")))?;
    let path = settings::discover(common.config.as_deref(), &cwd).ok_or_else(|| {
        Failure::usage(format!(
            "name who is to answer: --url, --file, or --source with a config\n{}",
            settings::nothing_found(&cwd)
        ))
    })?;
    let launch = settings::load(&path).map_err(|error| Failure::usage(error.to_string()))?.launch;
    pick(&launch.sources, name)
}

fn pick(sources: &[SourceDef], name: Option<&str>) -> Result<SourceDef, Failure> {
    let with_metrics: Vec<&SourceDef> = sources
        .iter()
        .filter(|def| matches!(def.kind, SourceKind::Scrape { .. } | SourceKind::Prometheus { .. }))
        .collect();
    let names = || {
        let names: Vec<&str> = with_metrics.iter().map(|def| def.id.as_str()).collect();
        if names.is_empty() {
            "it has none with metrics".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        }
    };
    if let Some(name) = name {
        return sources.iter().find(|def| def.id.as_str() == name).cloned().ok_or_else(|| {
            Failure::usage(format!("the config has no source {}: {}", harmless_line(name, 60), names()))
        });
    }
    let servers: Vec<&&SourceDef> =
        with_metrics.iter().filter(|def| matches!(def.kind, SourceKind::Prometheus { .. })).collect();
    match (servers.as_slice(), with_metrics.as_slice()) {
        ([only], _) => Ok((**only).clone()),
        (_, [only]) => Ok((*only).clone()),
        _ => Err(Failure::usage(format!("name the source with --source: {}", names()))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Labels, SourceId};

    fn source(id: &str, kind: SourceKind) -> SourceDef {
        SourceDef {
            id: SourceId::new(id),
            kind,
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(3),
            max_body: 0,
            max_series: 10,
            max_history: Duration::from_hours(24),
            max_line: 1 << 20,
            headers: Vec::new(),
            credential: None,
            ca_file: None,
            route: crate::model::launch::Route::default(),
            allow_http: false,
        }
    }

    fn server(id: &str) -> SourceDef {
        source(id, SourceKind::Prometheus { url: "http://127.0.0.1:9090".into(), alerts: false })
    }

    fn endpoints(id: &str) -> SourceDef {
        source(id, SourceKind::Scrape { urls: Vec::new(), labels: Labels::none() })
    }

    fn identity(id: &str) -> SourceDef {
        source(
            id,
            SourceKind::Identity {
                url: "http://127.0.0.1:1".into(),
                environment: "x".into(),
                grants: false,
                beside: Vec::new(),
            },
        )
    }

    #[test]
    fn without_a_name_the_only_server_is_asked_and_else_the_only_source_with_metrics() {
        let picked = |sources: Vec<SourceDef>| pick(&sources, None).map(|def| def.id.as_str().to_owned());
        assert_eq!(picked(vec![endpoints("worker"), server("main"), identity("id")]).unwrap(), "main");
        assert_eq!(picked(vec![endpoints("worker"), identity("id")]).unwrap(), "worker");
        for several in [vec![server("a"), server("b")], vec![endpoints("a"), endpoints("b")]] {
            assert!(picked(several).unwrap_err().text.contains("--source: it has a, b"));
        }
        assert!(picked(vec![identity("id")]).unwrap_err().text.contains("none with metrics"));
        let unknown = pick(&[endpoints("worker")], Some("wroker")).unwrap_err();
        assert_eq!(unknown.text, "the config has no source wroker: it has worker");
    }
}
