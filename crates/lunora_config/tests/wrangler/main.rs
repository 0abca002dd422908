//! `wrangler.jsonc` is completed and otherwise left alone.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod config_text;
mod databases;
mod disk;
mod oracle;
mod plain_json;
mod random_configs;
mod reconcile;

use lunora_config::{Wanted, WantedDatabase, WantedObject};

/// What every app of ours needs.
fn wanted() -> Wanted {
    let object = |binding: &str, class_name: &str| WantedObject {
        binding: binding.to_owned(),
        class_name: class_name.to_owned(),
    };
    Wanted {
        name: Some("chat".to_owned()),
        main: Some("lunora/_generated/worker.ts".to_owned()),
        compatibility_date: "2026-04-01".to_owned(),
        minimum_compatibility_date: "2026-04-01".to_owned(),
        compatibility_flags: vec!["nodejs_compat".to_owned()],
        client_directory: None,
        crons: Vec::new(),
        durable_objects: vec![object("SHARD", "ShardDO"), object("SHARD_REGISTRY", "ShardRegistryDO")],
        databases: Vec::new(),
    }
}

/// What an app with global tables needs besides.
fn wanted_with_database() -> Wanted {
    Wanted {
        databases: vec![WantedDatabase {
            binding: "DB".to_owned(),
            name: "chat".to_owned(),
        }],
        ..wanted()
    }
}
