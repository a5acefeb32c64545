/** Zooming and panning a film: pure functions on a scale and an offset from the centre, in screen pixels. */

export interface Viewport {
  /** 1 is the whole film in the stage. */
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const fit: Viewport = { scale: 1, x: 0, y: 0 };
export const maxScale = 12;
export const zoomStep = 1.25;

/** The size of the film on screen at scale 1: as large as the stage allows. */
export function fittedSize(film: Size, stage: Size): Size {
  if (film.width <= 0 || film.height <= 0) return stage;
  const ratio = Math.min(stage.width / film.width, stage.height / film.height);
  return { width: film.width * ratio, height: film.height * ratio };
}

/** The scale at which one pixel of the film is one pixel of the screen. */
export function actualPixels(film: Size, stage: Size): number {
  const fitted = fittedSize(film, stage);
  return fitted.width > 0 ? clampScale(film.width / fitted.width) : 1;
}

/** Zooms by `factor`; the point `at` (from the centre of the stage) stays where it is. */
export function zoomAt(view: Viewport, factor: number, at: { x: number; y: number }): Viewport {
  const scale = clampScale(view.scale * factor);
  const real = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * real, y: at.y - (at.y - view.y) * real };
}

/** Keeps the film in reach: its edge may go to the middle of the stage and no further. */
export function clampPan(view: Viewport, film: Size, stage: Size): Viewport {
  if (view.scale <= 1) return fit;
  const fitted = fittedSize(film, stage);
  const limit = (length: number): number => (length * view.scale) / 2;
  return {
    scale: view.scale,
    x: clamp(view.x, -limit(fitted.width), limit(fitted.width)),
    y: clamp(view.y, -limit(fitted.height), limit(fitted.height)),
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const clampScale = (scale: number): number => clamp(scale, 1, maxScale);
