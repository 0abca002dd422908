//! Insertions into JSON with comments.
//!
//! Nothing is printed again: an edit is a piece of text at a place, so all other bytes are what they
//! were by construction.

use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::{Range, Ranged};
use serde_json::Value;

use super::render::{quote, render, render_inline};
use super::style::{Style, indentation, is_first_on_line};

/// Text that takes the place of a range; an insertion where the range is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

impl Edit {
    fn insert(at: usize, text: String) -> Self {
        Self {
            start: at,
            end: at,
            text,
        }
    }
}

/// An object or an array: where it is and where its items are.
#[derive(Debug)]
pub(super) struct Container {
    range: Range,
    pub(super) items: Vec<Range>,
}

impl From<&Object<'_>> for Container {
    fn from(object: &Object<'_>) -> Self {
        let items = object.properties.iter().map(|property| property.range).collect();
        Self {
            range: object.range,
            items,
        }
    }
}

impl From<&Array<'_>> for Container {
    fn from(array: &Array<'_>) -> Self {
        let items = array.elements.iter().map(Ranged::range).collect();
        Self {
            range: array.range,
            items,
        }
    }
}

/// Something to append: a property where there is a key, else an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) key: Option<&'static str>,
    pub(super) value: Value,
}

impl Item {
    fn inline(&self) -> String {
        self.with_key(render_inline(&self.value))
    }

    /// On lines of its own. An element that holds nothing deeper takes one line.
    fn on_lines(&self, style: Style<'_>, indent: &str) -> String {
        match self.key {
            Some(_) => self.with_key(render(&self.value, style, indent)),
            None => render_inline(&self.value),
        }
    }

    fn with_key(&self, value: String) -> String {
        match self.key {
            Some(key) => format!("{}: {value}", quote(key)),
            None => value,
        }
    }
}

/// The edits that append items to a container, in the way its other items are written: on the same
/// line or on lines of their own, with or without a comma after the last.
pub(super) fn append(text: &str, style: Style<'_>, container: &Container, items: &[Item]) -> Vec<Edit> {
    if items.is_empty() {
        return Vec::new();
    }
    let Some(last) = container.items.last() else {
        return vec![fill(text, style, container, items)];
    };
    let comma = trailing_comma(text, last.end);
    let mut edits = Vec::new();
    if is_first_on_line(text, last.start) {
        let indent = indentation(text, last.start);
        let after = line_content_end(text, comma.map_or(last.end, |at| at + 1));
        if comma.is_none() {
            edits.push(Edit::insert(last.end, ",".to_owned()));
        }
        let mut added = lines(style, indent, items);
        if comma.is_some() {
            added.push(',');
        }
        edits.push(Edit::insert(after, added));
    } else {
        let joined = items.iter().map(Item::inline).collect::<Vec<_>>().join(", ");
        edits.push(match comma {
            Some(at) => Edit::insert(at + 1, format!(" {joined},")),
            None => Edit::insert(last.end, format!(", {joined}")),
        });
    }
    edits
}

