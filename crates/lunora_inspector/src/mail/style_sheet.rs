//! The style sheets of a mail, without what asks others for anything.
//!
//! Rules and `@media` stay, with the declarations that an attribute may have. `@import`, `@font-face` and every other
//! at-rule do not.

use cssparser::{AtRuleParser, CowRcStr, Parser, ParserState, QualifiedRuleParser, StyleSheetParser};

use super::pictures::Pictures;
use super::style_declarations::declarations;
use super::style_text::{Refused, media_query, reader, refused, selectors};

/// A `style` element as the mail has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StyleElement {
    /// Its attribute, empty without one.
    pub media: String,
    pub text: String,
}

/// What may be shown of all of them.
#[derive(Debug, Default)]
pub(crate) struct StyleSheet {
    pub text: String,
    /// How many selectors it has. Each may be tried for each element.
    pub selectors: u64,
}

struct Rules<'a> {
    pictures: &'a Pictures,
    selectors: u64,
}

impl Rules<'_> {
    fn all(&mut self, input: &mut Parser<'_>) -> String {
        StyleSheetParser::new(input, self).flatten().collect()
    }
}

impl<'i> QualifiedRuleParser<'i> for Rules<'_> {
    type Prelude = String;
    type QualifiedRule = String;
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<String, Refused> {
        selectors(input)
    }

    fn parse_block(
        &mut self,
        prelude: String,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<String, Refused> {
        let body = declarations(input, self.pictures);
        if body.is_empty() {
            return Ok(body);
        }
        self.selectors += 1 + prelude.matches(',').count() as u64;
        Ok(format!("{prelude}{{{body}}}\n"))
    }
}

impl<'i> AtRuleParser<'i> for Rules<'_> {
    type Prelude = String;
    type AtRule = String;
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Result<String, Refused> {
        if name.eq_ignore_ascii_case("media") {
            media_query(input)
        } else {
            Err(refused())
        }
    }

    fn parse_block(
        &mut self,
        prelude: String,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<String, Refused> {
        Ok(format!("@media {prelude}{{{}}}\n", self.all(input)))
    }
}

/// One sheet of all, in their order. One whose `media` cannot be read is left out.
pub(crate) fn style_sheet(elements: &[StyleElement], pictures: &Pictures) -> StyleSheet {
    let mut rules = Rules { pictures, selectors: 0 };
    let mut text = String::new();
    for element in elements {
        if element.media.trim().is_empty() {
            text.push_str(&rules.all(&mut reader(&element.text)));
        } else if let Ok(query) = media_query(&mut reader(&element.media)) {
            let inner = rules.all(&mut reader(&element.text));
            text.push_str(&format!("@media {query}{{{inner}}}\n"));
        }
    }
    StyleSheet {
        text,
        selectors: rules.selectors,
    }
}
