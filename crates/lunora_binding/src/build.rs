//! The native part of a production build.

use lunora_engine::BuildOptions;
use napi_derive::napi;

use crate::answer::{Answer, Failure, blocking, decode};
use crate::fault;

/// Runs code generation strictly and brings the wrangler configuration up to date.
#[napi]
pub async fn prepare_build(options: String) -> Answer {
    blocking(move || {
        fault::point("prepareBuild");
        let options: BuildOptions = decode(&options)?;
        lunora_engine::prepare_build(&options)
            .map_err(|failure| Failure::new(failure.diagnostics, failure.sources, options.color))
    })
    .await
}
