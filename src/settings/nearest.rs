//! The known name that somebody most likely meant.

/// The nearest of the known names, where one is near enough to be a typo.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer texts are no names; comparing them costs the product of the lengths.
    if name.len() > 100 {
        return None;
    }
    let folded = name.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&folded, &k.to_lowercase().replace('_', "-")), k))
        .filter(|(distance, k)| *distance <= (k.chars().count().max(folded.chars().count()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// `; did you mean "worker"?` where a known name is near, else nothing.
pub(super) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default()
}

/// `label: a, b, c`, or `label: none`.
pub(super) fn list<'a>(label: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() { format!("{label}: none") } else { format!("{label}: {}", known.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_another_word_finds_none() {
        let known = ["timeout", "every", "max-body", "url"];
        assert_eq!(nearest("timout", known), Some("timeout"));
        assert_eq!(nearest("max_body", known), Some("max-body"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("preset", known), None);
        assert_eq!(nearest("q", known), None);
    }
}
