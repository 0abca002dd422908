//! The module that tells the inspector what happens in the app.

/// JavaScript that observes the app from inside; `lunora_workerd` puts it before the app's entry in development.
pub const TAP: &str = include_str!(concat!(env!("OUT_DIR"), "/tap.js"));
