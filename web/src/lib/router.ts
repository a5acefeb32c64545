/** Reads and writes the address. It holds a study's opaque key and nothing else: addresses end up in histories and logs. */

export type Route = { view: "search" } | { view: "study"; key: string };

const studyPattern = /^#\/study\/([0-9A-Za-z_-]{1,128})$/;

export function parseRoute(hash: string): Route {
  const key = studyPattern.exec(hash)?.[1];
  return key === undefined ? { view: "search" } : { view: "study", key };
}

export const studyAddress = (key: string): string => `#/study/${key}`;

export const searchAddress = "#/";
