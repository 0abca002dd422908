//! `lunora shards`, `oplog`, `pokes`, `logs` and `run`: what happens in an app, as its inspector or its admin routes
//! tell it.

mod arguments;
mod call;
mod change;
mod events;
mod follow;
mod logs;
mod mail;
mod oplog;
mod pokes;
mod server;
mod shards;
mod show;

pub(crate) use arguments::{LogsArguments, OplogArguments, PokesArguments, RunArguments, ShardsArguments};
pub(crate) use call::run;
pub(crate) use logs::logs;
pub(crate) use mail::{MailArguments, mail};
pub(crate) use oplog::oplog;
pub(crate) use pokes::pokes;
pub(crate) use shards::shards;
