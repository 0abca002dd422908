//! A change of a row, as a line.

use serde_json::{Map, Value as Json};

use super::show::{cut, text};

/// What is known of a row before or after: a document, or its text as events carry it, which may be cut.
fn image(change: &Json, field: &str) -> Option<Json> {
    match change.get(field) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))),
        Some(other) => Some(other.clone()),
    }
}

fn value(json: &Json) -> String {
    match json {
        // Only a text that was cut is no document.
        Json::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

/// The fields that are not the same, `name: before → after`.
fn differences(before: &Map<String, Json>, after: &Map<String, Json>) -> String {
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    let names: Vec<&String> = after.keys().chain(removed).collect();
    let shown = |side: &Map<String, Json>, name: &str| {
        side.get(name)
            .map_or_else(|| "–".to_owned(), |value| cut(&value.to_string()))
    };
    let different = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    different
        .map(|name| format!("{}: {} → {}", cut(name), shown(before, name), shown(after, name)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `#12 patch messages m1  text: "a" → "b"`
pub(super) fn change_line(change: &Json) -> String {
    let (before, after) = (image(change, "before"), image(change, "after"));
    let what = match (&before, &after) {
        (Some(Json::Object(before)), Some(Json::Object(after))) => differences(before, after),
        (_, Some(after)) => value(after),
        (Some(before), None) => value(before),
        (None, None) => String::new(),
    };
    let line = format!(
        "#{} {} {} {}  {what}",
        change.get("seq").cloned().unwrap_or_default(),
        cut(text(change, "op")),
        cut(text(change, "table")),
        cut(text(change, "id")),
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_change() {
        let line = |extra: Json| {
            let mut change = json!({ "seq": 7, "op": "update", "table": "notes", "id": "n1" });
            for (name, value) in extra.as_object().cloned().unwrap_or_default() {
                change[name] = value;
            }
            change_line(&change)
        };
        assert_eq!(
            line(json!({ "op": "insert", "after": { "text": "a" } })),
            r#"#7 insert notes n1  {"text":"a"}"#
        );
        assert_eq!(
            line(
                json!({ "before": { "text": "a", "old": 1, "same": 1 }, "after": { "text": "b", "same": 1, "new": true } })
            ),
            r#"#7 update notes n1  text: "a" → "b", new: – → true, old: 1 → –"#
        );
        assert_eq!(
            line(json!({ "before": "{\"text\":\"a\"}", "after": "{\"text\":\"b\"}" })),
            r#"#7 update notes n1  text: "a" → "b""#
        );
        assert_eq!(
            line(json!({ "op": "delete", "before": { "text": "a" }, "after": null })),
            r#"#7 delete notes n1  {"text":"a"}"#
        );
        assert_eq!(
            line(json!({ "after": "{\"text\":\"cut" })),
            r#"#7 update notes n1  {"text":"cut"#
        );
        assert_eq!(line(json!({})), "#7 update notes n1");
    }
}
