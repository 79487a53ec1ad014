//! The parameters of a run: given at its start, filled into commands and messages.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};
use regex::Regex;

use super::{Refused, Template};

/// The values that a run is started with: those given, else the template's own, in its order.
///
/// # Errors
/// [`Refused::Param`]: one that the template does not have, one without a value, one that does not
/// match its pattern.
pub fn of_run(template: &Template, given: &[(String, String)]) -> Result<Vec<(String, String)>, Refused> {
    let bad = |name: &str, why: String| Refused::Param { name: name.to_owned(), why };
    let known: Vec<&str> = template.params.iter().map(|param| param.name.as_str()).collect();
    if let Some((name, _)) = given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(bad(name, format!("this checklist has no such parameter; it has {has}")));
    }
    let mut params = Vec::with_capacity(template.params.len());
    for param in &template.params {
        let mut of_name = given.iter().filter(|(name, _)| *name == param.name).map(|(_, value)| value);
        let value = of_name.next();
        if of_name.next().is_some() {
            return Err(bad(&param.name, "is given twice".into()));
        }
        let Some(value) = value.or(param.default.as_ref()) else {
            return Err(bad(
                &param.name,
                format!("has no default: give it with --param {}=VALUE", param.name),
            ));
        };
        if value.chars().any(char::is_control) {
            return Err(bad(&param.name, "holds a control character".into()));
        }
        if let Some(pattern) = &param.pattern
            && !whole(pattern).is_some_and(|regex| regex.is_match(value))
        {
            return Err(bad(&param.name, format!("{value:?} does not match {pattern}")));
        }
        params.push((param.name.clone(), value.clone()));
    }
    Ok(params)
}

/// A pattern that must match the whole value, as a regular expression; `None` where it is none.
pub fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}

/// A text with `{{name}}` filled in. Only parameters are known there.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn fill(text: &str, params: &[(String, String)]) -> Result<String, String> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let values: BTreeMap<String, String> = params.iter().cloned().collect();
    environment.render_str(text, values).map_err(|error| match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    })
}
