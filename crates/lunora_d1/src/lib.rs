//! D1 on this machine: one SQLite file a database, behind the HTTP protocol that workerd's D1 binding speaks.
//!
//! [`D1Server::start`] opens a unix socket that only this user reaches; a binding of the worker names its database by the
//! request header [`DATABASE_HEADER`], which workerd's configuration injects. What was acknowledged survives a killed
//! process. DESIGN.md says what was decided and measured.

mod body;
mod bookmark;
mod database;
mod database_name;
mod databases;
mod failure;
mod limits;
mod request;
mod result_codes;
mod router;
mod server;
mod socket;
mod sql_text;
mod surrogates;

pub use database_name::{DATABASE_HEADER, is_database_name};
pub use limits::D1Limits;
pub use server::{D1Options, D1Server};
