//! Files that editors and tools write beside the one they save.

/// Whether `name` is a file that nobody means to keep.
pub(crate) fn is_temporary(name: &str) -> bool {
    // Vim asks with a file of this name whether it may write into the folder.
    if name == "4913" || name == ".DS_Store" || name.ends_with('~') {
        return true;
    }
    // Emacs: lock files and auto-saves.
    if name.starts_with(".#") || (name.len() > 1 && name.starts_with('#') && name.ends_with('#')) {
        return true;
    }
    // JetBrains editors' safe write.
    if name.ends_with("___jb_tmp___") || name.ends_with("___jb_old___") {
        return true;
    }
    // `sed -i` writes `sedAbC123` and renames it.
    if let Some(rest) = name.strip_prefix("sed")
        && rest.len() == 6
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && rest
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "swp" | "swo" | "swx" | "swpx" | "tmp" | "temp")
        || lower.contains(".tmp.")
        || lower.contains(".tmp-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_leave_behind() {
        for name in [
            "4913",
            ".messages.ts.swp",
            ".messages.ts.swo",
            ".swx",
            "messages.ts~",
            ".#messages.ts",
            "#messages.ts#",
            "messages.ts___jb_tmp___",
            "messages.ts___jb_old___",
            "sedAbC123",
            "messages.ts.tmp",
            "messages.ts.tmp.1234",
            "messages.ts.tmp-77-1",
            ".DS_Store",
            "x.TMP",
        ] {
            assert!(is_temporary(name), "{name}");
        }
        for name in [
            "messages.ts",
            "4913.ts",
            "template.ts",
            "sed.ts",
            "sedative",
            "tmp",
            "swp.ts",
            "#",
            "a#",
            "temp",
            "tmp.ts",
            ".env",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
