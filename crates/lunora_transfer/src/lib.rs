//! Export and import of an app's rows: framing, limits, checkpoints, and proofs. Rows stream: of a dump one page or one
//! batch is in memory at a time.

mod dump_reader;
mod error;
mod export;
mod files;
mod import;
mod line;
mod observer;
mod receipt;
mod rehome;
mod server;
mod table_hash;
mod tally;

pub use dump_reader::{DumpReader, check_dump};
pub use error::TransferError;
pub use export::{ExportOptions, ExportReport, export};
pub use import::{
    ImportMode, ImportOptions, ImportPlan, ImportReport, LeftImport, abort, abort_plan, import, left_import, plan,
    verify,
};
pub use line::{Footer, Header, Line, ShardStart, TableFacts, parse_line};
pub use observer::{Observer, Step};
pub use receipt::Receipt;
pub use server::{ServerInfo, WaitingJobs, info, proofs};
pub use table_hash::{HashSum, TableProof};
pub use tally::{Tally, differences};
