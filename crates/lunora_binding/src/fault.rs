//! Panics on request, in an addon that only tests build: what happens to a panic inside an export is decided by the
//! compiler's settings, Node-API and the guards together, so it has to be seen on a real addon.

/// Panics when the environment variable `LUNORA_FAULT` names this export.
#[cfg(feature = "fault-injection")]
#[allow(clippy::panic, reason = "a panic is what is asked for")]
pub fn point(export: &str) {
    if std::env::var_os("LUNORA_FAULT").is_some_and(|chosen| chosen == export) {
        panic!("the fault in `{export}` that was asked for");
    }
}

/// Nothing, in the addon that is shipped.
#[cfg(not(feature = "fault-injection"))]
pub const fn point(_export: &str) {}
