//! A project in a temporary folder.

use std::path::{Path, PathBuf};

/// A project in a temporary folder, declared inline and removed when dropped. Paths are relative to
/// its root, with `/`.
#[derive(Debug)]
pub struct TempProject {
    folder: tempfile::TempDir,
}

impl TempProject {
    /// Makes the folder and the files in it.
    ///
    /// # Panics
    /// When the file system refuses.
    #[must_use]
    pub fn new<const COUNT: usize>(files: [(&str, &str); COUNT]) -> Self {
        let project = Self {
            folder: must("create a temporary folder", tempfile::tempdir()),
        };
        for (path, contents) in files {
            project.write(path, contents);
        }
        project
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path inside it.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        if relative == "." {
            self.root().to_path_buf()
        } else {
            self.root().join(relative)
        }
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When it does not exist or is not UTF-8.
    #[must_use]
    pub fn read(&self, relative: &str) -> String {
        must(relative, std::fs::read_to_string(self.path(relative)))
    }

    /// Writes a file and the folders above it.
    ///
    /// # Panics
    /// When the file system refuses.
    pub fn write(&self, relative: &str, contents: &str) {
        let path = self.path(relative);
        if let Some(parent) = path.parent() {
            must(relative, std::fs::create_dir_all(parent));
        }
        must(relative, std::fs::write(path, contents));
    }

    /// Removes a file.
    ///
    /// # Panics
    /// When it does not exist.
    pub fn remove(&self, relative: &str) {
        must(relative, std::fs::remove_file(self.path(relative)));
    }

    /// All files, sorted, folders left out.
    ///
    /// # Panics
    /// When a folder cannot be listed.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        self.collect(self.root(), &mut files);
        files.sort();
        files
    }

    fn collect(&self, folder: &Path, files: &mut Vec<String>) {
        for entry in must("list a folder", std::fs::read_dir(folder)) {
            let entry = must("list a folder", entry);
            let path = entry.path();
            if must("look at a file", entry.file_type()).is_dir() {
                self.collect(&path, files);
            } else if let Ok(relative) = path.strip_prefix(self.root()) {
                files.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
}

fn must<Value>(what: &str, result: std::io::Result<Value>) -> Value {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::TempProject;

    #[test]
    fn files_come_and_go() {
        let project = TempProject::new([("b.ts", "1"), ("a/c.ts", "2")]);
        assert_eq!(project.files(), ["a/c.ts", "b.ts"]);
        project.write("a/c.ts", "3");
        assert_eq!(project.read("a/c.ts"), "3");
        project.remove("b.ts");
        assert_eq!(project.files(), ["a/c.ts"]);
    }
}
