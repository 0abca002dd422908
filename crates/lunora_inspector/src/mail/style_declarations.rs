//! The declarations of styles that may stay, of a rule or of an attribute.

use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, Parser, ParserState, QualifiedRuleParser, RuleBodyItemParser,
    RuleBodyParser,
};

use super::allowed_styles::{FONT_PROPERTIES, PICTURE_PROPERTIES, PROPERTIES};
use super::pictures::Pictures;
use super::style_text::{Refused, refused, value};

struct Declarations<'a>(&'a Pictures);

impl<'i> DeclarationParser<'i> for Declarations<'_> {
    type Declaration = String;
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _start: &ParserState,
    ) -> Result<String, Refused> {
        let name = name.to_ascii_lowercase();
        if !PROPERTIES.contains(&name.as_str()) {
            return Err(refused());
        }
        let pictures = PICTURE_PROPERTIES.contains(&name.as_str()).then_some(self.0);
        let names_fonts = FONT_PROPERTIES.contains(&name.as_str());
        Ok(format!("{name}:{}", value(input, names_fonts, pictures)?))
    }
}

impl AtRuleParser<'_> for Declarations<'_> {
    type Prelude = ();
    type AtRule = String;
    type Error = ();
}

impl QualifiedRuleParser<'_> for Declarations<'_> {
    type Prelude = ();
    type QualifiedRule = String;
    type Error = ();
}

impl RuleBodyItemParser<'_, String, ()> for Declarations<'_> {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        false
    }
}

/// The declarations of a rule, or of an attribute `style`, that may stay.
pub(crate) fn declarations(input: &mut Parser<'_>, pictures: &Pictures) -> String {
    let mut parser = Declarations(pictures);
    let kept: Vec<String> = RuleBodyParser::new(input, &mut parser).flatten().collect();
    kept.join(";")
}
