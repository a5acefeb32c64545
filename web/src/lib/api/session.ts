/** Who is signed in. The token goes to the server once and is kept nowhere in the page. */

import { get, post, request } from "./client.ts";

export type Permission = "search" | "cohort" | "keep" | "admin";

export interface SessionState {
  name: string;
  role: string | null;
  permissions: Permission[];
  /** False on this machine without tokens: everybody may do everything. */
  signed_in: boolean;
}

export const getSession = (signal?: AbortSignal): Promise<SessionState> => get("session", signal);

export const signIn = (token: string, signal?: AbortSignal): Promise<void> => post("session", { token }, signal);

export const signOut = (): Promise<void> => request("session", { method: "DELETE" });
