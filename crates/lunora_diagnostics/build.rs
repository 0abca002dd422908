//! Turns `codes.json`, the one table of error codes, into a constant for each code.

use std::fmt::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=codes.json");
    let table: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string("codes.json")?)?;
    let mut constants = String::new();
    let mut entries = String::new();
    for (name, entry) in &table {
        let field = |key: &str| entry.get(key).and_then(serde_json::Value::as_str);
        let explanation = field("explanation").ok_or_else(|| format!("{name} has no explanation"))?;
        let help = field("help").ok_or_else(|| format!("{name} has no help"))?;
        let status = entry.get("status").and_then(serde_json::Value::as_u64);
        writeln!(
            constants,
            "#[doc = {explanation:?}]\npub const {name}: Code = Code({name:?});"
        )?;
        writeln!(
            entries,
            "CodeEntry {{ code: codes::{name}, explanation: {explanation:?}, help: {help:?}, status: {status:?} }},"
        )?;
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("codes.rs");
    std::fs::write(
        out,
        format!(
            "/// Every code, as a constant.\npub mod codes {{ use super::Code;\n{constants}}}\n\
             /// The whole table, in the order of `codes.json`.\npub const CODE_TABLE: &[CodeEntry] = &[\n{entries}];\n"
        ),
    )?;
    Ok(())
}
