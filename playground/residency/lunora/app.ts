import { defineApp } from "lunorash/server";

// Everybody may read every logbook, as suits an example.
export default defineApp({ authorizeShard: () => true });
