//! The D1 databases that the worker is bound to.

use jsonc_parser::ast::Array;
use jsonc_parser::common::Ranged as _;
use lunora_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};

use super::document::Document;
use super::wanted::WantedDatabase;

/// Stands where the id of a database belongs that is yet to be made.
pub const PLACEHOLDER_ID: &str = "the-id-that-wrangler-d1-create-prints";

/// Whether this can be the id of a database: ids are UUIDs, and the one of zeros alone is nobody's.
#[must_use]
pub fn is_database_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| !matches!(byte, b'0' | b'-'))
}

/// What a list of databases lacks.
pub(super) struct DatabasePlan<'w> {
    /// To be added.
    pub(super) missing: Vec<&'w WantedDatabase>,
    /// Of databases that are there and cannot be deployed to.
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'w> DatabasePlan<'w> {
    /// Compares a list with what is wanted. What is bound already is the developer's, whatever it is bound to.
    pub(super) fn of(
        document: &Document<'_>,
        list: Option<&Array<'_>>,
        path: &str,
        wanted: &'w [WantedDatabase],
    ) -> Result<Self, Diagnostic> {
        let mut plan = Self {
            missing: wanted.iter().collect(),
            warnings: Vec::new(),
        };
        for (position, element) in list.iter().flat_map(|list| list.elements.iter().enumerate()) {
            let path = format!("{path}[{position}]");
            let database = document.object(element, &path)?;
            let binding = document.required_string(database, &path, "binding")?;
            let before = plan.missing.len();
            plan.missing.retain(|wanted| wanted.binding != *binding.value);
            if plan.missing.len() == before {
                continue;
            }
            let name = document.string_property(database, format!("{path}.database_name"), "database_name")?;
            let id = document.string_property(database, format!("{path}.database_id"), "database_id")?;
            if let Some(id) = id.filter(|id| !is_database_id(&id.value)) {
                let name = name.map_or("NAME", |name| &name.value);
                let warning = unmade(&binding.value, name, &id.value);
                plan.warnings
                    .push(warning.at(document.file(), document.span(id.range())));
            }
        }
        Ok(plan)
    }
}

fn unmade(binding: &str, name: &str, id: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::D1_ID_PLACEHOLDER,
        format!(
            "the D1 database `{binding}` has `{id}` for its id, which is no id of a database: a deployment is refused"
        ),
    )
    .with_help(format!(
        "Run `npx wrangler d1 create {name}`, and write the id that it prints there. Development needs none."
    ))
}

/// The warnings of a configuration to which all of these are added.
pub(super) fn added_warnings(wanted: &[WantedDatabase]) -> impl Iterator<Item = Diagnostic> {
    let warning = |database: &WantedDatabase| unmade(&database.binding, &database.name, PLACEHOLDER_ID);
    wanted.iter().map(warning)
}

/// A database as an environment has it: each has its own, so that what is tried out in one is not seen in another.
pub(super) fn of_environment(wanted: &WantedDatabase, environment: &str) -> WantedDatabase {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    let suffix: String = environment.chars().map(plain).collect();
    WantedDatabase {
        binding: wanted.binding.clone(),
        name: format!("{}-{suffix}", wanted.name),
    }
}

/// An entry of `d1_databases`.
pub(super) fn entry(database: &WantedDatabase) -> Value {
    json!({
        "binding": database.binding,
        "database_name": database.name,
        "database_id": PLACEHOLDER_ID,
    })
}

#[cfg(test)]
mod tests {
    use super::{PLACEHOLDER_ID, is_database_id};

    #[test]
    fn ids() {
        for id in [
            "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b",
            "9F4E1C2A-0B5D-4E6F-8A7B-1C2D3E4F5A6B",
        ] {
            assert!(is_database_id(id), "{id}");
        }
        for id in [
            "",
            PLACEHOLDER_ID,
            "00000000-0000-0000-0000-000000000000",
            "9f4e1c2a0b5d4e6f8a7b1c2d3e4f5a6b",
            "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6g",
            "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b-",
        ] {
            assert!(!is_database_id(id), "{id}");
        }
    }
}
