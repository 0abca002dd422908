//! The times that `lunora/crons.ts` writes in words, as expressions.

use super::{CronError, CronExpression};

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum CronOption {
    /// `minutes: 5`
    Number(f64),
    /// `dayOfWeek: "monday"`
    Text(String),
}

/// What a method of `cronJobs()` takes.
struct Method {
    name: &'static str,
    options: &'static [&'static str],
}

const METHODS: &[Method] = &[
    Method {
        name: "interval",
        options: &["minutes", "hours"],
    },
    Method {
        name: "hourly",
        options: &["minuteUTC"],
    },
    Method {
        name: "daily",
        options: &["hourUTC", "minuteUTC"],
    },
    Method {
        name: "weekly",
        options: &["dayOfWeek", "hourUTC", "minuteUTC"],
    },
    Method {
        name: "monthly",
        options: &["day", "hourUTC", "minuteUTC"],
    },
];

const WEEKDAYS: &[&str] = &[
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

impl CronExpression {
    /// The methods of `cronJobs()` that take options; `cron` takes an expression.
    pub const METHODS: &'static [&'static str] = &["interval", "hourly", "daily", "weekly", "monthly"];

    /// The expression that a method with its options stands for.
    ///
    /// # Errors
    /// What is wrong with the options, for the developer; completes "the schedule …".
    pub fn text_of(method: &str, options: &[(String, CronOption)]) -> Result<String, CronError> {
        let Some(method) = METHODS.iter().find(|candidate| candidate.name == method) else {
            return Err(CronError::new(format!("is made by `{method}`, which does not exist")));
        };
        if method.name == "interval" && options.iter().any(|(name, _)| name == "seconds") {
            return Err(CronError::new(
                "is in seconds, and the platform's shortest interval is a minute; a job may schedule itself again with `ctx.scheduler.runAfter`",
            ));
        }
        if let Some((unknown, _)) = options
            .iter()
            .find(|(name, _)| !method.options.contains(&name.as_str()))
        {
            return Err(CronError::new(format!(
                "has no option `{unknown}`: `{}` takes {}",
                method.name,
                listed(method.options)
            )));
        }
        let number = |name: &str, from: u32, to: u32| number(options, name, from, to);
        match method.name {
            "interval" => interval(options),
            "hourly" => Ok(format!("{} * * * *", number("minuteUTC", 0, 59)?)),
            "daily" => Ok(format!(
                "{} {} * * *",
                number("minuteUTC", 0, 59)?,
                number("hourUTC", 0, 23)?
            )),
            "weekly" => Ok(format!(
                "{} {} * * {}",
                number("minuteUTC", 0, 59)?,
                number("hourUTC", 0, 23)?,
                weekday(options)?
            )),
            _ => Ok(format!(
                "{} {} {} * *",
                number("minuteUTC", 0, 59)?,
                number("hourUTC", 0, 23)?,
                number("day", 1, 31)?
            )),
        }
    }
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn find<'options>(options: &'options [(String, CronOption)], name: &str) -> Option<&'options CronOption> {
    options.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn number(options: &[(String, CronOption)], name: &str, from: u32, to: u32) -> Result<u32, CronError> {
    let whole = match find(options, name) {
        Some(CronOption::Number(number)) => (from..=to).find(|candidate| f64::from(*candidate) == *number),
        _ => None,
    };
    whole.ok_or_else(|| CronError::new(format!("needs `{name}`, a whole number from {from} to {to}")))
}

fn weekday(options: &[(String, CronOption)]) -> Result<String, CronError> {
    let found = match find(options, "dayOfWeek") {
        Some(CronOption::Text(text)) => WEEKDAYS.iter().find(|day| *day == text),
        _ => None,
    };
    found
        .map(|day| day[..3].to_uppercase())
        .ok_or_else(|| CronError::new(format!("needs `dayOfWeek`, one of {}", listed(WEEKDAYS))))
}

/// Only what divides the hour or the day is an interval: `*/7` would start anew at every full hour.
fn interval(options: &[(String, CronOption)]) -> Result<String, CronError> {
    if options.len() != 1 {
        return Err(CronError::new("needs either `minutes` or `hours`"));
    }
    if find(options, "minutes").is_some() {
        return match number(options, "minutes", 1, 59)? {
            1 => Ok("* * * * *".to_owned()),
            minutes if 60 % minutes == 0 => Ok(format!("*/{minutes} * * * *")),
            minutes => Err(CronError::new(format!(
                "has {minutes} minutes, which do not divide an hour: the minutes from the last run of an hour to the first of the next would be fewer"
            ))),
        };
    }
    match number(options, "hours", 1, 23)? {
        1 => Ok("0 * * * *".to_owned()),
        hours if 24 % hours == 0 => Ok(format!("0 */{hours} * * *")),
        hours => Err(CronError::new(format!(
            "has {hours} hours, which do not divide a day: the hours from the last run of a day to the first of the next would be fewer"
        ))),
    }
}
