//! Times as Graph writes them.

use jiff::Timestamp;

/// `2023-11-06T05:46:07.985Z`: milliseconds with trailing zeros cut, and no dot if none is left.
pub fn date_time(at_us: i64) -> String {
    precise_date_time(at_us.div_euclid(1000) * 1000)
}

/// `2023-11-06T05:46:07.985324Z`: as many decimals as there are, so that it is read back as the same instant.
pub fn precise_date_time(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `2023-11-03T07:17:25`: whole seconds and no zone, as in the body of an error.
pub fn error_date(at_us: i64) -> String {
    timestamp(at_us).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn timestamp(at_us: i64) -> Timestamp {
    Timestamp::from_second(at_us.div_euclid(1_000_000)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lose_their_trailing_zeros_only() {
        for (at_us, text) in [
            (1_698_969_182_051_701, "2023-11-02T23:53:02.051Z"),
            (1_698_969_187_990_000, "2023-11-02T23:53:07.99Z"),
            (1_698_969_180_000_999, "2023-11-02T23:53:00Z"),
        ] {
            assert_eq!(date_time(at_us), text);
        }
        assert_eq!(error_date(1_698_969_182_051_701), "2023-11-02T23:53:02");
    }
}
