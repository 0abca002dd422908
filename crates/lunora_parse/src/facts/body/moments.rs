//! Where a function may look at a clock or at chance.

use super::Walker;
use crate::facts::{Moment, Name, Path, Root, Tracked};

/// Calls of globals that answer something else every time: the global, the steps to what is called, and both as written.
const MOMENTS: &[(&str, &[&str], &str)] = &[
    ("Date", &[], "Date()"),
    ("Date", &["now"], "Date.now()"),
    ("Math", &["random"], "Math.random()"),
    ("crypto", &["getRandomValues"], "crypto.getRandomValues()"),
    ("crypto", &["randomUUID"], "crypto.randomUUID()"),
    ("fetch", &[], "fetch()"),
    ("performance", &["now"], "performance.now()"),
    ("setInterval", &[], "setInterval()"),
    ("setTimeout", &[], "setTimeout()"),
];

impl Walker<'_, '_> {
    /// `value.now`
    pub(super) fn looked_at(&mut self, value: &Tracked, name: &Name, span: swc_core::common::Span) {
        if &**name == "now"
            && let Tracked::Path(path) = value
            && !matches!(path.root, Root::Module(_))
        {
            let (value, span) = ((**path).clone(), self.positions.span(span));
            self.moments.push(Moment::Now { value, span });
        }
    }

    /// `new Date()`: of an argument it would be the same date every time.
    pub(super) fn made_of_nothing(&mut self, callee: &Tracked, span: swc_core::common::Span) {
        if let Tracked::Path(path) = callee
            && path.steps.is_empty()
            && let Root::Module(name) = &path.root
            && &**name == "Date"
        {
            self.global_moment(name.clone(), "new Date()", span);
        }
    }

    /// A call of something of the module.
    pub(super) fn called(&mut self, path: &Path, span: swc_core::common::Span) {
        let Root::Module(name) = &path.root else { return };
        let names: Vec<&str> = std::iter::once(&**name)
            .chain(path.steps.iter().map(|step| &**step))
            .collect();
        // `globalThis.Date` is `Date`.
        let names = names.strip_prefix(&["globalThis"]).unwrap_or(&names);
        let is_moment = |moment: &&(&str, &[&str], &str)| names.split_first() == Some((&moment.0, moment.1));
        match MOMENTS.iter().find(is_moment) {
            Some((_, _, written)) => self.global_moment(name.clone(), written, span),
            None => self.moments.push(Moment::Call { callee: path.clone() }),
        }
    }

    fn global_moment(&mut self, name: Name, written: &'static str, span: swc_core::common::Span) {
        let span = self.positions.span(span);
        self.moments.push(Moment::Global { name, written, span });
    }
}
