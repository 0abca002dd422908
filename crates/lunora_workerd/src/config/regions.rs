//! A jurisdiction as a service of its own: the same modules, a namespace and a disk for each region.
//!
//! workerd itself refuses `.jurisdiction(…)`. The facade in `jurisdiction.js` gives it production's meaning.

use super::workerd_capnp::{extension, worker};
use crate::worker_description::{DurableObject, WorkerDescription};

/// The internal module behind namespaces; only an app that declares a jurisdiction gets it.
const FACADE_MODULE: &str = "lunora-development:jurisdiction";
const FACADE: &str = include_str!("jurisdiction.js");
/// What the facade calls the namespace that nothing restricts.
const ROOT: &str = "root";

/// The services of one region.
#[derive(Clone, Copy)]
pub(super) struct Region<'description> {
    pub(super) description: &'description WorkerDescription,
    /// `None` is the worker itself, with the objects that nothing pins.
    pub(super) jurisdiction: Option<&'description str>,
}

/// Names of all services of a description: a worker and a disk for each region.
pub(crate) fn service_names(description: &WorkerDescription) -> Vec<String> {
    Region::all(description)
        .iter()
        .flat_map(|region| [region.service(), region.storage_service()])
        .collect()
}

/// The unique key of a class in a region: another key makes other ids of the same names.
pub(crate) fn region_key(unique_key: &str, jurisdiction: Option<&str>) -> String {
    match jurisdiction {
        None => unique_key.to_owned(),
        Some(name) => format!("{unique_key}-{name}"),
    }
}

/// The unique key that a class has where nothing is pinned, from the key, and so from the name of the folder, that it has
/// in a region.
#[must_use]
pub fn unpinned_key<'key>(region_key: &'key str, jurisdiction: Option<&str>) -> &'key str {
    jurisdiction
        .and_then(|name| region_key.strip_suffix(name)?.strip_suffix('-'))
        .unwrap_or(region_key)
}

impl<'description> Region<'description> {
    pub(super) fn all(description: &'description WorkerDescription) -> Vec<Self> {
        let jurisdictions = description.jurisdictions.iter().map(|name| Some(name.as_str()));
        std::iter::once(None)
            .chain(jurisdictions)
            .map(|jurisdiction| Self {
                description,
                jurisdiction,
            })
            .collect()
    }

    pub(super) fn service(&self) -> String {
        self.service_of(self.jurisdiction)
    }

    fn service_of(&self, jurisdiction: Option<&str>) -> String {
        let main = &self.description.service_name;
        match jurisdiction {
            None => main.clone(),
            Some(name) => format!("{main}:{name}"),
        }
    }

    pub(super) fn storage_service(&self) -> String {
        format!("{}:storage", self.service())
    }

    pub(super) fn unique_key(&self, object: &DurableObject) -> String {
        region_key(&object.unique_key, self.jurisdiction)
    }

    /// `env.<binding>` of this service: the namespace itself, or the facade over the regions that may be reached from
    /// here. A pinned object reaches its own and no other.
    pub(super) fn write_namespace(&self, target: worker::binding::Builder<'_>, object: &DurableObject) {
        let declared = &self.description.jurisdictions;
        if declared.is_empty() {
            target
                .init_durable_object_namespace()
                .set_class_name(&object.class_name[..]);
            return;
        }
        let reachable: Vec<Option<&str>> = match self.jurisdiction {
            Some(own) => vec![Some(own)],
            None => std::iter::once(None)
                .chain(declared.iter().map(|name| Some(name.as_str())))
                .collect(),
        };
        let mut facade = target.init_wrapped();
        facade.set_module_name(FACADE_MODULE);
        let mut inner = facade.init_inner_bindings(super::count(reachable.len()));
        for (position, jurisdiction) in reachable.into_iter().enumerate() {
            let mut binding = inner.reborrow().get(super::count(position));
            binding.set_name(jurisdiction.unwrap_or(ROOT));
            let mut namespace = binding.init_durable_object_namespace();
            namespace.set_class_name(&object.class_name[..]);
            if jurisdiction != self.jurisdiction {
                namespace.set_service_name(&self.service_of(jurisdiction)[..]);
            }
        }
    }
}

/// Adds the facade's module, which app code cannot import.
pub(super) fn write_extension(target: extension::Builder<'_>) {
    let mut module = target.init_modules(1).get(0);
    module.set_name(FACADE_MODULE);
    module.set_internal(true);
    module.set_es_module(FACADE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_region_leads_back() {
        for jurisdiction in [None, Some("eu"), Some("fedramp-high")] {
            for key in ["ShardDO", "a-eu", "-"] {
                assert_eq!(unpinned_key(&region_key(key, jurisdiction), jurisdiction), key);
            }
        }
        assert_eq!(unpinned_key("ShardDO-us", Some("eu")), "ShardDO-us");
    }
}
