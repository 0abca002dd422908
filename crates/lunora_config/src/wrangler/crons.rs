//! The times at which the worker is rung.

use jsonc_parser::ast::Array;
use jsonc_parser::common::Ranged as _;
use lunora_diagnostics::Diagnostic;

use super::document::Document;
use super::edit::{Edit, Item, append, remove};
use super::owned::{mark_start, marked, marked_list};
use super::render::quote;
use super::style::Style;

/// What has to happen to a list of times.
#[derive(Default)]
pub(super) struct CronPlan<'w> {
    /// To be added.
    pub(super) missing: Vec<&'w str>,
    /// Added here once, and wanted no more: the position in the list, and the time.
    gone: Vec<(usize, String)>,
}

impl<'w> CronPlan<'w> {
    /// Compares a list with what is wanted. What has no mark is somebody else's and stays.
    pub(super) fn of(
        document: &Document<'_>,
        list: Option<&Array<'_>>,
        path: &str,
        wanted: &'w [String],
    ) -> Result<Self, Diagnostic> {
        let mut present = Vec::new();
        let mut gone = Vec::new();
        for (position, element) in list.iter().flat_map(|list| list.elements.iter().enumerate()) {
            let time = document.string(element, format!("{path}[{position}]"))?;
            let is_ours = mark_start(document.text, time.range.start).is_some();
            if is_ours && !wanted.iter().any(|wanted| *wanted == *time.value) {
                gone.push((position, time.value.to_string()));
            } else {
                present.push(time.value.to_string());
            }
        }
        let missing = wanted
            .iter()
            .map(String::as_str)
            .filter(|wanted| !present.iter().any(|time| time == wanted))
            .collect();
        Ok(Self { missing, gone })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.gone.is_empty()
    }

    /// For people.
    pub(super) fn description(&self) -> String {
        let listed = |times: Vec<&str>| {
            times
                .iter()
                .map(|time| format!("`{time}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let gone = || listed(self.gone.iter().map(|(_, time)| time.as_str()).collect());
        match (self.missing.is_empty(), self.gone.is_empty()) {
            (false, true) => format!("added the times {}", listed(self.missing.clone())),
            (true, _) => format!("removed the times {}, which no cron has any more", gone()),
            (false, false) => format!(
                "put the times {} in the place of {}, which no cron has any more",
                listed(self.missing.clone()),
                gone()
            ),
        }
    }

    /// The edits of a list that is there. New times take the places of those that go, as far as there are any.
    pub(super) fn edits(&self, document: &Document<'_>, style: Style<'_>, list: &Array<'_>) -> Vec<Edit> {
        let text = document.text;
        let replaced = self.missing.len().min(self.gone.len());
        let mut edits: Vec<Edit> = self
            .missing
            .iter()
            .zip(&self.gone)
            .filter_map(|(time, (position, _))| {
                let range = list.elements.get(*position)?.range();
                Some(Edit {
                    start: range.start,
                    end: range.end,
                    text: quote(time),
                })
            })
            .collect();
        let container = marked_list(text, list);
        let items: Vec<Item> = self.missing[replaced..]
            .iter()
            .map(|time| Item {
                key: None,
                value: marked(time),
            })
            .collect();
        edits.extend(append(text, style, &container, &items));
        let positions: Vec<usize> = self.gone[replaced..].iter().map(|(position, _)| *position).collect();
        edits.extend(remove(text, &container, &positions));
        edits
    }
}
