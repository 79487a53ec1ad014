//! Sizes as people write them: `64MiB`.

/// The units, largest first so that `MiB` is not read as `B`.
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Reads `64MiB`, `1.5GB`, `1000`.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let bad = || {
        let text = crate::model::text::harmless_line(text, 40);
        format!("{text:?} is no size: write a number of bytes, or one with kB, MB, GB, KiB, MiB or GiB")
    };
    let trimmed = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((trimmed.strip_suffix(name)?, *unit)))
        .unwrap_or((trimmed, 1));
    let number: f64 = number.trim().parse().map_err(|_| bad())?;
    let bytes = number * unit as f64;
    if (1.0..9.0e15).contains(&bytes) { Ok(bytes as u64) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_decimal_and_binary_units() {
        for (text, bytes) in
            [("64MiB", 67_108_864), ("1.5 kB", 1500), ("512 B", 512), ("1000", 1000), ("2GB", 2_000_000_000)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for bad in ["", "MiB", "0", "-1MB", "64mb", "NaN", "1e300GiB", "inf"] {
            assert!(parse(bad).unwrap_err().contains("no size"), "{bad}");
        }
    }
}
