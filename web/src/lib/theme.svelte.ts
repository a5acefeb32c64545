/** Dark or light. Follows the system until the user chooses; the choice is kept in this browser. */

export type Theme = "dark" | "light";

const slot = "thorax-theme";
const systemLight = matchMedia("(prefers-color-scheme: light)");

class ThemeChoice {
  #chosen: Theme | null = $state(read());
  #system: Theme = $state(systemLight.matches ? "light" : "dark");

  constructor() {
    systemLight.addEventListener("change", (event) => {
      this.#system = event.matches ? "light" : "dark";
    });
    this.#apply();
  }

  get current(): Theme {
    return this.#chosen ?? this.#system;
  }

  toggle(): void {
    this.#chosen = this.current === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(slot, this.#chosen);
    } catch {
      // Storage may be switched off: the choice then lasts as long as the page.
    }
    this.#apply();
  }

  /** Without a choice the style sheet follows the system by itself. */
  #apply(): void {
    if (this.#chosen) document.documentElement.dataset["theme"] = this.#chosen;
  }
}

function read(): Theme | null {
  try {
    const value = localStorage.getItem(slot);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null;
  }
}

export const theme = new ThemeChoice();
