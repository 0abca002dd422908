//! What is asked for.

use serde::Deserialize;

/// One run.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// Which protocol the server speaks.
    pub dialect: DialectName,
    /// `ws://host:port`.
    pub origin: String,
    /// Sets this run apart from others on the same server: names of clients and channels begin with it.
    pub run: String,
    /// Token of the Triplit server.
    #[serde(default)]
    pub token: Option<String>,
    /// What is done.
    #[serde(flatten)]
    pub kind: Kind,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum DialectName {
    Lunora,
    Raw,
    Party,
    Triplit,
}

#[derive(Deserialize)]
#[serde(tag = "scenario", rename_all = "camelCase")]
pub enum Kind {
    Write(Write),
    Slices(Writers),
    Latency(Latency),
    Hold(Hold),
}

/// Writers that each wait for the acknowledgement before they go on. As `slices`: whenever a line on standard input says for
/// how many seconds, over the same connections.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Writers {
    pub writers: usize,
    /// Operations that each writer keeps under way.
    pub in_flight: usize,
    pub operation: OperationKind,
    /// Of the choice of accounts.
    #[serde(default)]
    pub seed: u64,
}

#[derive(Deserialize)]
pub struct Write {
    #[serde(flatten)]
    pub by: Writers,
    /// How long is counted.
    pub seconds: f64,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum OperationKind {
    /// One row of about 110 bytes.
    Insert,
    /// Two reads and two updates; `alpha` 0 chooses all accounts alike, 1.5 prefers few.
    Transfer { accounts: usize, alpha: f64 },
}

/// Subscribers, and one writer at a steady pace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    pub subscribers: usize,
    /// Distinct subscriptions among them; the writer writes what the first of them sees.
    #[serde(default = "one")]
    pub channels: usize,
    pub watch: Watch,
    pub writes: usize,
    pub per_second: f64,
    /// Writes before those that count.
    #[serde(default)]
    pub warm_up: usize,
}

/// Sockets that subscribe and stay until standard input ends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    pub sockets: usize,
    pub watch: Watch,
}

/// What subscribers of Lunora subscribe to; others have one kind.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Watch {
    Shape,
    PolicyShape,
    Query,
    /// Connected only.
    Nothing,
}

fn one() -> usize {
    1
}
