// `npm run ready`: what has to pass before a change lands; the same as `npm test` with nothing left out.
import "./test.mjs";
