/** Bars with a text at each end: probabilities, speeds. */

/** A list of bars, one for each label. */
export class Bars {
  private readonly rows: { readonly item: HTMLElement; readonly bar: HTMLElement; readonly text: HTMLElement }[];

  constructor(list: HTMLElement, labels: readonly string[]) {
    this.rows = labels.map((label) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "name";
      name.textContent = label;
      const track = document.createElement("span");
      track.className = "track";
      const bar = document.createElement("span");
      bar.className = "bar";
      track.append(bar);
      const text = document.createElement("span");
      text.className = "value";
      item.append(name, track, text);
      return { item, bar, text };
    });
    list.replaceChildren(...this.rows.map(({ item }) => item));
  }

  /** @param share of the full length, from 0 to 1 */
  show(index: number, share: number, text: string, best = false): void {
    const row = this.rows[index];
    if (row === undefined) return;
    row.bar.style.setProperty("--share", `${100 * share}%`);
    row.text.textContent = text;
    row.item.classList.toggle("best", best);
  }
}
