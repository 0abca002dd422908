// Made by npm/do/tap/build.mjs: edit npm/do/tap/tap.js.
import { AsyncLocalStorage } from "node:async_hooks";
import { env, waitUntil } from "cloudflare:workers";
import { askedRegions, region } from "./settings.js";
// npm/errors/src/codes.ts
/** The codes of each status but 400, which is that of all the others, too: what is carried into pages. */
const CODES_BY_STATUS = {
	401: "TOKEN_EXPIRED UNAUTHORIZED",
	403: "FORBIDDEN FORBIDDEN_FANOUT FORBIDDEN_SHARD HOST_NOT_ALLOWED ORIGIN_NOT_ALLOWED RLS_REQUIRED",
	404: "FUNCTION_NOT_FOUND MAIL_NOT_FOUND MIGRATION_NOT_FOUND NOT_FOUND SHAPE_NOT_FOUND SHARD_NOT_FOUND UNKNOWN_TABLE",
	405: "METHOD_NOT_ALLOWED",
	408: "CONNECT_TIMEOUT",
	409: "CONFLICT EXPORT_EXPIRED FAULTS_UNAVAILABLE IMPORT_NOT_OPEN IMPORT_TARGET_NOT_EMPTY MIGRATION_IN_PROGRESS MIGRATION_IRREVERSIBLE MIGRATION_OUT_OF_ORDER OFFLINE_IDENTITY_CHANGED OUT_OF_ORDER RELATION_RESTRICTED STREAM_INTERRUPTED",
	413: "FRAME_TOO_LARGE JOB_TOO_LARGE PAYLOAD_TOO_LARGE RESULT_TOO_LARGE ROW_TOO_LARGE",
	415: "UNSUPPORTED_MEDIA_TYPE",
	426: "UPGRADE_REQUIRED",
	429: "OFFLINE_QUEUE_OVERFLOW RATE_LIMITED ROOM_FULL SUBSCRIPTION_LIMIT",
	500: "CTX_CLOSED INTERNAL JOB_INTERRUPTED JURISDICTION_UNAVAILABLE MAIL_NOT_CONFIGURED MIGRATION_FAILED RUN_DEPTH_EXCEEDED SCHEDULER_MISSING SCHEMA_INVALID SHAPE_INVALID UNIQUE_INDEX_REFUSED UNKNOWN_JURISDICTION",
	501: "NOT_IMPLEMENTED",
	502: "MAIL_NOT_SENT",
	503: "IMPORT_IN_PROGRESS LIVE_RESULTS_LIMIT MODULE_TIMEOUT NETWORK_FAILED RELOADED RELOADING SHARD_ERROR SHARD_UNAVAILABLE WORKER_UNAVAILABLE WRITES_PAUSED",
	504: "MUTATION_TIMEOUT QUERY_TIMEOUT SHARD_TIMEOUT",
	507: "STORAGE_FULL STREAM_TOO_LONG"
};
// npm/errors/src/error.ts
/**
* An error with a stable code that may travel to the caller as it is, and with a status that whoever
* makes it says: pages do without the table of statuses. {@link LunoraError} looks it up.
*/
var CodedError = class extends Error {
	constructor(code, status, message, options = {}) {
		super(message, options.cause === void 0 ? void 0 : options);
		this.name = "LunoraError";
		this.code = code;
		this.status = status;
		for (const field of [
			"data",
			"hint",
			"docsUrl"
		]) if (options[field] !== void 0) Object.assign(this, { [field]: options[field] });
	}
};
/**
* Whether a value has the form of a coded error. Structural, because several copies of this
* package may be loaded and errors cross process borders.
*/
function isLunoraError(value) {
	if (typeof value !== "object" || value === null) return false;
	const { code, status, message } = value;
	return typeof code === "string" && typeof status === "number" && typeof message === "string";
}
// npm/errors/src/lunora-error.ts
const STATUSES = new Map(Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) => codes.split(" ").map((code) => [code, Number(status)])));
/** The HTTP status of a code: 400 when it is not one of the table. */
function statusOf(code) {
	return STATUSES.get(code) ?? 400;
}
/**
* Marks errors whose texts were written for callers, those of another copy of this package too. Any
* other error is redacted, also one that happens to have a `code` and a `status`: those of HTTP
* libraries quote secrets.
*/
const LUNORA_ERROR = Symbol.for("lunora.error");
(class LunoraError extends CodedError {
	constructor(code, message, options = {}) {
		super(code, options.status ?? statusOf(code), message, options);
	}
	static {
		Object.defineProperty(this.prototype, LUNORA_ERROR, { value: true });
	}
	/** What was made without the table is one too. */
	static [Symbol.hasInstance](value) {
		return this === LunoraError ? value instanceof CodedError : super[Symbol.hasInstance](value);
	}
});
// npm/runtime/src/observed-request.ts
/** Where the Worker runs and where objects are, when they are somewhere. */
function crossingOf({ pinnedJurisdiction }, env) {
	if (pinnedJurisdiction === void 0) return void 0;
	const region = env["LUNORA_REGION"];
	return {
		from: typeof region === "string" && region !== "" ? region : null,
		to: pinnedJurisdiction
	};
}
/** Tells of a call that was answered. */
function tellRequest({ observer, call, path, since, object, objects }, schema, env, functionPath, identity, answer, now) {
	const crossing = object === void 0 && objects === void 0 ? void 0 : crossingOf(schema, env);
	observer.tell({
		type: "request",
		at: now,
		call,
		path,
		functionPath,
		...object === void 0 ? {} : { object },
		...objects === void 0 ? {} : { objects },
		userId: identity?.userId ?? null,
		status: answer.ok ? 200 : answer.status,
		...answer.ok ? {} : { code: answer.body.error.code },
		ms: now - since,
		...crossing === void 0 ? {} : { crossing }
	});
}
/** Runs an action, and tells of it. `args` are wire-encoded. */
async function observeAction(observer, call, functionPath, args, identity, now, run) {
	const since = now();
	const around = observer.current()?.call;
	const parent = around === call ? void 0 : around;
	const tell = (outcome) => {
		const at = now();
		const userId = identity?.userId ?? null;
		observer.tell({
			type: "call",
			at,
			object: null,
			call,
			kind: "action",
			functionPath,
			args,
			userId,
			outcome,
			ms: at - since,
			...parent === void 0 ? {} : { parent }
		});
	};
	try {
		const result = await observer.within({
			call,
			functionPath
		}, run);
		tell("ok");
		return result;
	} catch (error) {
		tell(isLunoraError(error) ? error.code : "INTERNAL");
		throw error;
	}
}
/** Paths whose requests are not told: the inspector's own questions, and whoever asks whether the Worker is there. */
const UNTOLD = /^\/_lunora\/(?:admin|status|health|ready)(?:\/|$)/;
/** Paths whose calls are told by whoever makes them. */
const OF_CALLS = /^\/_lunora\/rpc(?:-batch)?$/;
/** Codes of requests that were refused before anything was called. */
const refusals = /* @__PURE__ */ new WeakMap();
/** Says that the response refuses its request, and why. */
function noteRefusal(response, error) {
	refusals.set(response, isLunoraError(error) ? error.code : "INTERNAL");
}
/** Answers a request, and tells of it unless it is one of calls. */
async function observeFetch(observer, path, now, answer) {
	if (UNTOLD.test(path)) return answer();
	const since = now();
	const call = observer.nextId();
	const isOfCalls = OF_CALLS.test(path);
	const response = await (isOfCalls ? answer() : observer.within({
		call,
		functionPath: path
	}, answer));
	const code = refusals.get(response);
	if (isOfCalls && code === void 0) return response;
	const at = now();
	observer.tell({
		type: "request",
		at,
		call,
		path,
		userId: null,
		status: response.status,
		...code === void 0 ? {} : { code },
		ms: at - since
	});
	return response;
}
/** Codes a socket is closed with. */
const CLOSE_CODES = {
	/** A frame broke the protocol; an `error` frame came before. */
	protocolError: 1008,
	/** A frame was longer than {@link FRAME_BYTES}. */
	tooLarge: 1009,
	reload: 1012,
	/** The reader does not keep up: connect again and resume. */
	slowReader: 1013,
	tokenExpired: 4001,
	identityInvalid: 4401,
	forbidden: 4403
};
// npm/protocol/src/page-delta.ts
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isPageRow(value) {
	return isObject(value) && Object.hasOwn(value, "_id") && typeof value["_id"] === "string";
}
/**
* The rows of a result that deltas can change: the result itself when it is an array of rows, or
* its `page`. `undefined`: it has none, or two of them share an `_id`.
*/
function pageOf(result) {
	const rows = isObject(result) && Object.hasOwn(result, "page") ? result["page"] : result;
	if (!Array.isArray(rows) || !rows.every(isPageRow)) return void 0;
	return new Set(rows.map(({ _id }) => _id)).size === rows.length ? rows : void 0;
}
/**
* The rows after a run of changes, or `undefined` when one does not fit: it changes or removes a
* row that is not there, or inserts one that is. Then the view has to be read afresh.
*
* An update keeps the row's place. An insert goes by `_creationTime` where the list has a direction
* by it, else to the end: see {@link placeOf}.
*/
function applyPageOperations(rows, operations) {
	const result = [...rows];
	for (const { op, key, value } of operations) {
		const place = result.findIndex(({ _id }) => _id === key);
		if (place >= 0 === (op === "insert")) return void 0;
		if (op === "delete") {
			result.splice(place, 1);
			continue;
		}
		if (!isPageRow(value) || value._id !== key) return void 0;
		if (op === "update") result[place] = value;
		else result.splice(placeOf(result, value), 0, value);
	}
	return result;
}
/**
* Where an inserted row goes. A list whose first and last row have different numeric
* `_creationTime`s runs from the one to the other; the row goes before the first that is further
* that way than itself. Any other list, or a row without a numeric `_creationTime`: the end.
*/
function placeOf(rows, row) {
	const time = row["_creationTime"];
	const first = rows[0]?.["_creationTime"];
	const last = rows.at(-1)?.["_creationTime"];
	if (typeof time !== "number" || typeof first !== "number" || typeof last !== "number" || first === last) return rows.length;
	const isAscending = first < last;
	const place = rows.findIndex(({ _creationTime: other }) => typeof other === "number" && (isAscending ? other > time : other < time));
	return place < 0 ? rows.length : place;
}
// npm/do/src/engine/observing/group-watch.ts
function changesOf(changes, fromSeq) {
	const told = changes.slice(0, 200).map(({ table, id, before, after }, index) => ({
		seq: fromSeq + index + 1,
		table: table.name,
		id,
		op: after === void 0 ? "delete" : before === void 0 ? "insert" : "update",
		...before === void 0 ? {} : { before: before.doc },
		...after === void 0 ? {} : { after: after.doc }
	}));
	const omitted = changes.length - told.length;
	return omitted === 0 ? { changes: told } : {
		changes: told,
		omitted
	};
}
/** Tells of a commit of no group. */
function tellCommit(observer, object, at, { epoch, fromSeq, toSeq, changes }, by) {
	observer.tell({
		type: "commit",
		at,
		object,
		epoch,
		fromSeq,
		toSeq,
		by,
		calls: [],
		...changesOf(changes, fromSeq)
	});
}
function callEvent(object, at, call, outcome) {
	const { functionPath, args, identity, mutationId, jobId, place, observed } = call;
	const clientId = (place?.client ?? call.client)?.clientId;
	return {
		type: "call",
		at,
		object,
		call: observed?.call ?? "",
		kind: jobId === void 0 ? "mutation" : "job",
		functionPath,
		args,
		userId: identity?.userId ?? null,
		...clientId === void 0 ? {} : { clientId },
		...mutationId === void 0 ? {} : { mutationId },
		...place === void 0 ? {} : { clientSeq: place.clientSeq },
		outcome,
		ms: at - (observed?.since ?? at),
		...observed?.parent === void 0 ? {} : { parent: observed.parent }
	};
}
/** Tells the calls of a group that is lost, and with it everything that they did. */
function tellLost(observer, object, at, calls, code) {
	for (const call of calls) observer.tell(callEvent(object, at, call, code));
}
/** Tells whose sequence was not continued; whose moved is told with the group. */
function tellMisplaced(observer, object, at, calls, outcomes) {
	for (const [index, outcome] of outcomes.entries()) {
		if (outcome.ok || outcome.error.code !== "OUT_OF_ORDER") continue;
		const client = calls[index]?.place?.client;
		if (client === void 0) continue;
		const { userId, clientId } = client;
		const { expected = 1 } = outcome.error.data ?? {};
		const place = {
			userId,
			clientId,
			lastMutationId: expected - 1,
			outcome: "OUT_OF_ORDER"
		};
		observer.tell({
			type: "watermark",
			at,
			object,
			clients: [place]
		});
	}
}
/** Calls of a group that changed something. */
function writersOf(calls, ends) {
	return ends.flatMap((end, index) => end > (ends[index - 1] ?? 0) ? calls[index]?.observed?.call ?? [] : []);
}
// npm/do/src/engine/live/page-diff.ts
/** More changes than this, and the whole result is sent. */
const OPERATIONS = 100;
/** The result without its rows; for an array there is nothing besides. */
function frameOf(result) {
	return Array.isArray(result) ? "" : JSON.stringify({
		...result,
		page: null
	});
}
/**
* The row changes that lead from one (wire-encoded) result to the next; `undefined` when they do
* not: no rows, another field changed, or replaying them by the rule that readers follow gives
* another order.
*/
function diffPages(before, after) {
	const old = pageOf(before);
	const rows = pageOf(after);
	if (old === void 0 || rows === void 0) return void 0;
	if (Array.isArray(before) !== Array.isArray(after) || frameOf(before) !== frameOf(after)) return void 0;
	const operations = operationsOf(old, rows);
	if (operations.length === 0 || operations.length > OPERATIONS) return void 0;
	const replayed = applyPageOperations(old, operations);
	return replayed?.length === rows.length && replayed.every(({ _id }, place) => _id === rows[place]._id) ? operations : void 0;
}
function operationsOf(before, after) {
	const old = new Map(before.map((row) => [row._id, row]));
	const present = new Set(after.map(({ _id }) => _id));
	const deletes = [];
	const updates = [];
	const inserts = [];
	for (const { _id: key } of before) if (!present.has(key)) deletes.push({
		op: "delete",
		key
	});
	for (const row of after) {
		const previous = old.get(row._id);
		if (previous === void 0) inserts.push({
			op: "insert",
			key: row._id,
			value: row
		});
		else if (JSON.stringify(previous) !== JSON.stringify(row)) updates.push({
			op: "update",
			key: row._id,
			value: row
		});
	}
	return [
		...updates,
		...inserts,
		...deletes
	];
}
// npm/do/src/engine/observing/patch-facts.ts
/** Text beyond which rows are not counted: nobody may be kept waiting for it. */
const COUNTED_LENGTH = 25e4;
function factsOf(operations) {
	const rowsOut = operations.reduce((sum, { op }) => op === "delete" ? sum + 1 : sum, 0);
	const rows = operations.slice(0, 50).map(({ key }) => key);
	return {
		rowsIn: operations.length - rowsOut,
		rowsOut,
		rows
	};
}
const known = /* @__PURE__ */ new WeakMap();
/**
* What a patch of a shape does: pieces are arrays of operations, as JSON, and the same for all subscribers, so they are
* read once. `undefined`: it is too long to be read for this.
*/
function patchFacts(pieces) {
	let facts = known.get(pieces);
	if (facts === void 0) {
		facts = pieces.reduce((sum, piece) => sum + piece.length, 0) > COUNTED_LENGTH ? null : factsOf(pieces.flatMap((piece) => JSON.parse(piece)));
		known.set(pieces, facts);
	}
	return facts ?? void 0;
}
/** How many rows an answer has, when it is a list of them. */
function rowsOf({ isError, content }) {
	return !isError && Array.isArray(content) ? content.length : void 0;
}
/** What an answer changes for whoever has the other one; `base` is absent where it is sent whole. */
function answerFacts(answer, base) {
	const found = base === void 0 || base.isError || answer.isError ? void 0 : diffPages(base.content, answer.content);
	return found === void 0 ? {
		rowsIn: rowsOf(answer) ?? 0,
		rowsOut: 0
	} : factsOf(found);
}
// npm/do/src/engine/observing/seed-news.ts
const CAUSES = {
	garbage: "CHECKPOINT_INVALID",
	epoch: "EPOCH_CHANGED",
	ahead: "CHECKPOINT_AHEAD",
	version: "VERSION_CHANGED",
	trimmed: "CDC_LOG_TRIMMED"
};
function stateOf(cause) {
	if (cause === void 0) return { state: "resumed" };
	return cause === "new" ? { state: "began" } : {
		state: "reseeded",
		cause: CAUSES[cause]
	};
}
/** What a frame asks for. */
function newsOf(frame) {
	const { id } = frame;
	if (frame.type === "shape_subscribe") return {
		id,
		kind: "shape",
		name: frame.shape.name,
		args: frame.shape.args
	};
	const { functionPath, args } = frame.query;
	return {
		id,
		kind: frame.type === "stream" ? "stream" : "query",
		name: functionPath,
		args
	};
}
/** How a subscription to a shape begins; `cause` is why its view is not continued. */
function shapeNews({ id, shape: { name, args } }, cause, pieces) {
	const rows = patchFacts(pieces)?.rowsIn;
	return {
		id,
		kind: "shape",
		name,
		args,
		...stateOf(cause),
		...rows === void 0 ? {} : { rows }
	};
}
/** Why a client that has a result is sent another one. */
function causeOf({ sinceSeq = 0, sinceEpoch, sinceVersion }, version, host) {
	if (sinceEpoch !== host.epoch()) return "EPOCH_CHANGED";
	if (sinceSeq > host.head()) return "CHECKPOINT_AHEAD";
	if (sinceSeq < host.floor() - 1) return "CDC_LOG_TRIMMED";
	return sinceVersion === version ? "RESULT_CHANGED" : "VERSION_CHANGED";
}
/** How a subscription to a query begins; `holds`: the client's result is still the result. */
function queryNews(id, query, answer, holds, host) {
	const { functionPath: name, args } = query;
	const common = {
		id,
		kind: "query",
		name,
		args
	};
	if (holds) return {
		...common,
		state: "resumed",
		rows: 0
	};
	const rows = rowsOf(answer);
	const size = rows === void 0 ? {} : { rows };
	if (query.sinceSeq === void 0) {
		const { code } = answer.isError ? answer.content : {};
		return {
			...common,
			state: "began",
			...code === void 0 ? {} : { cause: code },
			...size
		};
	}
	return {
		...common,
		state: "reseeded",
		cause: causeOf(query, answer.version, host),
		...size
	};
}
// npm/do/src/engine/observing/stream-watch.ts
/**
* A stream of which every step runs `within` the call that it is, and whose end is told once: `ok`, also when its readers
* have left, or the code of the error.
*/
async function observedStream(open, within, tell) {
	let isOver = false;
	const over = (outcome) => {
		if (!isOver) tell(outcome);
		isOver = true;
	};
	const failed = (error) => {
		over(isLunoraError(error) ? error.code : "INTERNAL");
		throw error;
	};
	const { iterable, close } = await within(open).catch(failed);
	return {
		iterable: { [Symbol.asyncIterator]() {
			const steps = within(() => iterable[Symbol.asyncIterator]());
			return {
				async next() {
					const step = await within(async () => steps.next()).catch(failed);
					if (step.done === true) over("ok");
					return step;
				},
				async return(value) {
					over("ok");
					return await within(() => steps.return?.(value)) ?? {
						done: true,
						value
					};
				}
			};
		} },
		close() {
			close();
			over("ok");
		}
	};
}
// npm/do/src/engine/observing/shard-watch.ts
const encoder = new TextEncoder();
/** What a shard tells its observer. The engine has one only when somebody listens. */
var ShardWatch = class {
	faults;
	#observer;
	#object;
	#now;
	#flush;
	/** What the present flush does to subscriptions, by socket. */
	#parts = /* @__PURE__ */ new Map();
	/** Functions of streams that go on, by socket and id: whoever tells their end does not know them. */
	#streams = /* @__PURE__ */ new Map();
	/** What answers change for whoever has another one: many have the same. */
	#answers = /* @__PURE__ */ new Map();
	/** Sockets often get the very same messages. */
	#measured = {
		messages: [],
		bytes: 0
	};
	constructor(observer, object, now, faults) {
		this.#observer = observer;
		this.#object = object;
		this.#now = now;
		this.faults = faults;
	}
	/** Mutations have come, and wait; `call` is what the Worker calls the only one, `parent` the call that made it. */
	arrived(calls, call, parent) {
		const since = this.#now();
		for (const mutation of calls) mutation.observed = {
			call: call ?? this.#observer.nextId(),
			since,
			parent
		};
	}
	/** Runs a mutation's handler as that call. */
	within({ observed, functionPath }, run) {
		if (observed === void 0) return run();
		return this.#observer.within({
			call: observed.call,
			functionPath,
			object: this.#object
		}, run);
	}
	/** A call that waits in no group. */
	async call({ call = this.#observer.nextId(), parent, functionPath, args }, kind, identity, run) {
		const since = this.#now();
		const object = this.#object;
		const answer = await this.#observer.within({
			call,
			functionPath,
			object
		}, run);
		const at = this.#now();
		const outcome = answer.ok ? "ok" : answer.body.error.code;
		const userId = identity?.userId ?? null;
		this.#observer.tell({
			type: "call",
			at,
			object,
			call,
			kind,
			functionPath,
			args,
			userId,
			outcome,
			ms: at - since,
			...parent === void 0 ? {} : { parent }
		});
		return answer;
	}
	/** A live query runs again: what it logs is its own. */
	live(functionPath, run) {
		return this.#observer.within({
			functionPath,
			object: this.#object
		}, run);
	}
	/** A stream is made, and told as a call when it is over. `args` are wire-encoded. */
	stream(functionPath, args, identity, open) {
		const call = this.#observer.nextId();
		const object = this.#object;
		const since = this.#now();
		const over = (outcome) => {
			const at = this.#now();
			const userId = identity?.userId ?? null;
			const ms = at - since;
			this.#observer.tell({
				type: "call",
				at,
				object,
				call,
				kind: "stream",
				functionPath,
				args,
				userId,
				outcome,
				ms
			});
		};
		const within = (run) => this.#observer.within({
			call,
			functionPath,
			object
		}, run);
		return observedStream(open, within, over);
	}
	/** A group is on its way to disk. */
	committed(calls, group, flush) {
		const at = this.#now();
		const { outcomes, ends } = group;
		const codes = outcomes.map((outcome) => outcome.ok ? void 0 : outcome.error.code);
		this.#observer.ran({
			at,
			object: this.#object,
			calls,
			codes,
			ends,
			flush
		});
		tellMisplaced(this.#observer, this.#object, at, calls, outcomes);
		if (flush.changes.length > 0) this.#begin(flush, at, () => writersOf(calls, ends));
	}
	/** A turn that is no group has changed rows. */
	swept(flush, by) {
		const at = this.#now();
		tellCommit(this.#observer, this.#object, at, flush, by);
		this.#begin(flush, at, () => []);
	}
	/** What is sent from now on is of this flush. */
	#begin({ fromSeq, toSeq }, at, writers) {
		let found;
		this.#flush = {
			fromSeq,
			toSeq,
			at,
			calls: () => found ??= writers()
		};
	}
	lost(calls, code) {
		tellLost(this.#observer, this.#object, this.#now(), calls, code);
	}
	socket(connection, state, close) {
		const { id, identity, clientId } = connection;
		if (state === "closed") for (const stream of this.#streams.get(connection)?.keys() ?? []) this.streamEnded(connection, stream);
		this.#observer.tell({
			type: "socket",
			at: this.#now(),
			object: this.#object,
			socket: id,
			state,
			userId: identity?.userId ?? null,
			...clientId === void 0 ? {} : { clientId },
			...close
		});
	}
	subscription({ id: socket }, news) {
		this.#observer.tell({
			type: "subscription",
			at: this.#now(),
			object: this.#object,
			socket,
			...news
		});
	}
	/** A subscription was refused, or was ended by an error. */
	refused(connection, frame, error) {
		const cause = isLunoraError(error) ? error.code : "INTERNAL";
		this.subscription(connection, {
			...newsOf(frame),
			state: "refused",
			cause
		});
	}
	streamBegan(connection, id, name, args) {
		const streams = this.#streams.get(connection) ?? /* @__PURE__ */ new Map();
		this.#streams.set(connection, streams.set(id, name));
		this.subscription(connection, {
			id,
			kind: "stream",
			name,
			args,
			state: "began"
		});
	}
	streamEnded(connection, id) {
		const streams = this.#streams.get(connection);
		const name = streams?.get(id);
		if (streams === void 0 || name === void 0) return;
		streams.delete(id);
		if (streams.size === 0) this.#streams.delete(connection);
		this.subscription(connection, {
			id,
			kind: "stream",
			name,
			state: "ended"
		});
	}
	/** `holds`: the client's result is still the result. */
	queryBegan(connection, id, query, answer, holds, host) {
		this.subscription(connection, queryNews(id, query, answer, holds, host));
	}
	/** `cause`: why the client's view is not continued. */
	shapeBegan(connection, frame, cause, pieces) {
		this.subscription(connection, shapeNews(frame, cause, pieces));
	}
	/** `sent` is what the client had. */
	queryPoked(connection, id, name, answer, sent) {
		let ofAnswer = this.#answers.get(answer);
		if (ofAnswer === void 0) this.#answers.set(answer, ofAnswer = /* @__PURE__ */ new Map());
		let facts = ofAnswer.get(sent);
		if (facts === void 0) ofAnswer.set(sent, facts = answerFacts(answer, sent));
		this.#poked(connection, {
			id,
			kind: "query",
			name,
			...facts
		});
	}
	shapePoked(connection, id, name, pieces) {
		const facts = patchFacts(pieces) ?? {
			rowsIn: 0,
			rowsOut: 0
		};
		this.#poked(connection, {
			id,
			kind: "shape",
			name,
			...facts
		});
	}
	/** The present flush does something to a subscription. */
	#poked(connection, part) {
		if (this.#flush === void 0) return;
		const parts = this.#parts.get(connection);
		if (parts === void 0) this.#parts.set(connection, [part]);
		else parts.push(part);
	}
	/** What was queued for a socket is handed to the platform: all of it, unless a fault is in the way. */
	delivered(connection, messages) {
		this.#tellPoke(connection, messages);
		return this.faults.through(connection, messages);
	}
	#tellPoke(connection, messages) {
		const subscriptions = this.#parts.get(connection);
		if (subscriptions === void 0 || this.#flush === void 0) return;
		this.#parts.delete(connection);
		const { fromSeq, toSeq, at: since, calls } = this.#flush;
		const at = this.#now();
		this.#observer.tell({
			type: "poke",
			at,
			object: this.#object,
			socket: connection.id,
			fromSeq,
			toSeq,
			frames: messages.length,
			bytes: this.#bytesOf(messages),
			subscriptions,
			calls: calls(),
			ms: at - since
		});
	}
	#bytesOf(messages) {
		if (this.#measured.messages !== messages) {
			const bytes = messages.reduce((sum, text) => sum + encoder.encode(text).byteLength, 0);
			this.#measured = {
				messages,
				bytes
			};
		}
		return this.#measured.bytes;
	}
	/** Everything of the present flush has left. */
	settled() {
		this.#flush = void 0;
		this.#parts.clear();
		this.#answers.clear();
	}
};
// npm/do/tap/faults/frames.ts
/** Frames by which a socket hears of rows: what a commit sends, and what answers a subscription. */
const NEWS = /* @__PURE__ */ new Set([
	"data",
	"delta",
	"pokeStart",
	"pokePart",
	"pokeEnd"
]);
function frames(message) {
	const frame = JSON.parse(message);
	return frame.type === "batch" ? frame.frames : [frame];
}
/** Whether a message tells of rows: is a poke, or a part of one. */
function isNews(message) {
	return frames(message).some(({ type }) => NEWS.has(type));
}
/** Each frame as a message of its own. */
function apart(messages) {
	return messages.flatMap((message) => frames(message).map((frame) => JSON.stringify(frame)));
}
// npm/do/tap/faults/exchange.ts
/** Lets two messages with news change places. What comes between them waits, and keeps its place. */
var Exchange = class {
	#held = [];
	#isOver = false;
	/** Whether there is nothing left to do. */
	get isOver() {
		return this.#isOver;
	}
	/** Whether the first of the two waits for the second. */
	get isWaiting() {
		return this.#held.length > 0;
	}
	/** What goes on, of what came. */
	take(messages) {
		const out = [];
		for (const message of messages) if (this.#isOver) out.push(message);
		else if (!isNews(message)) (this.isWaiting ? this.#held : out).push(message);
		else if (!this.isWaiting) this.#held.push(message);
		else {
			const [first, ...between] = this.#held;
			out.push(message, ...between, first);
			this.#end();
		}
		return out;
	}
	/** No second one came: what was held, in its order. */
	giveUp() {
		const held = this.#held;
		this.#end();
		return held;
	}
	#end() {
		this.#held = [];
		this.#isOver = true;
	}
};
// npm/do/tap/faults/refusal.ts
/** A coded error, without the table of codes that the tap would have to be made anew for. */
function refusal(code, message) {
	const status = code === "NOT_FOUND" ? 404 : 400;
	return Object.assign(new Error(message), {
		code,
		status,
		[LUNORA_ERROR]: true
	});
}
// npm/do/tap/faults/fault.ts
/** How late pokes may be, and how long a region may fail, milliseconds. */
const LONGEST_DELAY = 3e4;
const LONGEST_OUTAGE = 6e4;
const MOST_POKES = 100;
const MOST_FRAMES = 1e3;
const OF_SHARDS = "`cutPoke`, `delayPokes`, `dropSocket`, `evict`, `swapFrames`, `trimLog`";
function refuse(message) {
	throw refusal("BAD_REQUEST", message);
}
function wholeNumber(fields, name, least, most, otherwise) {
	const value = fields[name] ?? otherwise;
	if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
	return refuse(`\`${name}\` has to be a whole number from ${least} to ${most}`);
}
function text(fields, name) {
	const value = fields[name];
	if (typeof value === "string" && value !== "" && value.length <= 1024) return value;
	return refuse(`\`${name}\` has to be a text of 1 to 1024 characters`);
}
/** Who asks: `by`, a user unless it says otherwise. */
function causeIn(fields) {
	const by = fields["by"] ?? { kind: "user" };
	const { kind } = by;
	if (kind === "user") return { by: kind };
	if (kind !== "chaos") return refuse("`by` is `{kind: \"user\"}` or `{kind: \"chaos\", seed, step}`");
	const number = (name) => wholeNumber(by, name, 0, Number.MAX_SAFE_INTEGER);
	return {
		by: kind,
		seed: number("seed"),
		step: number("step")
	};
}
/** What is asked of a shard. Throws `BAD_REQUEST`. */
function shardFaultIn(fields) {
	const { fault } = fields;
	switch (fault) {
		case "dropSocket":
		case "swapFrames": return {
			fault,
			socket: text(fields, "socket")
		};
		case "cutPoke": return {
			fault,
			socket: text(fields, "socket"),
			afterFrames: wholeNumber(fields, "afterFrames", 0, MOST_FRAMES, 0)
		};
		case "delayPokes": return {
			fault,
			ms: wholeNumber(fields, "ms", 1, LONGEST_DELAY),
			count: wholeNumber(fields, "count", 1, MOST_POKES, 1)
		};
		case "trimLog": return {
			fault,
			to: (fields["to"] ?? null) !== null ? wholeNumber(fields, "to", 0, Number.MAX_SAFE_INTEGER) : void 0
		};
		case "evict": return { fault };
		case "failRegion": return refuse("`failRegion` is asked without `object`: it is about all of them");
		default: return refuse(`\`fault\` is one of ${OF_SHARDS}; or, without \`object\`, \`failRegion\``);
	}
}
/** What is asked of the Worker. Throws `BAD_REQUEST`. */
function workerFaultIn(fields) {
	const { fault } = fields;
	if (fault !== "failRegion") return refuse(`without \`object\` \`fault\` is \`failRegion\`; with it, one of ${OF_SHARDS}`);
	return {
		fault,
		region: (fields["region"] ?? null) !== null ? text(fields, "region") : null,
		ms: wholeNumber(fields, "ms", 0, LONGEST_OUTAGE)
	};
}
// npm/do/tap/faults/late-line.ts
/** Runs what it is given in the order in which it came, each as late as it is to be or as those before it make it. */
var LateLine = class {
	#now;
	#later;
	#waiting = [];
	/** When the last of them is due, epoch milliseconds. */
	#lastDue = 0;
	constructor(now, later) {
		this.#now = now;
		this.#later = later;
	}
	add(milliseconds, run) {
		if (milliseconds === 0 && this.#waiting.length === 0) return run();
		const now = this.#now();
		const due = Math.max(now + milliseconds, this.#waiting.length === 0 ? 0 : this.#lastDue);
		this.#lastDue = due;
		const waiting = {
			run,
			isDue: false
		};
		this.#waiting.push(waiting);
		this.#later(due - now, () => {
			waiting.isDue = true;
			while (this.#waiting[0]?.isDue === true) this.#waiting.shift()?.run();
		});
	}
};
// npm/do/tap/faults/object-faults.ts
/** How long the first of two messages waits for the one that it changes places with, milliseconds. */
const EXCHANGE_WAIT = 2e3;
/** Until an object is reset: its answer, and what was told of it, have to leave first, milliseconds. */
const EVICTION_PAUSE = 100;
/** As a network that is lost: the client comes back by itself. */
const LOST = {
	code: CLOSE_CODES.reload,
	reason: "a fault: the connection is lost"
};
/** Faults of one shard, for as long as it is awake. */
var ObjectFaults = class {
	#host;
	/** Set by the first that asks: until then nothing is disturbed. */
	#engine;
	#lines = /* @__PURE__ */ new WeakMap();
	#delay;
	/** The poke that is leaving now, to one socket after the other: all of it is late, or nothing. */
	#leaving;
	constructor(host) {
		this.#host = host;
	}
	async inject(engine, argument) {
		const fields = argument;
		const asked = shardFaultIn(fields);
		const cause = causeIn(fields);
		this.#engine = engine;
		return this.#do(engine, asked, this.#teller(asked, cause));
	}
	#teller(asked, cause) {
		const { object, tell, now } = this.#host;
		const { fault } = asked;
		const socket = "socket" in asked ? { socket: asked.socket } : {};
		return (state, details) => tell({
			type: "fault",
			at: now(),
			fault,
			state,
			...cause,
			object,
			...socket,
			details
		});
	}
	async #do(engine, asked, tell) {
		const told = (state, details) => {
			tell(state, details);
			return {
				state,
				details
			};
		};
		switch (asked.fault) {
			case "dropSocket": {
				const connection = socketOf(engine, asked.socket);
				const answer = told("happened", {});
				this.#drop(connection);
				return answer;
			}
			case "cutPoke": {
				const { socket, afterFrames } = asked;
				this.#lineOf(socketOf(engine, socket)).cut = {
					afterFrames,
					tell
				};
				return told("armed", { afterFrames });
			}
			case "swapFrames": {
				const connection = socketOf(engine, asked.socket);
				const line = this.#lineOf(connection);
				this.#giveUp(connection, line);
				line.exchange = {
					exchange: new Exchange(),
					tell
				};
				return told("armed", {});
			}
			case "delayPokes": {
				const { ms, count } = asked;
				this.#delay = {
					ms,
					left: count,
					tell
				};
				return told("armed", {
					ms,
					count
				});
			}
			case "trimLog": return told("happened", await trim(engine, asked.to));
			case "evict": {
				const { host } = engine.insides;
				await host.sync();
				this.#host.later(EVICTION_PAUSE, () => host.discardTurn("a fault: the object is reset"));
				return told("happened", {});
			}
		}
	}
	through(connection, messages) {
		const ms = this.#lateness(messages);
		if (ms === 0 && !this.#lines.has(connection)) return messages;
		const line = this.#lineOf(connection);
		const { exchange: armed } = line;
		if (armed === void 0) {
			this.#handOver(connection, line, messages, ms);
			return [];
		}
		const { exchange, tell } = armed;
		const wasWaiting = exchange.isWaiting;
		const exchanged = exchange.take(messages);
		if (exchange.isOver) {
			line.exchange = void 0;
			tell("happened", { isExchanged: true });
		} else if (!wasWaiting && exchange.isWaiting) this.#host.later(EXCHANGE_WAIT, () => {
			if (line.exchange === armed) this.#giveUp(connection, line);
		});
		this.#handOver(connection, line, exchanged, ms);
		return [];
	}
	/** How late messages leave, milliseconds. */
	#lateness(messages) {
		const delay = this.#delay;
		if (delay === void 0 && this.#leaving === void 0 || !messages.some(isNews)) return 0;
		if (this.#leaving === void 0 && delay !== void 0) {
			const leaving = {
				ms: delay.ms,
				sockets: 0
			};
			this.#leaving = leaving;
			delay.left -= 1;
			if (delay.left === 0) this.#delay = void 0;
			const { left } = delay;
			queueMicrotask(() => {
				this.#leaving = void 0;
				delay.tell("happened", {
					...leaving,
					left
				});
			});
		}
		if (this.#leaving === void 0) return 0;
		this.#leaving.sockets += 1;
		return this.#leaving.ms;
	}
	#lineOf(connection) {
		let line = this.#lines.get(connection);
		if (line === void 0) {
			line = { late: new LateLine(this.#host.now, this.#host.later) };
			this.#lines.set(connection, line);
		}
		return line;
	}
	#handOver(connection, line, messages, ms) {
		const { cut } = line;
		if (cut === void 0 || !messages.some(isNews)) {
			if (messages.length > 0) line.late.add(ms, () => send(connection, messages));
			return;
		}
		line.cut = void 0;
		const frames = apart(messages);
		const sent = frames.slice(0, cut.afterFrames);
		line.late.add(ms, () => {
			cut.tell("happened", {
				sent: sent.length,
				lost: frames.length - sent.length
			});
			send(connection, sent);
			this.#drop(connection);
		});
	}
	/** The second of two messages did not come. */
	#giveUp(connection, line) {
		if (line.exchange?.exchange.isWaiting !== true) return;
		const { exchange, tell } = line.exchange;
		line.exchange = void 0;
		tell("happened", { isExchanged: false });
		this.#handOver(connection, line, exchange.giveUp(), 0);
	}
	#drop(connection) {
		connection.socket.close(LOST.code, LOST.reason);
		this.#engine?.disconnect(connection, LOST);
	}
};
function socketOf({ insides, name }, socket) {
	for (const connection of insides.sockets.connections) if (connection.id === socket) return connection;
	throw refusal("NOT_FOUND", `\`${name}\` has no socket \`${socket}\`, or not any more`);
}
function send(connection, messages) {
	if (connection.isClosed) return;
	for (const text of messages) connection.socket.send(text);
}
/** Forgets what is before a position, between two groups of mutations. */
function trim(engine, to) {
	return engine.exclusively(async () => {
		const { log } = engine;
		const { head } = log;
		const position = Math.min(to ?? head, head);
		log.trim(position);
		return {
			to: position,
			floor: log.floor,
			head
		};
	});
}
// npm/do/tap/faults/outages.ts
/** As the platform throws when it has lost an object on the way: whoever may repeat the call does. */
function lost() {
	return Object.assign(/* @__PURE__ */ new Error("Network connection lost."), { retryable: true });
}
/** Stands in for a stub: whatever is called fails. */
const UNREACHABLE = new Proxy({}, { get: (_, name) => name === "then" ? void 0 : () => Promise.reject(lost()) });
/** Regions whose objects this isolate does not reach for a while. */
var Outages = class {
	/** Until when, epoch milliseconds, by region. */
	#until = /* @__PURE__ */ new Map();
	#tell;
	#now;
	constructor(tell, now) {
		this.#tell = tell;
		this.#now = now;
	}
	unreachable(jurisdiction) {
		if (this.#until.size === 0) return void 0;
		const region = jurisdiction ?? null;
		const until = this.#until.get(region);
		if (until === void 0) return void 0;
		if (this.#now() < until) return UNREACHABLE;
		this.#until.delete(region);
	}
	inject(fields) {
		const { fault, region, ms } = workerFaultIn(fields);
		const cause = causeIn(fields);
		const at = this.#now();
		if (ms === 0) this.#until.delete(region);
		else this.#until.set(region, at + ms);
		const details = { ms };
		this.#tell({
			type: "fault",
			at,
			fault,
			state: "happened",
			...cause,
			region,
			details
		});
		return {
			state: "happened",
			details
		};
	}
};
// npm/do/tap/bounded-text.ts
/** Characters of what is told of arguments, of an image of a row, and of a line of the console. */
const ARGS_LENGTH = 4096;
const IMAGE_LENGTH = 8192;
const TEXT_LENGTH = 8192;
/** Where a text is cut so that no character is. */
function boundary(text, length) {
	return (text.charCodeAt(length - 1) & 64512) === 55296 ? length - 1 : length;
}
/** The beginning of a text as JSON, which holds on to nothing of the rest. */
function cutJson(text, length) {
	return JSON.stringify(text.slice(0, boundary(text, length)));
}
/** The beginning of a text, without holding on to the rest of it. */
function cut(text, length) {
	return JSON.parse(cutJson(text, length));
}
/** About how long the JSON of a value is; beyond `limit` it is not looked at further. */
function lengthOf(value, limit) {
	if (typeof value === "string") return value.length + 2;
	if (typeof value !== "object" || value === null) return 6;
	let length = 2;
	if (Array.isArray(value)) {
		for (const item of value) {
			length += 1 + lengthOf(item, limit - length);
			if (length > limit) break;
		}
		return length;
	}
	for (const key in value) {
		length += key.length + 4 + lengthOf(value[key], limit - length);
		if (length > limit) break;
	}
	return length;
}
const HALF_CHARACTER = /(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g;
/** JSON in which every character is whole: readers in other languages take no half of one, and would let go of the event. */
function withWholeCharacters(json) {
	return json.includes("\\ud") ? json.replaceAll(HALF_CHARACTER, "$1\\ufffd") : json;
}
/** Both, each where it was told. */
function inPlace(some, others) {
	const all = [...some, ...others];
	return some.length === 0 ? all : all.toSorted((one, other) => one.place - other.place);
}
/** Marks that stay at most. */
const MOST_MARKS = 100;
/** What is told and has not left: as much as there is room for, the newest. */
var HeldEvents = class {
	/** The oldest first; those before `#first` are gone. */
	#held = [];
	#first = 0;
	/** Those that stayed when they would have been let go. */
	#marks = [];
	#places = 0;
	#weight = 0;
	#events = 0;
	#dropped = 0;
	get isEmpty() {
		return this.#held.length === this.#first && this.#marks.length === 0;
	}
	add({ line, weight, events, isMark = false }, limit) {
		this.#places += 1;
		this.#held.push({
			line,
			weight,
			events,
			isMark,
			place: this.#places
		});
		this.#weight += weight;
		this.#events += events;
		this.trim(limit);
	}
	/** Counts events that will not be told. */
	lose(count) {
		this.#dropped += count;
	}
	/** Lets go of the oldest while there are more than `limit` events, or too much of them; never of the newest. */
	trim(limit) {
		while ((this.#events > limit || this.#weight > 2e6) && this.#held.length - this.#first > 1) {
			const oldest = this.#held[this.#first];
			this.#held[this.#first] = void 0;
			this.#first += 1;
			this.#weight -= oldest.weight;
			this.#events -= oldest.events;
			if (oldest.isMark && this.#marks.length < MOST_MARKS) this.#marks.push(oldest);
			else this.#dropped += oldest.events;
		}
		if (this.#first > 512) this.#cutOff();
	}
	#cutOff() {
		this.#held = this.#held.slice(this.#first);
		this.#first = 0;
	}
	take() {
		this.#cutOff();
		for (const { weight, events } of this.#marks) {
			this.#weight += weight;
			this.#events += events;
		}
		const batch = {
			held: inPlace(this.#marks, this.#held),
			weight: this.#weight,
			events: this.#events,
			dropped: this.#dropped
		};
		this.#held = [];
		this.#marks = [];
		this.#weight = this.#events = this.#dropped = 0;
		return batch;
	}
	/** What did not arrive is held again, in its place. */
	putBack(batch, limit) {
		this.#cutOff();
		this.#held = inPlace(batch.held, this.#held);
		this.#weight += batch.weight;
		this.#events += batch.events;
		this.#dropped += batch.dropped;
		this.trim(limit);
	}
};
// npm/do/tap/courier.ts
/** How long after the first event a batch leaves while somebody looks: at ease, and while batches follow each other; and while nobody does, milliseconds. */
const OPEN_PAUSE = 20;
const BUSY_PAUSE = 50;
const CLOSED_PAUSE = 1e3;
/** A batch leaves so late after the last one, and they are taken not to follow each other, milliseconds. */
const EASE = 150;
/** Events that are held while somebody looks, and while nobody does. */
const OPEN_EVENTS = 8e3;
const CLOSED_EVENTS = 200;
/** Batches that are under way while somebody looks; while nobody does it is one. */
const UNDER_WAY = 3;
/** How long an answer may take, milliseconds. */
const ANSWER_LIMIT = 5e3;
/** Whoever is late by so much was begun by a request or an object that is gone, milliseconds. */
const LATE = 500;
/** How often a farewell looks whether others were answered, milliseconds. */
const LOOK_PAUSE = 2;
function pauseFor(milliseconds) {
	return new Promise((resolve) => {
		setTimeout(resolve, milliseconds);
	});
}
/**
* Brings what is told to the inspector, in batches. An object hears the answer to a request late while it is busy, so the
* next batch does not wait for the answer to the one before.
*/
var Courier = class {
	#host;
	#held = new HeldEvents();
	#flights = /* @__PURE__ */ new Set();
	#isOpen = false;
	/** When whoever is about to send is taken for gone, epoch milliseconds; `undefined`: nobody is. */
	#dueBy;
	#turn = 0;
	#sentAt = 0;
	constructor(host) {
		this.#host = host;
	}
	/** Whether somebody looks. */
	get isOpen() {
		return this.#isOpen;
	}
	get #limit() {
		return this.#isOpen ? OPEN_EVENTS : CLOSED_EVENTS;
	}
	/** `at`: about now, epoch milliseconds. */
	tell(told, at) {
		this.#held.add(told, this.#limit);
		if (this.#dueBy === void 0 || at >= this.#dueBy) this.#arrange();
	}
	/** Counts events that will not be told. */
	lose(count) {
		this.#held.lose(count);
	}
	/** Sends at once what is held; resolves when everything that was under way has been answered, or given up. */
	async flush() {
		const others = [...this.#flights];
		this.#turn += 1;
		this.#dueBy = void 0;
		if (!this.#held.isEmpty) await this.#send();
		while (others.some((flight) => this.#flights.has(flight) && this.#host.now() < flight.until)) await pauseFor(LOOK_PAUSE);
	}
	/** Sees to it that what is held leaves. */
	#arrange() {
		const now = this.#host.now();
		if (this.#dueBy !== void 0 && now < this.#dueBy) return;
		this.#dueBy = void 0;
		for (const flight of this.#flights) if (now >= flight.until) this.#giveUp(flight);
		if (this.#flights.size >= (this.#isOpen ? UNDER_WAY : 1)) return;
		const since = now - this.#sentAt;
		const open = since > EASE ? OPEN_PAUSE : BUSY_PAUSE;
		const pause = this.#isOpen ? open : Math.max(OPEN_PAUSE, CLOSED_PAUSE - since);
		this.#turn += 1;
		const turn = this.#turn;
		this.#dueBy = now + pause + LATE;
		try {
			this.#host.keep(this.#sendAfter(turn, pause));
		} catch {
			this.#dueBy = void 0;
		}
	}
	/** Runs in the request or object that it was begun in. */
	async #sendAfter(turn, pause) {
		await pauseFor(pause);
		if (turn !== this.#turn) return;
		this.#dueBy = void 0;
		await this.#send();
	}
	async #send() {
		const now = this.#host.now();
		this.#sentAt = now;
		const flight = {
			batch: this.#held.take(),
			until: now + ANSWER_LIMIT + LATE
		};
		this.#flights.add(flight);
		const given = new AbortController();
		const timer = setTimeout(() => given.abort(), ANSWER_LIMIT);
		try {
			const isOpen = await this.#host.post(this.#text(flight.batch, now), given.signal);
			if (!this.#flights.delete(flight)) return;
			this.#isOpen = isOpen;
		} catch {
			if (!this.#flights.has(flight)) return;
			this.#isOpen = false;
			if (given.signal.aborted) this.#giveUp(flight);
			else {
				this.#flights.delete(flight);
				this.#held.putBack(flight.batch, this.#limit);
			}
		} finally {
			clearTimeout(timer);
		}
		this.#held.trim(this.#limit);
		if (!this.#held.isEmpty && this.#dueBy === void 0) this.#arrange();
	}
	#giveUp(flight) {
		this.#flights.delete(flight);
		this.#held.lose(flight.batch.events + flight.batch.dropped);
	}
	#text({ held, dropped }, now) {
		let lines = `${this.#host.head(now)}\n`;
		if (dropped > 0) lines += `${this.#host.lost(now, dropped)}\n`;
		for (const { line } of held) lines += `${typeof line === "string" ? line : line(now)}\n`;
		return lines;
	}
};
// npm/do/tap/event-text.ts
/** What an event weighs besides its texts, and one thing in a list of it. */
const EVENT_WEIGHT = 300;
const ITEM_WEIGHT = 100;
function isShort({ before, after }) {
	return (before?.length ?? 0) <= 8192 && (after?.length ?? 0) <= 8192;
}
function shortened(change) {
	if (isShort(change)) return change;
	const { before, after } = change;
	return {
		...change,
		...before === void 0 ? {} : { before: before.length > 8192 ? cut(before, IMAGE_LENGTH) : before },
		...after === void 0 ? {} : { after: after.length > 8192 ? cut(after, IMAGE_LENGTH) : after },
		isCut: true
	};
}
/** The event with what is too long in it cut. Arguments are kept as they are while they are short. */
function bounded(event) {
	if (event.type === "commit") return event.changes.every(isShort) ? event : {
		...event,
		changes: event.changes.map(shortened)
	};
	if (event.type !== "call" && event.type !== "subscription") return event;
	if (event.args === void 0 || lengthOf(event.args, 4096) <= 4096) return event;
	return {
		...event,
		args: new CutArgs(event.args),
		isCut: true
	};
}
/** The beginning of the text of arguments. */
var CutArgs = class {
	text;
	constructor(args) {
		this.text = cut(JSON.stringify(args), ARGS_LENGTH);
	}
};
function weightOf$1(event) {
	switch (event.type) {
		case "call":
		case "subscription": return EVENT_WEIGHT + (event.args instanceof CutArgs ? ARGS_LENGTH : lengthOf(event.args, ARGS_LENGTH));
		case "commit": return event.changes.reduce((sum, { before, after }) => sum + ITEM_WEIGHT + (before?.length ?? 0) + (after?.length ?? 0), EVENT_WEIGHT + event.calls.length * ITEM_WEIGHT);
		case "poke": return EVENT_WEIGHT + event.subscriptions.length * ITEM_WEIGHT + event.calls.length * 16;
		case "log": return EVENT_WEIGHT + event.text.length + (event.stack?.length ?? 0);
		default: return EVENT_WEIGHT;
	}
}
/** Arguments travel as the text of their JSON. Before the first request the clock stands at nought. */
function lineOf(event, now) {
	const { at, args } = event;
	const timed = at === 0 ? {
		...event,
		at: now
	} : event;
	if (args === void 0) return withWholeCharacters(JSON.stringify(timed));
	const text = args instanceof CutArgs ? args.text : JSON.stringify(args);
	return withWholeCharacters(JSON.stringify({
		...timed,
		args: text
	}));
}
/** An event as it is held; `isOpen`: it leaves soon, and is worth writing down. */
function toldOf(event, isOpen) {
	const kept = bounded(event);
	const isMark = event.type === "fault";
	if (!isOpen || event.at === 0) return {
		line: (now) => lineOf(kept, now),
		weight: weightOf$1(kept),
		events: 1,
		isMark
	};
	const line = lineOf(kept, event.at);
	return {
		line,
		weight: line.length,
		events: 1,
		isMark
	};
}
// npm/do/tap/group-text.ts
/** How many events the inspector makes of it: a call each, a commit, and where sequences are. */
function eventsOf({ codes, flush }) {
	return codes.length + (flush.changes.length > 0 ? 1 : 0) + (flush.clients.size > 0 ? 1 : 0);
}
/** Beyond this a group is written at once, which bounds it, characters. */
const KEPT_WEIGHT = 64e3;
/** A group as it is held; `isOpen`: it leaves soon, and is worth writing down. */
function toldGroup(group, isOpen) {
	const events = eventsOf(group);
	const weight = isOpen ? Infinity : weightOf(group);
	if (weight <= KEPT_WEIGHT) {
		const kept = detached(group);
		return {
			line: () => withWholeCharacters(groupText(kept)),
			weight,
			events
		};
	}
	const line = withWholeCharacters(groupText(group));
	return {
		line,
		weight: line.length,
		events
	};
}
/** What of it may be kept as it is: what it was, and not what it holds on to. */
function detached(group) {
	const calls = group.calls.slice(0, group.codes.length).map(({ functionPath, args, identity, mutationId, jobId, place, client, observed }) => ({
		functionPath,
		args,
		identity,
		mutationId,
		jobId,
		place,
		client,
		observed
	}));
	return {
		...group,
		calls
	};
}
/** What it weighs while it is kept as it is, characters; what is too long stays as long as that. */
function weightOf({ calls, codes, flush: { changes } }) {
	let weight = 200;
	for (const { args } of calls.slice(0, codes.length)) weight += 200 + lengthOf(args, ARGS_LENGTH);
	for (const { before, after } of changes) weight += 100 + (before?.doc.length ?? 0) + (after?.doc.length ?? 0);
	return weight;
}
/** JSON of an object is told as it is; a text in its place is its beginning. */
function argsText(args) {
	const length = lengthOf(args, ARGS_LENGTH);
	const text = JSON.stringify(args) ?? "null";
	return length <= 4096 ? text : cutJson(text, ARGS_LENGTH);
}
function imageText(row) {
	if (row === void 0) return "null";
	return row.doc.length <= 8192 ? row.doc : cutJson(row.doc, IMAGE_LENGTH);
}
/** What most calls do not have stands at the end, and is left out there. */
function callText(call, code, changes, at) {
	const { functionPath, args, identity, mutationId, jobId, place, client, observed } = call;
	const clientId = (place?.client ?? client)?.clientId;
	const start = `["${observed?.call ?? ""}",${JSON.stringify(functionPath)},${argsText(args)},${at - (observed?.since ?? at)},${changes}`;
	const userId = identity === null ? "null" : JSON.stringify(identity.userId);
	const who = clientId === void 0 ? `,${userId}` : `,${userId},${JSON.stringify(clientId)}`;
	const parent = observed?.parent;
	if (code === void 0 && mutationId === void 0 && jobId === void 0 && parent === void 0) {
		if (place === void 0) return `${start}${who}]`;
		return `${start}${who},${JSON.stringify(place.clientSeq) ?? "null"}]`;
	}
	const rest = [
		place?.clientSeq ?? null,
		code ?? null,
		mutationId ?? null,
		jobId === void 0 ? null : "job",
		parent ?? null
	];
	return `${start}${clientId === void 0 ? `${who},null` : who},${JSON.stringify(rest).slice(1)}`;
}
function changeText({ table, id, before, after }) {
	return `[${JSON.stringify(table.name)},${JSON.stringify(id)},${imageText(before)},${imageText(after)}]`;
}
/**
* A group as one line. What its events share is written once, rows and arguments are the JSON that they are, and values
* stand by place and not by name: a third of the text that its events would be one by one.
*/
function groupText({ at, object, calls, codes, ends, flush }) {
	const { epoch, fromSeq, changes, clients } = flush;
	let text = `{"type":"group","at":${at},"object":${JSON.stringify(object)},"epoch":${JSON.stringify(epoch)},"fromSeq":${fromSeq},"calls":[`;
	let before = 0;
	for (let index = 0; index < codes.length; index += 1) {
		const end = ends[index] ?? before;
		if (index > 0) text += ",";
		text += callText(calls[index], codes[index], end - before, at);
		before = end;
	}
	text += "],\"changes\":[";
	const told = Math.min(changes.length, 200);
	for (let index = 0; index < told; index += 1) text += `${index > 0 ? "," : ""}${changeText(changes[index])}`;
	text += told === changes.length ? "]" : `],"omitted":${changes.length - told}`;
	if (clients.size > 0) {
		text += ",\"clients\":{";
		let separator = "";
		for (const [key, lastMutationId] of clients) {
			text += `${separator}${JSON.stringify(key)}:${lastMutationId}`;
			separator = ",";
		}
		text += "}";
	}
	return `${text}}`;
}
// npm/do/tap/tap.js
const scopes = new AsyncLocalStorage();
let prefix;
let ids = 0;
const courier = new Courier({
	now: Date.now,
	async post(lines, signal) {
		const response = await env.LUNORA_TAP.fetch("http://tap/events", {
			method: "POST",
			body: lines,
			signal
		});
		const { isOpen } = await response.json();
		return response.ok && isOpen === true;
	},
	keep: waitUntil,
	head: (now) => JSON.stringify({
		region,
		isolate: prefix ?? null,
		now
	}),
	lost: (now, count) => JSON.stringify({
		type: "dropped",
		at: now,
		count
	})
});
function tell(event) {
	try {
		courier.tell(toldOf(event, courier.isOpen), event.at);
	} catch {
		courier.lose(1);
	}
}
/** Tells of a group in one line. While nobody looks most are let go before they leave, and are not written. */
function ran(group) {
	try {
		courier.tell(toldGroup(group, courier.isOpen), group.at);
	} catch {
		courier.lose(eventsOf(group));
	}
}
/** Asked before the worker is ended: what waits for the next batch would be gone with it. */
const FAREWELL = "/_lunora/tap";
async function farewell() {
	const others = askedRegions.map((name) => env[name].fetch(`http://tap${FAREWELL}`, { method: "POST" }));
	await Promise.allSettled([courier.flush(), ...others]);
	return new Response(null, { status: 204 });
}
function later(milliseconds, run) {
	setTimeout(run, milliseconds);
}
const observer = {
	tell,
	ran,
	nextId() {
		prefix ??= Math.random().toString(36).slice(2, 8);
		ids += 1;
		return `${prefix}${ids.toString(36)}`;
	},
	within: (scope, run) => scopes.run(scope, run),
	current: () => scopes.getStore(),
	shard: (object, now) => new ShardWatch(observer, object, now, new ObjectFaults({
		object,
		now,
		later,
		tell
	})),
	requested: tellRequest,
	action: observeAction,
	fetched: (listening, path, now, answer) => path === FAREWELL ? farewell() : observeFetch(listening, path, now, answer),
	refused: noteRefusal,
	faults: new Outages(tell, () => Date.now())
};
globalThis[Symbol.for("lunora.observer")] = observer;
function textOf(value) {
	if (typeof value === "string") return value;
	if (value instanceof Error) return value.stack ?? String(value);
	try {
		return (typeof value === "object" ? JSON.stringify(value) : void 0) ?? String(value);
	} catch {
		return Object.prototype.toString.call(value);
	}
}
for (const level of [
	"debug",
	"log",
	"info",
	"warn",
	"error"
]) {
	const write = console[level];
	console[level] = (...values) => {
		write.apply(console, values);
		try {
			let text = values.map(textOf).join(" ");
			if (text.length > 8192) text = cut(text, TEXT_LENGTH);
			const stack = values.find((value) => value instanceof Error)?.stack;
			const scope = scopes.getStore();
			observer.tell({
				type: "log",
				at: Date.now(),
				level,
				text,
				...scope,
				...stack === void 0 ? {} : { stack: cut(stack, TEXT_LENGTH) }
			});
		} catch {}
	};
}
