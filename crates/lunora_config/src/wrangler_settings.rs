//! What the wrangler configuration says about how the worker runs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use jsonc_parser::ParseOptions;
use lunora_diagnostics::{Diagnostic, Span, codes};
use serde_json::Value;

use crate::{FileAction, file_diagnostic, find_wrangler_config};

/// The compatibility date of an app that names none.
pub const DEFAULT_COMPATIBILITY_DATE: &str = "2026-11-01";

/// The oldest compatibility date the worker runs with: calls between Workers and Durable Objects are on by
/// default from then.
pub const MINIMUM_COMPATIBILITY_DATE: &str = "2024-04-03";

/// How the worker runs, as far as its configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct WranglerSettings {
    /// `compatibility_date`, or [`DEFAULT_COMPATIBILITY_DATE`].
    pub compatibility_date: String,
    /// `compatibility_flags`
    pub compatibility_flags: Vec<String>,
    /// `vars`: text or JSON by name.
    pub variables: BTreeMap<String, Value>,
    /// `d1_databases`
    pub databases: Vec<D1Database>,
    /// Regions of the databases of global tables, by the names of their bindings: `eu` for `DB_EU`.
    pub regions: BTreeSet<String>,
    /// `send_email`
    pub send_email: Vec<SendEmail>,
}

/// A D1 database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct D1Database {
    /// Name in `env`.
    pub binding: String,
    /// `database_name`
    pub name: Option<String>,
    /// `database_id`
    pub id: Option<String>,
}

/// A binding that sends mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendEmail {
    /// Name in `env`.
    pub name: String,
    /// `destination_address`: the only recipient.
    pub destination: Option<String>,
    /// `allowed_destination_addresses`
    pub allowed_destinations: Option<Vec<String>>,
    /// `allowed_sender_addresses`
    pub allowed_senders: Option<Vec<String>>,
}

impl Default for WranglerSettings {
    fn default() -> Self {
        Self {
            compatibility_date: DEFAULT_COMPATIBILITY_DATE.to_owned(),
            compatibility_flags: Vec::new(),
            variables: BTreeMap::new(),
            databases: Vec::new(),
            regions: BTreeSet::new(),
            send_email: Vec::new(),
        }
    }
}

/// What the bindings of regional databases begin with; `DB` alone is the one of an app without regions.
const REGION_PREFIX: &str = "DB_";

fn wrong_shape(file: &str, key: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(codes::WRANGLER_SHAPE, format!("`{key}` in `{file}` is not {wanted}"))
        .with_help(format!("Write it as {wanted}, as wrangler's documentation has it."))
}

