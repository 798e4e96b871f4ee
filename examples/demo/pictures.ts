/** Small pictures of numbers: filters, what they find, the digit as the network gets it. */
import { side } from "./digit.js";
import { filters } from "./messages.js";
import { contextOf } from "./pad.js";

type Rgb = readonly [red: number, green: number, blue: number];

/** They are seen on a light ground and on a dark one, and told apart by people who do not see red or green. */
const positive: Rgb = [224, 110, 32];
const negative: Rgb = [66, 108, 226];
const found: Rgb = [66, 108, 226];

/** A canvas that shows numbers, also after the browser has lost its GPU, and what canvases showed with it. */
class Picture {
  private image: ImageData | null = null;
  private readonly context: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = contextOf(canvas);
    canvas.addEventListener("contextrestored", () => this.put());
  }

  /** Paints values from −1 to 1 row by row: the nearer to 0, the more of the ground shows through. */
  paint(values: Float32Array, above: Rgb, below: Rgb): void {
    const image = this.context.createImageData(this.canvas.width, this.canvas.height);
    values.forEach((value, i) => {
      image.data.set(value >= 0 ? above : below, 4 * i);
      image.data[4 * i + 3] = 255 * Math.min(Math.abs(value), 1);
    });
    this.image = image;
    this.put();
  }

  private put(): void {
    if (this.image !== null) this.context.putImageData(this.image, 0, 0);
  }
}

/** The filters of the first layer, each above what it finds. */
export class FilterPictures {
  private readonly weights: Picture[] = [];
  private readonly maps: Picture[] = [];

  constructor(list: HTMLElement) {
    for (let number = 1; number <= filters.count; number++) {
      const item = document.createElement("li");
      const weight = canvasOf(filters.size, `Filter ${number}`);
      const map = canvasOf(side, `What filter ${number} finds in the digit`);
      item.append(weight, map);
      list.append(item);
      this.weights.push(new Picture(weight));
      this.maps.push(new Picture(map));
    }
  }

  /** Shows weights, filter by filter; the strongest of all is full of colour. */
  showWeights(weights: Float32Array): void {
    const strongest = largest(weights);
    const size = filters.size ** 2;
    this.weights.forEach((picture, i) => {
      const values = weights.slice(i * size, (i + 1) * size).map((weight) => weight / strongest);
      picture.paint(values, positive, negative);
    });
  }

  /** Shows what the filters found, or that there is nothing to find anything in. */
  showMaps(maps: Float32Array | null): void {
    const strongest = largest(maps ?? new Float32Array());
    this.maps.forEach((picture, i) => {
      const values = (maps ?? new Float32Array(filters.count * side ** 2)).slice(i * side ** 2, (i + 1) * side ** 2);
      picture.paint(
        values.map((value) => value / strongest),
        found,
        found,
      );
    });
  }
}

/** The digit as the network gets it. */
export class Preview {
  private readonly picture: Picture;

  constructor(canvas: HTMLCanvasElement) {
    this.picture = new Picture(canvas);
  }

  /** Shows an image of 28×28 pixels from 0 to 1, or nothing. */
  show(image: Float32Array | null): void {
    this.picture.paint(image ?? new Float32Array(side * side), [0, 0, 0], [0, 0, 0]);
  }
}

function canvasOf(size: number, label: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
}
