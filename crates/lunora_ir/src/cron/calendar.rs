//! Days of the Gregorian calendar, in UTC.

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    /// Since 1970-01-01, which is 0.
    pub(super) number: i64,
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// From 1 for Sunday.
    pub(super) weekday: i64,
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of a year.
const fn days_before(year: i64) -> i64 {
    let past = year - 1;
    let leaps = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    // 477 leap days before 1970.
    (year - 1970) * 365 + leaps - 477
}

/// The day with a number.
pub(super) fn day_of(number: i64) -> Day {
    // An average year has 365.2425 days, so the guess is wrong by one at most.
    let mut year = 1970 + (number * 10_000).div_euclid(3_652_425);
    while days_before(year) > number {
        year -= 1;
    }
    while days_before(year + 1) <= number {
        year += 1;
    }
    let mut day = number - days_before(year) + 1;
    let mut month = 1;
    while day > days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    Day {
        number,
        year,
        month,
        day,
        // The first day was a Thursday.
        weekday: (number + 4).rem_euclid(7) + 1,
    }
}
