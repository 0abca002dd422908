//! A line of the worker's console, for a terminal.

use owo_colors::OwoColorize as _;

/// `[worker] text`, later lines indented under the first.
#[must_use]
pub fn render(level: &str, message: &str, color: bool) -> String {
    let label = match (level, color) {
        ("error", true) => "[worker]".red().to_string(),
        ("warn", true) => "[worker]".yellow().to_string(),
        (_, true) => "[worker]".dimmed().to_string(),
        (_, false) => "[worker]".to_owned(),
    };
    let text = message.trim_end().replace('\n', "\n         ");
    format!("{label} {text}")
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn indents_later_lines() {
        assert_eq!(render("info", "a\nb\n", false), "[worker] a\n         b");
    }
}
