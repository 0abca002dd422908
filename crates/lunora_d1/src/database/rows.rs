//! Rows as JSON, written while they are read.

use std::io::Write as _;

use lunora_diagnostics::codes;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::failure::Failure;
use crate::request::RowsFormat;

/// Writes the rows of one statement behind `out`.
pub(crate) struct Rows<'a> {
    out: &'a mut Vec<u8>,
    /// Behind which `out` may not grow.
    most: usize,
    format: RowsFormat,
    /// As JSON.
    columns: Vec<Vec<u8>>,
    is_first: bool,
}

impl<'a> Rows<'a> {
    pub fn begin<'n>(
        out: &'a mut Vec<u8>,
        most: usize,
        format: RowsFormat,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let columns: Vec<Vec<u8>> = names
            .map(|name| {
                let mut column = Vec::new();
                text(&mut column, name);
                column
            })
            .collect();
        if format == RowsFormat::RowsAndColumns {
            out.extend_from_slice(b"{\"columns\":[");
            out.extend_from_slice(&columns.join(&b","[..]));
            out.extend_from_slice(b"],\"rows\":");
        }
        out.push(b'[');
        Self {
            out,
            most,
            format,
            columns,
            is_first: true,
        }
    }

    pub fn row(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(b',');
        }
        let (open, close) = match self.format {
            RowsFormat::RowsAndColumns => (b'[', b']'),
            RowsFormat::Objects => (b'{', b'}'),
        };
        self.out.push(open);
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            if self.format == RowsFormat::Objects {
                // Of two columns with one name the last counts, by the rules of JSON.parse.
                self.out.extend_from_slice(column);
                self.out.push(b':');
            }
            value(self.out, row.get_ref(index)?);
        }
        self.out.push(close);
        if self.out.len() > self.most {
            let text = format!(
                "the answer is longer than {} bytes; ask for fewer rows at once",
                self.most
            );
            return Err(Failure::refused(codes::PAYLOAD_TOO_LARGE, text));
        }
        Ok(())
    }

    pub fn end(self) {
        self.out.push(b']');
        if self.format == RowsFormat::RowsAndColumns {
            self.out.push(b'}');
        }
    }
}

/// A value as the binding reads it: bytes are an array of numbers; what no number of JSON says is null.
fn value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(number) => write(out, format_args!("{number}")),
        // Zero has no sign, as JSON.stringify writes it.
        ValueRef::Real(0.0) => out.push(b'0'),
        ValueRef::Real(number) if number.is_finite() => json(out, &number),
        ValueRef::Real(_) => out.extend_from_slice(b"null"),
        ValueRef::Text(bytes) => text(out, &String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => {
            out.push(b'[');
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, format_args!("{byte}"));
            }
            out.push(b']');
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    json(out, text);
}

fn json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Neither a text nor a finite number fails, and memory takes all.
    drop(serde_json::to_writer(out, value));
}

fn write(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Memory takes all.
    drop(out.write_fmt(arguments));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn rows(format: RowsFormat, most: usize, sql: &str) -> Result<String, Failure> {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let mut out = Vec::new();
        let mut writer = Rows::begin(&mut out, most, format, statement.column_names());
        let mut found = statement.raw_query();
        while let Some(row) = found.next().unwrap() {
            writer.row(row)?;
        }
        writer.end();
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values() {
        let sql = "SELECT NULL, 1, 9223372036854775807, 1.5, 1e300, -0.0, 9e999, 'a\"ä' || char(10), x'00ff', x'',
            CAST(x'ff41' AS TEXT)";
        let all = rows(RowsFormat::RowsAndColumns, 1000, sql).unwrap();
        let (_, values) = all.split_once("\"rows\":").unwrap();
        assert_eq!(
            values,
            "[[null,1,9223372036854775807,1.5,1e+300,0,null,\"a\\\"ä\\n\",[0,255],[],\"\u{fffd}A\"]]}"
        );
    }

    #[test]
    fn formats() {
        let two = "SELECT 1 AS a, 'x' AS \"b\"\"\" UNION SELECT 2, 'y'";
        assert_eq!(
            rows(RowsFormat::RowsAndColumns, 1000, two).unwrap(),
            r#"{"columns":["a","b\""],"rows":[[1,"x"],[2,"y"]]}"#
        );
        assert_eq!(
            rows(RowsFormat::Objects, 1000, two).unwrap(),
            r#"[{"a":1,"b\"":"x"},{"a":2,"b\"":"y"}]"#
        );
        assert_eq!(rows(RowsFormat::Objects, 1000, "SELECT 1 WHERE 0").unwrap(), "[]");
    }

    #[test]
    fn an_answer_has_an_end() {
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
        let failure = rows(RowsFormat::Objects, 1000, endless).unwrap_err();
        assert_eq!(failure.status.as_u16(), 413);
    }
}
