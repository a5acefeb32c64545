/** The HTTP API: one way to ask, one shape of faults. Query text and report text travel in bodies, never in an address. */

/** Why a request failed: the caller's fault, the service's, or no answer at all. */
export type FaultKind = "caller" | "service" | "network";

/** A request that failed, with what to tell the user. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly kind: FaultKind,
    /** The status of the answer; 0 where there was none. */
    readonly status = 0,
    /** Seconds after which to ask again, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** True where the filter is what is wrong: the server says so in the code or in words. */
  get aboutFilter(): boolean {
    return this.kind === "caller" && (/filter/i.test(this.code) || /filter/i.test(this.message));
  }
}

export const base = "/api/v1";

/** Called where an answer says that nobody is signed in. */
let onSignedOut: () => void = () => undefined;

export const whenSignedOut = (then: () => void): void => {
  onSignedOut = then;
};

/** A part of an address. */
export const part = (text: string): string => encodeURIComponent(text);

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => request(path, { signal: signal ?? null });

export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });

/** Asks for JSON. */
export async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await send(`${base}/${path}`, init);
  try {
    const text = await response.text();
    // Some answers say all with their status.
    return (text === "" ? undefined : JSON.parse(text)) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("The answer could not be read.", "bad_answer", "service");
  }
}

/** Asks, and fails where the answer is a fault. */
export async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...init });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("thorax does not answer.", "no_answer", "network");
  }
  if (response.ok) return response;
  if (response.status === 401) onSignedOut();
  throw await fault(response);
}

/** Reads `{code, message, type}`; an answer of another shape gets a message of our own. */
async function fault(response: Response): Promise<ApiError> {
  const kind: FaultKind = response.status >= 500 ? "service" : "caller";
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  try {
    const body = (await response.json()) as { code?: unknown; message?: unknown; type?: unknown };
    if (typeof body.message === "string") {
      const stated = body.type === "caller" || body.type === "service" ? body.type : kind;
      const code = typeof body.code === "string" ? body.code : "unknown";
      return new ApiError(body.message, code, stated, response.status, retryAfter);
    }
  } catch {
    // Not JSON: a proxy's page, or a cut connection.
  }
  const message =
    response.status === 413 ? "The file is larger than the server accepts." : `The server answered ${response.status}.`;
  return new ApiError(message, `http_${response.status}`, kind, response.status, retryAfter);
}

/** True for a request that was called off, which is no failure. */
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
