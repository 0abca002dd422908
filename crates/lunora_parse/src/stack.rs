//! Room for recursion. The parser and its passes recurse once for each level of nesting, so they run
//! on threads whose stacks are large enough for the deepest nesting that is let through.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Stack of the threads of the pool: enough for [`crate::nesting::SHALLOW`]. Untouched pages of a
/// stack cost nothing.
const POOL_STACK_BYTES: usize = 256 << 20;
/// Stack of the thread made for one unusually deep file: enough for [`crate::nesting::DEEPEST`].
const DEEP_STACK_BYTES: usize = 1 << 30;

/// The threads that parse. `None` when the system refuses to make them.
pub(crate) fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    POOL.get_or_init(|| {
        ThreadPoolBuilder::new()
            .stack_size(POOL_STACK_BYTES)
            .thread_name(|index| format!("lunora-parse-{index}"))
            .build()
            .ok()
    })
    .as_ref()
}

/// Runs on a thread of the pool (the current one, when it is one).
pub(crate) fn on_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Runs on a thread of its own with a very large stack; `None` when the system refuses.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("lunora-parse-deep".to_owned())
            .stack_size(DEEP_STACK_BYTES)
            .spawn_scoped(scope, work)
            .ok()
            .and_then(|thread| thread.join().ok())
    })
}
