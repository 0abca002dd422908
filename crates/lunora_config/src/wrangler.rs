//! `wrangler.jsonc`: finding it, and adding what an app needs without disturbing what is there.

mod crons;
mod databases;
mod document;
mod edit;
mod find;
mod fresh;
mod migrations;
mod owned;
mod reconcile;
mod render;
mod style;
mod update;
mod wanted;

pub use databases::{PLACEHOLDER_ID, is_database_id};
pub use find::find_wrangler_config;
pub use fresh::fresh_wrangler;
pub use reconcile::{Change, Reconciled, reconcile_wrangler};
pub use update::{WranglerUpdate, plan_wrangler, update_wrangler};
pub use wanted::{Wanted, WantedDatabase, WantedObject};
