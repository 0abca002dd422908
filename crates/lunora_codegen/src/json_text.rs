//! JSON written straight into a text.

use crate::typescript::push_string;

/// Writes one object or array, comma by comma. JSON's strings are those of TypeScript.
pub(crate) struct JsonText<'o> {
    out: &'o mut String,
    is_first: bool,
    close: char,
}

impl<'o> JsonText<'o> {
    pub(crate) fn object(out: &'o mut String) -> Self {
        out.push('{');
        Self {
            out,
            is_first: true,
            close: '}',
        }
    }

    pub(crate) fn array(out: &'o mut String) -> Self {
        out.push('[');
        Self {
            out,
            is_first: true,
            close: ']',
        }
    }

    /// The place of the next element.
    pub(crate) fn element(&mut self) -> &mut String {
        if !self.is_first {
            self.out.push(',');
        }
        self.is_first = false;
        self.out
    }

    /// The place of the value of the next property.
    pub(crate) fn property(&mut self, key: &str) -> &mut String {
        let out = self.element();
        push_string(out, key);
        out.push(':');
        out
    }

    pub(crate) fn string(&mut self, key: &str, value: &str) -> &mut Self {
        push_string(self.property(key), value);
        self
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.property(key).push_str(value);
        self
    }

    pub(crate) fn end(self) {
        self.out.push(self.close);
    }
}
