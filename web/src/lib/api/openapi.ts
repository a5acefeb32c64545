/** The description of the API, and trying it. */

import type { Document } from "../openapi.ts";
import { get, isAbort, ApiError } from "./client.ts";

export const getDocument = (signal: AbortSignal): Promise<Document> => get("openapi.json", signal);

/** What came back: text to read, a picture to see, or a size. */
export interface Tried {
  status: number;
  ms: number;
  type: string;
  text: string | null;
  picture: string | null;
  bytes: number;
}

/** Longer answers are cut: they are for programs. */
const longest = 20_000;

export async function tryOut(address: string, init: RequestInit): Promise<Tried> {
  const started = performance.now();
  let response: Response;
  let blob: Blob;
  try {
    response = await fetch(address, { credentials: "same-origin", ...init });
    blob = await response.blob();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("thorax does not answer.", "no_answer", "network");
  }
  const type = response.headers.get("content-type") ?? "";
  const readable = /json|text/.test(type);
  const text = readable ? shown(await blob.text(), type) : null;
  return {
    status: response.status,
    ms: Math.round(performance.now() - started),
    type,
    text,
    picture: type.startsWith("image/") ? URL.createObjectURL(blob) : null,
    bytes: blob.size,
  };
}

function shown(text: string, type: string): string {
  let readable = text;
  if (type.includes("json") && !type.includes("ndjson")) {
    try {
      readable = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Shown as it came.
    }
  }
  return readable.length > longest ? `${readable.slice(0, longest)}\n… ${readable.length - longest} more characters` : readable;
}
