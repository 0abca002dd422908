//! The names of SQLite's result codes.

use std::ffi::c_int;

use rusqlite::ffi;

macro_rules! names {
    ($($name:ident)*) => { &[$((ffi::$name, stringify!($name))),*] };
}

const PRIMARY: &[(c_int, &str)] = names!(
    SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY
    SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL SQLITE_EMPTY
    SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS SQLITE_AUTH SQLITE_FORMAT
    SQLITE_RANGE SQLITE_NOTADB
);

const EXTENDED: &[(c_int, &str)] = names!(
    SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_COMMITHOOK SQLITE_CONSTRAINT_DATATYPE SQLITE_CONSTRAINT_FOREIGNKEY
    SQLITE_CONSTRAINT_FUNCTION SQLITE_CONSTRAINT_NOTNULL SQLITE_CONSTRAINT_PINNED SQLITE_CONSTRAINT_PRIMARYKEY
    SQLITE_CONSTRAINT_ROWID SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE SQLITE_CONSTRAINT_VTAB
    SQLITE_ABORT_ROLLBACK SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT SQLITE_CANTOPEN_ISDIR
    SQLITE_CANTOPEN_FULLPATH SQLITE_CORRUPT_INDEX SQLITE_CORRUPT_SEQUENCE SQLITE_CORRUPT_VTAB SQLITE_IOERR_FSYNC
    SQLITE_IOERR_LOCK SQLITE_IOERR_NOMEM SQLITE_IOERR_READ SQLITE_IOERR_SHMMAP SQLITE_IOERR_SHMOPEN SQLITE_IOERR_SHMSIZE
    SQLITE_IOERR_SHORT_READ SQLITE_IOERR_TRUNCATE SQLITE_IOERR_WRITE SQLITE_READONLY_CANTINIT SQLITE_READONLY_DBMOVED
    SQLITE_READONLY_DIRECTORY SQLITE_READONLY_RECOVERY
);

/// The name of a code's lowest byte, for example `SQLITE_CONSTRAINT`.
pub(crate) fn primary_name(code: c_int) -> &'static str {
    find(PRIMARY, code & 0xff).unwrap_or("SQLITE_ERROR")
}

/// The name of the whole code where it says more than its lowest byte.
pub(crate) fn extended_name(code: c_int) -> Option<&'static str> {
    find(EXTENDED, code)
}

fn find(names: &[(c_int, &'static str)], code: c_int) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(primary_name(ffi::SQLITE_CONSTRAINT_UNIQUE), "SQLITE_CONSTRAINT");
        assert_eq!(
            extended_name(ffi::SQLITE_CONSTRAINT_UNIQUE),
            Some("SQLITE_CONSTRAINT_UNIQUE")
        );
        assert_eq!(primary_name(ffi::SQLITE_FULL), "SQLITE_FULL");
        assert_eq!(extended_name(ffi::SQLITE_FULL), None);
    }
}
