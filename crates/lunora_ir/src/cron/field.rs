//! One field of an expression.

use super::CronError;

/// The values that a field names, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field(u64);

impl Field {
    pub(super) const fn has(self, value: i64) -> bool {
        value >= 0 && value < 64 && self.0 >> value & 1 == 1
    }
}

/// What a field can name.
pub(super) struct Kind {
    name: &'static str,
    first: u32,
    last: u32,
    /// Of the values from `first` on.
    names: &'static [&'static str],
}

pub(super) const MINUTES: Kind = Kind {
    name: "minute",
    first: 0,
    last: 59,
    names: &[],
};

pub(super) const HOURS: Kind = Kind {
    name: "hour",
    first: 0,
    last: 23,
    names: &[],
};

pub(super) const DAYS_OF_MONTH: Kind = Kind {
    name: "day of the month",
    first: 1,
    last: 31,
    names: &[],
};

pub(super) const MONTHS: Kind = Kind {
    name: "month",
    first: 1,
    last: 12,
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
};

pub(super) const DAYS_OF_WEEK: Kind = Kind {
    name: "day of the week",
    first: 1,
    last: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};

impl Kind {
    /// Every value.
    pub(super) fn all(&self) -> Field {
        self.every(self.first, self.last, 1)
    }

    fn every(&self, from: u32, to: u32, step: u32) -> Field {
        let bits = (from..=to)
            .filter(|value| (value - from).is_multiple_of(step))
            .fold(0, |bits, value| bits | 1 << value);
        Field(bits)
    }

    /// Reads `*`, `5`, `1-5`, `*/15`, `10-40/5`, and lists of those.
    pub(super) fn parse(&self, text: &str) -> Result<Field, CronError> {
        text.split(',').try_fold(Field(0), |sum, part| {
            let Field(bits) = self.part(part)?;
            Ok(Field(sum.0 | bits))
        })
    }

    fn part(&self, text: &str) -> Result<Field, CronError> {
        let (range, step) = match text.split_once('/') {
            None => (text, 1),
            Some((range, step)) => {
                let step = step
                    .parse()
                    .ok()
                    .filter(|step| (1..=self.last).contains(step) && !text.contains('+'))
                    .ok_or_else(|| self.error(text))?;
                (range, step)
            }
        };
        let (from, to) = if range == "*" {
            (self.first, self.last)
        } else if let Some((from, to)) = range.split_once('-') {
            (self.value(from)?, self.value(to)?)
        } else if text.contains('/') {
            (self.value(range)?, self.last)
        } else {
            let value = self.value(range)?;
            (value, value)
        };
        if from > to {
            return Err(CronError::new(format!(
                "has the range `{range}` for the {}, which ends before it begins",
                self.name
            )));
        }
        Ok(self.every(from, to, step))
    }

    fn value(&self, text: &str) -> Result<u32, CronError> {
        if let Some(place) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return u32::try_from(place)
                .map(|place| self.first + place)
                .map_err(|_| self.error(text));
        }
        text.parse()
            .ok()
            .filter(|value| (self.first..=self.last).contains(value) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| self.error(text))
    }

    fn error(&self, text: &str) -> CronError {
        let names = match self.names {
            [first, .., last] => format!(", or {first} to {last}"),
            _ => String::new(),
        };
        let sunday = if self.name == DAYS_OF_WEEK.name {
            " (the platform counts from 1 for Sunday)"
        } else {
            ""
        };
        CronError::new(format!(
            "has `{text}` for the {}, which is {} to {}{names}{sunday}, with `*`, ranges, lists and steps",
            self.name, self.first, self.last
        ))
    }
}
