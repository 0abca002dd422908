/** Node 20 has no `Promise.withResolvers`; the runtimes that shards run in do. */
export function provideWithResolvers(): void {
  Promise.withResolvers ??= <Value>() => {
    let resolve!: PromiseWithResolvers<Value>["resolve"];
    let reject!: PromiseWithResolvers<Value>["reject"];
    const promise = new Promise<Value>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    return { promise, resolve, reject };
  };
}
