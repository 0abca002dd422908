//! How the host is told what happens.

use std::sync::Arc;

use lunora_engine::EventSink;
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

/// Calls the host with an event, as JSON text. Weak: what is forgotten does not keep Node running.
pub(crate) type EventCallback = ThreadsafeFunction<String, (), String, Status, true, true>;

/// Tells the host of each event, in order, without waiting for it.
pub(crate) fn sink(callback: Arc<EventCallback>) -> EventSink {
    Arc::new(move |event| {
        // Events are plain data; one that could not be encoded would be a defect of the type itself.
        if let Ok(text) = serde_json::to_string(&event) {
            callback.call(Ok(text), ThreadsafeFunctionCallMode::NonBlocking);
        }
    })
}
