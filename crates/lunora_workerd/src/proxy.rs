//! The way in: HTTP and WebSocket from the browser (or from Vite) to whichever workerd runs.

pub(crate) mod assets;
pub(crate) mod body;
mod farewell;
pub(crate) mod forward;
mod frames;
pub(crate) mod gate;
pub(crate) mod guard;
mod headers;
pub(crate) mod pool;
mod reply;
pub(crate) mod retry;
pub(crate) mod server;
mod tunnel;
