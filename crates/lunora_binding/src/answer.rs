//! What crosses the boundary.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use lunora_diagnostics::{Diagnostic, RenderOptions, SourceFiles, codes};
use napi_derive::napi;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Either a value or an error, both as JSON text.
#[napi(object)]
pub struct Answer {
    /// The value.
    pub value: Option<String>,
    /// `{code, message, help, diagnostics, rendered}`.
    pub error: Option<String>,
}

/// Findings and the sources they point into.
pub struct Failure {
    diagnostics: Vec<Diagnostic>,
    sources: SourceFiles,
    color: bool,
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
            sources: SourceFiles::default(),
            color: false,
        }
    }
}

impl Failure {
    /// Findings with their sources.
    pub fn new(diagnostics: Vec<Diagnostic>, sources: SourceFiles, color: bool) -> Self {
        Self {
            diagnostics,
            sources,
            color,
        }
    }

    fn to_json(&self) -> String {
        let render = RenderOptions {
            color: self.color,
            ..RenderOptions::default()
        };
        let rendered: Vec<String> = self
            .diagnostics
            .iter()
            .map(|finding| lunora_diagnostics::render_text(finding, &self.sources, &render))
            .collect();
        let first = self.diagnostics.first();
        serde_json::json!({
            "code": first.map_or(codes::INTERNAL, |finding| finding.code),
            "message": first.map_or("the toolchain failed", |finding| finding.message.as_str()),
            "help": first.and_then(|finding| finding.help.as_deref()),
            "diagnostics": self
                .diagnostics
                .iter()
                .map(|finding| lunora_diagnostics::to_json(finding, &self.sources))
                .collect::<Vec<_>>(),
            "rendered": rendered.join("\n"),
        })
        .to_string()
    }
}

impl<T: Serialize> From<Result<T, Failure>> for Answer {
    fn from(result: Result<T, Failure>) -> Self {
        let encoded = result.and_then(|value| {
            serde_json::to_string(&value)
                .map_err(|error| defect(&format!("an answer could not be encoded: {error}")).into())
        });
        match encoded {
            Ok(value) => Self {
                value: Some(value),
                error: None,
            },
            Err(failure) => Self {
                value: None,
                error: Some(failure.to_json()),
            },
        }
    }
}

/// A defect of ours.
pub fn defect(what: &str) -> Diagnostic {
    Diagnostic::error(codes::INTERNAL, format!("the toolchain failed: {what}"))
        .with_help("This is a defect of Lunora; what you were doing when it happened helps to find it.")
}

/// The options of a call.
pub fn decode<T: DeserializeOwned>(options: &str) -> Result<T, Failure> {
    serde_json::from_str(options).map_err(|error| {
        Diagnostic::error(
            codes::HOST_PROTOCOL,
            format!("the options of the call are not understood: {error}"),
        )
        .with_help("Install the same version of all Lunora packages.")
        .into()
    })
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Runs blocking work on a thread of its own.
pub async fn blocking<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Answer {
    guarded(async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(defect(&error.to_string()).into()),
        }
    })
    .await
}

/// Runs asynchronous work; a panic in it becomes an error.
pub async fn guarded<T: Serialize + Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Answer {
    match tokio::spawn(work).await {
        Ok(result) => result.into(),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => Err::<T, Failure>(defect(&panic_text(&*payload)).into()).into(),
            Err(error) => Err::<T, Failure>(defect(&error.to_string()).into()).into(),
        },
    }
}

/// Runs work in place; a panic in it becomes an error.
pub fn guarded_now<T: Serialize>(work: impl FnOnce() -> Result<T, Failure>) -> Answer {
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.into(),
        Err(payload) => Err::<T, Failure>(defect(&panic_text(&*payload)).into()).into(),
    }
}
