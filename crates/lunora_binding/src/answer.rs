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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "panics are what is tested")]

    use super::*;

    fn code_of(answer: &Answer) -> String {
        let error: serde_json::Value = serde_json::from_str(answer.error.as_deref().unwrap()).unwrap();
        assert!(answer.value.is_none());
        assert!(error["help"].is_string(), "{error}");
        error["code"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_panic_in_blocking_work_is_an_error() {
        let answer = blocking(|| -> Result<(), Failure> { panic!("blocking") }).await;
        assert_eq!(code_of(&answer), "INTERNAL");
        assert!(answer.error.unwrap().contains("blocking"));
    }

    #[tokio::test]
    async fn a_panic_in_asynchronous_work_is_an_error() {
        async fn fails(what: &str) -> Result<(), Failure> {
            panic!("asynchronous {what}")
        }
        let answer = guarded(fails("1")).await;
        assert_eq!(code_of(&answer), "INTERNAL");
        assert!(answer.error.unwrap().contains("asynchronous 1"));
    }

    #[test]
    fn a_panic_in_place_is_an_error() {
        let answer = guarded_now(|| -> Result<(), Failure> { panic!("in place") });
        assert_eq!(code_of(&answer), "INTERNAL");
    }

    #[test]
    fn nonsense_is_a_coded_error() {
        let answer: Answer = decode::<lunora_engine::CodegenOptions>("{\"root\": 1}")
            .map(|_| ())
            .into();
        assert_eq!(code_of(&answer), "HOST_PROTOCOL");
    }

    /// Each export passes through one of the three guards, so that none can let a panic out, and has a place where
    /// tests of the whole addon let it panic.
    #[test]
    fn every_export_is_guarded() {
        for (file, text) in [
            ("build.rs", include_str!("build.rs")),
            ("client_module.rs", include_str!("client_module.rs")),
            ("commands.rs", include_str!("commands.rs")),
            ("engine.rs", include_str!("engine.rs")),
            ("server.rs", include_str!("server.rs")),
        ] {
            for export in text.split("#[napi").skip(1) {
                let body = export.split("\n}\n").next().unwrap_or(export);
                if body.contains("fn ") {
                    assert!(body.contains("fault::point("), "{file}: {export}");
                }
                if body.contains("-> Answer") {
                    assert!(
                        body.contains("blocking(") || body.contains("guarded(") || body.contains("guarded_now("),
                        "{file}: {export}"
                    );
                }
            }
        }
    }
}
