//! A parsed configuration that is asked for its parts.

use std::fmt::Display;

use jsonc_parser::ast::{Array, Object, ObjectProp, StringLit, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use lunora_diagnostics::{Diagnostic, Span, codes};

/// What wrangler's own parser takes: JSON with comments and trailing commas, nothing looser.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// A parsed configuration. Positions are those of `text`, which has no byte order mark.
pub(super) struct Document<'a> {
    file: &'a str,
    pub(super) text: &'a str,
    mark: &'a str,
    pub(super) root: Object<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(file: &'a str, whole: &'a str) -> Result<Self, Diagnostic> {
        let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
        let mark = &whole[..whole.len() - text.len()];
        let span = |range: Range| span(range, mark.len());
        let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS).map_err(|error| {
            Diagnostic::error(
                codes::WRANGLER_SYNTAX,
                format!("`{file}` does not parse: {}", lower_first(&error.kind().to_string())),
            )
            .at(file, span(error.range()))
            .with_help("Correct the JSON at the marked place; comments and trailing commas are allowed")
        })?;
        match parsed.value {
            Some(Value::Object(root)) => Ok(Self { file, text, mark, root }),
            other => {
                let range = other.map_or(Range::new(0, text.len()), |value| value.range());
                Err(Diagnostic::error(
                    codes::WRANGLER_SHAPE,
                    format!("`{file}` holds no object, and a configuration is one"),
                )
                .at(file, span(range))
                .with_help("Write `{}` into it, or remove the file to get a new one"))
            }
        }
    }

    /// The byte order mark, where there is one.
    pub(super) const fn mark(&self) -> &'a str {
        self.mark
    }

    pub(super) const fn file(&self) -> &'a str {
        self.file
    }

    pub(super) fn span(&self, range: Range) -> Span {
        span(range, self.mark.len())
    }

    /// A property. Given twice it is refused: wrangler takes the last, a reader the first.
    pub(super) fn property<'o>(
        &self,
        object: &'o Object<'a>,
        path: impl Display,
        key: &str,
    ) -> Result<Option<&'o ObjectProp<'a>>, Diagnostic> {
        let mut matching = object
            .properties
            .iter()
            .filter(|property| property.name.as_str() == key);
        let first = matching.next();
        if let (Some(first), Some(second)) = (first, matching.next()) {
            return Err(Diagnostic::error(
                codes::WRANGLER_DUPLICATE_KEY,
                format!(
                    "`{path}` is given twice in `{}`, and only one of the two can count",
                    self.file
                ),
            )
            .at(self.file, self.span(second.name.range()))
            .and_at(self.file, self.span(first.name.range()), "given here first")
            .with_help("Merge the two into one"));
        }
        Ok(first)
    }

    pub(super) fn object<'o>(&self, value: &'o Value<'a>, path: impl Display) -> Result<&'o Object<'a>, Diagnostic> {
        value.as_object().ok_or_else(|| self.shape(value, path, "an object"))
    }

    pub(super) fn array<'o>(&self, value: &'o Value<'a>, path: impl Display) -> Result<&'o Array<'a>, Diagnostic> {
        value.as_array().ok_or_else(|| self.shape(value, path, "an array"))
    }

    pub(super) fn string<'o>(&self, value: &'o Value<'a>, path: impl Display) -> Result<&'o StringLit<'a>, Diagnostic> {
        value.as_string_lit().ok_or_else(|| self.shape(value, path, "a string"))
    }

    /// An optional property that is an object.
    pub(super) fn object_property<'o>(
        &self,
        object: &'o Object<'a>,
        path: impl Display,
        key: &str,
    ) -> Result<Option<&'o Object<'a>>, Diagnostic> {
        self.property(object, &path, key)?
            .map(|property| self.object(&property.value, &path))
            .transpose()
    }

    /// An optional property that is an array.
    pub(super) fn array_property<'o>(
        &self,
        object: &'o Object<'a>,
        path: impl Display,
        key: &str,
    ) -> Result<Option<&'o Array<'a>>, Diagnostic> {
        self.property(object, &path, key)?
            .map(|property| self.array(&property.value, &path))
            .transpose()
    }

    /// An optional property that is a string.
    pub(super) fn string_property<'o>(
        &self,
        object: &'o Object<'a>,
        path: impl Display,
        key: &str,
    ) -> Result<Option<&'o StringLit<'a>>, Diagnostic> {
        self.property(object, &path, key)?
            .map(|property| self.string(&property.value, &path))
            .transpose()
    }

    /// A property that has to be there and be a string.
    pub(super) fn required_string<'o>(
        &self,
        object: &'o Object<'a>,
        path: impl Display,
        key: &str,
    ) -> Result<&'o StringLit<'a>, Diagnostic> {
        let path = format!("{path}.{key}");
        self.string_property(object, &path, key)?.ok_or_else(|| {
            Diagnostic::error(
                codes::WRANGLER_SHAPE,
                format!("`{path}` is missing in `{}`, and wrangler asks for it", self.file),
            )
            .at(self.file, self.span(object.range))
            .with_help(format!("Add `\"{key}\"` to the marked object, or remove the object"))
        })
    }

    pub(super) fn shape(&self, value: &Value<'a>, path: impl Display, expected: &str) -> Diagnostic {
        let found = match value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "a boolean",
            Value::Object(_) => "an object",
            Value::Array(_) => "an array",
            Value::NullKeyword(_) => "`null`",
        };
        Diagnostic::error(
            codes::WRANGLER_SHAPE,
            format!(
                "`{path}` in `{}` is {found}, and wrangler asks for {expected}",
                self.file
            ),
        )
        .at(self.file, self.span(value.range()))
        .with_help(format!("Write {expected} there, or remove it and let it be added"))
    }

    pub(super) fn conflict(&self, range: Range, message: String, help: impl Into<String>) -> Diagnostic {
        Diagnostic::error(codes::WRANGLER_CONFLICT, message)
            .at(self.file, self.span(range))
            .with_help(help)
    }
}

fn span(range: Range, shift: usize) -> Span {
    let offset = |value: usize| u32::try_from(value + shift).unwrap_or(u32::MAX);
    Span {
        start: offset(range.start),
        end: offset(range.end),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
