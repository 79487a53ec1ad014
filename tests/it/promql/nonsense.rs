//! Nothing that is typed, however wrong, ends the program.

use std::sync::OnceLock;

use gonogo::model::Time;
use gonogo::promql::{self, Expr, Filter, History};
use proptest::prelude::*;

use super::capture::{Capture, START};

const WORDS: &str = "up odd rate sum by without ( ( ( ) ) ) [5m] [5m:1m] [ ] { } , , = =~ != \"a\" \"(\" 'b' `c` + - * / % ^ == bool > on(a) \
     ignoring(b) group_left group_right(c) and or unless offset @ 5m 1 0x1f 1e3 NaN Inf start() end() atan2 topk quantile \
     histogram_quantile label_replace absent time() :a a:b # \n é \\ 1h99999999999s 1e300 [1e300] offset 1e30 \"\\xff\" fill(1) __name__ or";

fn history() -> &'static History {
    static HISTORY: OnceLock<History> = OnceLock::new();
    HISTORY.get_or_init(|| Capture::seeded(3).history())
}

/// Parses, and does with what is taken all that can be done.
fn use_it(text: &str) -> Result<(), TestCaseError> {
    match Expr::parse(text) {
        Err(error) => {
            prop_assert!(error.len >= 1 && error.offset <= text.len(), "{:?}: {:?}", text, error);
            prop_assert!(text.is_char_boundary(error.offset), "{:?}: {:?}", text, error);
            prop_assert!(!error.text.is_empty());
        }
        Ok(expr) => {
            let filter = Filter::of([&expr]);
            filter.wants_name(b"up");
            for fresh in expr.freshness(&["job", "a.b"]) {
                prop_assert!(Expr::parse(&fresh).is_ok(), "{:?} gives {:?}", text, fresh);
            }
            let at = Time::from_millis(START + 3_600_000);
            let _ = promql::instant(&expr, history(), at);
            let _ = promql::instant(&expr, history(), Time::MIN);
        }
    }
    Ok(())
}

#[test]
fn an_escape_before_a_letter_that_is_not_ascii_is_refused() {
    for text in
        ["\"\\¡\"", "'\\é'", "up{a=\"\\日\"}", "\"\\x\u{e9}1\"", "\"\\0é\"", "\"\\u12\"", "\"\\U00110000\""]
    {
        assert!(Expr::parse(text).unwrap_err().text.contains("escape"), "{text}");
    }
}

#[test]
fn an_escape_of_a_byte_is_never_read_as_another_character() {
    // Prometheus reads the first three as ä, which is not what the parser would make of them.
    for text in [
        "up{a=\"\\xc3\\xa4\"}",
        "'\\303\\244'",
        "sum by (\"\\xc3\\xa4\") (up)",
        "count_values(\"\\xff\", up)",
    ] {
        let error = Expr::parse(text).unwrap_err();
        assert!(error.text.contains("write the character"), "{text}: {error}");
        assert!(text[error.offset..].starts_with(['"', '\'']), "{text}: {error:?}");
    }
    for text in ["\"\\400\"", "\"\\777\""] {
        assert!(Expr::parse(text).unwrap_err().text.contains("not known"), "{text}");
    }
    for text in ["\"\\x41\"", "\"\\101\"", "\"\\u00e4\"", "`\\xff`", "\"\\\\xff\""] {
        assert!(Expr::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_experimental_in_prometheus_is_refused_in_these_words() {
    for (text, blamed) in [
        ("rate(up[5m + 1m])", "+"),
        ("up[2*5m:1m]", "*"),
        ("up[5m:30s*2]", "*"),
        ("up[(5m)]", "("),
        ("up offset (5m)", "("),
        ("up[step()]", "step"),
        ("up[max(1m, step())]", "max"),
        ("rate(up[5m] anchored)", "anchored"),
        ("up smoothed", "smoothed"),
        ("up + fill(0) up", "fill"),
    ] {
        let error = Expr::parse(text).unwrap_err();
        assert!(error.text.contains("experimental in Prometheus"), "{text}: {error}");
        assert_eq!(&text[error.offset..error.offset + error.len], blamed, "{text}");
    }
    for text in ["up offset 5m * 2", "up offset -5m - 1", "rate(up[5m]) + 1", "up[5m:] offset 1m"] {
        assert!(Expr::parse(text).is_ok(), "{text}");
    }
    for text in ["limitk(1, up)", "first_over_time(up[5m])", "info(up)", "sort_by_label(up, \"a\")"] {
        let error = Expr::parse(text).unwrap().check_local().unwrap_err();
        assert!(error.text.contains("experimental in Prometheus"), "{text}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_of_the_language_in_any_order_do_no_harm(picks in prop::collection::vec(0..90usize, 1..14)) {
        let words: Vec<&str> = WORDS.split(' ').filter(|word| !word.is_empty()).collect();
        let text: Vec<&str> = picks.iter().map(|pick| words[pick % words.len()]).collect();
        use_it(&text.join(" "))?;
        use_it(&text.concat())?;
    }

    #[test]
    fn a_good_expression_with_a_piece_cut_out_or_doubled_does_no_harm(
        line in 0..300usize, from in 0..200usize, len in 0..12usize, doubled: bool
    ) {
        let lines: Vec<&str> =
            include_str!("../../data/promql/expressions.txt").lines().filter(|l| !l.starts_with('#')).collect();
        let text = lines[line % lines.len()];
        let from = from % text.len().max(1);
        let to = (from + len).min(text.len());
        let piece = &text[from..to];
        use_it(&format!("{}{}{}", &text[..from], if doubled { piece.repeat(2) } else { String::new() }, &text[to..]))?;
    }

    #[test]
    fn any_text_does_no_harm(text in ".{0,60}") {
        use_it(&text)?;
    }
}
