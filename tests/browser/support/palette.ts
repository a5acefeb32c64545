/** Makes a screenshot small: the same picture with a palette of 256 colours. */

import { deflateSync, inflateSync, crc32 } from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

interface Pixels {
  width: number;
  height: number;
  /** Three bytes each. */
  rgb: Uint8Array;
}

/** Reads what Chromium writes: 8 bits, colour with or without alpha, not interlaced. */
function decode(png: Buffer): Pixels {
  let at = signature.length;
  let [width, height, channels] = [0, 0, 3];
  const data: Buffer[] = [];
  while (at < png.length) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = body[9] === 6 ? 4 : 3;
    }
    if (kind === "IDAT") data.push(body);
    at += length + 12;
  }
  return { width, height, rgb: unfilter(inflateSync(Buffer.concat(data)), width, height, channels) };
}

/** PNG (third edition), section 9. */
function unfilter(raw: Buffer, width: number, height: number, channels: number): Uint8Array {
  const row = width * channels;
  const rgb = new Uint8Array(width * height * 3);
  let above = new Uint8Array(row);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (row + 1)] ?? 0;
    const line = new Uint8Array(raw.subarray(y * (row + 1) + 1, (y + 1) * (row + 1)));
    for (let x = 0; x < row; x += 1) {
      const a = x < channels ? 0 : (line[x - channels] ?? 0);
      const b = above[x] ?? 0;
      const c = x < channels ? 0 : (above[x - channels] ?? 0);
      line[x] = (line[x] ?? 0) + ([0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? 0);
    }
    for (let x = 0; x < width; x += 1) rgb.set(line.subarray(x * channels, x * channels + 3), (y * width + x) * 3);
    above = line;
  }
  return rgb;
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** Colours of the page itself, which are kept as they are; the rest of the palette is for the films. */
const own = 96;

/** The most frequent colours; the others become the nearest of these. Greys keep more steps than colours. */
function quantised({ width, height, rgb }: Pixels): { palette: number[][]; places: Uint8Array } {
  const code = (at: number, step: number): number => {
    const round = (value = 0): number => Math.min(255, Math.round(value / step) * step);
    return (round(rgb[at]) << 16) | (round(rgb[at + 1]) << 8) | round(rgb[at + 2]);
  };
  const isGrey = (at: number): boolean => {
    const [r = 0, g = 0, b = 0] = rgb.subarray(at, at + 3);
    return Math.max(r, g, b) - Math.min(r, g, b) < 12;
  };
  const exact = Uint32Array.from({ length: width * height }, (_, i) => code(i * 3, 1));
  const kept = new Set(frequent(exact, own));
  const rough = exact.map((one, i) => (kept.has(one) ? one : code(i * 3, isGrey(i * 3) ? 5 : 10)));
  for (const one of frequent(rough, 256)) if (kept.size < 256) kept.add(one);
  const palette = [...kept].map(split);
  const nearest = new Map([...kept].map((one, place) => [one, place]));
  const find = (one: number): number => {
    const known = nearest.get(one);
    if (known !== undefined) return known;
    const colour = split(one);
    const distance = (other: number[] = []): number => other.reduce((sum, part, i) => sum + (part - (colour[i] ?? 0)) ** 2, 0);
    const best = palette.reduce((best, other, place) => (distance(other) < distance(palette[best]) ? place : best), 0);
    nearest.set(one, best);
    return best;
  };
  return { palette, places: Uint8Array.from(rough, find) };
}

const split = (code: number): number[] => [code >> 16, (code >> 8) & 255, code & 255];

function frequent(codes: Uint32Array, most: number): number[] {
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([code]) => code);
}

function chunk(kind: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

export function smaller(png: Buffer): Buffer {
  const pixels = decode(png);
  const { palette, places } = quantised(pixels);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(pixels.width, 0);
  head.writeUInt32BE(pixels.height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const lines = Buffer.alloc((pixels.width + 1) * pixels.height);
  for (let y = 0; y < pixels.height; y += 1) lines.set(places.subarray(y * pixels.width, (y + 1) * pixels.width), y * (pixels.width + 1) + 1);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(palette.flat())),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
