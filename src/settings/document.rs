//! A TOML text with the places of everything in it.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::finding::{Finding, SettingsError};
use super::picture::Picture;
use crate::model::text::{harmless, harmless_line};

/// More findings than anybody reads; what is beyond is counted.
const MOST: usize = 30;

/// A parsed file.
pub(super) struct Document<'t> {
    /// What errors call it.
    pub(super) name: String,
    text: &'t str,
    root: Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses TOML.
    ///
    /// # Errors
    /// The first thing that is not TOML; what comes after it would be guessing.
    pub(super) fn parse(name: &str, text: &'t str) -> Result<Self, SettingsError> {
        let mut document = Self::unparsed(name, text);
        match DeTable::parse(text) {
            Ok(root) => {
                document.root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
                Ok(document)
            }
            Err(error) => {
                let mut troubles = Troubles::default();
                let span = error.span().unwrap_or(0..0);
                let message = format!("this is not TOML: {}", error.message());
                // The commonest slip of all is answered with "invalid boolean".
                if error.message().contains("quoted") || error.message().contains("boolean") {
                    troubles.add_with_help(span, message, "text is written in quotes: \"…\"".into());
                } else {
                    troubles.add(span, message);
                }
                Err(document.error(troubles))
            }
        }
    }

    /// A text that is not TOML, for what is to be said about it.
    pub(super) fn unparsed(name: &str, text: &'t str) -> Self {
        Self { name: name.to_owned(), text, root: Spanned::new(0..0, DeValue::Table(DeTable::new())) }
    }

    /// The whole file as one value: a table.
    pub(super) fn root(&self) -> &Spanned<DeValue<'t>> {
        &self.root
    }

    /// The text of a part of the file.
    pub(super) fn raw(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or("")
    }

    /// The line of a place, 1-based.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text.get(..self.text.floor_char_boundary(at)).unwrap_or("").matches('\n').count() + 1
    }

    /// The file as a file type whose structure was checked before.
    ///
    /// # Errors
    /// What the type refuses, with its place.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        T::deserialize(ValueDeserializer::from(self.root.clone())).map_err(|error| {
            let mut troubles = Troubles::default();
            troubles.add(error.span().unwrap_or(0..0), error.message());
            self.error(troubles)
        })
    }

    /// Everything that is wrong in this file as one error, in the order of the file.
    pub(super) fn error(&self, mut troubles: Troubles) -> SettingsError {
        troubles.0.sort_by_key(|t| t.span.start);
        let beyond = troubles.0.len().saturating_sub(MOST);
        let mut findings: Vec<Finding> = troubles.0.into_iter().take(MOST).map(|t| self.finding(t)).collect();
        if beyond > 0 {
            findings.push(Finding::of_file(&self.name, format!("and {beyond} more")));
        }
        SettingsError::new(findings)
    }

    fn finding(&self, trouble: Trouble) -> Finding {
        let at = self.text.floor_char_boundary(trouble.span.start);
        let before = self.text.get(..at).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = self.text.get(start..).unwrap_or("").split('\n').next().unwrap_or("");
        let line = line.strip_suffix('\r').unwrap_or(line);
        let number = self.line_of(at);
        // What reaches over several lines is marked to the end of the first.
        let span = at - start..trouble.span.end.saturating_sub(start).min(line.len());
        let mut key = if trouble.of_file { String::new() } else { self.key_at(at) };
        if let Some(missing) = trouble.missing {
            key = join(&key, &missing);
        }
        Finding {
            file: harmless(&self.name).into_owned(),
            line: number,
            column: before.get(start..).unwrap_or("").chars().count() + 1,
            key: harmless_line(&key, 120),
            message: harmless_line(&trouble.message, 600),
            picture: (!trouble.secret)
                .then(|| Picture::new(line, number, &span, trouble.help.map(|h| harmless_line(&h, 900)))),
        }
    }

    /// The dotted key of what stands at a place of the text; empty outside every key and value.
    fn key_at(&self, at: usize) -> String {
        let mut best = String::new();
        if let DeValue::Table(table) = self.root.get_ref() {
            search_table(table, "", at, &mut best);
        }
        best
    }
}

/// The deepest wins, because it is found last. The span of a `[header]` table is its header, so that
/// what stands in such a table is not inside its span: every branch is looked into.
fn search_table(table: &DeTable<'_>, path: &str, at: usize, best: &mut String) {
    for (key, value) in table {
        let here = join(path, &shown_key(key.get_ref()));
        if covers(&key.span(), at) && here.len() > best.len() {
            best.clone_from(&here);
        }
        search(value, &here, at, best);
    }
}

fn search(value: &Spanned<DeValue<'_>>, path: &str, at: usize, best: &mut String) {
    if covers(&value.span(), at) && path.len() > best.len() {
        path.clone_into(best);
    }
    match value.get_ref() {
        DeValue::Table(table) => search_table(table, path, at, best),
        DeValue::Array(array) => {
            for (i, element) in array.iter().enumerate() {
                search(element, &format!("{path}[{i}]"), at, best);
            }
        }
        _ => {}
    }
}

fn covers(span: &Range<usize>, at: usize) -> bool {
    span.contains(&at)
}

/// A key as it would be written: quoted where it is not bare.
pub(super) fn shown_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { format!("{key:?}") }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// One thing that is wrong, by its place in the text.
#[derive(Debug)]
struct Trouble {
    span: Range<usize>,
    /// A key that should be there, below the one at the place.
    missing: Option<String>,
    message: String,
    help: Option<String>,
    /// Whether the line may hold a secret, so that it is not shown.
    secret: bool,
    /// Whether it is about the file and not about what stands at the place.
    of_file: bool,
}

impl Trouble {
    fn new(span: Range<usize>, message: String) -> Self {
        Self { span, missing: None, message, help: None, secret: false, of_file: false }
    }
}

/// What was found so far in one file.
#[derive(Debug, Default)]
pub(super) struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something is wrong at a place.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.0.push(Trouble::new(span, message.into()));
    }

    /// Something is wrong at a place, and there is more to say under the picture.
    pub(super) fn add_with_help(&mut self, span: Range<usize>, message: impl Into<String>, help: String) {
        self.0.push(Trouble { help: Some(help), ..Trouble::new(span, message.into()) });
    }

    /// Something is wrong in a line that may hold a secret: it is not shown.
    pub(super) fn add_secret(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.0.push(Trouble { secret: true, ..Trouble::new(span, message.into()) });
    }

    /// A key is missing in the table at a place.
    pub(super) fn missing(&mut self, table: Range<usize>, key: &str, message: impl Into<String>) {
        self.0.push(Trouble { missing: Some(shown_key(key)), ..Trouble::new(table, message.into()) });
    }

    /// A key is missing at the top of the file.
    pub(super) fn missing_in_file(&mut self, key: &str, message: impl Into<String>) {
        let missing = Some(shown_key(key));
        self.0.push(Trouble { missing, of_file: true, ..Trouble::new(0..0, message.into()) });
    }
}
