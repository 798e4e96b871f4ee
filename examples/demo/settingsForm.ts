/** The form with what can be set. */
import { byId } from "./elements.js";
import { defaultSettings, type Settings } from "./messages.js";

const names = ["images", "batchSize", "lr"] as const;

export class SettingsForm {
  private readonly form = byId("settings", HTMLFormElement);

  constructor(changed: (settings: Settings) => void) {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => changed(this.read()));
  }

  /** Shows what is set, and whether it can be changed now. */
  show(settings: Settings, disabled: boolean): void {
    for (const name of names) {
      const select = this.select(name);
      if (select === null) continue;
      select.value = String(settings[name]);
      select.disabled = disabled;
    }
  }

  private read(): Settings {
    const chosen = (name: (typeof names)[number]): number => Number(this.select(name)?.value ?? defaultSettings[name]);
    return { images: chosen("images"), batchSize: chosen("batchSize"), lr: chosen("lr") };
  }

  private select(name: string): HTMLSelectElement | null {
    const element = this.form.elements.namedItem(name);
    return element instanceof HTMLSelectElement ? element : null;
  }
}
