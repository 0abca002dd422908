/** What a pure transition gives: the next state, and what is to be done, in order. */
export type Step<State, Effect> = readonly [state: State, effects: readonly Effect[]];
