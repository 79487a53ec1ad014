//! `--match`: selectors to a filter.

use promql_parser::parser::Expr as Syntax;

use crate::model::text::harmless;
use crate::promql::{Expr, Filter};

/// The filter that keeps what any of the selectors picks; with none, everything.
///
/// # Errors
/// What is wrong with the first bad one, with a caret below its place.
pub(super) fn filter(matches: &[String]) -> Result<Filter, String> {
    if matches.is_empty() {
        return Ok(Filter::everything());
    }
    let exprs = matches.iter().map(|text| selector(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Filter::of(&exprs))
}

fn selector(text: &str) -> Result<Expr, String> {
    let expr = Expr::parse(text).map_err(|error| pointed(text, error.offset, error.len, &error.text))?;
    let plain = matches!(
        promql_parser::parser::parse(text),
        Ok(Syntax::VectorSelector(picked)) if picked.offset.is_none() && picked.at.is_none()
    );
    if plain {
        Ok(expr)
    } else {
        Err(pointed(
            text,
            0,
            text.len(),
            "--match takes a selector, like up{job=\"tasks\"}, and no other expression",
        ))
    }
}

/// A sentence, the text it is about, and a caret below the place.
fn pointed(text: &str, offset: usize, len: usize, sentence: &str) -> String {
    let before = harmless(text.get(..offset).unwrap_or_default()).chars().count();
    let at = harmless(text.get(offset..).map_or("", |rest| rest.get(..len).unwrap_or(rest))).chars().count();
    let sentence = harmless(sentence);
    let shown = harmless(text);
    format!("{sentence}\n  {shown}\n  {:before$}{}", "", "^".repeat(at.max(1)))
}

#[cfg(test)]
mod tests {
    use super::pointed;

    #[test]
    fn a_caret_stands_below_the_place_also_behind_text_that_had_to_be_made_harmless() {
        assert_eq!(pointed("up{job=", 7, 1, "no value"), "no value\n  up{job=\n         ^");
        assert_eq!(pointed("a\tb", 2, 1, "odd"), "odd\n  a\\tb\n     ^");
    }
}
