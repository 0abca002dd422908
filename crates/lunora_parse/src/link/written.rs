//! Validators in messages.

use lunora_ir::Validator;

/// A validator the way it is written, for messages.
pub(super) fn written(validator: &Validator) -> String {
    match validator {
        Validator::String => "v.string()".to_owned(),
        Validator::Number => "v.number()".to_owned(),
        Validator::Boolean => "v.boolean()".to_owned(),
        Validator::Null => "v.null()".to_owned(),
        Validator::Bigint => "v.bigint()".to_owned(),
        Validator::Bytes => "v.bytes()".to_owned(),
        Validator::Timestamp => "v.timestamp()".to_owned(),
        Validator::Date => "v.date()".to_owned(),
        Validator::GeoPoint => "v.geoPoint()".to_owned(),
        Validator::Any => "v.any()".to_owned(),
        Validator::Foreign => "v.from(…)".to_owned(),
        Validator::Storage { .. } => "v.storage(…)".to_owned(),
        Validator::Id { table } => format!("v.id({table:?})"),
        Validator::Literal { .. } => "v.literal(…)".to_owned(),
        Validator::Array { item } => format!("v.array({})", written(item)),
        Validator::Object { .. } => "v.object({ … })".to_owned(),
        Validator::Record { .. } => "v.record(…)".to_owned(),
        Validator::Union { .. } => "v.union(…)".to_owned(),
        Validator::Optional { inner } => format!("v.optional({})", written(inner)),
        Validator::Nullable { inner } => format!("{}.nullable()", written(inner)),
        Validator::Typed { inner, .. } => written(inner),
    }
}
