/** Brightness and contrast of a film on screen. The stored pixels stay as they are. */

export interface Window {
  /** 1 is as stored. */
  brightness: number;
  contrast: number;
  inverted: boolean;
}

export const plainWindow: Window = { brightness: 1, contrast: 1, inverted: false };

export const limits = { min: 0.3, max: 2.5, step: 0.05 };

export const presets: { name: string; window: Window }[] = [
  { name: "As stored", window: plainWindow },
  { name: "More contrast", window: { brightness: 1, contrast: 1.5, inverted: false } },
  { name: "Dark areas", window: { brightness: 1.6, contrast: 1.15, inverted: false } },
  { name: "Bright areas", window: { brightness: 0.65, contrast: 1.35, inverted: false } },
];

/** As a CSS filter. Inverting comes last, so that the window acts on the stored values. */
export function windowFilter(window: Window): string {
  return `brightness(${window.brightness}) contrast(${window.contrast}) invert(${window.inverted ? 1 : 0})`;
}

export const isPreset = (shown: Window, preset: Window): boolean =>
  shown.brightness === preset.brightness && shown.contrast === preset.contrast;
