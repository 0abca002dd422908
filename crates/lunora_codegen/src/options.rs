//! What generation depends on besides the model.

/// Where generated code imports the packages from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackagePrefix {
    /// `lunorash/server`: the app depends on the umbrella package.
    Umbrella,
    /// `@lunora/server`: the app depends on the packages one by one.
    Scoped,
}

impl PackagePrefix {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Umbrella => "lunorash",
            Self::Scoped => "@lunora",
        }
    }
}

/// What generation depends on besides the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateOptions {
    /// Where generated code imports the packages from.
    pub package_prefix: PackagePrefix,
    /// The folder of schema and functions, project-relative with `/`: the files of the model start
    /// with it.
    pub directory: String,
    /// Title of the OpenAPI document, best the app's name.
    pub title: String,
}

impl GenerateOptions {
    /// The specifier by which a generated file imports a file of the app. TypeScript finds the
    /// source behind the name that it would be compiled to.
    pub(crate) fn specifier(&self, file: &str) -> String {
        let below = file
            .strip_prefix(self.directory.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(file);
        let (stem, extension) = below.rsplit_once('.').unwrap_or((below, "ts"));
        let compiled = match extension {
            "mts" | "mjs" => "mjs",
            "cts" | "cjs" => "cjs",
            _ => "js",
        };
        format!("../{stem}.{compiled}")
    }
}

#[cfg(test)]
mod tests {
    use super::{GenerateOptions, PackagePrefix};

    #[test]
    fn specifiers_name_the_compiled_file() {
        let options = GenerateOptions {
            package_prefix: PackagePrefix::Scoped,
            directory: "src/lunora".to_owned(),
            title: String::new(),
        };
        for (file, expected) in [
            ("src/lunora/messages.ts", "../messages.js"),
            ("src/lunora/admin/users.tsx", "../admin/users.js"),
            ("src/lunora/old.api.mts", "../old.api.mjs"),
            ("src/lunora/a.cts", "../a.cjs"),
        ] {
            assert_eq!(options.specifier(file), expected);
        }
    }
}
