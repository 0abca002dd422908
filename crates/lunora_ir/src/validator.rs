//! Validators as written with `v.*`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The value of a `v.literal(…)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
pub enum LiteralValue {
    /// A string.
    String(String),
    /// A finite number, in ECMAScript's shortest text form.
    Number(String),
    /// A boolean.
    Boolean(bool),
    /// A bigint, as decimal digits with an optional leading minus.
    Bigint(String),
    /// `null`.
    Null,
}

/// One validator expression. `Optional` is only meaningful as a field of an object, of a table or
/// of a function's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Validator {
    /// `v.string()`
    String,
    /// `v.number()`, finite.
    Number,
    /// `v.boolean()`
    Boolean,
    /// `v.null()`
    Null,
    /// `v.bigint()`
    Bigint,
    /// `v.bytes()`, an `ArrayBuffer`.
    Bytes,
    /// `v.timestamp()`, epoch milliseconds.
    Timestamp,
    /// `v.date()`, epoch milliseconds.
    Date,
    /// `v.geoPoint()`, `{lat, lng}` in WGS 84.
    GeoPoint,
    /// `v.any()`
    Any,
    /// `v.from(standardSchema)`: checked at run time, opaque to static reading.
    Foreign,
    /// `v.storage(bucket?)`, an R2 key.
    Storage {
        /// The bucket, when one is named.
        bucket: Option<String>,
    },
    /// `v.id(table)`
    Id {
        /// The table the id belongs to.
        table: String,
    },
    /// `v.literal(value)`
    Literal {
        /// The value.
        value: LiteralValue,
    },
    /// `v.array(item)`
    Array {
        /// What each element must be.
        item: Box<Validator>,
    },
    /// `v.object({…})`
    Object {
        /// Fields in source order.
        fields: IndexMap<String, Validator>,
    },
    /// `v.record(key, value)`
    Record {
        /// What each key must be; always produces strings.
        key: Box<Validator>,
        /// What each value must be.
        value: Box<Validator>,
    },
    /// `v.union(…)`
    Union {
        /// Members in source order; the first that accepts wins.
        members: Vec<Validator>,
    },
    /// `v.optional(inner)`
    Optional {
        /// What the value must be when present.
        inner: Box<Validator>,
    },
    /// `inner.nullable()`
    Nullable {
        /// What the value must be when not `null`.
        inner: Box<Validator>,
    },
    /// `inner.$type<T>()`: a narrower TypeScript type than the validator implies.
    Typed {
        /// What is checked at run time.
        inner: Box<Validator>,
        /// The type as written; names nothing outside the built-in types.
        text: String,
    },
}

/// A column of a table: its validator and the modifiers that matter outside the runtime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// What a stored value must be, `Optional` included.
    pub validator: Validator,
    /// An insert may leave it out: `.default`, `.$defaultFn`, `.defaultNow` or `.serverDefault`.
    pub has_default: bool,
    /// `.unique()`
    pub unique: bool,
}

impl Validator {
    /// The validator inside any `Optional`, `Nullable` and `Typed` wrappers.
    #[must_use]
    pub fn unwrapped(&self) -> &Self {
        match self {
            Self::Optional { inner } | Self::Nullable { inner } | Self::Typed { inner, .. } => inner.unwrapped(),
            other => other,
        }
    }

    /// Whether the value may be left out.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        match self {
            Self::Optional { .. } => true,
            Self::Nullable { inner } | Self::Typed { inner, .. } => inner.is_optional(),
            _ => false,
        }
    }
}
