//! A pragma holds for its transaction.

use rusqlite::Connection;

use super::authorizer::SETTINGS;

/// Turns every setting off again, as they are for a connection that was just opened.
pub(crate) fn reset(connection: &Connection) -> rusqlite::Result<()> {
    for name in SETTINGS {
        connection.execute_batch(&format!("PRAGMA {name} = OFF"))?;
    }
    Ok(())
}
