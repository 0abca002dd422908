// Gives namespaces of Durable Objects the jurisdictions that workerd lacks. Each is a namespace of its own in a service
// of its own, handed in under its name; "root" is the one that nothing restricts, which a pinned object does not have.
// An internal module of development: app code cannot import it, and no build contains it.

class Id {
  #raw;

  constructor(raw, jurisdiction) {
    this.#raw = raw;
    this.name = raw.name;
    this.jurisdiction = jurisdiction;
  }

  static rawOf(id) {
    return id.#raw;
  }

  toString() {
    return this.#raw.toString();
  }

  equals(other) {
    return String(other) === this.toString();
  }
}

class Namespace {
  #inner;
  #jurisdiction;

  constructor(inner, jurisdiction) {
    this.#inner = inner;
    this.#jurisdiction = jurisdiction;
  }

  #bound(jurisdiction) {
    const name = jurisdiction ?? "root";
    if (Object.hasOwn(this.#inner, name)) return this.#inner[name];
    if (jurisdiction === undefined)
      throw new TypeError("objects outside every jurisdiction cannot be reached from inside one");
    throw new TypeError(`\`${jurisdiction}\` is not a jurisdiction that can be reached from here`);
  }

  jurisdiction(jurisdiction) {
    if (this.#jurisdiction !== undefined)
      throw new TypeError(`jurisdiction called on a namespace that is restricted to \`${this.#jurisdiction}\` already`);
    if (jurisdiction === undefined || jurisdiction === null) return new Namespace(this.#inner);
    const name = String(jurisdiction);
    if (name === "root") throw new TypeError("`root` is not a jurisdiction");
    this.#bound(name);
    return new Namespace(this.#inner, name);
  }

  idFromName(name) {
    return new Id(this.#bound(this.#jurisdiction).idFromName(name), this.#jurisdiction);
  }

  newUniqueId(options) {
    const asked = options?.jurisdiction;
    if (asked !== undefined && this.#jurisdiction !== undefined && asked !== this.#jurisdiction)
      throw new TypeError(`newUniqueId called for \`${asked}\` on a namespace that is restricted to \`${this.#jurisdiction}\``);
    const jurisdiction = asked ?? this.#jurisdiction;
    return new Id(this.#bound(jurisdiction).newUniqueId(), jurisdiction);
  }

  idFromString(text) {
    const names = Object.keys(this.#inner).map((name) => (name === "root" ? undefined : name));
    const wanted = this.#jurisdiction === undefined ? names : [this.#jurisdiction];
    let refusal;
    for (const name of wanted) {
      try {
        return new Id(this.#bound(name).idFromString(text), name);
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  get(id, options) {
    // The id of the object itself, `ctx.id`, is the platform's own.
    const known = id instanceof Id ? id : this.#foreign(id);
    if (this.#jurisdiction !== undefined && known.jurisdiction !== this.#jurisdiction)
      throw new TypeError("get called on jurisdictional subnamespace with an ID from a different jurisdiction");
    return this.#bound(known.jurisdiction).get(Id.rawOf(known), options);
  }

  #foreign(id) {
    if (typeof id !== "object" || id === null) throw new TypeError("get called with something that is not an ID");
    return this.idFromString(String(id));
  }

  getByName(name, options) {
    return this.get(this.idFromName(name), options);
  }
}

export default (inner) => new Namespace(inner);
