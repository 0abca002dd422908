//! Where things of a project are.

use std::path::PathBuf;

use lunora_config::Project;

use crate::module_name::module_name;

/// Where things are.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
    /// The folder of the schema and functions, absolute.
    pub(crate) folder: PathBuf,
    /// Its module name, for example `lunora`.
    pub(crate) directory: String,
    /// The module name of the folder of generated files.
    pub(crate) generated: String,
}

impl Layout {
    pub(crate) fn of(project: &Project) -> Self {
        let root = project.root.as_std_path().to_path_buf();
        let generated = module_name(&root, project.generated_dir().as_std_path());
        Self {
            folder: project.lunora_dir.as_std_path().to_path_buf(),
            directory: project.directory.clone(),
            generated,
            root,
        }
    }

    /// The file of a module.
    pub(crate) fn path_of(&self, module: &str) -> PathBuf {
        let mut path = self.root.clone();
        for part in module.split('/') {
            if part == "__up__" {
                path.pop();
            } else {
                path.push(part);
            }
        }
        path
    }
}
