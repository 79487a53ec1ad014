//! Whatever looks like a token, a password or a key.
//!
//! A key that says what follows (`token=`, `"password": `, `Bearer `) is found by its shape; what
//! follows it is replaced, however long it is. A shape is a list of steps, so that the same list also
//! tells whether the end of what has come may be the beginning of a key.

use regex::bytes::Regex;

use super::REDACTED;

/// Names whose `=` is followed by a secret; a dash may also be an underscore or missing.
const NAMES: &[&str] = &["password", "passwd", "token", "secret", "api-key"];
/// Those of them that announce a secret also before a bare colon: `unexpected token: }` does not.
const COLON: &[&str] = &["password", "passwd", "api-key"];
/// No key is longer.
const LONGEST: usize = 64;
/// Space before the sign.
const SPACE: &str = "[ \t]{0,4}";

/// Where a secret ends.
#[derive(Clone, Copy)]
enum Until {
    /// At a space, a quote or `&`.
    Word,
    /// With the line.
    Line,
    /// At this quote, or with the line.
    Quote {
        /// `'` or `"`.
        mark: u8,
        /// Whether a backslash stood before the next byte.
        escaped: bool,
    },
}

impl Until {
    /// Where in the bytes the secret ends, if it does.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|&byte| match self {
            _ if byte == b'\n' || byte == b'\r' => true,
            Self::Line => false,
            Self::Word => byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'&'),
            Self::Quote { mark, escaped } => {
                let ends = byte == *mark && !*escaped;
                *escaped = byte == b'\\' && !*escaped;
                ends
            }
        })
    }
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing secret.
    Plain,
    /// After a key, before the secret that it announces.
    Before(Until),
    /// Within the secret.
    Within(Until),
}

/// Takes tokens out of a stream.
pub(super) struct Tokens {
    key: Regex,
    beginning: Regex,
    state: State,
    /// What may be the beginning of a key.
    held: Vec<u8>,
}

impl Tokens {
    /// # Errors
    /// A fault in the shapes.
    pub(super) fn new() -> Result<Self, regex::Error> {
        let (mut keys, mut beginnings) = (Vec::new(), Vec::new());
        for steps in shapes() {
            keys.push(steps.concat());
            // "(?:t(?:o(?:k(?:e(?:n(?:=)?)?)?)?)?)?"
            beginnings
                .push(steps.iter().rev().fold(String::new(), |after, step| format!("(?:{step}{after})?")));
        }
        Ok(Self {
            key: Regex::new(&format!("(?i-u)(?:{})", keys.join("|")))?,
            beginning: Regex::new(&format!(r"(?i-u)(?:{})\z", beginnings.join("|")))?,
            state: State::Plain,
            held: Vec::new(),
        })
    }

    /// Adds to `out` what may be written once `bytes` have come.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend(bytes);
        let all = std::mem::take(&mut self.held);
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let count = match self.state {
                State::Plain => self.plain(rest, out),
                State::Before(until) => self.before(until, rest, out),
                State::Within(until) => self.within(until, rest),
            };
            rest = rest.split_at_checked(count).unwrap_or_default().1;
        }
    }

    /// Adds the rest, once nothing more comes.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }

    /// Copies up to and with the next key, or what cannot become one. Gives how far it came.
    fn plain(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        if let Some(key) = self.key.find(rest) {
            out.extend(rest.get(..key.end()).unwrap_or_default());
            let line = key.as_bytes().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"auth"));
            self.state = State::Before(if line { Until::Line } else { Until::Word });
            return key.end();
        }
        let looked_at = rest.len().saturating_sub(LONGEST);
        let end = rest.get(looked_at..).unwrap_or_default();
        let held = self.beginning.find(end).map_or(0, |beginning| beginning.len());
        let (plain, held) = rest.split_at_checked(rest.len() - held).unwrap_or_default();
        out.extend(plain);
        self.held.extend(held);
        rest.len()
    }

    /// Copies what stands between a key and its secret.
    fn before(&mut self, until: Until, rest: &[u8], out: &mut Vec<u8>) -> usize {
        let quoted = matches!(until, Until::Quote { .. });
        let between = |byte: &u8| !quoted && matches!(byte, b' ' | b'\t' | b'\\' | b'=' | b':');
        let space = rest.iter().take_while(|&byte| between(byte)).count();
        out.extend(rest.get(..space).unwrap_or_default());
        let Some(next) = rest.get(space) else { return space };
        if matches!(next, b'"' | b'\'') && !quoted {
            out.push(*next);
            self.state = State::Before(Until::Quote { mark: *next, escaped: false });
            return space + 1;
        }
        let mut first = until;
        self.state = if first.end(&[*next]).is_some() {
            State::Plain
        } else {
            out.extend(REDACTED);
            State::Within(until)
        };
        space
    }

    /// Passes over a secret.
    fn within(&mut self, mut until: Until, rest: &[u8]) -> usize {
        let end = until.end(rest);
        self.state = if end.is_some() { State::Plain } else { State::Within(until) };
        end.unwrap_or(rest.len())
    }
}

/// What keys look like.
fn shapes() -> Vec<Vec<String>> {
    let mut all = vec![
        shape(&[], "bearer", &["[ \t]"]),
        shape(&[], "authorization", &[r"\\?", r#"["']?"#, SPACE, "[:=]"]),
    ];
    for name in NAMES {
        all.push(shape(&[], name, &[r"\\?", r#"["']?"#, SPACE, "="]));
        all.push(shape(&[], name, &[r"\\?", r#"["']"#, SPACE, ":"]));
        all.push(shape(&["-", "-", "[a-z0-9-]{0,24}"], name, &["[ \t]"]));
    }
    all.extend(COLON.iter().map(|name| shape(&[], name, &[SPACE, ":"])));
    all
}

fn shape(before: &[&str], name: &str, after: &[&str]) -> Vec<String> {
    let letters = name.chars().map(|c| if c == '-' { "[_-]?".to_owned() } else { c.to_string() });
    let own = |steps: &[&str]| steps.iter().map(|&step| step.to_owned()).collect::<Vec<_>>();
    own(before).into_iter().chain(letters).chain(own(after)).collect()
}
