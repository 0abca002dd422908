//! What leaves sight: from there on nothing is known of it.

use lunora_diagnostics::codes;
use lunora_ir::FunctionKind;

use super::Walk;
use super::calls::CallSite;
use super::handle::Handle;
use crate::link::value::Place;

impl Walk<'_, '_> {
    /// Arguments go to something that cannot be seen.
    pub(super) fn hand_over(&mut self, arguments: &[(Handle, Place)], call: &CallSite<'_>, to: &str) {
        let what = if call.constructs {
            format!("the constructor of {to}")
        } else {
            to.to_owned()
        };
        for (handle, place) in arguments {
            self.escape(
                handle,
                *place,
                &format!("is handed to {what}, whose use of it cannot be seen"),
            );
        }
    }

    pub(super) fn escape(&mut self, handle: &Handle, place: Place, how: &str) {
        let what = match handle {
            Handle::Context | Handle::Handler(_) => "`ctx`",
            Handle::Instance(_) | Handle::Hidden => "an object that holds `ctx`",
            Handle::Scheduler => {
                self.use_scheduler();
                return;
            }
            Handle::Database | Handle::UnknownAccessor => "`ctx.db`",
            Handle::Accessor(table) => {
                // Whatever happens to it, it reaches one table only.
                if self.schema.tables.contains_key(&**table) {
                    let table = table.clone();
                    self.touch(&table, self.kind == FunctionKind::Mutation, place);
                }
                return;
            }
            Handle::Object(properties, spreads) => {
                for handle in properties.iter().map(|(_, handle)| handle).chain(spreads) {
                    self.escape(handle, place, how);
                }
                return;
            }
            Handle::Either(choices) => {
                for handle in choices {
                    self.escape(handle, place, how);
                }
                return;
            }
            _ => return,
        };
        self.use_database(place);
        self.unseen(codes::ADDRESS_UNDECIDABLE, place, format!("{what} {how}"));
    }

    pub(super) fn use_database(&mut self, place: Place) {
        if self.touches.database.is_none() {
            self.touches.database = Some(self.through.unwrap_or(place));
        }
    }
}
