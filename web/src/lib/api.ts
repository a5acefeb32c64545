/** The HTTP API. Query text and report text travel in bodies, never in an address. */

import type { Mapped, SearchResponse, Status, Study, Target } from "./types.ts";

/** Why a request failed: the caller's fault, the service's, or no answer at all. */
export type FaultKind = "caller" | "service" | "network";

/** A request that failed, with what to tell the user. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly kind: FaultKind,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** True where the filter is what is wrong: the server says so in the code or in words. */
  get aboutFilter(): boolean {
    return this.kind === "caller" && (/filter/i.test(this.code) || /filter/i.test(this.message));
  }
}

/** What a search asks for, besides its text or film. */
export interface SearchOptions {
  to: Target;
  k: number;
  filter: string;
}

const base = "/api/v1";

export function getStatus(signal?: AbortSignal): Promise<Status> {
  return request("status", { signal: signal ?? null });
}

export function searchText(text: string, options: SearchOptions, signal: AbortSignal): Promise<SearchResponse> {
  const body = JSON.stringify({ text, to: options.to, k: options.k, filter: options.filter || null });
  return request("search", { method: "POST", headers: { "content-type": "application/json" }, body, signal });
}

/** Searches with the bytes of a film. The filter travels in a header, because the body is the film and addresses are logged. */
export function searchImage(film: Blob, options: SearchOptions, signal: AbortSignal): Promise<SearchResponse> {
  const parameters = new URLSearchParams({ to: options.to, k: String(options.k) });
  const headers: Record<string, string> = { "content-type": film.type || "application/octet-stream" };
  if (options.filter) headers["x-thorax-search"] = ascii(JSON.stringify({ filter: options.filter }));
  return request(`search/image?${parameters}`, { method: "POST", headers, body: film, signal });
}

/** JSON of ASCII alone, as a header has to be. */
const ascii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

export function getStudy(key: string, signal: AbortSignal): Promise<Study> {
  return request(`studies/${encodeURIComponent(key)}`, { signal });
}

/** The film as it was imported. */
export const filmAddress = (key: string): string => `${base}/images/${encodeURIComponent(key)}`;

/** A JPEG of the film, longest side 320 pixels. */
export const thumbnailAddress = (key: string): string => `${filmAddress(key)}/thumbnail`;

/** Where the words of a query lie on a film. */
export function getHeatMap(key: string, text: string, signal: AbortSignal): Promise<Mapped> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ text });
  return request(`images/${encodeURIComponent(key)}/heatmap`, { method: "POST", headers, body, signal });
}

/** The bytes of a film, to search with. */
export async function getFilm(key: string, signal: AbortSignal): Promise<Blob> {
  const response = await send(filmAddress(key), { signal });
  return response.blob();
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await send(`${base}/${path}`, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("The answer could not be read.", "bad_answer", "service");
  }
}

async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...init });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("thorax does not answer.", "no_answer", "network");
  }
  if (!response.ok) throw await fault(response);
  return response;
}

/** Reads `{code, message, type}`; an answer of another shape gets a message of our own. */
async function fault(response: Response): Promise<ApiError> {
  const kind: FaultKind = response.status >= 500 ? "service" : "caller";
  try {
    const body = (await response.json()) as { code?: unknown; message?: unknown; type?: unknown };
    if (typeof body.message === "string") {
      const stated = body.type === "caller" || body.type === "service" ? body.type : kind;
      return new ApiError(body.message, typeof body.code === "string" ? body.code : "unknown", stated);
    }
  } catch {
    // Not JSON: a proxy's page, or a cut connection.
  }
  const message =
    response.status === 413 ? "The file is larger than the server accepts." : `The server answered ${response.status}.`;
  return new ApiError(message, `http_${response.status}`, kind);
}

/** True for a request that was called off, which is no failure. */
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
