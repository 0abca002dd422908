//! The shapes of one file.

use lunora_diagnostics::codes;
use lunora_ir::{Shape, ShapeRefresh, ShardMode};

use super::address::Decision;
use super::builders::validators;
use super::evaluate::Evaluator;
use super::exported::Exported;
use super::functions::check_references;
use super::schema::SchemaModel;
use super::suggest::hint;
use super::touches::touches_of;
use super::value::ShapeValue;

pub(super) fn link_shape(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaModel,
    exported: Exported<'_>,
    shape: &ShapeValue,
) -> Option<Shape> {
    if !exported.check_place(evaluator, "shape") || !exported.check_home(evaluator, "shape", "shapes") {
        return None;
    }
    let function = &shape.registered;
    check_references(evaluator, schema, function);
    if schema.incomplete {
        // What is wrong with the schema has been reported, and decides all the rest.
        return None;
    }
    let (name, place) = &shape.table;
    let Some(table) = schema.tables.get(&**name) else {
        let message = format!("there is no table `{name}`");
        evaluator.report(codes::UNKNOWN_TABLE, *place, message, hint(name, &schema.names()));
        return None;
    };
    for (column, place) in &shape.columns {
        if !table.columns.contains_key(&**column) {
            let known: Vec<&str> = table.columns.keys().map(String::as_str).collect();
            let message = format!("the table `{name}` has no column `{column}`");
            evaluator.report(codes::UNKNOWN_FIELD, *place, message, hint(column, &known));
        }
    }
    let refresh = match table.shard_mode {
        ShardMode::Global => ShapeRefresh::Poll,
        _ => ShapeRefresh::Poke,
    };
    let touches = touches_of(evaluator, schema, function);
    let path = exported.path();
    let address = Decision {
        evaluator,
        schema,
        function,
        touches: &touches,
        path: &path,
        place: exported.place,
    }
    .shape(name, *place)?;
    Some(Shape {
        name: exported.name.to_string(),
        file: evaluator.modules.path(exported.file).to_owned(),
        table: name.to_string(),
        input: validators(&function.builder.input),
        address,
        refresh,
    })
}
