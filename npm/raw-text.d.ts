/** Fixtures are read as text: a JSON import would turn a `__proto__` key into a prototype. */
declare module "*?raw" {
  const text: string;
  export default text;
}
