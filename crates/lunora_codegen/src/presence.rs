//! Kinds of rooms, of an app that has any: `presence.ts` for pages, `rooms.ts` for the worker. What pages import must
//! not lead to the code of the app's functions, so the two are apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunora_ir::{Application, Presence};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::api::push_type_of;
use crate::generated_file::HEADER;
use crate::module_names::{identifier, unused};
use crate::typescript::{push_indent, push_key, push_literal_key, push_string};
use crate::{GenerateOptions, GeneratedFile};

const PRESENCE: &str = "presence.ts";
const ROOMS: &str = "rooms.ts";

/// Names that `presence.ts` uses itself.
const TAKEN: [&str; 4] = ["Presence", "PresenceReferenceOf", "presence", "presenceReference"];

/// The files of kinds of rooms, as the last ones where they say the same; none in an app without.
pub(crate) fn presence_files(
    application: &Application,
    options: &GenerateOptions,
    last: &[GeneratedFile],
) -> Vec<GeneratedFile> {
    let mut kinds = application.presence.clone();
    if kinds.is_empty() {
        return Vec::new();
    }
    kinds.sort_by(|one, other| (&one.path, &one.file).cmp(&(&other.path, &other.file)));
    [
        (PRESENCE, references(&kinds, options)),
        (ROOMS, registry(&kinds, options)),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (name, text))| GeneratedFile::renewed(name, text, last.get(index)))
    .collect()
}

/// A folder or file, and the kinds below it.
#[derive(Default)]
struct Branch<'a> {
    below: BTreeMap<&'a str, Branch<'a>>,
    kinds: BTreeMap<&'a str, &'a Presence>,
}

fn tree(kinds: &[Arc<Presence>]) -> Branch<'_> {
    let mut root = Branch::default();
    for kind in kinds {
        let mut branch = &mut root;
        for segment in module_of(kind).split('/') {
            branch = branch.below.entry(segment).or_default();
        }
        branch.kinds.insert(&kind.export, kind);
    }
    root
}

/// `admin/rooms` of `admin/rooms:channel`.
fn module_of(kind: &Presence) -> &str {
    kind.path
        .rsplit_once(':')
        .map_or(kind.path.as_str(), |(module, _)| module)
}

fn references(kinds: &[Arc<Presence>], options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    let mut out = String::with_capacity(512 + kinds.len() * 200);
    out.push_str(HEADER);
    for text in [
        "import { presenceReference } from \"",
        prefix,
        "/protocol\";\nimport type { PresenceReferenceOf } from \"",
        prefix,
        "/server\";\n",
    ] {
        out.push_str(text);
    }
    let mut used: FxHashSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    let mut aliases: FxHashMap<&str, String> = FxHashMap::default();
    for kind in kinds {
        if aliases.contains_key(kind.file.as_str()) {
            continue;
        }
        let alias = unused(identifier(module_of(kind)), &mut used);
        crate::api::push_module_import(&mut out, &alias, &options.specifier(&kind.file));
        aliases.insert(&kind.file, alias);
    }
    let root = tree(kinds);
    out.push_str("\n/** Kinds of rooms that pages can be present in. */\nexport interface Presence {");
    push_types(&mut out, &root, &aliases, 1);
    out.push_str("}\n\nexport const presence: Presence = {");
    push_values(&mut out, &root, 1);
    out.push_str("};\n");
    out
}

fn push_types(out: &mut String, branch: &Branch<'_>, aliases: &FxHashMap<&str, String>, level: usize) {
    for (name, below) in &branch.below {
        push_line(out, level);
        out.push_str("readonly ");
        push_key(out, name);
        out.push_str(": {");
        push_types(out, below, aliases, level + 1);
        out.push_str("};");
    }
    for (name, kind) in &branch.kinds {
        push_line(out, level);
        out.push_str("readonly ");
        push_key(out, name);
        out.push_str(": PresenceReferenceOf<");
        let alias = aliases.get(kind.file.as_str()).map_or("", String::as_str);
        push_type_of(out, alias, &kind.export);
        out.push_str(">;");
    }
    push_line(out, level - 1);
}

fn push_values(out: &mut String, branch: &Branch<'_>, level: usize) {
    for (name, below) in &branch.below {
        push_line(out, level);
        push_literal_key(out, name);
        out.push_str(": {");
        push_values(out, below, level + 1);
        out.push_str("},");
    }
    for (name, kind) in &branch.kinds {
        push_line(out, level);
        push_literal_key(out, name);
        out.push_str(": presenceReference(");
        push_string(out, &kind.path);
        out.push_str("),");
    }
    push_line(out, level - 1);
}

fn push_line(out: &mut String, level: usize) {
    out.push('\n');
    push_indent(out, level);
}

fn registry(kinds: &[Arc<Presence>], options: &GenerateOptions) -> String {
    let mut out = String::with_capacity(256 + kinds.len() * 120);
    out.push_str(HEADER);
    out.push_str("import type { PresenceRegistry } from \"");
    out.push_str(options.package_prefix.as_str());
    out.push_str("/server\";\n\nexport const presence: PresenceRegistry = {");
    for kind in kinds {
        out.push_str("\n  ");
        push_string(&mut out, &kind.path);
        out.push_str(": { module: () => import(");
        push_string(&mut out, &options.specifier(&kind.file));
        out.push_str("), exportName: ");
        push_string(&mut out, &kind.export);
        out.push_str(" },");
    }
    out.push_str("\n};\n");
    out
}
