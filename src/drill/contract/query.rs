//! The query of a request: names and values, decoded.

/// Decoded pairs, in the order they were sent.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark, as forms encode it.
    pub fn parse(query: &str) -> Self {
        // The address is only there because the parser wants a whole one.
        let url = reqwest::Url::parse(&format!("http://localhost/?{query}"));
        Self(url.map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect()))
    }

    /// The value of a name that may be given once; of several the last one counts.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()
    }

    /// All values of a name that may be repeated.
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_repeated_and_values_are_decoded() {
        let query = Query::parse("key=tasks.enabled&key=a%26b&environment=prod+uction&limit");
        assert_eq!(query.all("key").collect::<Vec<_>>(), ["tasks.enabled", "a&b"]);
        assert_eq!((query.one("environment"), query.one("limit")), (Some("prod uction"), Some("")));
        assert_eq!(query.one("cursor"), None);
    }
}
