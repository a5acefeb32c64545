/** Who uses the page, and what they may do. What they may not do is not offered. */

import { collection } from "./collection.svelte.ts";
import { whenSignedOut } from "./api/client.ts";
import { getSession, signIn, signOut, type Permission, type SessionState } from "./api/session.ts";
import { Loader } from "./loader.svelte.ts";
import { search } from "./search.svelte.ts";

class Session {
  readonly request = new Loader<SessionState>();
  /** True where the server wants to know who asks. */
  wanted = $state(false);
  #last: string | null = null;

  constructor() {
    whenSignedOut(() => {
      this.wanted = true;
    });
  }

  async load(): Promise<void> {
    await this.request.run(getSession);
    this.wanted = this.request.error?.status === 401 || (this.request.value !== null && !this.can("search"));
    const name = this.request.value?.name;
    if (name === undefined) return;
    // A session can end by itself, and somebody else sit down.
    if (this.#last !== null && this.#last !== name) this.#forget();
    this.#last = name;
  }

  get state(): SessionState | null {
    return this.request.value;
  }

  can(permission: Permission): boolean {
    return this.state?.permissions.includes(permission) ?? false;
  }

  async signIn(token: string): Promise<void> {
    await signIn(token);
    await this.load();
  }

  /** Leaves nothing of this user's searches behind. */
  async signOut(): Promise<void> {
    await signOut();
    this.#forget();
    this.request.reset();
    this.wanted = true;
  }

  #forget(): void {
    search.forget();
    collection.clear();
  }
}

export const session = new Session();
