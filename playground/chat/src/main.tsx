import { LunoraProvider } from "lunorash/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.js";
import { client } from "./client.js";
import "./styles.css";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <LunoraProvider client={client}>
      <App />
    </LunoraProvider>
  </StrictMode>,
);
