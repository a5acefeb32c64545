/** What is seen of one film, or of two that are moved together. */

import { flipped, footprint, turned, upright, type Orientation } from "./orientation.ts";
import { actualPixels, clampPan, fit, zoomAt, type Size, type Viewport } from "./viewport.ts";
import { dragged, plainWindow, within, type Window } from "./window.ts";

/** A film to look at: one of the archive, or the one that is searched with. */
export interface FilmSource {
  address: string;
  /** A smaller picture for the meantime. */
  preview?: string;
  /** Key of a film of the archive. */
  key?: string;
  size: Size;
  alt: string;
  /** What stands on the film where two are shown. */
  label: string;
}

/** Zoom, place, window and orientation of one film. */
export class Pane {
  view: Viewport = $state.raw(fit);
  window: Window = $state.raw(plainWindow);
  orientation: Orientation = $state.raw(upright);
  /** Of the stage, in pixels of the screen. */
  stage: Size = $state.raw({ width: 1, height: 1 });
  /** Of the film, in its own pixels. */
  film: Size = $state.raw({ width: 1, height: 1 });

  /** The film's room as it is turned. */
  get footprint(): Size {
    return footprint(this.film, this.orientation);
  }

  move(next: Viewport): void {
    this.view = clampPan(next, this.footprint, this.stage);
  }

  zoom(factor: number, at = { x: 0, y: 0 }): void {
    this.move(zoomAt(this.view, factor, at));
  }

  pan(x: number, y: number): void {
    this.move({ ...this.view, x: this.view.x + x, y: this.view.y + y });
  }

  fit(): void {
    this.view = fit;
  }

  /** One pixel of the film on one of the screen, and back. */
  actual(): void {
    const scale = actualPixels(this.footprint, this.stage);
    // A film smaller than the stage has its pixels already: look twice as close instead.
    if (this.view.scale > 1) this.fit();
    else this.move(zoomAt(fit, scale > 1.05 ? scale : 2, { x: 0, y: 0 }));
  }

  drag(x: number, y: number): void {
    this.window = dragged(this.window, x, y);
  }

  setWindow(next: Window): void {
    this.window = within(next);
  }

  invert(): void {
    this.window = { ...this.window, inverted: !this.window.inverted };
  }

  turn(quarters: number): void {
    this.orientation = turned(this.orientation, quarters);
    this.fit();
  }

  flip(axis: "across" | "down"): void {
    this.orientation = flipped(this.orientation, axis);
    this.fit();
  }

  reset(): void {
    this.fit();
    this.window = plainWindow;
    this.orientation = upright;
  }

  /** Looks as `other` does. */
  follow(other: Pane): void {
    this.view = other.view;
    this.window = other.window;
    this.orientation = other.orientation;
  }
}
