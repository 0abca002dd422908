//! Dates without a time, as compatibility dates are.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;

/// A day of the Gregorian calendar, counted from 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarDate {
    days: i64,
}

impl CalendarDate {
    /// The day that contains `time`, in UTC. Times before 1970 count as 1970-01-01.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            days: i64::try_from(seconds / SECONDS_PER_DAY).unwrap_or(i64::MAX),
        }
    }

    /// `count` days later.
    #[must_use]
    pub const fn plus_days(self, count: i64) -> Self {
        Self {
            days: self.days.saturating_add(count),
        }
    }

    /// `None` when there is no such day.
    #[must_use]
    pub fn from_parts(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Days from civil: years start in March so that the leap day is the last of its year.
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self {
            days: era * 146_097 + day_of_era - 719_468,
        };
        (date.parts() == (year, month, day)).then_some(date)
    }

    fn parts(self) -> (i64, i64, i64) {
        let shifted = self.days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

/// The text is not `YYYY-MM-DD`, or there is no such day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADate;

impl FromStr for CalendarDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(position, byte)| match position {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(NotADate);
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().map_err(|_| NotADate);
        Self::from_parts(number(0..4)?, number(5..7)?, number(8..10)?).ok_or(NotADate)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_days() {
        assert_eq!("1970-01-01".parse::<CalendarDate>().unwrap().days, 0);
        assert_eq!("2000-03-01".parse::<CalendarDate>().unwrap().days, 11_017);
        let time = UNIX_EPOCH + Duration::from_secs(1_795_263_214);
        assert_eq!(CalendarDate::of(time).to_string(), "2026-11-21");
    }

    #[test]
    fn text_and_back_for_every_day_of_four_centuries() {
        let first: CalendarDate = "1900-01-01".parse().unwrap();
        for count in 0..146_097 {
            let day = first.plus_days(count);
            assert_eq!(day.to_string().parse::<CalendarDate>(), Ok(day));
        }
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in [
            "",
            "2026-13-01",
            "2026-00-10",
            "2026-02-29",
            "2026-04-31",
            "26-01-01",
            "2026-1-1",
            "2026/01/01",
            "2026-01-01T",
            "latest",
            "+026-01-01",
            "0000-01-01",
            "２０２６-01-01",
        ] {
            assert_eq!(text.parse::<CalendarDate>(), Err(NotADate), "{text}");
        }
    }
}
