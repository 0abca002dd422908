//! Diagnostics as JSON, for the browser overlay, editors and scripts.

use serde_json::{Value, json};

use crate::Diagnostic;
use crate::render_text::frame;
use crate::source::Sources;

/// `{code, severity, message, help, labels: [{file, message, start, end, frame}]}`. `start` and `end`
/// are `{offset, line, column}` in UTF-16 code units, lines and columns from 1; both and `frame` are
/// `null` when the text of the file is not at hand.
#[must_use]
pub fn to_json(diagnostic: &Diagnostic, sources: &dyn Sources) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let file = sources.source(&label.file);
            json!({
                "file": label.file,
                "message": label.message,
                "start": file.map(|file| file.location(label.span.start)),
                "end": file.map(|file| file.location(label.span.end.max(label.span.start))),
                "frame": file.map(|file| frame(label, file)),
            })
        })
        .collect();
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": labels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceFiles, Span, codes};

    #[test]
    fn offsets_are_utf16() {
        let mut sources = SourceFiles::default();
        sources.insert("a.ts", "\u{feff}// 😀\r\nconst é = broken;\r\n");
        let text = "\u{feff}// 😀\r\nconst é = ";
        let start = u32::try_from(text.len()).unwrap_or(0);
        let diagnostic = Diagnostic::error(codes::SYNTAX_ERROR, "m")
            .at("a.ts", Span { start, end: start + 6 })
            .and_at("missing.ts", Span { start: 1, end: 2 }, "there");
        let json = to_json(&diagnostic, &sources);
        assert_eq!(json["code"], "SYNTAX_ERROR");
        assert_eq!(json["severity"], "error");
        assert_eq!(json["help"], Value::Null);
        assert_eq!(
            json["labels"][0]["start"],
            json!({ "offset": 18, "line": 2, "column": 11 })
        );
        assert_eq!(
            json["labels"][0]["end"],
            json!({ "offset": 24, "line": 2, "column": 17 })
        );
        assert_eq!(
            json["labels"][0]["frame"],
            "1 | // 😀\n2 | const é = broken;\n  :           ^^^^^^"
        );
        assert_eq!(
            json["labels"][1],
            json!({ "file": "missing.ts", "message": "there", "start": null, "end": null, "frame": null })
        );
    }
}
