//! What a change of the jurisdiction leaves behind, and how to take it along.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::snapshot::Snapshot;

/// What would be left behind, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stranded {
    /// Objects that exist.
    pub shards: Option<u64>,
    /// Rows by table; none where nobody has counted.
    pub rows: BTreeMap<String, Option<u64>>,
}

impl Stranded {
    /// The tables of a schema that are in Durable Objects, nothing counted.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            shards: None,
            rows: snapshot
                .tables_in_objects()
                .into_iter()
                .map(|table| (table.to_owned(), None))
                .collect(),
        }
    }
}

/// One line: what stays in the old region.
#[must_use]
pub fn stranded_text(stranded: &Stranded) -> String {
    let tables: Vec<String> = stranded
        .rows
        .iter()
        .map(|(table, rows)| match rows {
            Some(1) => format!("`{table}` (1 row)"),
            Some(rows) => format!("`{table}` ({rows} rows)"),
            None => format!("`{table}`"),
        })
        .collect();
    let shards = match stranded.shards {
        Some(1) => " in 1 object".to_owned(),
        Some(shards) => format!(" in {shards} objects"),
        None => String::new(),
    };
    if tables.is_empty() {
        return format!("left behind: no table{shards}; scheduled jobs and sessions");
    }
    format!(
        "left behind: {}{shards}; scheduled jobs and sessions",
        tables.join(", ")
    )
}

/// A word that a POSIX shell takes as it is.
fn shell_word(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/:._-=,%?&#~@+".contains(character);
    if !text.is_empty() && text.chars().all(|one| plain(one) && !"?&#~".contains(one)) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The commands that move the data, in their order, ready to be pasted: `baseline` is what is deployed, `current`
/// what is to be, `url` where the app answers.
#[must_use]
pub fn runbook(baseline: &Snapshot, current: &Snapshot, url: &str, schema_file: &str) -> String {
    let was = baseline.jurisdiction.as_deref();
    let declaration = |jurisdiction: Option<&str>| match jurisdiction {
        Some(name) => format!(".jurisdiction(\"{name}\")"),
        None => "no .jurisdiction(…)".to_owned(),
    };
    let url = shell_word(url);
    let tables = shell_word(&baseline.tables_in_objects().join(","));
    let was = declaration(was);
    let is = declaration(current.jurisdiction.as_deref());
    let mut text = String::new();
    let _ = write!(
        text,
        "\
# 1. {schema_file}: back to {was}. The deployed worker still reads the old region; export from it.
lunora export --prod --url {url} --out backup.ndjson --tables {tables}
# 2. Compare the counts that it prints with what you expect: this file is the only way across.
wc -l backup.ndjson
# 3. {schema_file}: {is}, then
lunora codegen
# 4. From here on, what is written to the old region stays there.
lunora deploy --allow-schema-drift --update-schema-baseline
# 5. Bring the rows into the new region, and compare counts and hashes.
lunora import backup.ndjson --prod --url {url}
lunora import backup.ndjson --prod --url {url} --verify
"
    );
    text
}
