//! Where this server answers otherwise than the D1 that workerd bundles.

/// A difference that is meant.
pub struct Difference {
    /// The cases' whole names, or how they begin where a name ends with `…`.
    pub cases: &'static [&'static str],
    /// Part of what this server answers, as JSON.
    pub ours: &'static str,
    /// Why.
    pub why: &'static str,
}

impl Difference {
    /// Which of its names a case has.
    pub fn name_of(&self, case: &str) -> Option<&'static str> {
        let is_it = |name: &&&str| match name.strip_suffix('…') {
            Some(start) => case.starts_with(start),
            None => case == **name,
        };
        self.cases.iter().find(is_it).copied()
    }
}

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        cases: &["raw SELECT length(zeroblob(2000001))"],
        ours: "string or blob too big: SQLITE_TOOBIG",
        why: "D1 takes 2,000,000 bytes; the bundled one takes what SQLite does",
    },
    Difference {
        cases: &["raw SELECT max(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"],
        ours: "too many arguments on function max",
        why: "D1 names 32 arguments as its limit; the bundled one takes 127",
    },
    Difference {
        cases: &[
            "run INSERT INTO ch (q) VALUES (999)",
            "batch PRAGMA defer_foreign_keys = off",
        ],
        ours: "D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
        why: "the bundled one is a Durable Object and says that it was reset",
    },
    Difference {
        cases: &["run INSERT OR ROLLBACK INTO t (id) VALUES (1)"],
        ours: "UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
        why: "the bundled one breaks down with an internal error",
    },
    Difference {
        cases: &[
            "exec BEGIN",
            "exec COMMIT",
            "exec END",
            "exec ROLLBACK",
            "exec SAVEPOINT a",
            "exec RELEASE a",
        ],
        ours: "is refused because each request is a transaction already",
        why: "the bundled one speaks of the storage of Durable Objects, which D1 has not",
    },
    Difference {
        cases: &["raw SELECT ?, ? (5)", "raw SELECT ? (5,6)", "raw SELECT 1 (5)"],
        ours: "Wrong number of parameters: the statement has ",
        why: "ours counts them",
    },
    Difference {
        cases: &["raw SELECT ?; SELECT ? (5,6)"],
        ours: "only the last of a text may have some",
        why: "in our words",
    },
    Difference {
        cases: &["raw SELECT 'nul…", "raw SELECT 1 -- …"],
        ours: "a statement has a NUL character",
        why: "the bundled one hands SQLite a text that it reads to the NUL only, and tells what comes of it",
    },
    Difference {
        cases: &["raw SELECT ?, ? (\"a\\ud800b\",\"\\udc00\")"],
        ours: "[\"a\u{fffd}b\",\"\u{fffd}\"]",
        why: "the bundled one stores the three bytes of a half character and answers three replacement characters",
    },
    Difference {
        cases: &["parameters that the binding never sends"],
        ours: "[false,false,false,false]",
        why: "the bundled one makes texts and bytes of anything; ours refuses what has no form",
    },
    Difference {
        cases: &["a request that is too long"],
        ours: "and 4194304 are the most; send less at once: PAYLOAD_TOO_LARGE\",2]",
        why: "the bundled one takes what fits into memory",
    },
    Difference {
        cases: &["dump"],
        ours: "{\"value\":true}",
        why: "the bundled one has no such route",
    },
    Difference {
        cases: &["raw SELECT * FROM dbstat"],
        ours: "access to dbstat.name is prohibited: SQLITE_AUTH",
        why: "refused either way: this build of SQLite has it",
    },
    Difference {
        cases: &[
            "raw SELECT ceiling(1.2)",
            "raw SELECT power(2, 3)",
            "raw SELECT log10(100)",
            "raw SELECT sqlite_fail('a', 1)",
        ],
        ours: "no such function",
        why: "refused either way: this build of SQLite has them not",
    },
    Difference {
        cases: &["raw SELECT soundex('a')", "raw SELECT load_extension('x')"],
        ours: "not authorized to use function",
        why: "refused either way: this build of SQLite has them",
    },
];
