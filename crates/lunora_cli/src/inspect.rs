//! `lunora shards`, `oplog`, `pokes`, `logs`, `run` and `chaos`: what happens in an app, as its inspector or its admin routes
//! tell it.

mod arguments;
mod call;
mod change;
mod chaos;
mod events;
mod follow;
mod logs;
mod mail;
mod oplog;
mod pokes;
mod server;
mod shards;
mod show;

pub(crate) use arguments::{
    ChaosArguments, LogsArguments, OplogArguments, PokesArguments, RunArguments, ShardsArguments,
};
pub(crate) use call::run;
pub(crate) use chaos::chaos;
pub(crate) use logs::logs;
pub(crate) use mail::{MailArguments, mail};
pub(crate) use oplog::oplog;
pub(crate) use pokes::pokes;
pub(crate) use shards::shards;
