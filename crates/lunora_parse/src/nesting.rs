//! How deep a source may nest, found before it is parsed.
//!
//! The parser recurses for each bracket, but also for each operator of `!!!!x`, each `else if`, each
//! `.then()` of a chain. The scan counts, for every open bracket, the tokens since the last
//! separator that can make the syntax tree deeper. It overestimates: a list of ten statements
//! without semicolons counts as a chain. The limits leave room for that.

/// Weight of a bracket: parentheses recurse through every level of operator precedence.
const BRACKET: u32 = 6;
/// Up to here the ordinary parser threads have enough stack.
pub(crate) const SHALLOW: u32 = 1_200;
/// Beyond this a file is refused.
pub(crate) const DEEPEST: u32 = 2_400;

/// An upper estimate of the depth of the syntax tree, and where the deepest place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nesting {
    pub(crate) depth: u32,
    pub(crate) offset: usize,
}

/// Labels in a row. The parser compares each with all before it.
const MOST_LABELS: u32 = 100;

/// Words that begin a statement: the chain before them has ended, semicolon or not.
fn begins_statement(word: &[u8]) -> bool {
    matches!(
        word,
        b"const" | b"export" | b"import" | b"let" | b"return" | b"throw" | b"var"
    )
}

/// Words after which an expression, a statement or a type continues.
fn continues(word: &[u8]) -> bool {
    match word.len() {
        2 => matches!(word, b"as" | b"do" | b"if" | b"in" | b"is" | b"of"),
        3 => matches!(word, b"for" | b"new"),
        4 => matches!(word, b"else" | b"void" | b"with" | b"case"),
        5 => matches!(
            word,
            b"async" | b"await" | b"class" | b"infer" | b"keyof" | b"while" | b"yield" | b"throw"
        ),
        6 => matches!(word, b"delete" | b"typeof" | b"unique" | b"return"),
        7 => matches!(word, b"extends" | b"default"),
        8 => matches!(word, b"readonly"),
        9 => matches!(word, b"satisfies"),
        10 => matches!(word, b"instanceof"),
        _ => false,
    }
}

/// Bytes of identifiers and numbers.
static WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric() || matches!(character, b'_' | b'$' | b'#' | b'\\' | 128..);
        byte += 1;
    }
    table
};

struct Scan<'text> {
    bytes: &'text [u8],
    at: usize,
    /// The chain and the angle brackets of each open bracket.
    open: Vec<(u32, u32)>,
    chain: u32,
    /// `<` since the last `;`: whether one opens a list of types is not known here, so a comma ends no
    /// chain that has one.
    angles: u32,
    total: u32,
    deepest: Nesting,
    /// Whether a `/` here would begin a regular expression.
    expects_operand: bool,
    last_word_is_as: bool,
    line_start: bool,
    /// Length of a run `a: b: c:`, and whether its last token is the word.
    labels: u32,
    after_label_word: bool,
    /// Bracket depths at which a template literal's `${` was opened.
    templates: Vec<usize>,
}

