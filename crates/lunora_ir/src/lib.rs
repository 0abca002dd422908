//! The application model: what a schema and its functions say, as plain data.
//!
//! Everything here is produced by static reading and consumed by code generation, linting and the
//! local platform. The crate holds no I/O and names no parser.

mod address;
mod application;
mod cron;
pub mod drift;
mod function;
mod jurisdiction;
mod migration;
mod object_class;
mod object_name;
mod observation;
mod presence;
mod schema;
mod shape;
mod validator;

pub use address::{Address, FanOutMerge, MergeDirection};
pub use application::Application;
pub use cron::{Cron, CronError, CronExpression, CronOption};
pub use function::{Function, FunctionKind, Visibility};
pub use jurisdiction::JURISDICTIONS;
pub use migration::Migration;
pub use object_class::ObjectClass;
pub use object_name::{
    MAX_SHARD_VALUE_BYTES, ObjectNameError, ROOT_OBJECT, decode_id_shard, encode_id_shard, object_name,
    shard_number_text,
};
pub use observation::{EnvironmentAccess, MailEntryPoint, Observations, ObservedMoment, StatedJurisdiction};
pub use presence::Presence;
pub use schema::{
    Index, OnDelete, Relation, RelationKind, ShardMode, SoftDelete, Table, TimeToLive, Trigger, TriggerEvent,
    TriggerTiming,
};
pub use shape::{Shape, ShapeRefresh};
pub use validator::{Column, LiteralValue, Validator};
