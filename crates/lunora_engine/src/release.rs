//! What has to hold before an app is deployed, and what is written down afterwards.

mod baseline;
mod finish;
mod gates;
mod receipt;
mod report;

pub use baseline::BASELINE_FILE;
pub use finish::{ReleaseFinish, finish_release};
pub(crate) use gates::judged;
pub use gates::{Deployed, ReleaseOptions, release_gates};
pub(crate) use receipt::use_up;
pub use report::{Gate, GateState, ReleaseReport};
