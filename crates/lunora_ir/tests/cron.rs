//! Cron expressions against an oracle that counts minutes.

#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use lunora_ir::{CronExpression, CronOption};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

/// `2024-02-28 23:59` as milliseconds, by adding up years and months one by one.
fn time(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> i64 {
    let mut days = 0;
    for past in 1970..year {
        days += if is_leap(past) { 366 } else { 365 };
    }
    for past in 1..month {
        days += month_days(year, past);
    }
    (((days + day - 1) * 24 + hour) * 60 + minute) * MINUTE
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn month_days(year: i64, month: i64) -> i64 {
    [
        31,
        if is_leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ][usize::try_from(month - 1).unwrap()]
}

/// Goes from minute to minute like a clock and compares the parts with predicates.
struct Clock {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    /// From 1 for Sunday.
    weekday: i64,
}

impl Clock {
    fn tick(&mut self) {
        self.minute += 1;
        if self.minute < 60 {
            return;
        }
        self.minute = 0;
        self.hour += 1;
        if self.hour < 24 {
            return;
        }
        self.hour = 0;
        self.weekday = self.weekday % 7 + 1;
        self.day += 1;
        if self.day <= month_days(self.year, self.month) {
            return;
        }
        self.day = 1;
        self.month += 1;
        if self.month <= 12 {
            return;
        }
        self.month = 1;
        self.year += 1;
    }
}

type Predicate = fn(&Clock) -> bool;

const CASES: &[(&str, Predicate)] = &[
    ("* * * * *", |_| true),
    ("*/5 * * * *", |now| now.minute % 5 == 0),
    ("7-40/11 */6 * * *", |now| {
        [7, 18, 29, 40].contains(&now.minute) && now.hour % 6 == 0
    }),
    ("0 0 29 2 *", |now| {
        now.minute == 0 && now.hour == 0 && now.day == 29 && now.month == 2
    }),
    ("30 4 1,15 * *", |now| {
        now.minute == 30 && now.hour == 4 && [1, 15].contains(&now.day)
    }),
    ("59 23 31 * *", |now| {
        now.minute == 59 && now.hour == 23 && now.day == 31
    }),
    ("0 12 * * MON-FRI", |now| {
        now.minute == 0 && now.hour == 12 && (2..=6).contains(&now.weekday)
    }),
    ("0 17 * * 1", |now| {
        now.minute == 0 && now.hour == 17 && now.weekday == 1
    }),
    ("15 3 * jan,DEC sat", |now| {
        now.minute == 15 && now.hour == 3 && [1, 12].contains(&now.month) && now.weekday == 7
    }),
    ("5/20 22 * * *", |now| {
        [5, 25, 45].contains(&now.minute) && now.hour == 22
    }),
];

#[test]
fn occurrences_are_those_of_a_clock_over_a_leap_year() {
    for (text, is_due) in CASES {
        let expression = CronExpression::parse(text).unwrap();
        // 2027-11-30 was, and will be, a Tuesday.
        let mut clock = Clock {
            year: 2027,
            month: 11,
            day: 30,
            hour: 0,
            minute: 0,
            weekday: 3,
        };
        let mut now = time(2027, 11, 30, 0, 0);
        let mut next = expression.next_after(now - 1);
        let end = time(2028, 4, 2, 0, 0);
        while now < end {
            if is_due(&clock) {
                assert_eq!(next, Some(now), "{text}");
                next = expression.next_after(now);
            } else {
                assert!(next.unwrap() > now, "{text}: {next:?} at {now}");
            }
            clock.tick();
            now += MINUTE;
        }
    }
}

#[test]
fn rare_days_are_found_however_far_they_are() {
    let leap_day = CronExpression::parse("0 0 29 2 *").unwrap();
    let mut now = time(2023, 3, 1, 0, 0);
    for year in [2024, 2028, 2032] {
        now = leap_day.next_after(now).unwrap();
        assert_eq!(now, time(year, 2, 29, 0, 0));
    }
    // 2100 is none.
    assert_eq!(
        leap_day.next_after(time(2096, 3, 1, 0, 0)),
        Some(time(2104, 2, 29, 0, 0))
    );
    // 2000 was one.
    assert_eq!(
        leap_day.next_after(time(1999, 1, 1, 0, 0)),
        Some(time(2000, 2, 29, 0, 0))
    );
    assert_eq!(leap_day.next_after(-DAY * 300), Some(time(1972, 2, 29, 0, 0)));
}

#[test]
fn what_is_no_expression_is_refused() {
    for (text, part) in [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("0 * * * * *", "6 fields"),
        ("60 * * * *", "`60` for the minute"),
        ("* 24 * * *", "`24` for the hour"),
        ("* * 0 * *", "`0` for the day of the month"),
        ("* * * 13 *", "`13` for the month"),
        ("* * * * 0", "from 1 for Sunday"),
        ("* * * * 8", "from 1 for Sunday"),
        ("*/0 * * * *", "`*/0` for the minute"),
        ("*/60 * * * *", "`*/60` for the minute"),
        ("5-1 * * * *", "ends before it begins"),
        ("+5 * * * *", "`+5`"),
        ("1, * * * *", "`` for the minute"),
        ("* * L * *", "`L`"),
        ("* * * * MON#2", "`MON#2`"),
        ("0 0 1 * MON", "both"),
        ("0 0 31 2,4 *", "no day that exists"),
        ("@daily", "1 fields"),
    ] {
        let error = CronExpression::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "`{text}`: {error}");
    }
}

/// The cases that the runtime computes as well.
#[test]
fn schedules_are_the_expressions_of_the_shared_cases() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/crons.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let options: Vec<(String, CronOption)> = case["options"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let option = value.as_f64().map_or_else(
                    || CronOption::Text(value.as_str().unwrap().to_owned()),
                    CronOption::Number,
                );
                (name.clone(), option)
            })
            .collect();
        let text = CronExpression::text_of(case["method"].as_str().unwrap(), &options);
        assert_eq!(text.as_deref().ok(), case["expression"].as_str(), "{case}");
        if let Ok(text) = text {
            CronExpression::parse(&text).unwrap();
        }
    }
}