/// The bindings of `send_email`; `None` when they have another shape.
fn send_email(value: &Value) -> Option<Vec<SendEmail>> {
    let texts = |value: &Value| -> Option<Vec<String>> {
        value
            .as_array()?
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let binding = |value: &Value| -> Option<SendEmail> {
        let optional = |key: &str| value.get(key).map(texts).map_or(Some(None), |list| list.map(Some));
        Some(SendEmail {
            name: value.get("name")?.as_str()?.to_owned(),
            destination: match value.get("destination_address") {
                Some(address) => Some(address.as_str()?.to_owned()),
                None => None,
            },
            allowed_destinations: optional("allowed_destination_addresses")?,
            allowed_senders: optional("allowed_sender_addresses")?,
        })
    };
    value.as_array()?.iter().map(binding).collect()
}

fn settings_of(file: &str, document: &Value) -> Result<WranglerSettings, Diagnostic> {
    let mut settings = WranglerSettings::default();
    if let Some(date) = document.get("compatibility_date") {
        settings.compatibility_date = date
            .as_str()
            .ok_or_else(|| wrong_shape(file, "compatibility_date", "a text"))?
            .to_owned();
    }
    if let Some(flags) = document.get("compatibility_flags") {
        let shape = || wrong_shape(file, "compatibility_flags", "an array of texts");
        settings.compatibility_flags = flags
            .as_array()
            .ok_or_else(shape)?
            .iter()
            .map(|flag| flag.as_str().map(str::to_owned).ok_or_else(shape))
            .collect::<Result<_, _>>()?;
    }
    if let Some(variables) = document.get("vars") {
        settings.variables = variables
            .as_object()
            .ok_or_else(|| wrong_shape(file, "vars", "an object"))?
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
    }
    if let Some(databases) = document.get("d1_databases") {
        let shape = || wrong_shape(file, "d1_databases", "an array of objects with a `binding`");
        for database in databases.as_array().ok_or_else(shape)? {
            let binding = database.get("binding").and_then(Value::as_str).ok_or_else(shape)?;
            let region = binding.strip_prefix(REGION_PREFIX).filter(|region| !region.is_empty());
            settings.regions.extend(region.map(str::to_lowercase));
            let text = |key: &str| database.get(key).and_then(Value::as_str).map(str::to_owned);
            settings.databases.push(D1Database {
                binding: binding.to_owned(),
                name: text("database_name"),
                id: text("database_id"),
            });
        }
    }
    if let Some(bindings) = document.get("send_email") {
        settings.send_email = send_email(bindings).ok_or_else(|| {
            wrong_shape(
                file,
                "send_email",
                "an array of objects with a `name` and lists of addresses",
            )
        })?;
    }
    Ok(settings)
}

/// Reads the settings; an app without a wrangler configuration has the defaults.
///
/// # Errors
/// When the configuration is there and cannot be read or understood.
pub fn read_wrangler(root: &Utf8Path) -> Result<WranglerSettings, Diagnostic> {
    let Some(path) = find_wrangler_config(root)? else {
        return Ok(WranglerSettings::default());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| file_diagnostic(FileAction::Read, path.as_std_path(), &error))?;
    let file = path.file_name().unwrap_or("wrangler.jsonc");
    let document: Value = jsonc_parser::parse_to_serde_value(&text, &ParseOptions::default()).map_err(|error| {
        let range = error.range();
        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Diagnostic::error(
            codes::WRANGLER_SYNTAX,
            format!("`{file}` does not parse: {}", error.kind()),
        )
        .at(
            file,
            Span {
                start: narrow(range.start),
                end: narrow(range.end),
            },
        )
        .with_help("Fix the syntax at the marked place.")
    })?;
    settings_of(file, &document)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn read(text: &str) -> Result<WranglerSettings, Diagnostic> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wrangler.jsonc"), text).unwrap();
        read_wrangler(Utf8Path::from_path(folder.path()).unwrap())
    }

    #[test]
    fn reads_what_is_there() {
        let settings = read(
            "{ // mine\n\"compatibility_date\": \"2026-05-01\", \"compatibility_flags\": [\"a\"], \"vars\": {\"X\": \"1\", \"Y\": {\"z\": 2}}, }",
        )
        .unwrap();
        assert_eq!(settings.compatibility_date, "2026-05-01");
        assert_eq!(settings.compatibility_flags, ["a"]);
        assert_eq!(settings.variables["X"], "1");
        assert_eq!(settings.variables["Y"]["z"], 2);
    }

    #[test]
    fn regions_are_those_of_the_databases() {
        let regions = |databases: &str| {
            let settings = read(&format!("{{\"d1_databases\": {databases}}}"))?;
            Ok::<_, Diagnostic>(settings.regions.into_iter().collect::<Vec<_>>())
        };
        let several =
            "[{\"binding\": \"DB_US\"}, {\"binding\": \"DB\"}, {\"binding\": \"DB_EU\"}, {\"binding\": \"OTHER\"}]";
        assert_eq!(regions(several).unwrap(), ["eu", "us"]);
        assert_eq!(regions("[{\"binding\": \"DB\"}]").unwrap(), Vec::<String>::new());
        assert_eq!(regions("[{}]").unwrap_err().code, codes::WRANGLER_SHAPE);
    }

    #[test]
    fn databases_are_read() {
        let settings = read(
            "{\"d1_databases\": [{\"binding\": \"DB\", \"database_name\": \"a\", \"database_id\": \"b\"}, {\"binding\": \"DB_EU\"}]}",
        );
        let bound = D1Database {
            binding: "DB".to_owned(),
            name: Some("a".to_owned()),
            id: Some("b".to_owned()),
        };
        let bare = D1Database {
            binding: "DB_EU".to_owned(),
            ..D1Database::default()
        };
        assert_eq!(settings.unwrap().databases, [bound, bare]);
    }

    #[test]
    fn bindings_that_send_mail_are_read() {
        let settings = read(
            "{\"send_email\": [{\"name\": \"A\"}, {\"name\": \"B\", \"destination_address\": \"a@b.c\", \"allowed_sender_addresses\": [\"d@e.f\"]}]}",
        )
        .unwrap();
        let named = |name: &str| SendEmail {
            name: name.to_owned(),
            ..SendEmail::default()
        };
        let narrow = SendEmail {
            destination: Some("a@b.c".to_owned()),
            allowed_senders: Some(vec!["d@e.f".to_owned()]),
            ..named("B")
        };
        assert_eq!(settings.send_email, [named("A"), narrow]);
        for wrong in [
            "{}",
            "[{}]",
            "[{\"name\": 1}]",
            "[{\"name\": \"A\", \"allowed_destination_addresses\": \"a@b.c\"}]",
        ] {
            let error = read(&format!("{{\"send_email\": {wrong}}}")).unwrap_err();
            assert_eq!(error.code, codes::WRANGLER_SHAPE, "{wrong}");
        }
    }

    #[test]
    fn has_defaults_without_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings = read_wrangler(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        assert_eq!(settings, WranglerSettings::default());
    }

    #[test]
    fn names_what_has_the_wrong_shape() {
        let error = read("{\"vars\": []}").unwrap_err();
        assert!(error.message.contains("`vars`"), "{}", error.message);
        let error = read("{\"compatibility_flags\": [1]}").unwrap_err();
        assert!(error.message.contains("`compatibility_flags`"), "{}", error.message);
    }

    #[test]
    fn says_where_the_syntax_is_wrong() {
        let error = read("{\"vars\": ").unwrap_err();
        assert_eq!(error.code, codes::WRANGLER_SYNTAX);
        assert_eq!(error.labels[0].file, "wrangler.jsonc");
    }
}
