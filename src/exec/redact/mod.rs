//! Secrets are taken out of a program's output before anything is written.
//!
//! Two steps, each for bytes that come in pieces of any size: the values that the program was given
//! (`secrets`), then whatever looks like a token (`tokens`). Both hold back no more than what may yet
//! become a secret, so that a finished line is seen at once. What a program writes in another form
//! (base64, percent-encoded) is not known to be the same.

mod secrets;
mod tokens;

use secrets::Secrets;
use tokens::Tokens;

/// What stands where a secret was.
const REDACTED: &[u8] = b"[redacted]";

/// Takes the secrets out of one program's output.
pub(super) struct Redactor {
    secrets: Secrets,
    tokens: Tokens,
}

impl Redactor {
    /// For a program that was given these secret values.
    ///
    /// # Errors
    /// Only a fault of this program, in the shapes that tokens have.
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Self, regex::Error> {
        Ok(Self { secrets: Secrets::new(values), tokens: Tokens::new()? })
    }

    /// What may be written once `bytes` have come.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut between, mut out) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
        self.secrets.feed(bytes, &mut between);
        self.tokens.feed(&between, &mut out);
        out
    }

    /// The rest, once nothing more comes.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let (mut between, mut out) = (Vec::new(), Vec::new());
        self.secrets.finish(&mut between);
        self.tokens.feed(&between, &mut out);
        self.tokens.finish(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        Redactor::new(secrets.iter().map(|secret| secret.as_bytes())).unwrap()
    }

    fn redacted(secrets: &[&str], pieces: &[&str]) -> String {
        let mut redactor = redactor(secrets);
        let mut out: Vec<u8> = pieces.iter().flat_map(|piece| redactor.feed(piece.as_bytes())).collect();
        out.extend(redactor.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn secrets_are_taken_out_and_the_rest_stays() {
        let secrets = &["hunter22", "hunter2", "two\nlong lines\n", "abc"];
        for (text, want) in [
            ("x hunter22 y", "x [redacted] y"),
            ("x hunter2 y", "x [redacted] y"),
            ("hunter2hunter22", "[redacted][redacted]"),
            ("Hunter2 abc", "Hunter2 abc"), // another value, and one too short to be a secret
            ("two\nlong lines", "[redacted]"),
            ("> long lines <", "> [redacted] <"),
            ("", ""),
            ("no secrets\nhere", "no secrets\nhere"),
            ("Bearer eyJ.a-b_c/d+e== tail", "Bearer [redacted] tail"),
            ("> Authorization: Basic dXNlcjpw ==\r\nok", "> Authorization: [redacted]\r\nok"),
            (
                "{\"authorization\" : \"Bearer a\\\"b c\", \"n\": 1}",
                "{\"authorization\" : \"[redacted]\", \"n\": 1}",
            ),
            ("GET /x?token=abc&n=1 HTTP", "GET /x?token=[redacted]&n=1 HTTP"),
            ("PASSWORD = 's p' x", "PASSWORD = '[redacted]' x"),
            ("password: open-sesame x", "password: [redacted] x"),
            ("{\"access_token\":\"a\",\"b\":\"c\"}", "{\"access_token\":\"[redacted]\",\"b\":\"c\"}"),
            ("+ curl --auth-token t0k -s", "+ curl --auth-token [redacted] -s"),
            ("api_key=k X-Api-Key: k2", "api_key=[redacted] X-Api-Key: [redacted]"),
            ("--token = t0k x", "--token = [redacted] x"),
            (
                "token=\"\\\"a\" x {\\\"token\\\":\\\"b\\\"} y",
                "token=\"[redacted]\" x {\\\"token\\\":\\\"[redacted]",
            ),
            ("token=hunter2&x", "token=[redacted]&x"),
            ("token=\npassword=", "token=\npassword="),
            ("unexpected token: }", "unexpected token: }"),
            ("12 tokens, the bearer", "12 tokens, the bearer"),
        ] {
            assert_eq!(redacted(secrets, &[text]), want, "{text:?}");
        }
    }

    #[test]
    fn a_secret_that_holds_a_separator_is_taken_out_whole() {
        assert_eq!(redacted(&["ab&cd ef"], &["token=ab&cd ef."]), "token=[redacted]");
    }

    #[test]
    fn a_finished_line_is_not_held_back() {
        let mut redactor = redactor(&["secret-value"]);
        for line in ["starting\n", "a bearer\n", "authorization\n", "secret-valu\n", "50 %\r", "job…"] {
            assert_eq!(redactor.feed(line.as_bytes()), line.as_bytes());
        }
        assert_eq!(redactor.feed(b"sec"), b"");
        assert_eq!(redactor.feed(b"ond\n"), b"second\n");
    }

    #[test]
    fn what_looks_like_the_beginning_for_ever_takes_no_memory() {
        let mut redactor = redactor(&["aaaaaaaa"]);
        let mut out = 0;
        for _ in 0..10_000 {
            out += redactor.feed(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").len();
        }
        out += redactor.feed(b"token=").len();
        for _ in 0..10_000 {
            out += redactor.feed(b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").len();
        }
        assert_eq!(out, "[redacted]token=[redacted]".len());
    }

    proptest! {
        #[test]
        fn how_the_bytes_were_cut_makes_no_difference(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "s3cret", "cretin", "s3", "cret", "in", "token=", "pass", "word=", "Bea", "rer ", "auth",
                    "orization", ": ", "\"", "'", "&", "\n", "x", "--", "-key ", "\\", " ", "€", "aaaa", "a",
                ]),
                0..40,
            ),
            cuts in prop::collection::vec(1usize..7, 1..60),
        ) {
            let secrets = &["s3cret", "cretin", "aaaaa", "x\ny€s3"];
            let text = words.concat();
            let whole = redacted(secrets, &[&text]);
            let mut redactor = redactor(secrets);
            let (mut out, mut rest) = (Vec::new(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                out.extend(redactor.feed(piece));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            out.extend(redactor.finish());
            prop_assert_eq!(String::from_utf8(out).unwrap(), whole.clone());
            for secret in secrets {
                prop_assert!(!whole.contains(secret), "{}", whole);
            }
        }
    }
}
