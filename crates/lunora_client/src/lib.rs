//! Client of the wire protocol: values and frames as pure functions, what a client remembers as a
//! state machine, and beside them the I/O. For the command line, the load generator and tests.

mod admin;
mod admin_address;
mod canonical_json;
mod client;
mod error;
mod feed;
pub mod frame;
mod port;
pub mod reconnect;
mod rpc;
mod server_address;
pub mod session;
mod socket;
mod tls;
pub mod value;

pub use admin::AdminClient;
pub use admin_address::AdminAddress;
pub use canonical_json::{canonical_json, subscription_key};
pub use client::{Client, ClientOptions, Latest, Subscription, TokenSource};
pub use error::ClientError;
pub use feed::InspectorFeed;
pub use port::is_free_port;
pub use rpc::{CallAnswer, CallOptions, RpcClient};
pub use server_address::ServerAddress;
pub use socket::{Received, Socket};
