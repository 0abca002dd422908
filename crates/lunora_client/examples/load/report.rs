//! What was counted, and its order statistics.

use std::time::Duration;

use serde_json::json;

#[derive(Default)]
pub struct Samples {
    operations: usize,
    messages: usize,
    bytes: usize,
    milliseconds: Vec<f64>,
}

impl Samples {
    pub fn operations(&mut self, count: usize) {
        self.operations += count;
    }

    pub fn bytes(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    pub fn time(&mut self, time: Duration) {
        self.milliseconds.push(time.as_secs_f64() * 1000.0);
    }

    pub fn join(&mut self, other: Self) {
        self.operations += other.operations;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.milliseconds.extend(other.milliseconds);
    }

    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    pub fn throughput(&mut self, seconds: f64) -> String {
        let mut report = self.common();
        report["perSecond"] = json!(self.operations as f64 / seconds);
        report["seconds"] = json!(seconds);
        report.to_string()
    }

    pub fn latency(&mut self) -> String {
        self.common().to_string()
    }

    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    fn common(&mut self) -> serde_json::Value {
        self.milliseconds.sort_by(f64::total_cmp);
        json!({
            "operations": self.operations,
            "bytesPerMessage": self.bytes as f64 / self.messages.max(1) as f64,
            "p50": self.quantile(0.5),
            "p99": self.quantile(0.99),
            "max": self.quantile(1.0),
        })
    }

    /// Nearest rank.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the samples"
    )]
    fn quantile(&self, fraction: f64) -> Option<f64> {
        let last = self.milliseconds.len().checked_sub(1)?;
        self.milliseconds
            .get((last as f64 * fraction).round() as usize)
            .copied()
    }
}
