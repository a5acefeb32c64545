/** A heat map as pixels of its grid. */

import type { Mapped } from "./types.ts";

/** From low to high; lighter is more, so that it can be read without telling colours apart. As on the command line. */
const colours = [
  [20, 11, 53],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

/** Opacity of the layer where nothing else is chosen. */
export const plainOpacity = 0.45;

/** One RGBA pixel for each cell, row after row. Below the middle of the range the film stays as it is. */
export function heatPixels({ map, range: [low, high] }: Mapped): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * map.rows * map.columns);
  const span = high > low ? high - low : 1;
  map.values.forEach((value, cell) => {
    const heat = Math.min(1, Math.max(0, (value - low) / span));
    const at = heat * (colours.length - 1);
    const below = Math.min(Math.floor(at), colours.length - 2);
    const [from, to] = [colours[below], colours[below + 1]];
    if (!from || !to) return;
    const mixed = from.map((part, channel) => part + ((to[channel] ?? part) - part) * (at - below));
    pixels.set([...mixed, 255 * Math.max(0, (heat - 0.4) / 0.6)], 4 * cell);
  });
  return pixels;
}
