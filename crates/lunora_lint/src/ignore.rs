//! `// lunora-ignore <CODE>: reason`, at the end of the line or in comment lines right above it.

use lunora_diagnostics::Diagnostic;

const MARK: &str = "lunora-ignore";

/// What the source says about a finding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ignoring {
    No,
    /// It names the code but not why.
    WithoutReason,
    Yes,
}

pub(super) fn look<'source>(finding: &Diagnostic, source: impl Fn(&str) -> Option<&'source str>) -> Ignoring {
    let Some(label) = finding.labels.first() else {
        return Ignoring::No;
    };
    let Some(text) = source(&label.file) else {
        return Ignoring::No;
    };
    let offset = label.span.start as usize;
    let Some((before, after)) = text.split_at_checked(offset) else {
        return Ignoring::No;
    };
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = offset + after.find('\n').unwrap_or(after.len());
    let code = finding.code.as_str();
    let own = text[start..end].split_once("//").map(|(_, comment)| comment);
    let above = text[..start]
        .lines()
        .rev()
        .map(str::trim_start)
        .map_while(|line| line.strip_prefix("//"));
    own.into_iter()
        .chain(above)
        .map(|comment| said(comment, code))
        .find(|said| *said != Ignoring::No)
        .unwrap_or(Ignoring::No)
}

/// What a comment says about a code.
fn said(comment: &str, code: &str) -> Ignoring {
    let Some((_, rest)) = comment.split_once(MARK) else {
        return Ignoring::No;
    };
    let (named, reason) = rest.split_once(':').unwrap_or((rest, ""));
    if named.trim() != code {
        Ignoring::No
    } else if reason.trim().is_empty() {
        Ignoring::WithoutReason
    } else {
        Ignoring::Yes
    }
}

pub(super) fn asking_for_a_reason(finding: Diagnostic) -> Diagnostic {
    let help = format!("Say why it is meant: `// {MARK} {}: reason`.", finding.code.as_str());
    finding.with_help(help)
}

#[cfg(test)]
mod tests {
    use lunora_diagnostics::{Span, codes};

    use super::*;

    /// What the source says of the first `here` in it.
    fn looked(text: &'static str) -> Ignoring {
        let start = text
            .find("here")
            .map_or(u32::MAX, |offset| u32::try_from(offset).unwrap_or(u32::MAX));
        let finding = Diagnostic::warning(codes::NOT_DETERMINISTIC, "").at("a.ts", Span { start, end: start });
        look(&finding, |file| (file == "a.ts").then_some(text))
    }

    #[test]
    fn on_the_line_or_right_above_it() {
        for text in [
            "here(); // lunora-ignore NOT_DETERMINISTIC: a test",
            "// lunora-ignore NOT_DETERMINISTIC: a test\nhere();",
            "x();\n  // lunora-ignore NOT_DETERMINISTIC: a test\n  // and more of it\n  y(here());\n",
            "\t//lunora-ignore   NOT_DETERMINISTIC : a test\r\n\there();\r\n",
        ] {
            assert_eq!(looked(text), Ignoring::Yes, "{text}");
        }
    }

    #[test]
    fn nowhere_else_and_of_nothing_else() {
        for text in [
            "here();",
            "",
            "// lunora-ignore NOT_DETERMINISTIC: a test\n\nhere();",
            "// lunora-ignore NOT_DETERMINISTIC: a test\nx();\nhere();",
            "here();\n// lunora-ignore NOT_DETERMINISTIC: a test",
            "// lunora-ignore NAMESPACE_BYPASSED: a test\nhere();",
            "// lunora-ignore: a test\nhere();",
            "\"lunora-ignore NOT_DETERMINISTIC: x\"; here();",
        ] {
            assert_eq!(looked(text), Ignoring::No, "{text}");
        }
    }

    #[test]
    fn a_reason_is_asked_for() {
        for text in [
            "// lunora-ignore NOT_DETERMINISTIC\nhere();",
            "// lunora-ignore NOT_DETERMINISTIC:\nhere();",
            "// lunora-ignore NOT_DETERMINISTIC:  \nhere();",
        ] {
            assert_eq!(looked(text), Ignoring::WithoutReason, "{text}");
        }
    }
}
