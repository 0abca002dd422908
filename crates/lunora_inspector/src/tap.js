// Made by npm/do/tap/build.mjs: edit npm/do/tap/tap.js.
import { AsyncLocalStorage } from "node:async_hooks";
import { env, waitUntil } from "cloudflare:workers";
import { region } from "./settings.js";
new Map(Object.entries({
	401: "TOKEN_EXPIRED UNAUTHORIZED",
	403: "FORBIDDEN FORBIDDEN_FANOUT FORBIDDEN_SHARD HOST_NOT_ALLOWED ORIGIN_NOT_ALLOWED RLS_REQUIRED",
	404: "FUNCTION_NOT_FOUND MAIL_NOT_FOUND MIGRATION_NOT_FOUND NOT_FOUND SHAPE_NOT_FOUND SHARD_NOT_FOUND UNKNOWN_TABLE",
	405: "METHOD_NOT_ALLOWED",
	408: "CONNECT_TIMEOUT",
	409: "CONFLICT EXPORT_EXPIRED IMPORT_NOT_OPEN IMPORT_TARGET_NOT_EMPTY MIGRATION_IN_PROGRESS MIGRATION_IRREVERSIBLE MIGRATION_OUT_OF_ORDER OFFLINE_IDENTITY_CHANGED OUT_OF_ORDER RELATION_RESTRICTED STREAM_INTERRUPTED",
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
}).flatMap(([status, codes]) => codes.split(" ").map((code) => [code, Number(status)])));
/**
* Whether a value has the form of a coded error. Structural, because several copies of this
* package may be loaded and errors cross process borders.
*/
function isLunoraError(value) {
	if (typeof value !== "object" || value === null) return false;
	const { code, status, message } = value;
	return typeof code === "string" && typeof status === "number" && typeof message === "string";
}
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
	const tell = (outcome) => {
		const at = now();
		const userId = identity?.userId ?? null;
		const ms = at - since;
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
			ms
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
const UNTOLD = /^\/_lunora\/(?:admin|status|health|ready|rpc)(?:\/|$)/;
/** Answers a request that is no call, and tells of it. */
async function observeFetch(observer, path, now, answer) {
	if (UNTOLD.test(path) || path === "/_lunora/rpc-batch") return answer();
	const since = now();
	const call = observer.nextId();
	const response = await observer.within({
		call,
		functionPath: path
	}, answer);
	const at = now();
	observer.tell({
		type: "request",
		at,
		call,
		path,
		userId: null,
		status: response.status,
		ms: at - since
	});
	return response;
}
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
// npm/do/src/engine/live/flush.ts
/**
* Whose sequence: equal client ids of different identities are different clients. The length keeps
* apart what the two could share, whatever characters are in them.
*/
function clientKey(userId, clientId) {
	return `${userId === null ? "" : `${userId.length}:${userId}`}\u0000${clientId}`;
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
/** Tells of a commit; `calls` are those that changed something. */
function tellCommit(observer, object, at, { epoch, fromSeq, toSeq, changes }, by, calls) {
	observer.tell({
		type: "commit",
		at,
		object,
		epoch,
		fromSeq,
		toSeq,
		by,
		calls,
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
		ms: at - (observed?.since ?? at)
	};
}
/** Tells how each call of a group ended; answers those that changed something. */
function tellCalls(observer, object, at, calls, { outcomes, ends }, groupFrom) {
	const causes = [];
	let fromSeq = groupFrom;
	for (const [index, outcome] of outcomes.entries()) {
		const call = calls[index];
		const toSeq = groupFrom + (ends[index] ?? 0);
		const event = callEvent(object, at, call, outcome.ok ? "ok" : outcome.error.code);
		if (toSeq === fromSeq) observer.tell(event);
		else {
			observer.tell({
				...event,
				fromSeq,
				toSeq
			});
			causes.push({
				call: event.call,
				functionPath: event.functionPath,
				fromSeq,
				toSeq
			});
			fromSeq = toSeq;
		}
	}
	return causes;
}
/** Tells the calls of a group that is lost, and with it everything that they did. */
function tellLost(observer, object, at, calls, code) {
	for (const call of calls) observer.tell(callEvent(object, at, call, code));
}
/** Tells whose sequence moved, and whose was not continued. */
function tellWatermarks(observer, object, at, calls, outcomes, clients) {
	const told = /* @__PURE__ */ new Set();
	for (const [index, outcome] of outcomes.entries()) {
		const client = calls[index]?.place?.client;
		if (client === void 0) continue;
		const { userId, clientId } = client;
		if (!outcome.ok && outcome.error.code === "OUT_OF_ORDER") {
			const { expected = 1 } = outcome.error.data ?? {};
			const lastMutationId = expected - 1;
			observer.tell({
				type: "watermark",
				at,
				object,
				userId,
				clientId,
				lastMutationId,
				outcome: "OUT_OF_ORDER"
			});
			continue;
		}
		const key = clientKey(userId, clientId);
		const lastMutationId = clients.get(key);
		if (lastMutationId === void 0 || told.has(key)) continue;
		told.add(key);
		observer.tell({
			type: "watermark",
			at,
			object,
			userId,
			clientId,
			lastMutationId
		});
	}
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
// npm/do/src/engine/observing/shard-watch.ts
const encoder = new TextEncoder();
/** What a shard tells its observer. The engine has one only when somebody listens. */
var ShardWatch = class {
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
	constructor(observer, object, now) {
		this.#observer = observer;
		this.#object = object;
		this.#now = now;
	}
	/** Mutations have come, and wait; `call` is what the Worker calls the only one. */
	arrived(calls, call) {
		const since = this.#now();
		for (const mutation of calls) mutation.observed = {
			call: call ?? this.#observer.nextId(),
			since
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
	async call({ call = this.#observer.nextId(), functionPath, args }, kind, identity, run) {
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
			ms: at - since
		});
		return answer;
	}
	/** A group is on its way to disk. */
	committed(calls, group, flush) {
		const at = this.#now();
		const causes = tellCalls(this.#observer, this.#object, at, calls, group, flush.fromSeq);
		if (flush.changes.length > 0) this.#commit(flush, "calls", causes, at);
		tellWatermarks(this.#observer, this.#object, at, calls, group.outcomes, flush.clients);
	}
	/** A turn that is no group has changed rows. */
	swept(flush, by) {
		this.#commit(flush, by, [], this.#now());
	}
	#commit(flush, by, causes, at) {
		tellCommit(this.#observer, this.#object, at, flush, by, causes);
		const { fromSeq, toSeq } = flush;
		this.#flush = {
			fromSeq,
			toSeq,
			at,
			calls: causes.map(({ call }) => call)
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
	refused(connection, news, error) {
		this.subscription(connection, {
			...news,
			state: "refused",
			cause: isLunoraError(error) ? error.code : "INTERNAL"
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
	/** What was queued for a socket has been handed to the platform. */
	delivered(connection, messages) {
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
			calls,
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
// npm/do/tap/tap.js
/** How long after the first event a batch leaves while somebody looks, and while nobody does, milliseconds. */
const OPEN_PAUSE = 20;
const CLOSED_PAUSE = 1e3;
/** Events that are kept while somebody looks, and while nobody does, and characters of them. */
const OPEN_EVENTS = 2e3;
const CLOSED_EVENTS = 200;
const HELD_LENGTH = 2e6;
/** How long an answer may take, milliseconds. */
const ANSWER_LIMIT = 5e3;
/** Whoever is late by so much was begun by a request or an object that is gone, milliseconds. */
const LATE = 500;
const ARGS_LENGTH = 4096;
const IMAGE_LENGTH = 8192;
const TEXT_LENGTH = 8192;
/** What an event weighs besides its texts. */
const EVENT_WEIGHT = 300;
const scopes = new AsyncLocalStorage();
let isOpen = false;
/** Held events, each with what it weighs, the oldest first; those before `first` are gone. */
let events = [];
let weights = [];
let first = 0;
let held = 0;
let dropped = 0;
/** When whoever sends is taken for gone, epoch milliseconds; `undefined`: nobody sends. */
let lostAt;
/** What is on its way. */
let underway;
let sentAt = 0;
let turn = 0;
let prefix;
let ids = 0;
/** The beginning of a text, without holding on to the rest of it. */
function cut(text, length) {
	return JSON.parse(JSON.stringify(text.slice(0, length)));
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
function isShort({ before, after }) {
	return (before?.length ?? 0) <= IMAGE_LENGTH && (after?.length ?? 0) <= IMAGE_LENGTH;
}
function shortened(change) {
	const { before, after } = change;
	return {
		...change,
		...before === void 0 ? {} : { before: cut(before, IMAGE_LENGTH) },
		...after === void 0 ? {} : { after: cut(after, IMAGE_LENGTH) },
		isCut: true
	};
}
/** Cuts what is too long in an event, which is the tap's own; answers what it weighs. */
function bound(event) {
	switch (event.type) {
		case "call":
		case "subscription": {
			if (event.args === void 0) return EVENT_WEIGHT;
			const length = lengthOf(event.args, ARGS_LENGTH);
			if (length <= ARGS_LENGTH) return EVENT_WEIGHT + length;
			event.cutArgs = cut(JSON.stringify(event.args), ARGS_LENGTH);
			event.args = void 0;
			event.isCut = true;
			return 4396;
		}
		case "commit": {
			if (!event.changes.every(isShort)) event.changes = event.changes.map((change) => isShort(change) ? change : shortened(change));
			let weight = EVENT_WEIGHT + event.calls.length * 100;
			for (const { before, after } of event.changes) weight += 100 + (before?.length ?? 0) + (after?.length ?? 0);
			return weight;
		}
		case "poke": return EVENT_WEIGHT + event.subscriptions.length * 100 + event.calls.length * 16;
		case "log": return EVENT_WEIGHT + event.text.length + (event.stack?.length ?? 0);
		default: return EVENT_WEIGHT;
	}
}
function keep(event) {
	const weight = bound(event);
	events.push(event);
	weights.push(weight);
	held += weight;
	trim();
}
function trim() {
	const limit = isOpen ? OPEN_EVENTS : CLOSED_EVENTS;
	while (events.length - first > limit || held > HELD_LENGTH && first < events.length) {
		held -= weights[first];
		events[first] = void 0;
		first += 1;
		dropped += 1;
	}
	if (first > 512) {
		events = events.slice(first);
		weights = weights.slice(first);
		first = 0;
	}
}
/** Takes everything that is held. */
function take() {
	const batch = {
		events: events.slice(first),
		weights: weights.slice(first),
		held,
		dropped
	};
	events = [];
	weights = [];
	first = held = dropped = 0;
	return batch;
}
/** What did not arrive is held again, before what has come since. */
function putBack(batch) {
	events = [...batch.events, ...events.slice(first)];
	weights = [...batch.weights, ...weights.slice(first)];
	first = 0;
	held += batch.held;
	dropped += batch.dropped;
	trim();
}
function linesOf({ events: batch, dropped: lost }, now) {
	let lines = `${JSON.stringify({
		region,
		isolate: prefix ?? null,
		now
	})}\n`;
	if (lost > 0) lines += `{"type":"dropped","at":${now},"count":${lost}}\n`;
	for (const event of batch) lines += `${lineOf(event, now)}\n`;
	return lines;
}
/** Arguments travel as the text of their JSON. A batch that did not arrive is written a second time. */
function lineOf(event, now) {
	if (event.at === 0) event.at = now;
	const { args, cutArgs } = event;
	if (args === void 0 && cutArgs === void 0) return JSON.stringify(event);
	event.args = cutArgs ?? JSON.stringify(args);
	event.cutArgs = void 0;
	const line = JSON.stringify(event);
	if (cutArgs === void 0) event.args = args;
	else {
		event.args = void 0;
		event.cutArgs = cutArgs;
	}
	return line;
}
/** Sends what is held, after a pause in which more may come. Runs in the request or object that it was begun in. */
async function send(mine, pause) {
	await new Promise((resolve) => setTimeout(resolve, pause));
	if (mine !== turn) return;
	sentAt = Date.now();
	lostAt = sentAt + ANSWER_LIMIT + LATE;
	const batch = take();
	underway = batch;
	const given = new AbortController();
	const timer = setTimeout(() => given.abort(), ANSWER_LIMIT);
	try {
		const response = await env.LUNORA_TAP.fetch("http://tap/events", {
			method: "POST",
			body: linesOf(batch, sentAt),
			signal: given.signal
		});
		const answer = await response.json();
		if (mine === turn) isOpen = response.ok && answer.isOpen === true;
	} catch {
		if (mine !== turn) return;
		isOpen = false;
		if (given.signal.aborted) dropped += batch.events.length + batch.dropped;
		else putBack(batch);
	} finally {
		clearTimeout(timer);
	}
	if (mine !== turn) return;
	lostAt = underway = void 0;
	trim();
	if (events.length > first) arrange();
}
/** Sees to it that what is held leaves. */
function arrange() {
	const now = Date.now();
	if (lostAt !== void 0 && now < lostAt) return;
	if (underway !== void 0) dropped += underway.events.length + underway.dropped;
	underway = void 0;
	turn += 1;
	const pause = isOpen ? OPEN_PAUSE : Math.max(OPEN_PAUSE, CLOSED_PAUSE - (now - sentAt));
	lostAt = now + pause + LATE;
	try {
		waitUntil(send(turn, pause));
	} catch {
		lostAt = void 0;
	}
}
const observer = {
	tell(event) {
		try {
			keep(event);
			if (lostAt === void 0 || event.at >= lostAt) arrange();
		} catch {
			dropped += 1;
		}
	},
	nextId() {
		prefix ??= Math.random().toString(36).slice(2, 8);
		ids += 1;
		return `${prefix}${ids.toString(36)}`;
	},
	within: (scope, run) => scopes.run(scope, run),
	current: () => scopes.getStore(),
	shard: (object, now) => new ShardWatch(observer, object, now),
	requested: tellRequest,
	action: observeAction,
	fetched: observeFetch
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
			if (text.length > TEXT_LENGTH) text = cut(text, TEXT_LENGTH);
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
