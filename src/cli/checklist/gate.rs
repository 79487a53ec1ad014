//! The evidence that a gate item is ticked with: the number of a fresh poll that passes (rule 5).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::app::evidence;
use crate::checklist::{Evidence, Refused, Run};
use crate::ledger::LedgerError;
use crate::model::{GateDef, Verdict};
use crate::settings;

use super::super::{Common, judge};
use super::place::Place;

/// Polls what a gate looks at until it can be judged, and gives the number that passed. The gate is
/// the run's own, with the expression that stands in the run's copy of its template.
///
/// # Errors
/// [`Refused::GateSaysNo`] where it does not pass; no config, or one without the gate's source.
pub(super) fn gate_evidence(
    place: &Place,
    run: &Run,
    gate: &GateDef,
    patience: Duration,
    common: &Common,
) -> anyhow::Result<Vec<Evidence>> {
    let cwd = Path::new("");
    let path = settings::discover(common.config.as_deref(), cwd).with_context(|| {
        format!(
            "{} is a gate, and only a config says what to poll: {}",
            gate.id,
            settings::nothing_found(cwd)
        )
    })?;
    let mut launch = settings::load(&path).map_err(|e| anyhow!(e.rendered))?.launch;
    let copy = place.ledger.run_dir(&run.id).join("template.toml");
    let text = fs::read_to_string(&copy).with_context(|| format!("cannot read {}", copy.display()))?;
    let (name, config) = (copy.display().to_string(), path.display().to_string());
    let (_, signals) =
        settings::template_for(&name, &text, &config, &launch).map_err(|e| anyhow!(e.rendered))?;
    launch.signals.retain(|today| signals.iter().all(|own| own.id != today.id));
    launch.signals.extend(signals);

    let judged = judge::until_judged(&launch, &[gate], &BTreeSet::from([gate.id.clone()]), patience)?;
    let judgement = judged.watch.judge(&gate.id, judged.now).context("the gate is not watched")?;
    let no = |why: &str| {
        LedgerError::Refused(Refused::GateSaysNo { item: gate.id.as_str().into(), why: why.into() })
    };
    if judgement.verdict != Verdict::Pass {
        return Err(no(&judgement.reason.text).into());
    }
    let evidence = evidence::of_gate(&judged.watch, &gate.id, judged.now);
    Ok(vec![evidence.ok_or_else(|| no("there is no number to back it"))?])
}
