//! What tests share: temporary projects, seeded randomness, redaction, hostile disks. Only ever a
//! dev-dependency; it panics freely, as tests do.

#![allow(clippy::panic, clippy::print_stderr)]

mod limited_file_size;
mod random;
mod redact;
mod rerun;
mod small_disk;
mod temp_project;
mod unprivileged;

pub use limited_file_size::with_limited_file_size;
pub use random::Random;
pub use redact::redact;
pub use small_disk::SmallDisk;
pub use temp_project::TempProject;
pub use unprivileged::unprivileged;
