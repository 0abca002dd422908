//! Exports that declare something, and where they may stand.

use lunora_diagnostics::codes;

use super::evaluate::Evaluator;
use super::modules::{FileIndex, module_path};
use super::value::Place;
use crate::facts::Name;

/// An export that declares something.
#[derive(Clone, Copy)]
pub(super) struct Exported<'name> {
    /// Where it is declared; another file exports it again.
    pub(super) origin: FileIndex,
    pub(super) file: FileIndex,
    pub(super) module: &'name str,
    pub(super) name: &'name Name,
    pub(super) place: Place,
}

impl Exported<'_> {
    /// The path it is known by.
    pub(super) fn path(self) -> String {
        format!("{}:{}", self.module, self.name)
    }

    /// Whether the export has a name, and its place in `api` is free; what is wrong has been reported.
    pub(super) fn check_place(self, evaluator: &mut Evaluator<'_>, what: &str) -> bool {
        let Self {
            file,
            module,
            name,
            place,
            ..
        } = self;
        let modules = evaluator.modules;
        if &**name == "default" {
            evaluator.report(
                codes::DEFAULT_EXPORT_FUNCTION,
                place,
                format!(
                    "`{}` exports a {what} by default, so that it has no name to be called by",
                    modules.path(file)
                ),
                "Write `export const name = …`.",
            );
            return false;
        }
        if modules.is_folder(module)
            && modules
                .find(&format!("{}/{module}/{name}", modules.directory))
                .is_some()
        {
            evaluator.report(
                codes::PATH_CONFLICT,
                place,
                format!(
                    "`{}` would be both a {what} and the folder of `{module}/{name}` in `api`",
                    self.path()
                ),
                format!("Rename the {what} or the file."),
            );
        }
        true
    }

    /// Whether it is in the one file that is looked at for it; reported when it is not, unless it is there as well.
    pub(super) fn check_home(self, evaluator: &mut Evaluator<'_>, what: &str, home: &str) -> bool {
        if self.module == home {
            return true;
        }
        let directory = &evaluator.modules.directory;
        if module_path(directory, evaluator.modules.path(self.origin)) == home {
            return false;
        }
        let message = format!(
            "`{}` is a {what}, and {what}s are declared in `{directory}/{home}.ts`",
            self.path()
        );
        let help = format!("Move it into `{directory}/{home}.ts`; the functions it uses may stay where they are.");
        evaluator.report(codes::DECLARATION_MISPLACED, self.place, message, help);
        false
    }
}
