//! The native part of what a bundler of pages asks for.

use lunora_engine::ClientModuleOptions;
use napi_derive::napi;

use crate::answer::{Answer, Failure, blocking, decode};
use crate::fault;

/// Leaves of `mutators.ts` what clients run.
#[napi]
pub async fn client_module(options: String) -> Answer {
    blocking(move || {
        fault::point("clientModule");
        let options: ClientModuleOptions = decode(&options)?;
        lunora_engine::client_module(&options)
            .map_err(|failure| Failure::new(failure.diagnostics, failure.sources, options.color))
    })
    .await
}
