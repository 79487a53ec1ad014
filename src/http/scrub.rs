//! Secrets that were sent, taken out of what a server says when it refuses: some repeat what they were sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
        secrets.retain(|secret| secret.expose_secret().len() >= SHORTEST);
        Self(secrets)
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
}
