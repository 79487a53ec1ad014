//! Secrets that were sent, taken out of what a server says when it refuses: some repeat what they were sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::credential::Proof;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";
/// Fields of forms that are secrets (RFC 6749, 7009, 8628).
const FIELDS: [&str; 5] = ["refresh_token", "device_code", "client_secret", "token", "password"];
/// Anything shorter would tear up words.
const SHORTEST: usize = 4;

/// The secrets of one exchange.
#[derive(Clone, Default)]
pub(super) struct Scrub(Vec<SecretString>);

impl Scrub {
    pub(super) fn of(proof: Option<&Proof>, form: Option<&[(String, String)]>) -> Self {
        let mut secrets: Vec<SecretString> = match proof {
            None => Vec::new(),
            Some(Proof::Bearer(token)) => vec![token.clone()],
            Some(Proof::Basic { user, password }) => {
                let pair = SecretString::from(format!("{user}:{}", password.expose_secret()));
                vec![STANDARD.encode(pair.expose_secret()).into(), password.clone()]
            }
            Some(Proof::Header { value, .. }) => vec![value.clone()],
        };
        let fields = form.into_iter().flatten().filter(|(name, _)| FIELDS.contains(&name.as_str()));
        secrets.extend(fields.map(|(_, value)| SecretString::from(value.clone())));
        let mut all: Vec<SecretString> = secrets.iter().flat_map(forms).collect();
        all.retain(|secret| secret.expose_secret().len() >= SHORTEST);
        // The longest first: a form that holds another is taken out whole.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        all.dedup_by(|a, b| a.expose_secret() == b.expose_secret());
        Self(all)
    }

    /// The text without them.
    pub(super) fn text(&self, text: String) -> String {
        let found = |secret: &&SecretString| text.contains(secret.expose_secret());
        if !self.0.iter().any(|secret| found(&secret)) {
            return text;
        }
        self.0.iter().fold(text, |text, secret| text.replace(secret.expose_secret(), REDACTED))
    }
}

/// The ways in which a secret may be repeated: as it is, as in a form or an address, as in JSON; and what it
/// is where it was sent in the form of a form (RFC 6749, 2.3.1).
fn forms(secret: &SecretString) -> Vec<SecretString> {
    let plain = secret.expose_secret();
    let mut all = vec![secret.clone()];
    let decoded = decoded(plain);
    for text in std::iter::once(plain).chain(decoded.as_deref().map(String::as_str)) {
        let form = Zeroizing::new(encoded(text));
        let small = Zeroizing::new(small_hex(&form));
        let json = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
        let texts =
            [text.into(), form.replace('+', "%20"), small.replace('+', "%20"), json.replace('/', "\\/")];
        all.extend(texts.into_iter().map(SecretString::from));
        all.extend([form.as_str(), small.as_str(), json].map(SecretString::from));
    }
    all
}

/// `application/x-www-form-urlencoded`.
pub(super) fn encoded(text: &str) -> String {
    // A URL's query is the one place where this encoding is at hand.
    let Ok(mut url) = reqwest::Url::parse("http://x") else { return text.to_owned() };
    url.query_pairs_mut().append_key_only(text);
    url.query().unwrap_or_default().to_owned()
}

/// What was encoded so; `None` where it is the same.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut url = reqwest::Url::parse("http://x").ok()?;
    // An `=` would part a name from a value.
    url.set_query(Some(&text.replace('=', "%3D").replace('&', "%26")));
    let (plain, _) = url.query_pairs().next()?;
    (plain != text).then(|| Zeroizing::new(plain.into_owned()))
}

/// `%2F` as `%2f`.
fn small_hex(text: &str) -> String {
    let mut left = 0;
    text.chars()
        .map(|c| {
            left = if c == '%' { 2 } else { i32::max(left - 1, -1) };
            if left >= 0 { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_taken_out_of_what_comes_back() {
        let basic = Proof::Basic { user: "Aladdin".into(), password: "open sesame".into() };
        let form =
            [("refresh_token".to_owned(), "r3fresh".to_owned()), ("scope".to_owned(), "flags".to_owned())];
        let scrub = Scrub::of(Some(&basic), Some(&form));
        let said = "not open sesame, QWxhZGRpbjpvcGVuIHNlc2FtZQ==, r3fresh, flags";
        assert_eq!(scrub.text(said.into()), "not [redacted], [redacted], [redacted], flags");
        let short = Scrub::of(Some(&Proof::Bearer("a".into())), None);
        assert_eq!(short.text("a banana".into()), "a banana");
    }

    #[test]
    fn a_secret_with_odd_signs_is_taken_out_in_every_form() {
        let secret = r#"a/b" c+d%e=f"#;
        let password = encoded(secret);
        assert_eq!(password, "a%2Fb%22+c%2Bd%25e%3Df");
        let of_basic = Scrub::of(Some(&Proof::Basic { user: "u".into(), password: password.into() }), None);
        let form = [("client_secret".to_owned(), secret.to_owned())];
        let of_form = Scrub::of(None, Some(&form));
        for scrub in [of_basic, of_form] {
            for repeated in [
                secret,
                "a%2Fb%22+c%2Bd%25e%3Df",
                "a%2Fb%22%20c%2Bd%25e%3Df",
                "a%2fb%22+c%2bd%25e%3df",
                "a/b\\\" c+d%e=f",
                "a\\/b\\\" c+d%e=f",
            ] {
                assert_eq!(scrub.text(format!("not <{repeated}>")), "not <[redacted]>", "{repeated}");
            }
        }
        assert_eq!(small_hex("%2FAB%2Bx"), "%2fAB%2bx");
    }
}
