//! `openapi.json`: the public functions as one HTTP operation.
//!
//! All functions share a path, so the request body is a choice told apart by `functionPath`. Each
//! function has one component and one line, so that a change is one line in a diff.

use std::sync::Arc;

use lunora_ir::{Address, Function, FunctionKind, Visibility};
use rayon::prelude::*;

use crate::GenerateOptions;
use crate::generated_file::MARK;
use crate::json_schema::{push_object, push_schema};
use crate::json_text::JsonText;
use crate::typescript::push_string;

const ERROR_SCHEMA: &str = r#"{"type":"object","properties":{"error":{"type":"object","properties":{"code":{"type":"string"},"message":{"type":"string"},"data":{},"hint":{"type":"string"},"docsUrl":{"type":"string"}},"required":["code","message"]}},"required":["error"]}"#;

const FAN_OUT_FAILURE_SCHEMA: &str = r#"{"type":"object","properties":{"shardKey":{"type":"string"},"code":{"type":"string"},"message":{"type":"string"},"timedOut":{"type":"boolean"}},"required":["shardKey","code","message","timedOut"]}"#;

/// What all requests share.
const CALL_SCHEMA: &str = r#"{"type":"object","properties":{"functionPath":{"type":"string"},"args":{"type":"object"},"shardKey":{"type":"string","description":"Never needed; checked against the function's own address"}},"required":["functionPath"]}"#;

/// What all responses share, and all there is to say of functions without `.output`.
const RESULT_SCHEMA: &str = r#"{"type":"object","properties":{"result":{},"commitCursor":{"type":"string"},"lastMutationId":{"type":"number"}}}"#;

const MUTATION_ID: &str = r#"{"name":"x-lunora-mutation-id","in":"header","description":"Makes a mutation happen once, however often it is sent","schema":{"type":"string"}}"#;

/// So many are printed by one thread before it asks for more.
const FUNCTIONS_AT_ONCE: usize = 256;

pub(crate) fn openapi(functions: &[Arc<Function>], options: &GenerateOptions) -> String {
    let public = || {
        functions
            .iter()
            .filter(|function| function.visibility == Visibility::Public && function.kind != FunctionKind::Stream)
    };
    let mut out = String::with_capacity(2048 + functions.len() * 1024);
    out.push_str("{\n  \"openapi\": \"3.1.0\",\n  \"x-generated\": ");
    push_string(&mut out, MARK);
    out.push_str(
        ",\n  \"jsonSchemaDialect\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"info\": { \"title\": ",
    );
    push_string(&mut out, &options.title);
    out.push_str(", \"version\": \"0.0.0\" },\n  \"security\": [{}, { \"bearer\": [] }],\n  \"paths\": {");
    if public().next().is_some() {
        push_operation(&mut out, public());
    }
    out.push_str("},\n  \"components\": {\n    \"securitySchemes\": { \"bearer\": { \"type\": \"http\", \"scheme\": \"bearer\" } },\n    \"schemas\": {\n      \"Error\": ");
    out.push_str(ERROR_SCHEMA);
    if public().any(|function| is_fan_out(function)) {
        out.push_str(",\n      \"FanOutFailure\": ");
        out.push_str(FAN_OUT_FAILURE_SCHEMA);
    }
    if public().next().is_some() {
        out.push_str(",\n      \"Call\": ");
        out.push_str(CALL_SCHEMA);
        out.push_str(",\n      \"Result\": ");
        out.push_str(RESULT_SCHEMA);
    }
    // This is by far the most text of all that is generated.
    let components: Vec<String> = functions
        .par_chunks(FUNCTIONS_AT_ONCE)
        .map(components_of_public)
        .collect();
    out.extend(components);
    out.push_str("\n    }\n  }\n}\n");
    out
}

fn components_of_public(functions: &[Arc<Function>]) -> String {
    let mut out = String::with_capacity(functions.len() * 640);
    for function in functions
        .iter()
        .filter(|function| function.visibility == Visibility::Public && function.kind != FunctionKind::Stream)
    {
        push_components(&mut out, function);
    }
    out
}

/// Appends the part of the document that a function's arguments and result decide.
pub(crate) fn push_components(out: &mut String, function: &Function) {
    push_component(out, function, "request", push_request);
    if has_response(function) {
        push_component(out, function, "response", push_response);
    }
}

/// Whether there is more to say of the response than of any other.
const fn has_response(function: &Function) -> bool {
    function.output.is_some() || is_fan_out(function)
}

fn push_operation<'a>(out: &mut String, public: impl Iterator<Item = &'a Arc<Function>> + Clone) {
    out.push_str("\n    \"/_lunora/rpc\": {\n      \"post\": {\n        \"operationId\": \"call\",\n        \"summary\": \"Calls a function\",\n        \"parameters\": [");
    out.push_str(MUTATION_ID);
    out.push_str("],\n        \"requestBody\": {\n          \"required\": true,\n          \"content\": {\n            \"application/json\": {\n              \"schema\": {\n                \"$ref\": \"#/components/schemas/Call\",\n                \"oneOf\": [");
    push_references(out, public.clone(), "request", "                  ");
    out.push_str("\n                ],\n                \"discriminator\": {\n                  \"propertyName\": \"functionPath\",\n                  \"mapping\": {");
    for (position, function) in public.clone().enumerate() {
        out.push_str(if position == 0 {
            "\n                    "
        } else {
            ",\n                    "
        });
        push_string(out, &function.path);
        out.push_str(": ");
        push_string(out, &reference(function, "request"));
    }
    out.push_str("\n                  }\n                }\n              }\n            }\n          }\n        },\n        \"responses\": {\n          \"200\": {\n            \"description\": \"The function's result\",\n            \"content\": {\n              \"application/json\": {\n                \"schema\": {\n                  \"$ref\": \"#/components/schemas/Result\"");
    push_responses(out, public);
    out.push_str("\n                }\n              }\n            }\n          },\n          \"default\": {\n            \"description\": \"The call failed\",\n            \"content\": { \"application/json\": { \"schema\": { \"$ref\": \"#/components/schemas/Error\" } } }\n          }\n        }\n      }\n    }\n  ");
}

