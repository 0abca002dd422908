import { render } from "preact";
import { App } from "./app.tsx";
import { followLinks } from "./store/location.ts";
import { readToken } from "./store/session.ts";
import "./styles/index.css";

readToken();
followLinks();
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element with the id `root`.");
render(<App />, root);