/// Estimates the nesting of a source text.
pub(crate) fn estimate(text: &str) -> Nesting {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        open: Vec::new(),
        chain: 0,
        angles: 0,
        total: 0,
        deepest: Nesting { depth: 0, offset: 0 },
        expects_operand: true,
        last_word_is_as: false,
        line_start: true,
        labels: 0,
        after_label_word: false,
        templates: Vec::new(),
    };
    scan.run();
    scan.deepest
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn link(&mut self) {
        self.chain += 1;
        self.total += 1;
        if self.total > self.deepest.depth {
            self.deepest = Nesting {
                depth: self.total,
                offset: self.at,
            };
        }
    }

    fn unlink(&mut self) {
        self.total -= self.chain;
        self.chain = 0;
        self.angles = 0;
    }

    fn unlink_to_angles(&mut self) {
        let kept = self.angles.min(self.chain);
        self.total -= self.chain - kept;
        self.chain = kept;
    }

    fn enter(&mut self) {
        self.link();
        self.total += BRACKET;
        if self.total > self.deepest.depth {
            self.deepest = Nesting {
                depth: self.total,
                offset: self.at,
            };
        }
        self.open.push((self.chain, self.angles));
        self.chain = 0;
        self.angles = 0;
    }

    fn exit(&mut self) {
        if let Some((chain, angles)) = self.open.pop() {
            self.unlink();
            self.total -= BRACKET;
            self.chain = chain;
            self.angles = angles;
        }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            let at_line_start = self.line_start;
            if !byte.is_ascii_whitespace() {
                self.line_start = false;
                self.count_labels(byte);
            }
            match byte {
                b'\n' => {
                    self.line_start = true;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if self.peek(1) == b'/' => self.skip_line(),
                b'/' if self.peek(1) == b'*' => self.skip_block_comment(),
                b'/' if self.expects_operand && self.skip_regular_expression() => {
                    self.expects_operand = false;
                }
                b'"' | b'\'' => {
                    self.skip_string(byte);
                    self.expects_operand = false;
                }
                b'`' => {
                    self.link();
                    self.at += 1;
                    self.skip_template();
                }
                b'(' | b'[' | b'{' => {
                    self.enter();
                    self.expects_operand = true;
                    self.at += 1;
                }
                b'}' if self.templates.last() == Some(&self.open.len()) => {
                    self.templates.pop();
                    self.exit();
                    self.at += 1;
                    self.skip_template();
                }
                b')' | b']' | b'}' => {
                    self.exit();
                    self.expects_operand = byte == b'}';
                    self.at += 1;
                }
                b',' => {
                    self.unlink_to_angles();
                    self.expects_operand = true;
                    self.at += 1;
                }
                b'<' => {
                    self.angles += 1;
                    self.link();
                    self.expects_operand = true;
                    self.at += 1;
                }
                b';' => {
                    self.unlink();
                    self.expects_operand = true;
                    self.at += 1;
                }
                byte if WORD[usize::from(byte)] => {
                    self.word(at_line_start);
                }
                _ => {
                    self.link();
                    self.expects_operand = true;
                    self.at += 1;
                }
            }
        }
    }

    fn count_labels(&mut self, byte: u8) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | 128.. => {
                if self.after_label_word {
                    self.labels = 0;
                }
                self.after_label_word = true;
            }
            b':' if self.after_label_word => {
                self.after_label_word = false;
                self.labels += 1;
                if self.labels > MOST_LABELS {
                    self.deepest = Nesting {
                        depth: u32::MAX,
                        offset: self.at,
                    };
                }
            }
            _ => {
                self.labels = 0;
                self.after_label_word = false;
            }
        }
    }

    fn word(&mut self, at_line_start: bool) {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| WORD[usize::from(*byte)]) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        if at_line_start && !self.last_word_is_as && begins_statement(word) {
            self.unlink();
        }
        let operator = continues(word);
        if operator {
            self.link();
        }
        self.expects_operand = operator;
        self.last_word_is_as = word == b"as";
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    fn skip_block_comment(&mut self) {
        self.at += 2;
        while self.at < self.bytes.len() {
            if self.peek(0) == b'*' && self.peek(1) == b'/' {
                self.at += 2;
                return;
            }
            self.at += 1;
        }
    }

    /// A string ends on its line; a quote that does not is no string.
    fn skip_string(&mut self, quote: u8) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'\n' => break,
                byte if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = start + 1;
    }

    fn skip_regular_expression(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        let mut in_class = false;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'\n' => break,
                b'[' => {
                    in_class = true;
                    self.at += 1;
                }
                b']' => {
                    in_class = false;
                    self.at += 1;
                }
                b'/' if !in_class => {
                    self.at += 1;
                    return true;
                }
                _ => self.at += 1,
            }
        }
        self.at = start;
        false
    }

    /// The text of a template literal up to its end or its next `${`.
    fn skip_template(&mut self) {
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    self.expects_operand = false;
                    return;
                }
                b'$' if self.peek(1) == b'{' => {
                    self.at += 2;
                    self.enter();
                    self.templates.push(self.open.len());
                    self.expects_operand = true;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(text: &str) -> u32 {
        estimate(text).depth
    }

    #[test]
    fn ordinary_code_is_shallow() {
        let text = "export const list = query.input({ a: v.string() })\n  .query(async ({ ctx }) => {\n    return ctx.db.query(`x${a}`);\n  });\n";
        assert!(depth(&text.repeat(2_000)) < 100);
        assert!(depth(&"export const answer = 42\n".repeat(20_000)) < 20);
        assert!(depth(&"  field: v.string(), // don't (count) [this]\n".repeat(20_000)) < 20);
    }

    #[test]
    fn brackets_and_chains_are_deep() {
        assert!(depth(&"(".repeat(5_000)) > DEEPEST);
        assert!(depth(&"!".repeat(30_000)) > DEEPEST);
        assert!(depth(&"if (x) {} else ".repeat(10_000)) > DEEPEST);
        assert!(depth(&"`${".repeat(5_000)) > DEEPEST);
        assert!(depth(&"<T,>".repeat(5_000)) > DEEPEST);
        assert!(depth(&"a: ".repeat(200)) > DEEPEST);
        assert!(depth(&"case a: ".repeat(200)) < DEEPEST);
        assert!(depth(&"x as\nconst ".repeat(30_000)) > DEEPEST);
    }

    #[test]
    fn strings_comments_and_regular_expressions_hide_brackets() {
        assert!(depth(&format!("const x = \"{}\";", "(".repeat(5_000))) < 30);
        assert!(depth(&format!("/* {} */", "(".repeat(5_000))) < 30);
        assert!(depth(&format!("const x = /[{}]/;", "(".repeat(5_000))) < 30);
        assert!(depth("const x = a / b; const y = '/'; const z = \"((((((\" / 2;") < 40);
    }

    #[test]
    fn a_quote_that_does_not_close_hides_nothing() {
        assert!(depth(&format!("' {}\n", "(".repeat(5_000))) > DEEPEST);
    }
}
