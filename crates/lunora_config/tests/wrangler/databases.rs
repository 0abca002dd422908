//! The D1 database of an app with global tables.

use lunora_config::{PLACEHOLDER_ID, Reconciled, Wanted, fresh_wrangler, reconcile_wrangler};
use lunora_diagnostics::{Severity, codes};

use crate::{wanted, wanted_with_database};

const ID: &str = "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b";

fn reconciled(text: &str) -> Reconciled {
    let wanted = Wanted {
        // The rest is others' business.
        durable_objects: Vec::new(),
        ..wanted_with_database()
    };
    let text = format!(
        "{{ \"name\": \"chat\", \"main\": \"lunora/_generated/worker.ts\", \"compatibility_date\": \"2026-04-01\", \"compatibility_flags\": [\"nodejs_compat\"]{text} }}"
    );
    reconcile_wrangler("wrangler.jsonc", &text, &wanted).unwrap()
}

fn paths(reconciled: &Reconciled) -> Vec<&str> {
    reconciled.changes.iter().map(|change| change.path.as_str()).collect()
}

#[test]
fn a_missing_database_is_added_with_a_placeholder_and_said_to_be_one() {
    let added = reconciled("");
    assert_eq!(paths(&added), ["d1_databases"]);
    assert_eq!(added.changes[0].description, "added the D1 databases `DB`");
    let entry =
        format!("{{ \"binding\": \"DB\", \"database_name\": \"chat\", \"database_id\": \"{PLACEHOLDER_ID}\" }}");
    assert!(added.text.contains(&entry), "{}", added.text);
    let [warning] = &added.warnings[..] else {
        panic!("{:?}", added.warnings)
    };
    assert_eq!(
        (warning.code, warning.severity),
        (codes::D1_ID_PLACEHOLDER, Severity::Warning)
    );
    assert!(warning.help.as_ref().unwrap().contains("npx wrangler d1 create chat"));
    let fresh = fresh_wrangler(&wanted_with_database());
    let again = reconcile_wrangler("wrangler.jsonc", &fresh, &wanted_with_database()).unwrap();
    assert!(fresh.contains(&entry) && again.changes.is_empty(), "{fresh}");
    assert_eq!(
        reconcile_wrangler("f", "", &wanted_with_database())
            .unwrap()
            .warnings
            .len(),
        1
    );
}

#[test]
fn a_database_that_is_bound_is_the_developers() {
    for entry in [
        format!("{{ \"binding\": \"DB\", \"database_name\": \"theirs\", \"database_id\": \"{ID}\" }}"),
        // The platform makes one.
        "{ \"binding\": \"DB\" }".to_owned(),
    ] {
        let left = reconciled(&format!(", \"d1_databases\": [{entry}]"));
        assert!(left.changes.is_empty() && left.warnings.is_empty(), "{left:?}");
    }
    let text = format!(", \"d1_databases\": [{{ \"binding\": \"DB_EU\", \"database_id\": \"{ID}\" }}]");
    let beside = reconciled(&text);
    assert_eq!(paths(&beside), ["d1_databases"]);
    assert!(
        beside
            .text
            .contains(&format!("[{{ \"binding\": \"DB_EU\", \"database_id\": \"{ID}\" }},"))
    );
}

#[test]
fn a_placeholder_that_is_still_there_is_told_at_its_place() {
    for id in [PLACEHOLDER_ID, "", "00000000-0000-0000-0000-000000000000", "todo"] {
        let text = format!(
            ", \"d1_databases\": [{{ \"binding\": \"DB\", \"database_name\": \"mine\", \"database_id\": \"{id}\" }}]"
        );
        let left = reconciled(&text);
        assert!(left.changes.is_empty());
        let [warning] = &left.warnings[..] else {
            panic!("{:?}", left.warnings)
        };
        assert_eq!(warning.code, codes::D1_ID_PLACEHOLDER);
        let span = warning.labels[0].span;
        let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        assert_eq!(&left.text[range], format!("\"{id}\""));
        assert!(warning.help.as_ref().unwrap().contains("d1 create mine"));
    }
}

#[test]
fn an_environment_has_a_database_of_its_own() {
    let added = reconciled(", \"env\": { \"staging\": {}, \"my env\": {} }");
    assert_eq!(
        paths(&added),
        ["d1_databases", "env.staging.d1_databases", "env.my env.d1_databases"]
    );
    for name in ["\"chat\"", "\"chat-staging\"", "\"chat-my-env\""] {
        assert!(
            added.text.contains(&format!("\"database_name\": {name}")),
            "{}",
            added.text
        );
    }
}

#[test]
fn an_app_without_global_tables_gets_none() {
    assert!(!fresh_wrangler(&wanted()).contains("d1_databases"));
    let text = fresh_wrangler(&wanted());
    let left = reconcile_wrangler("wrangler.jsonc", &text, &wanted()).unwrap();
    assert!(left.changes.is_empty() && left.warnings.is_empty());
}
