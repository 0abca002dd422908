import type { PublicReference, ShapeArgumentsOf } from "@lunora/client";
import type { ArgumentsOf, ShapeReference } from "@lunora/protocol";

/** The arguments of a live query as a rest parameter; `"skip"` asks for nothing. Left out when nothing is required. */
export type LiveArguments<Reference extends PublicReference<"query">> =
  {} extends ArgumentsOf<Reference>
    ? [args?: ArgumentsOf<Reference> | "skip"]
    : [args: ArgumentsOf<Reference> | "skip"];

/** The same for a shape. */
export type LiveShapeArguments<Reference extends ShapeReference> =
  {} extends ShapeArgumentsOf<Reference>
    ? [args?: ShapeArgumentsOf<Reference> | "skip"]
    : [args: ShapeArgumentsOf<Reference> | "skip"];
