//! The labels that a Prometheus server adds to the alerts it sends, read from the configuration it
//! tells: it prints that itself, in one form, so that no YAML reader is needed for these lines.

use crate::model::Labels;

/// The `external_labels` of a configuration as Prometheus prints it; none where it has none.
pub(super) fn labels(yaml: &str) -> Labels {
    let mut lines = yaml.lines().skip_while(|line| *line != "global:").skip(1);
    let mut global = lines.by_ref().take_while(|line| line.starts_with(' '));
    if !global.any(|line| line == "  external_labels:") {
        return Labels::none();
    }
    let inside = global.take_while(|line| line.starts_with("    "));
    Labels::from_pairs(inside.filter_map(|line| {
        let (name, value) = line.trim().split_once(':')?;
        Some((name.trim().to_owned(), scalar(value.trim())?))
    }))
}

/// A scalar in one of the three forms in which it is printed; `None` for what goes over several lines.
fn scalar(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return Some(inner.replace("''", "'"));
    }
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    (!text.starts_with(['|', '>', '&', '*', '!'])).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_labels_are_found_in_the_form_that_prometheus_prints() {
        let yaml = "global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: eu\n    replica: \"1\"\n    who: 'it''s'\n  query_log_file: x\nrule_files:\n- r.yml\n";
        let found = labels(yaml);
        assert_eq!(found.to_string(), "{cluster=\"eu\",replica=\"1\",who=\"it's\"}");
        assert!(
            labels("global:\n  scrape_interval: 15s\nscrape_configs:\n- external_labels:\n    a: b\n")
                .is_empty()
        );
        assert!(labels("").is_empty());
    }
}
