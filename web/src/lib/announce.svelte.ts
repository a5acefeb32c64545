/** Short messages for screen readers; `App.svelte` holds the live region. */

class LiveRegion {
  text = $state("");
}

export const live = new LiveRegion();

export function announce(text: string): void {
  // The same words twice are announced only where the text changes.
  live.text = live.text === text ? `${text}\u00a0` : text;
}
