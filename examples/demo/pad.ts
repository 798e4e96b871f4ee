/** The pad to draw on, with mouse, finger, pen or keys. */
import { side } from "./digit.js";

/** Width of a stroke, in pixels of the pad: two and a half of an image whose ink fills the pad. */
const strokeWidth = 24;
/** How far an arrow key moves the pen. */
const keyStep = 12;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Who wants to know about the pad. */
export interface PadWatcher {
  /** Something was drawn, or all of it was cleared. */
  changed(): void;
  /** What the browser had forgotten is there again. */
  restored(): void;
}

export class Pad {
  private readonly ink: CanvasRenderingContext2D;
  /** Draws what is on the pad, one mark after the other: a browser that loses its GPU forgets its canvases. */
  private marks: (() => void)[] = [];
  private last: Point | null = null;
  /** Where the keys have the pen. */
  private pen: Point;
  private penDown = false;

  /**
   * @param frame has the focus when keys draw
   * @param penMark shows where they have the pen
   */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    frame: HTMLElement,
    private readonly penMark: HTMLElement,
    private readonly watcher: PadWatcher,
  ) {
    this.ink = contextOf(canvas, { willReadFrequently: true });
    this.pen = { x: canvas.width / 2, y: canvas.height / 2 };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.drawTo(this.placeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.last === null || !canvas.hasPointerCapture(event.pointerId)) return;
      for (const each of event.getCoalescedEvents()) this.drawTo(this.placeOf(each));
      this.drawTo(this.placeOf(event));
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(end, () => {
        this.last = null;
      });
    }
    canvas.addEventListener("contextrestored", () => {
      for (const mark of this.marks) mark();
      watcher.restored();
    });
    frame.addEventListener("keydown", (event) => this.onKey(event));
    frame.addEventListener("blur", () => {
      this.penDown = false;
      penMark.hidden = true;
    });
  }

  /** How much ink each pixel has, 0 … 255. */
  read(): { ink: Uint8Array; width: number; height: number } {
    const { width, height } = this.canvas;
    const { data } = this.ink.getImageData(0, 0, width, height);
    return { ink: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3] ?? 0), width, height };
  }

  clear(): void {
    this.empty();
    this.watcher.changed();
  }

  /** Shows an image of 28×28 bytes instead of what was drawn. */
  show(image: Uint8Array): void {
    this.empty();
    this.mark(() => {
      const small = new OffscreenCanvas(side, side);
      const context = small.getContext("2d");
      if (context === null) return;
      const data = context.createImageData(side, side);
      image.forEach((value, i) => {
        data.data[4 * i + 3] = value;
      });
      context.putImageData(data, 0, 0);
      this.ink.imageSmoothingQuality = "high";
      this.ink.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
    });
  }

  private empty(): void {
    this.marks = [];
    this.ink.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private mark(draw: () => void): void {
    this.marks.push(draw);
    draw();
    this.watcher.changed();
  }

  private placeOf(event: PointerEvent): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - left) / width) * this.canvas.width,
      y: ((event.clientY - top) / height) * this.canvas.height,
    };
  }

  private drawTo(to: Point): void {
    const { ink } = this;
    const from = this.last ?? to;
    this.last = to;
    this.mark(() => {
      ink.lineWidth = strokeWidth;
      ink.lineCap = "round";
      ink.beginPath();
      ink.moveTo(from.x, from.y);
      ink.lineTo(to.x, to.y);
      ink.stroke();
    });
  }

  private onKey(event: KeyboardEvent): void {
    const moves: Record<string, readonly [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      const { width, height } = this.canvas;
      const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
      const before = this.pen;
      this.pen = { x: within(before.x + move[0] * keyStep, width), y: within(before.y + move[1] * keyStep, height) };
      if (this.penDown) {
        this.last = before;
        this.drawTo(this.pen);
      }
    } else if (event.key === " ") {
      this.penDown = !this.penDown;
      this.last = null;
      if (this.penDown) this.drawTo(this.pen);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.last = null;
    this.showPen();
  }

  private showPen(): void {
    const { penMark, canvas, pen } = this;
    penMark.hidden = false;
    penMark.classList.toggle("down", this.penDown);
    penMark.style.left = `${(100 * pen.x) / canvas.width}%`;
    penMark.style.top = `${(100 * pen.y) / canvas.height}%`;
  }
}

/** The means to draw on a canvas; every browser has them. */
export function contextOf(canvas: HTMLCanvasElement, settings?: CanvasRenderingContext2DSettings) {
  const context = canvas.getContext("2d", settings);
  if (context === null) throw new Error("This browser does not draw on canvases.");
  return context;
}
