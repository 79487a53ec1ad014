//! `333.25`: decimals without an exponent, read as fast as they can be.

/// Digits with a point among them, or without one: most times, and most values.
pub(super) struct Decimal {
    /// Without the point; of more than nineteen digits only the last bits.
    pub(super) digits: u64,
    /// How many digits before the point.
    pub(super) whole: usize,
    /// How many after it.
    pub(super) fraction: usize,
    /// How many bytes.
    pub(super) long: usize,
    /// Whether the first digit of several is a zero.
    leading_zero: bool,
}

impl Decimal {
    /// The decimal at the beginning of a text.
    pub(super) fn scan(text: &[u8]) -> Self {
        let (digits, rest) = add_digits(text, 0);
        let whole = text.len() - rest.len();
        let leading_zero = whole > 1 && text.first() == Some(&b'0');
        let Some(behind) = rest.strip_prefix(b".") else {
            return Self { digits, whole, fraction: 0, long: whole, leading_zero };
        };
        let (digits, rest) = add_digits(behind, digits);
        let fraction = behind.len() - rest.len();
        Self { digits, whole, fraction, long: text.len() - rest.len(), leading_zero }
    }

    /// Whether it is a number as JSON writes them.
    pub(super) fn is_json(&self) -> bool {
        let point_alone = self.fraction == 0 && self.long > self.whole;
        self.whole > 0 && !self.leading_zero && !point_alone
    }

    /// The nearest float, where a division of two floats that are exact finds it.
    pub(super) fn exact(&self) -> Option<f64> {
        // Nineteen digits fit a `u64`, and whole numbers up to 2^53 an `f64`.
        let fits = (1..=19).contains(&(self.whole + self.fraction)) && self.digits <= 1 << 53;
        let power = POWERS.get(self.fraction).filter(|_| fits)?;
        Some(self.digits as f64 / power)
    }
}

/// Powers of ten, all of them exact.
const POWERS: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
];

/// The number that digits make after those of `number`, and what follows them.
#[inline]
fn add_digits(text: &[u8], mut number: u64) -> (u64, &[u8]) {
    let mut rest = text;
    while let Some((eight, after)) = rest.split_first_chunk()
        && let Some(eight) = eight_digits(*eight)
    {
        number = number.wrapping_mul(100_000_000).wrapping_add(eight);
        rest = after;
    }
    while let Some((digit, after)) = rest.split_first()
        && digit.is_ascii_digit()
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = after;
    }
    (number, rest)
}

/// The number that eight digits make, all of them at once; `None` where one is no digit.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let digits = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    // A digit is now 0 to 9: four bits, and none the fifth of which is set by adding six.
    if (digits | digits.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_decimal_is_told_from_what_is_none_and_ends_where_its_digits_do() {
        let scanned = |text: &str| {
            let decimal = Decimal::scan(text.as_bytes());
            (decimal.digits, decimal.whole, decimal.fraction, decimal.long, decimal.is_json())
        };
        assert_eq!(scanned("1764684131.204,"), (1_764_684_131_204, 10, 3, 14, true));
        assert_eq!(scanned("0.5e1"), (5, 1, 1, 3, true));
        assert_eq!(scanned("12345678"), (12_345_678, 8, 0, 8, true));
        assert_eq!(scanned("1234567:"), (1_234_567, 7, 0, 7, true));
        for (text, long) in [("", 0), ("-1", 0), (".5", 2), ("5.", 2), ("00", 2), ("01.5", 4), ("x", 0)] {
            let (.., found, json) = scanned(text);
            assert_eq!((found, json), (long, false), "{text}");
        }
        assert_eq!(Decimal::scan(b"9007199254740993").exact(), None);
        assert_eq!(Decimal::scan(b"99999999999999999999").exact(), None);
        assert_eq!(Decimal::scan(b".").exact(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_decimal_is_the_float_that_any_text_of_it_is(text in "[0-9]{0,20}(\\.[0-9]{0,20})?") {
            if let Some(value) = Decimal::scan(text.as_bytes()).exact() {
                prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
            }
        }

        #[test]
        fn eight_bytes_are_a_number_where_all_are_digits(text in proptest::array::uniform8(0x2e_u8..0x3c), any: [u8; 8]) {
            for text in [text, any] {
                let number = str::from_utf8(&text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
                prop_assert_eq!(eight_digits(text), number.and_then(|t| t.parse().ok()));
            }
        }
    }
}
