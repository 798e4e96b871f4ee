/** Curves that stay short however long a run is. */
import type { CurvePoint } from "./messages.js";

/** Twice as many points as a plot on a large screen has pixels to show them. */
const mostPoints = 2000;

/** Adds a point; where there are too many then, each two neighbours become one. */
export function addPoint(curve: CurvePoint[], point: CurvePoint): void {
  curve.push(point);
  if (curve.length < mostPoints) return;
  const thinned: CurvePoint[] = [];
  for (let index = 0; index + 1 < curve.length; index += 2) {
    const [a, b] = [curve[index], curve[index + 1]];
    if (a === undefined || b === undefined) continue;
    thinned.push({ images: b.images, loss: (a.loss + b.loss) / 2, accuracy: (a.accuracy + b.accuracy) / 2 });
  }
  curve.splice(0, curve.length, ...thinned);
}
