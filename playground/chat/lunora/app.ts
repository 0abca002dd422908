import { defineApp } from "lunorash/server";

// Anyone may read and write everything here. A real app turns the bearer token into an identity with
// `resolveIdentity`, and asks in these two whether that identity belongs to the channel.
export default defineApp({
  authorizeShard: () => true,
  authorizeFanOut: () => true,
});
