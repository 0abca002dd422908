//! An application with a bit of everything.

#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::Arc;

use indexmap::IndexMap;
use lunora_ir::{
    Address, Application, Column, FanOutMerge, Function, FunctionKind, Index, LiteralValue, MergeDirection, Migration,
    OnDelete, Relation, RelationKind, Shape, ShapeRefresh, ShardMode, SoftDelete, Table, TimeToLive, Validator,
    Visibility,
};

pub fn rich() -> Application {
    let mut users = table(
        ShardMode::Root,
        [
            ("email", unique(Validator::String)),
            ("role", column(literals(["admin", "member"]))),
            ("credit", column(nullable(Validator::Bigint))),
            (
                "avatar",
                column(optional(Validator::Storage {
                    bucket: Some("avatars".into()),
                })),
            ),
            ("joinedAt", with_default(Validator::Timestamp)),
        ],
    );
    users.indexes = IndexMap::from([
        ("unique_email".to_owned(), index(["email"], true)),
        ("by_role".to_owned(), index(["role", "joinedAt"], false)),
    ]);
    users.relations = IndexMap::from([(
        "messages".to_owned(),
        relation(RelationKind::Many, "messages", "author"),
    )]);
    users.soft_delete = Some(SoftDelete {
        field: "deletedAt".into(),
    });

    let mut messages = table(
        ShardMode::ShardBy {
            field: "channelId".into(),
        },
        [
            ("channelId", column(id("channels"))),
            ("author", column(id("users"))),
            ("body", column(Validator::String)),
            ("reply-to", column(optional(nullable(id("messages"))))),
            (
                "tags",
                with_default(Validator::Array {
                    item: Box::new(literals(["a", "b"])),
                }),
            ),
            (
                "meta",
                column(optional(Validator::Object {
                    fields: IndexMap::from([
                        ("at".to_owned(), optional(Validator::GeoPoint)),
                        ("raw".to_owned(), Validator::Bytes),
                        (
                            "more".to_owned(),
                            Validator::Record {
                                key: Box::new(Validator::String),
                                value: Box::new(Validator::Any),
                            },
                        ),
                    ]),
                })),
            ),
            (
                "extra",
                column(Validator::Typed {
                    inner: Box::new(Validator::Any),
                    text: "readonly [x: number, y: number]".into(),
                }),
            ),
        ],
    );
    messages.indexes = IndexMap::from([("by_author".to_owned(), index(["author"], false))]);
    messages.relations = IndexMap::from([(
        "author".to_owned(),
        Relation {
            on_delete: Some(OnDelete::Cascade),
            ..relation(RelationKind::One, "users", "author")
        },
    )]);
    messages.time_to_live = Some(TimeToLive {
        field: "_creationTime".into(),
        after: 1000.0,
    });

    Application {
        jurisdiction: Some("eu".into()),
        rls_required: false,
        tables: IndexMap::from([
            ("users".to_owned(), Arc::new(users)),
            (
                "channels".to_owned(),
                Arc::new(table(ShardMode::Root, [("name", column(Validator::String))])),
            ),
            ("messages".to_owned(), Arc::new(messages)),
            (
                "rate_limits".to_owned(),
                Arc::new(table(ShardMode::Colocated, [("hits", column(Validator::Number))])),
            ),
            (
                "audit-log".to_owned(),
                Arc::new(table(ShardMode::Global, [("what", column(Validator::Foreign))])),
            ),
        ]),
        functions: functions(),
        shapes: shapes(),
        migrations: migrations(),
        has_app_module: true,
        schema_export: "schema".into(),
        schema_file: "lunora/schema.ts".into(),
        ..Application::default()
    }
}

/// Not in the order of their ids.
fn migrations() -> Vec<Migration> {
    let migration = |id: &str, table: &str, export: &str, has_down| Migration {
        id: id.to_owned(),
        table: table.to_owned(),
        file: format!("lunora/migrations/{export}.ts"),
        export: export.to_owned(),
        has_down,
    };
    vec![
        migration("2-split-names", "users", "default", true),
        migration("10", "messages", "addLikes", false),
    ]
}

fn shapes() -> Vec<Arc<Shape>> {
    let shape = |name: &str, table: &str, address| {
        Arc::new(Shape {
            name: name.to_owned(),
            file: "lunora/shapes.ts".to_owned(),
            table: table.to_owned(),
            input: IndexMap::new(),
            address,
            refresh: if table == "audit-log" {
                ShapeRefresh::Poll
            } else {
                ShapeRefresh::Poke
            },
        })
    };
    let channel = Address::Argument {
        argument: "channelId".to_owned(),
        field: "channelId".to_owned(),
    };
    vec![
        shape("members", "users", Address::Root),
        shape("__proto__", "users", Address::Root),
        shape("inChannel", "messages", channel),
        shape("audit", "audit-log", Address::Root),
    ]
}