/// Which functions have a result that is known. With one that has not, any result is right.
fn push_responses<'a>(out: &mut String, public: impl Iterator<Item = &'a Arc<Function>> + Clone) {
    if public.clone().all(|function| has_response(function)) {
        out.push_str(",\n                  \"anyOf\": [");
        push_references(out, public, "response", "                    ");
        out.push_str("\n                  ]");
    }
}

fn push_references<'a>(out: &mut String, functions: impl Iterator<Item = &'a Arc<Function>>, part: &str, indent: &str) {
    for (position, function) in functions.enumerate() {
        out.push_str(if position == 0 { "\n" } else { ",\n" });
        out.push_str(indent);
        out.push_str("{ \"$ref\": ");
        push_string(out, &reference(function, part));
        out.push_str(" }");
    }
}

fn push_component(out: &mut String, function: &Function, part: &str, push: fn(&mut String, &Function)) {
    out.push_str(",\n      ");
    push_string(out, &component_name(function, part));
    out.push_str(": ");
    push(out, function);
}

fn push_request(out: &mut String, function: &Function) {
    let mut schema = JsonText::object(out);
    schema.raw("type", "\"object\"");
    schema.string(
        "description",
        match function.kind {
            FunctionKind::Query => "Query",
            FunctionKind::Mutation => "Mutation",
            FunctionKind::Action => "Action",
            FunctionKind::Stream => "Stream",
        },
    );
    let mut properties = JsonText::object(schema.property("properties"));
    let mut path = JsonText::object(properties.property("functionPath"));
    path.string("const", &function.path);
    path.end();
    push_object(properties.property("args"), &function.input);
    properties.end();
    let needs_arguments = function.input.values().any(|field| !field.is_optional());
    schema.raw(
        "required",
        if needs_arguments {
            r#"["functionPath","args"]"#
        } else {
            r#"["functionPath"]"#
        },
    );
    if has_response(function) {
        // OpenAPI cannot tie one form of a request to one form of the response; a tool that knows can.
        schema.string("x-response", &reference(function, "response"));
    }
    schema.end();
}

fn push_response(out: &mut String, function: &Function) {
    let mut schema = JsonText::object(out);
    schema.raw("type", "\"object\"");
    let mut properties = JsonText::object(schema.property("properties"));
    let result = properties.property("result");
    if is_fan_out(function) {
        push_fan_out_result(result, function);
    } else {
        push_result(result, function);
    }
    properties.end();
    schema.end();
}

fn push_fan_out_result(out: &mut String, function: &Function) {
    let mut schema = JsonText::object(out);
    schema.raw("type", "\"object\"");
    let mut properties = JsonText::object(schema.property("properties"));
    push_result(properties.property("data"), function);
    properties
        .raw(
            "errors",
            r##"{"type":"array","items":{"$ref":"#/components/schemas/FanOutFailure"}}"##,
        )
        .raw("ok", r#"{"type":"integer","minimum":0}"#)
        .raw("failed", r#"{"type":"integer","minimum":0}"#);
    properties.end();
    schema.raw("required", r#"["data","errors","ok","failed"]"#);
    schema.end();
}

fn push_result(out: &mut String, function: &Function) {
    match &function.output {
        Some(output) => push_schema(out, output),
        None => out.push_str("{}"),
    }
}

const fn is_fan_out(function: &Function) -> bool {
    matches!(function.address, Address::FanOut { .. })
}

fn reference(function: &Function, part: &str) -> String {
    let mut reference = "#/components/schemas/".to_owned();
    reference.push_str(&component_name(function, part));
    reference
}

/// A name of the letters that OpenAPI allows, `[A-Za-z0-9._-]`. Others are written as `_` and their
/// code, and `_` twice, so that different functions have different names.
fn component_name(function: &Function, part: &str) -> String {
    let mut name = String::with_capacity(function.path.len() + part.len() + 1);
    for character in function.path.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => name.push(character),
            '/' | ':' => name.push('.'),
            '_' => name.push_str("__"),
            other => {
                name.push('_');
                name.push_str(&format!("{:x}", u32::from(other)));
                name.push('_');
            }
        }
    }
    name.push('.');
    name.push_str(part);
    name
}

#[cfg(test)]
mod tests {
    use super::component_name;
    use lunora_ir::{Address, Function, FunctionKind, Visibility};

    #[test]
    fn component_names_are_legal() {
        let function = |path: &str| Function {
            path: path.to_owned(),
            file: String::new(),
            export: String::new(),
            kind: FunctionKind::Query,
            visibility: Visibility::Public,
            input: indexmap::IndexMap::new(),
            output: None,
            address: Address::Root,
            tables: Vec::new(),
        };
        assert_eq!(
            component_name(&function("admin/my-users:ban_all"), "request"),
            "admin.my-users.ban__all.request"
        );
        assert_eq!(component_name(&function("é.x:y"), "r"), "_e9__2e_x.y.r");
    }
}
