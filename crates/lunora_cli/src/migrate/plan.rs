//! Which migrations are to run.

use lunora_diagnostics::{Code, codes};

use super::server::{Direction, MigrationStatus};

/// Why nothing may run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub code: Code,
    pub message: String,
}

/// Migrations that are to run, in their order. `all` are in the order of their ids.
///
/// # Errors
/// When one of them cannot run at all.
pub(super) fn choose<'all>(
    all: &'all [MigrationStatus],
    direction: Direction,
    table: Option<&str>,
    steps: Option<u32>,
) -> Result<Vec<&'all MigrationStatus>, Refusal> {
    if let Some(table) = table
        && !all.iter().any(|migration| migration.table == table)
    {
        return Err(Refusal {
            code: codes::UNKNOWN_TABLE,
            message: format!("no migration of the deployed app transforms `{table}`"),
        });
    }
    let of_table = all
        .iter()
        .filter(|migration| table.is_none_or(|table| migration.table == table));
    let most = |otherwise: usize| steps.map_or(otherwise, |steps| usize::try_from(steps).unwrap_or(otherwise));
    let chosen: Vec<&MigrationStatus> = match direction {
        Direction::Up => of_table
            .filter(|migration| migration.is_global || migration.counts.unfinished() > 0)
            .take(most(usize::MAX))
            .collect(),
        Direction::Down => of_table
            .rev()
            .filter(|migration| migration.counts.begun() > 0)
            .take(most(1))
            .collect(),
    };
    for migration in &chosen {
        let MigrationStatus { id, table, .. } = migration;
        if migration.is_global {
            return Err(Refusal {
                code: codes::NOT_IMPLEMENTED,
                message: format!(
                    "`{id}` transforms `{table}`, which is `.global()`: its rows are in D1, and a migration transforms the rows of shards"
                ),
            });
        }
        if direction == Direction::Down && !migration.has_down {
            return Err(Refusal {
                code: codes::MIGRATION_IRREVERSIBLE,
                message: format!("the migration `{id}` of `{table}` has no `down`"),
            });
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::server::Counts;
    use super::*;

    fn migration(id: &str, table: &str, [pending, partial, applied, failed]: [u64; 4]) -> MigrationStatus {
        MigrationStatus {
            id: id.to_owned(),
            table: table.to_owned(),
            has_down: id != "2",
            is_global: false,
            counts: Counts {
                pending,
                partial,
                applied,
                failed,
            },
        }
    }

    fn all() -> Vec<MigrationStatus> {
        vec![
            migration("1", "rooms", [0, 0, 3, 0]),
            migration("2", "posts", [0, 0, 2, 1]),
            migration("3", "rooms", [2, 1, 0, 0]),
            migration("4", "posts", [3, 0, 0, 0]),
            migration("5", "empty", [0, 0, 0, 0]),
        ]
    }

    fn ids(direction: Direction, table: Option<&str>, steps: Option<u32>) -> Result<Vec<String>, &'static str> {
        choose(&all(), direction, table, steps)
            .map(|chosen| chosen.into_iter().map(|migration| migration.id.clone()).collect())
            .map_err(|refusal| refusal.code.as_str())
    }

    #[test]
    fn up_is_what_has_not_ended_everywhere() {
        assert_eq!(ids(Direction::Up, None, None).unwrap(), ["2", "3", "4"]);
        assert_eq!(ids(Direction::Up, None, Some(2)).unwrap(), ["2", "3"]);
        assert_eq!(ids(Direction::Up, Some("rooms"), None).unwrap(), ["3"]);
    }

    #[test]
    fn down_is_what_has_begun_anywhere_the_last_first() {
        assert_eq!(ids(Direction::Down, None, None).unwrap(), ["3"]);
        assert_eq!(ids(Direction::Down, Some("rooms"), Some(5)).unwrap(), ["3", "1"]);
        assert_eq!(ids(Direction::Down, Some("empty"), None).unwrap(), [""; 0]);
    }

    #[test]
    fn what_cannot_run_is_refused_before_anything_runs() {
        assert_eq!(ids(Direction::Down, None, Some(2)), Err("MIGRATION_IRREVERSIBLE"));
        assert_eq!(ids(Direction::Up, Some("room"), None), Err("UNKNOWN_TABLE"));
        let mut global = all();
        global[4].is_global = true;
        let refusal = choose(&global, Direction::Up, None, None).unwrap_err();
        assert_eq!(refusal.code, codes::NOT_IMPLEMENTED);
        assert!(choose(&global, Direction::Up, None, Some(3)).is_ok());
        assert!(choose(&global, Direction::Down, None, None).is_ok());
    }
}
