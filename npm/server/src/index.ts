export type {
  ActionCtx,
  Auth,
  BaseCtx,
  Environment,
  Identity,
  Logger,
  MutationCtx,
  QueryCtx,
  RunAction,
  RunMutation,
  RunQuery,
  StreamCtx,
} from "./context.ts";
export type {
  DataModelOf,
  DocumentOf,
  IdOf,
  IndexFields,
  IndexNames,
  InsertOf,
  PatchOf,
  TableModel,
  TableNames,
} from "./data-model.ts";
export type {
  DatabaseReader,
  DatabaseWriter,
  IndexRange,
  IndexRangeBuilder,
  LowerBound,
  Order,
  OrderedQuery,
  PaginationOptions,
  PaginationResult,
  ReaderMethods,
  TableQuery,
  UnorderedQuery,
  UpperBound,
  WriterMethods,
} from "./database.ts";
export { cronJobs, CronJobs } from "./cron-jobs.ts";
export type { CronArguments, CronInterval, CronJob, CronTime, Weekday } from "./cron-jobs.ts";
export { defineApp } from "./define-app.ts";
export { defineMigration, isRegisteredMigration } from "./define-migration.ts";
export type {
  MigratedDocument,
  MigrationFactory,
  MigrationOptions,
  MigrationTransform,
  RegisteredMigration,
  StoredDocument,
} from "./define-migration.ts";
export { defineMutator, isRegisteredMutator } from "./define-mutator.ts";
export type {
  MutatorCtx,
  MutatorDatabase,
  MutatorFactory,
  MutatorOptions,
  RegisteredMutator,
} from "./define-mutator.ts";
export { definePermission, definePolicies, definePolicy, defineRole } from "./define-policy.ts";
export type {
  PermissionDefinition,
  PolicyAnswer,
  PolicyAuth,
  PolicyDefiner,
  PolicyDefinition,
  PolicyInput,
  PolicyOperation,
  PolicyOptions,
  RoleDefinition,
} from "./define-policy.ts";
export { definePresence, isRegisteredPresence } from "./define-presence.ts";
export type { PresenceOptions, PresenceQuestion, PresenceReferenceOf, RegisteredPresence } from "./define-presence.ts";
export { defineSchema, defineSchemaExtension, SchemaBuilder } from "./define-schema.ts";
export type { SchemaExtension, TableBuilders } from "./define-schema.ts";
export { defineShape, isRegisteredShape } from "./define-shape.ts";
export type {
  RegisteredShape,
  ShapeCtx,
  ShapeFactory,
  ShapeOptions,
  ShapeReferenceOf,
  ShapeRow,
} from "./define-shape.ts";
export { everyFunction, findFunction } from "./find-function.ts";
export { defineTable, TableBuilder } from "./define-table.ts";
export type {
  AppOptions,
  ExecutionLifetime,
  FunctionRegistry,
  FunctionRegistryEntry,
  FunctionRegistryFile,
  Handler,
  HandlerOptions,
  IndexDefinition,
  LunoraDefinition,
  MiddlewareResult,
  MigrationRegistry,
  MigrationRegistryEntry,
  OnDelete,
  PresenceRegistry,
  PresenceRegistryEntry,
  RegisteredFunction,
  RelationDefinition,
  SchemaDefinition,
  ShapeRegistry,
  ShapeRegistryEntry,
  ShardMode,
  ShardTarget,
  StoredMiddleware,
  StreamDurability,
  TableDefinition,
  TriggerDefinition,
  TriggerEvent,
  TriggerHandler,
  TriggerOperation,
  TriggerTiming,
} from "./definition.ts";
export type { EmailHandler, InboundMessage, SystemCall } from "./inbound-mail.ts";
export { JURISDICTIONS } from "./jurisdiction.ts";
export type { Jurisdiction } from "./jurisdiction.ts";
export { migrationsOf, mutatorsOf, policiesOf, shapesOf } from "./declarations.ts";
export { initLunora } from "./init-lunora.ts";
export type { LunoraBuilders, LunoraInitializer } from "./init-lunora.ts";
export { invoke, isRegisteredFunction } from "./invoke.ts";
export type { Invocation } from "./invoke.ts";
export type { ExtendCtx, Middleware, MiddlewareOptions, Next } from "./middleware.ts";
export { withoutNull } from "./ask-policies.ts";
export { effectiveReadWhere, hasPolicy, policyCondition } from "./policy-condition.ts";
export type { PolicyCondition, PolicyFacts, PolicyRules } from "./policy-condition.ts";
export type { ProcedureBuilder, ProcedureOptions, StreamOptions } from "./procedure-builder.ts";
export type { FanOutReferenceOf, ReferenceOf } from "./reference-of.ts";
export type { RelationBuilder } from "./relation-builder.ts";
export { RESTRICT, rls, rulesOf } from "./rls.ts";
export type { RestrictableDatabase, RlsMiddleware } from "./rls.ts";
export type {
  CountOptions,
  FieldOperators,
  FindFirstOptions,
  FindManyOptions,
  FindManyResult,
  InsertOptions,
  OrderBy,
  RelationOptions,
  Row,
  Select,
  SoftDeleteMethods,
  TableReader,
  TableWriter,
  UpsertOptions,
  UpsertResult,
  Where,
  With,
} from "./table-access.ts";
export { NO_SCHEDULER } from "./no-scheduler.ts";
export type {
  JobArguments,
  JobListOptions,
  JobPage,
  JobReference,
  JobState,
  RetryOptions,
  ScheduledJob,
  ScheduleOptions,
  Scheduler,
  SchedulingPart,
} from "./scheduler.ts";
export type { TriggerBuilder, TypedTriggerEvent } from "./trigger-builder.ts";
// The parts of other packages that app files write.
export { isLunoraError, LunoraError } from "@lunora/errors";
export { paginationOptsValidator, v, ValidationError } from "@lunora/values";
export type { GeoPoint, Id, Infer, InferInput, PaginationOpts } from "@lunora/values";
