//! The inbox over HTTP on loopback, and on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod inbound;
mod keeping;
mod region;
mod support;
