//! Label matchers with Prometheus' meaning of regular expressions.

use regex::Regex;

use crate::model::labels::{LabelsRef, NAME};

/// An anchored regular expression in RE2's dialect.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// The values it stands for, where it is only an alternation of plain words: the common case,
    /// and much quicker than an automaton.
    words: Option<Vec<String>>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with the expression, in a sentence.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let plain = |word: &str| !word.contains(|c: char| "\\.+*?()[]{}^$".contains(c));
        let words = plain(text).then(|| text.split('|').map(str::to_owned).collect());
        let regex = compile(text)?;
        Ok(Self { regex, words })
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        match &self.words {
            Some(words) => words.iter().any(|word| word == value),
            None => self.regex.is_match(value),
        }
    }
}

/// Compiles an RE2 expression, anchored at both ends, its dot matching newlines too.
///
/// # Errors
/// What is wrong with the expression, in a sentence.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?s:{})$", from_re2(text))).map_err(|error| {
        let reason = match &error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => error.to_string().lines().last().unwrap_or_default().replace("error: ", ""),
        };
        format!("{text:?} is no regular expression: {reason}")
    })
}

/// RE2's classes know ASCII only where Rust's know Unicode, a `{` that starts no repetition is a
/// plain character, and a class holds no class.
fn from_re2(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.char_indices();
    let mut in_class = false;
    let mut class_opened = 0;
    while let Some((at, c)) = chars.next() {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '\\' => match chars.next() {
                Some((_, 'd')) => out.push_str("[0-9]"),
                Some((_, 'D')) => out.push_str("[^0-9]"),
                Some((_, 'w')) => out.push_str("[0-9A-Za-z_]"),
                Some((_, 'W')) => out.push_str("[^0-9A-Za-z_]"),
                Some((_, 's')) => out.push_str("[\\t\\n\\f\\r ]"),
                Some((_, 'S')) => out.push_str("[^\\t\\n\\f\\r ]"),
                Some((_, 'b')) if !in_class => out.push_str("(?-u:\\b)"),
                Some((_, other)) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                class_opened = at + 1 + usize::from(rest.starts_with("[^"));
                out.push('[');
            }
            '[' if in_class && rest.starts_with("[:") => {
                // A POSIX class runs to its own `:]`.
                match rest.find(":]") {
                    Some(end) => {
                        out.push_str(rest.get(..end + 2).unwrap_or_default());
                        while chars.clone().next().is_some_and(|(i, _)| i < at + end + 2) {
                            chars.next();
                        }
                    }
                    None => out.push_str("\\["),
                }
            }
            ']' if in_class && at == class_opened => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            '{' if !in_class && !is_repetition(rest) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

/// `{3}`, `{3,}`, `{3,5}`.
fn is_repetition(rest: &str) -> bool {
    let Some(inside) = rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|(inside, _)| inside)
    else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, "0"));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

/// How a matcher compares.
#[derive(Clone, Debug)]
pub(super) enum Compare {
    Equal(String),
    NotEqual(String),
    Match(Pattern, String),
    NotMatch(Pattern, String),
}

/// One condition on one label; a label that is absent counts as empty.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) compare: Compare,
}

impl Matcher {
    pub(super) fn accepts(&self, value: &str) -> bool {
        match &self.compare {
            Compare::Equal(wanted) => wanted == value,
            Compare::NotEqual(unwanted) => unwanted != value,
            Compare::Match(pattern, _) => pattern.matches(value),
            Compare::NotMatch(pattern, _) => !pattern.matches(value),
        }
    }

    pub(super) fn matches<'l>(&self, labels: impl Into<LabelsRef<'l>>) -> bool {
        self.accepts(labels.into().get(&self.name).unwrap_or(""))
    }

    /// The metric name it demands, if it demands exactly one.
    pub(super) fn demanded_name(&self) -> Option<&str> {
        match &self.compare {
            Compare::Equal(name) if self.name == NAME => Some(name),
            _ => None,
        }
    }

    /// The operator and the value as they were written, unquoted.
    pub(super) fn written(&self) -> (&'static str, &str) {
        match &self.compare {
            Compare::Equal(value) => ("=", value),
            Compare::NotEqual(value) => ("!=", value),
            Compare::Match(_, value) => ("=~", value),
            Compare::NotMatch(_, value) => ("!~", value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_re2_does_anchored_at_both_ends() {
        for (pattern, value, matched) in [
            ("5..", "503", true),
            ("5..", "5033", false),
            ("a|b", "b", true),
            ("a|b", "ab", false),
            ("", "", true),
            (".*", "", true),
            (".+", "a\nb", true),
            ("\\d+", "12", true),
            ("\\d+", "١٢", false),
            ("\\w+", "é", false),
            ("a{", "a{", true),
            ("a{2,3}", "aaa", true),
            ("[a[]+", "[a", true),
            ("[]a]+", "]a", true),
            ("[[:alpha:]&&]+", "a&", true),
            ("(?i)GET", "get", true),
            ("\\.", ".", true),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().matches(value), matched, "{pattern} on {value:?}");
        }
        assert!(Pattern::new("(").unwrap_err().contains("no regular expression"));
        assert!(Pattern::new("(?=a)").is_err());
    }
}
