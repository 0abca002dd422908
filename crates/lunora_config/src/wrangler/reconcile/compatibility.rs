//! The date and the flags that say which runtime a Worker gets.

use lunora_diagnostics::Diagnostic;
use serde_json::json;

use super::super::edit::Edit;
use super::super::render::quote;
use super::{Reconciler, Section, listed};

impl<'a> Reconciler<'_, 'a> {
    pub(super) fn compatibility_date(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "compatibility_date";
        let path = section.path(KEY);
        let minimum = &self.wanted.minimum_compatibility_date;
        let default = &self.wanted.compatibility_date;
        let Some(property) = self.document.property(section.object, &path, KEY)? else {
            if section.is_top {
                self.add(
                    section,
                    KEY,
                    json!(default),
                    format!("the compatibility date, `{default}`"),
                );
            }
            return Ok(());
        };
        let date = self.document.string(&property.value, &path)?;
        if !is_date(&date.value) {
            return Err(self
                .document
                .shape(&property.value, &path, "a date such as `2026-01-31`"));
        }
        // Dates of this form sort as text.
        if *date.value < **minimum {
            self.edits.push(Edit {
                start: date.range.start,
                end: date.range.end,
                text: quote(minimum),
            });
            self.change(
                path,
                format!("raised the compatibility date from `{}` to `{minimum}`", date.value),
            );
        }
        Ok(())
    }

    pub(super) fn compatibility_flags(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "compatibility_flags";
        let path = section.path(KEY);
        let wanted = &self.wanted.compatibility_flags;
        let list = self.document.array_property(section.object, &path, KEY)?;
        let mut present = Vec::new();
        for (position, element) in list.iter().flat_map(|list| list.elements.iter().enumerate()) {
            let flag = self.document.string(element, format!("{path}[{position}]"))?;
            if let Some(wanted) = wanted.iter().find(|wanted| are_opposites(wanted, &flag.value)) {
                return Err(self.document.conflict(
                    flag.range,
                    format!(
                        "the compatibility flag `{}` turns off what `{wanted}` turns on, and the app needs `{wanted}`",
                        flag.value
                    ),
                    format!("Remove `{}`", flag.value),
                ));
            }
            present.push(flag.value.as_ref());
        }
        let mut missing: Vec<&String> = Vec::new();
        for flag in wanted {
            if !present.contains(&flag.as_str()) && !missing.contains(&flag) {
                missing.push(flag);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let description = format!(
            "the compatibility flags {}",
            listed(missing.iter().map(|flag| flag.as_str()))
        );
        match list {
            Some(list) => {
                self.change(path, format!("added {description}"));
                self.append_to(list, missing.iter().map(|flag| json!(flag)));
            }
            None if section.is_top => self.add(section, KEY, json!(missing), description),
            None => {}
        }
        Ok(())
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(position, byte)| match position {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn are_opposites(one: &str, other: &str) -> bool {
    one.strip_prefix("no_") == Some(other) || other.strip_prefix("no_") == Some(one)
}
