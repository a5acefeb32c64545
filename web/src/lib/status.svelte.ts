/** What the server says of itself and its archive. */

import { getStatus } from "./api/search.ts";
import { Loader } from "./loader.svelte.ts";
import type { Status } from "./types.ts";

export const status = new Loader<Status>();

export const refreshStatus = (): void => void status.run(getStatus);
