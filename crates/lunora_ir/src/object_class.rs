//! The Durable Object classes that the generated worker exports.

use crate::Application;

/// A class of objects. Its name is the key of its storage too: it stays the same whatever the app is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectClass {
    /// Name in `env`.
    pub binding: &'static str,
    /// Name of the exported class.
    pub class_name: &'static str,
    /// The function that makes the class from the app's definition.
    pub factory: &'static str,
    /// Where the function comes from, below the packages' prefix: `do` for `lunorash/do` or `@lunora/do`.
    pub package: &'static str,
}

const SHARD: ObjectClass = ObjectClass {
    binding: "SHARD",
    class_name: "ShardDO",
    factory: "createShardObject",
    package: "do",
};

const SHARD_REGISTRY: ObjectClass = ObjectClass {
    binding: "SHARD_REGISTRY",
    class_name: "ShardRegistryDO",
    factory: "createShardRegistryObject",
    package: "do",
};

const SCHEDULER: ObjectClass = ObjectClass {
    binding: "SCHEDULER",
    class_name: "SchedulerDO",
    factory: "createSchedulerObject",
    package: "scheduler",
};

const SESSION: ObjectClass = ObjectClass {
    binding: "SESSION",
    class_name: "SessionDO",
    factory: "createSessionObject",
    package: "do",
};

impl Application {
    /// The classes that this app needs, in the order in which they are declared.
    #[must_use]
    pub fn object_classes(&self) -> Vec<ObjectClass> {
        let mut classes = vec![SHARD, SHARD_REGISTRY];
        if self.uses_scheduler() {
            classes.push(SCHEDULER);
        }
        if !self.presence.is_empty() {
            classes.push(SESSION);
        }
        classes
    }
}
