//! Finding the configuration.

use camino::{Utf8Path, Utf8PathBuf};
use lunora_diagnostics::{Diagnostic, codes};

/// The configuration in a folder: `wrangler.json`, else `wrangler.jsonc`, in wrangler's own order.
///
/// # Errors
/// When there is a `wrangler.toml` and neither of them: it is not edited.
pub fn find_wrangler_config(root: &Utf8Path) -> Result<Option<Utf8PathBuf>, Diagnostic> {
    let found = ["wrangler.json", "wrangler.jsonc"]
        .iter()
        .map(|name| root.join(name))
        .find(|path| path.exists());
    let toml = root.join("wrangler.toml");
    if found.is_none() && toml.exists() {
        return Err(Diagnostic::error(
            codes::WRANGLER_TOML,
            format!("`{toml}` is not edited: bindings and migrations are kept up to date in `wrangler.jsonc` alone"),
        )
        .with_help("Move the configuration to `wrangler.jsonc` (the same keys as JSON) and remove the `.toml`"));
    }
    Ok(found)
}