/// The edits that take items out of a container, each with its comma, and with its line where nothing else is on it.
/// Comments stay.
pub(super) fn remove(text: &str, container: &Container, gone: &[usize]) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut delete = |mut start: usize, end: usize| {
        // Two that stand beside each other share the blanks between them.
        let done = edits.last().map_or(0, |edit: &Edit| edit.end);
        start = start.max(done);
        edits.push(Edit {
            start,
            end: end.max(start),
            text: String::new(),
        });
    };
    let last_kept = (0..container.items.len())
        .rev()
        .find(|position| !gone.contains(position));
    let ends_with_comma = |item: &Range| trailing_comma(text, item.end);
    let keeps_last_comma = container
        .items
        .last()
        .is_none_or(|item| ends_with_comma(item).is_some());
    for (position, item) in container.items.iter().enumerate() {
        let comma = ends_with_comma(item);
        if !gone.contains(&position) {
            // What was not the last is the last now.
            let is_last = last_kept == Some(position) && position + 1 < container.items.len();
            if let (true, false, Some(at)) = (is_last, keeps_last_comma, comma) {
                delete(at, at + 1);
            }
            continue;
        }
        let end = match comma {
            Some(at) if text[item.end..at].trim().is_empty() => at + 1,
            _ => item.end,
        };
        let line_end = end + text[end..].len() - text[end..].trim_start_matches([' ', '\t', '\r']).len();
        if is_first_on_line(text, item.start) && text[line_end..].starts_with('\n') {
            delete(item.start - indentation(text, item.start).len(), line_end + 1);
        } else if last_kept.is_some_and(|last| position < last) {
            delete(
                item.start,
                end + text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len(),
            );
        } else {
            delete(text[..item.start].trim_end_matches([' ', '\t']).len(), end);
        }
        if let (true, Some(at)) = (end == item.end, comma) {
            delete(at, at + 1);
        }
    }
    edits
}

/// The first items of an empty container.
fn fill(text: &str, style: Style<'_>, container: &Container, items: &[Item]) -> Edit {
    let (open, close) = (container.range.start + 1, container.range.end - 1);
    let inner = &text[open..close];
    let base = indentation(text, container.range.start);
    let content_end = open + inner.trim_end().len();
    let all_plain = items.iter().all(|item| item.key.is_none() && !item.value.is_object());
    if content_end == open && all_plain {
        // Plain values stay on the line of their brackets; the blanks between those go.
        let joined = items.iter().map(Item::inline).collect::<Vec<_>>().join(", ");
        return Edit {
            start: open,
            end: close,
            text: joined,
        };
    }
    let mut added = lines(style, &format!("{base}{}", style.unit), items);
    let rest = &text[content_end..close];
    if content_end == open {
        added.push_str(style.newline);
        added.push_str(base);
        return Edit {
            start: open,
            end: close,
            text: added,
        };
    }
    if !rest.contains('\n') {
        added.push_str(style.newline);
        added.push_str(base);
    }
    Edit::insert(content_end, added)
}

fn lines(style: Style<'_>, indent: &str, items: &[Item]) -> String {
    let mut text = String::new();
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(style.newline);
        text.push_str(indent);
        text.push_str(&item.on_lines(style, indent));
    }
    text
}

/// Where the comma after an item is, whatever comments stand between.
fn trailing_comma(text: &str, item_end: usize) -> Option<usize> {
    let mut at = item_end;
    loop {
        let rest = &text[at..];
        let blanks = rest.len() - rest.trim_start().len();
        at += blanks;
        match comment_length(&text[at..]) {
            Some(length) => at += length,
            None => return text[at..].starts_with(',').then_some(at),
        }
    }
}

/// The end of what stands on the rest of a line: comments belong to the item before them.
fn line_content_end(text: &str, start: usize) -> usize {
    let mut end = start;
    loop {
        let rest = &text[end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match comment_length(&rest[blanks..]) {
            Some(length) => {
                let comment = &rest[blanks..blanks + length];
                end += blanks + length;
                if comment.contains('\n') {
                    return end;
                }
            }
            None => return end,
        }
    }
}

/// The length of the comment that a text starts with, a line comment without its line break.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        let line = text.find('\n').unwrap_or(text.len());
        Some(text[..line].strip_suffix('\r').unwrap_or(&text[..line]).len())
    } else if text.starts_with("/*") {
        text.find("*/").map(|end| end + 2)
    } else {
        None
    }
}

/// The text with the edits made. Edits do not overlap; of two at one place the first stays first.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.start);
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut edited = String::with_capacity(text.len() + added);
    let mut at = 0;
    for edit in edits {
        edited.push_str(&text[at..edit.start]);
        edited.push_str(&edit.text);
        at = edit.end;
    }
    edited.push_str(&text[at..]);
    edited
}
