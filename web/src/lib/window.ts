/** Window and level of a film on screen. The stored pixels stay as they are. */

export interface Window {
  /** The value that is shown as middle grey, as a share of the full range. */
  center: number;
  /** The span of values from black to white, as a share of the full range. */
  width: number;
  inverted: boolean;
}

export const plainWindow: Window = { center: 0.5, width: 1, inverted: false };

export const limits = { center: { min: 0.02, max: 0.98 }, width: { min: 0.04, max: 1.5 } };

/** A whole drag across this many pixels changes window or level by the full range. */
const dragSpan = 500;

export const presets: { name: string; window: Window }[] = [
  { name: "As stored", window: plainWindow },
  { name: "Lung", window: { center: 0.36, width: 0.62, inverted: false } },
  { name: "Mediastinum", window: { center: 0.7, width: 0.58, inverted: false } },
  { name: "Bone", window: { center: 0.6, width: 0.4, inverted: false } },
];

const clamp = (value: number, { min, max }: { min: number; max: number }): number => Math.min(max, Math.max(min, value));

export const within = (window: Window): Window => ({
  center: clamp(window.center, limits.center),
  width: clamp(window.width, limits.width),
  inverted: window.inverted,
});

/** Dragging right widens the window (less contrast), dragging down raises the level (darker), as radiologists know it. */
export const dragged = (window: Window, x: number, y: number): Window =>
  within({ ...window, width: window.width + x / dragSpan, center: window.center + y / dragSpan });

/**
 * As a CSS filter: the line through (center, 1/2) with slope 1/width. Every step is cut at 0 and 1, so the order of the two is
 * the one in which the first cuts nothing that the second would bring back. Inverting comes last.
 */
export function windowFilter({ center, width, inverted }: Window): string {
  const invert = inverted ? " invert(1)" : "";
  if (width <= 2 * center) return `brightness(${round(1 / (2 * center))}) contrast(${round((2 * center) / width)})${invert}`;
  const brightness = 1 + (1 - 2 * center) / width;
  return `contrast(${round(1 / (width * brightness))}) brightness(${round(brightness)})${invert}`;
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

export const isPreset = (shown: Window, preset: Window): boolean =>
  Math.abs(shown.center - preset.center) < 1e-6 && Math.abs(shown.width - preset.width) < 1e-6;
