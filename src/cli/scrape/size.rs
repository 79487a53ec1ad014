//! Numbers of bytes as people write them.

/// Reads `0`, `4096`, `64KiB`, `10MB`, `1GiB`.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        _ => None,
    };
    factor
        .and_then(|factor: u64| count.parse::<u64>().ok()?.checked_mul(factor))
        .ok_or_else(|| format!("{text:?} is no number of bytes: write 4096, 64KiB, 10MB or 1GiB"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_size_is_read_as_people_write_it() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("64KiB", 65_536), ("10 MB", 10_000_000), ("1g", 1 << 30)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for bad in ["", "MiB", "-1", "1.5GiB", "1TB", "99999999999GiB"] {
            assert!(parse(bad).unwrap_err().contains("number of bytes"), "{bad}");
        }
    }
}
