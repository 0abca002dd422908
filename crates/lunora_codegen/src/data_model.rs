//! `dataModel.ts`: documents, ids, insert shapes. Imports nothing.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use lunora_ir::{Relation, RelationKind, ShardMode, Table};

use crate::generated_file::HEADER;
use crate::type_text::push_field;
use crate::typescript::{push_key, push_string};

pub(crate) fn data_model(tables: &IndexMap<String, Arc<Table>>) -> String {
    let mut out = String::with_capacity(1024 + tables.len() * 1024);
    out.push_str(HEADER);
    out.push_str(
        "\n/** The id of a row. */\nexport type Id<Table extends TableName> = string & { readonly __table: Table };\n",
    );
    push_table_names(&mut out, tables);
    let names = interface_names(tables.keys());
    for ((table_name, table), interface) in tables.iter().zip(&names) {
        push_document(&mut out, table_name, table, interface);
        push_insert(&mut out, table_name, table, interface);
    }
    push_model(&mut out, tables, &names);
    if tables.is_empty() {
        // There is nothing to look up, and looking up nothing is an error to the type checker.
        out.push_str("\nexport type Doc<Table extends TableName> = Table;\n\nexport type Insert<Table extends TableName> = Table;\n");
    } else {
        out.push_str(
            "\n/** A stored row of a table. */\n\
             export type Doc<Table extends TableName> = DataModel[Table][\"document\"];\n\
             \n/** What a table takes as a new row. */\n\
             export type Insert<Table extends TableName> = DataModel[Table][\"insert\"];\n",
        );
    }
    out
}

fn push_table_names(out: &mut String, tables: &IndexMap<String, Arc<Table>>) {
    out.push_str("\n/** Names of the tables. */\nexport type TableName =");
    match tables.len() {
        0 => out.push_str(" never"),
        1 => {
            for name in tables.keys() {
                out.push(' ');
                push_string(out, name);
            }
        }
        _ => {
            for name in tables.keys() {
                out.push_str("\n  | ");
                push_string(out, name);
            }
        }
    }
    out.push_str(";\n");
}

fn push_document(out: &mut String, table_name: &str, table: &Table, interface: &str) {
    start_interface(out, "A stored row of", table_name, interface, "Document");
    out.push_str("  readonly _id: Id<");
    push_string(out, table_name);
    out.push_str(">;\n  readonly _creationTime: number;\n");
    for (name, column) in &table.columns {
        out.push_str("  ");
        push_field(out, name, &column.validator, column.validator.is_optional());
        out.push_str(";\n");
    }
    if let Some(soft_delete) = &table.soft_delete
        && !table.columns.contains_key(&soft_delete.field)
    {
        out.push_str("  /** When the row was deleted, epoch milliseconds. */\n  ");
        push_key(out, &soft_delete.field);
        out.push_str("?: number;\n");
    }
    out.push_str("}\n");
}

fn push_insert(out: &mut String, table_name: &str, table: &Table, interface: &str) {
    start_interface(out, "A new row of", table_name, interface, "Insert");
    for (name, column) in &table.columns {
        let is_optional = column.has_default || column.validator.is_optional();
        out.push_str("  ");
        push_field(out, name, &column.validator, is_optional);
        // `undefined` means "left out" here, also to a checker that tells the two apart.
        out.push_str(if is_optional { " | undefined;\n" } else { ";\n" });
    }
    out.push_str("}\n");
}

fn start_interface(out: &mut String, what: &str, table_name: &str, interface: &str, suffix: &str) {
    // A table's name can hold anything; a comment's end in it would end the comment.
    let shown = table_name
        .replace("*/", "* /")
        .replace(['\n', '\r', '\u{2028}', '\u{2029}'], " ");
    for part in [
        "\n/** ",
        what,
        " `",
        &shown,
        "`. */\nexport interface ",
        interface,
        suffix,
        " {\n",
    ] {
        out.push_str(part);
    }
}

fn push_model(out: &mut String, tables: &IndexMap<String, Arc<Table>>, names: &[String]) {
    out.push_str("\n/** What queries and mutations know about the tables. */\nexport interface DataModel {");
    for ((table_name, table), interface) in tables.iter().zip(names) {
        out.push_str("\n  ");
        push_key(out, table_name);
        for part in [
            ": {\n    document: ",
            interface,
            "Document;\n    insert: ",
            interface,
            "Insert;\n    indexes: {",
        ] {
            out.push_str(part);
        }
        for (position, (name, index)) in table.indexes.iter().enumerate() {
            out.push_str(if position == 0 { " " } else { "; " });
            push_key(out, name);
            out.push_str(": [");
            for (position, field) in index.fields.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                push_string(out, field);
            }
            out.push(']');
        }
        out.push_str(if table.indexes.is_empty() {
            "};\n    relations: {"
        } else {
            " };\n    relations: {"
        });
        for (position, (name, relation)) in table.relations.iter().enumerate() {
            out.push_str(if position == 0 { " " } else { "; " });
            push_relation(out, name, relation);
        }
        out.push_str(if table.relations.is_empty() {
            "};\n    softDelete: "
        } else {
            " };\n    softDelete: "
        });
        out.push_str(if table.soft_delete.is_some() { "true" } else { "false" });
        out.push_str(";\n    shardMode: ");
        match &table.shard_mode {
            ShardMode::Root => out.push_str("\"root\""),
            ShardMode::ShardBy { field } => push_string(out, &format!("shardBy:{field}")),
            ShardMode::Colocated => out.push_str("\"colocated\""),
            ShardMode::Global => out.push_str("\"global\""),
        }
        out.push_str(";\n  };");
    }
    out.push_str(if tables.is_empty() { "}\n" } else { "\n}\n" });
}

fn push_relation(out: &mut String, name: &str, relation: &Relation) {
    push_key(out, name);
    out.push_str(match relation.kind {
        RelationKind::One => ": { kind: \"one\"; table: ",
        RelationKind::Many => ": { kind: \"many\"; table: ",
    });
    push_string(out, &relation.table);
    out.push_str(" }");
}

/// `user_posts` becomes `UserPosts`. Different tables get different names.
fn interface_names<'a>(tables: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut used = HashSet::new();
    tables
        .map(|table| {
            let base = pascal_case(table);
            let mut name = base.clone();
            let mut number = 2;
            while !used.insert(name.clone()) {
                name = format!("{base}{number}");
                number += 1;
            }
            name
        })
        .collect()
}

fn pascal_case(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut starts_word = true;
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() {
            starts_word = true;
            continue;
        }
        name.push(if starts_word {
            character.to_ascii_uppercase()
        } else {
            character
        });
        starts_word = false;
    }
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "Table");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::interface_names;

    #[test]
    fn interface_names_differ() {
        let tables = ["user_posts", "userPosts", "user_posts2", "2fa", "日本", "語"].map(str::to_owned);
        let names = interface_names(tables.iter());
        assert_eq!(
            names,
            ["UserPosts", "UserPosts2", "UserPosts22", "Table2fa", "Table", "Table2"]
        );
    }
}
