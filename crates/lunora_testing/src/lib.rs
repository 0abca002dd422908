//! The crate is described in its modules.
