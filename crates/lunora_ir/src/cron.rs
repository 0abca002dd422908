//! Cron expressions: which minutes, in UTC.

mod calendar;
mod field;
mod schedule;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use schedule::CronOption;

use calendar::{Day, day_of, days_in_month};
use field::{DAYS_OF_MONTH, DAYS_OF_WEEK, Field, HOURS, MINUTES, MONTHS};

/// A job that runs at fixed times: one line of `lunora/crons.ts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cron {
    /// What it is called; unique.
    pub name: String,
    /// When, as the platform reads it.
    pub expression: String,
    /// The wire path of the mutation or action it runs.
    pub function: String,
}

/// What is wrong with an expression; completes "the expression …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronError(String);

impl CronError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

/// A parsed expression: `minute hour day-of-month month day-of-week`. Days of the week are counted as the platform
/// does, from 1 for Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CronExpression {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// After so many years without an occurrence there is none: the longest gap is the one around a leap day and a year
/// that ends a century.
const YEARS: i64 = 9;

impl CronExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, for the developer. What the platform might read in another way is refused.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(CronError::new(format!(
                "has {} fields instead of five: minute, hour, day of the month, month, day of the week",
                fields.len()
            )));
        };
        let expression = Self {
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days: DAYS_OF_MONTH.parse(days)?,
            months: MONTHS.parse(months)?,
            weekdays: DAYS_OF_WEEK.parse(weekdays)?,
        };
        if expression.days != DAYS_OF_MONTH.all() && expression.weekdays != DAYS_OF_WEEK.all() {
            return Err(CronError::new(
                "restricts both the day of the month and the day of the week, which is read as \"or\" by some and as \"and\" by others",
            ));
        }
        if expression.next_after(0).is_none() {
            return Err(CronError::new("names no day that exists"));
        }
        Ok(expression)
    }

    /// The first occurrence after a time, both in milliseconds since the epoch.
    #[must_use]
    pub fn next_after(&self, milliseconds: i64) -> Option<i64> {
        let minute = milliseconds.div_euclid(60_000) + 1;
        let mut day = day_of(minute.div_euclid(1_440));
        let last_year = day.year + YEARS;
        let mut from = minute.rem_euclid(1_440);
        while day.year <= last_year {
            if !self.months.has(day.month) {
                day = day.next_month();
                from = 0;
                continue;
            }
            if self.includes(day)
                && let Some(found) = self.minute_from(from)
            {
                return Some((day.number * 1_440 + found) * 60_000);
            }
            from = 0;
            day = day.next();
        }
        None
    }

    const fn includes(&self, day: Day) -> bool {
        self.days.has(day.day) && self.weekdays.has(day.weekday)
    }

    /// The first minute of a day from a minute on.
    fn minute_from(&self, from: i64) -> Option<i64> {
        (from / 60..24).filter(|hour| self.hours.has(*hour)).find_map(|hour| {
            let start = if hour == from / 60 { from % 60 } else { 0 };
            (start..60)
                .find(|minute| self.minutes.has(*minute))
                .map(|minute| hour * 60 + minute)
        })
    }
}

impl Day {
    fn next(self) -> Self {
        day_of(self.number + 1)
    }

    fn next_month(self) -> Self {
        day_of(self.number + days_in_month(self.year, self.month) - self.day + 1)
    }
}
