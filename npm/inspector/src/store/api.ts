import { ApiClient } from "../api/client.ts";
import { refuseToken, token } from "./session.ts";

/** The inspector's API, as whoever holds the token. */
export const api: ApiClient = new ApiClient({ token: () => token.value, refused: refuseToken });
