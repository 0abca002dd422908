//! The Node addon: JSON in, JSON out, and nothing else.
//!
//! Every export answers an [`Answer`] that holds either a value or an error with a stable code; a panic on
//! the Rust side becomes such an error too. The JavaScript loader turns answers into values and exceptions.
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "exports are registered in the addon only, not in its unit tests"
    )
)]

mod answer;
mod build;
mod client_module;
mod commands;
mod engine;
mod event_callback;
mod fault;
mod server;

use napi_derive::napi;

/// The toolchain's version.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