fn functions() -> Vec<Arc<Function>> {
    use FunctionKind::{Action, Mutation, Query};
    let by_channel = || Address::Argument {
        argument: "channelId".into(),
        field: "channelId".into(),
    };
    let channel = || [("channelId", id("channels"))];
    let mut functions = vec![
        function("lunora/messages.ts", "list", Query, channel(), by_channel()),
        function(
            "lunora/messages.ts",
            "send",
            Mutation,
            [
                ("channelId", id("channels")),
                ("author", id("users")),
                ("body", Validator::String),
            ],
            by_channel(),
        ),
        function(
            "lunora/messages.ts",
            "edit",
            Mutation,
            [("id", id("messages")), ("body", optional(Validator::String))],
            Address::Id {
                argument: "id".into(),
                table: "messages".into(),
                field: "channelId".into(),
            },
        ),
        function(
            "lunora/messages.ts",
            "latest",
            Query,
            [],
            Address::FanOut {
                field: "channelId".into(),
                merge: FanOutMerge::TopK {
                    by: "_creationTime".into(),
                    k: 5,
                    direction: MergeDirection::Descending,
                },
            },
        ),
        function(
            "lunora/messages/archive.ts",
            "everything",
            Query,
            [],
            Address::FanOut {
                field: "channelId".into(),
                merge: FanOutMerge::Concat {
                    by: Some("body".into()),
                    direction: None,
                },
            },
        ),
        function(
            "lunora/admin/users.ts",
            "ban",
            Mutation,
            [("user", id("users")), ("until", nullable(Validator::Date))],
            Address::Root,
        ),
        function("lunora/admin/my-users.ts", "default", Query, [], Address::Root),
        function(
            "lunora/class.ts",
            "__proto__",
            Query,
            [(
                "n",
                Validator::Literal {
                    value: LiteralValue::Bigint("-9".into()),
                },
            )],
            Address::Root,
        ),
        function("lunora/digest.ts", "digest", Action, [], Address::Worker),
    ];
    functions[5].output = Some(Validator::Union {
        members: vec![Validator::Null, literals(["banned"])],
    });
    let mut internal = function("lunora/digest.ts", "count", Query, channel(), by_channel());
    internal.visibility = Visibility::Internal;
    functions.push(internal);
    functions.into_iter().map(Arc::new).collect()
}

pub fn function<const COUNT: usize>(
    file: &str,
    export: &str,
    kind: FunctionKind,
    input: [(&str, Validator); COUNT],
    address: Address,
) -> Function {
    let module = file.strip_prefix("lunora/").unwrap().rsplit_once('.').unwrap().0;
    Function {
        path: format!("{module}:{export}"),
        file: file.to_owned(),
        export: export.to_owned(),
        kind,
        visibility: Visibility::Public,
        input: input
            .into_iter()
            .map(|(name, validator)| (name.to_owned(), validator))
            .collect(),
        output: None,
        address,
        tables: Vec::new(),
    }
}

fn table<const COUNT: usize>(shard_mode: ShardMode, columns: [(&str, Column); COUNT]) -> Table {
    Table {
        columns: columns
            .into_iter()
            .map(|(name, column)| (name.to_owned(), column))
            .collect(),
        shard_mode,
        indexes: IndexMap::new(),
        relations: IndexMap::new(),
        triggers: IndexMap::new(),
        soft_delete: None,
        time_to_live: None,
        is_public: false,
        file: "lunora/schema.ts".to_owned(),
    }
}

fn column(validator: Validator) -> Column {
    Column {
        validator,
        has_default: false,
        unique: false,
    }
}

fn with_default(validator: Validator) -> Column {
    Column {
        has_default: true,
        ..column(validator)
    }
}

fn unique(validator: Validator) -> Column {
    Column {
        unique: true,
        ..column(validator)
    }
}

fn index<const COUNT: usize>(fields: [&str; COUNT], unique: bool) -> Index {
    Index {
        fields: fields.map(str::to_owned).to_vec(),
        unique,
    }
}

fn relation(kind: RelationKind, table: &str, field: &str) -> Relation {
    Relation {
        kind,
        table: table.to_owned(),
        field: field.to_owned(),
        references: "_id".to_owned(),
        on_delete: None,
    }
}

fn id(table: &str) -> Validator {
    Validator::Id {
        table: table.to_owned(),
    }
}

fn optional(inner: Validator) -> Validator {
    Validator::Optional { inner: Box::new(inner) }
}

fn nullable(inner: Validator) -> Validator {
    Validator::Nullable { inner: Box::new(inner) }
}

fn literals<const COUNT: usize>(texts: [&str; COUNT]) -> Validator {
    let members = texts.map(|text| Validator::Literal {
        value: LiteralValue::String(text.to_owned()),
    });
    Validator::Union {
        members: members.to_vec(),
    }
}
