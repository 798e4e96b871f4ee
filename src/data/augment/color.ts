import { ShapeError } from "../../errors.js";
import { tensor } from "../../tensor/create.js";
import { add, clamp, mul } from "../../tensor/ops/arithmetic.js";
import { mean } from "../../tensor/ops/reductions.js";
import { narrow } from "../../tensor/ops/slicing.js";
import { composite } from "../../tensor/scopes.js";
import { formatShape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";
import { checkFractions, checkNames, Draws, extentsOf, type RandomOptions, rangeOf } from "./parts.js";

/** Settings of {@link colorJitter}: each a number for [1 − it, 1 + it] (hue: [−it, it]), or a range. Default 0, no change. */
export interface ColorJitterOptions extends RandomOptions {
  readonly brightness?: number | readonly number[];
  readonly contrast?: number | readonly number[];
  readonly saturation?: number | readonly number[];
  /** At most 0.5, half of the circle of hues. */
  readonly hue?: number | readonly number[];
}

/**
 * A transform that changes brightness, contrast, saturation and hue of an image […, 3, H, W] (or 1 channel) of values from 0
 * to 1, each by what is drawn evenly, in an order that is drawn too. With the same seed it is torchvision's.
 *
 * @throws ArgumentError where a range is out of what it may be.
 * @throws ShapeError (the transform) where the image has neither 1 nor 3 channels.
 * @see https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html
 */
export function colorJitter(options: ColorJitterOptions = {}): (x: Tensor) => Tensor {
  const where = "colorJitter";
  checkNames(where, options, ["brightness", "contrast", "saturation", "hue", "generator"]);
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const factor = { center: 1, least: 0 };
  const steps = [
    { range: rangeOf(where, "brightness", brightness, factor), change: adjustBrightness, none: 1 },
    { range: rangeOf(where, "contrast", contrast, factor), change: adjustContrast, none: 1 },
    { range: rangeOf(where, "saturation", saturation, factor), change: adjustSaturation, none: 1 },
    { range: rangeOf(where, "hue", hue, { least: -0.5, most: 0.5 }), change: adjustHue, none: 0 },
  ];
  const draws = new Draws(where, options);
  return (x) => {
    extentsOf(where, x, 3);
    checkFractions(where, x);
    const channels = x.size(-3);
    if (channels !== 1 && channels !== 3) {
      throw new ShapeError(
        `${where}: got an image of shape ${formatShape(x.shape)} with ${channels} channels; expected 3, or 1. Take the channels of colour with .narrow(-3, 0, 3).`,
      );
    }
    const order = draws.generator.permutation(steps.length);
    const amounts = steps.map(({ range: [from, to], none }) =>
      from === none && to === none ? null : draws.uniform(from, to),
    );
    return composite(() => {
      let image = x;
      for (const index of order) {
        const amount = amounts[index] ?? null;
        if (amount !== null) image = steps[index]?.change(image, amount) ?? image;
      }
      return image === x ? narrow(x, 0, 0, x.size(0)) : image;
    });
  };
}

/** share·a + (1 − share)·b within [0, 1]. */
function blend(a: Tensor, b: Tensor | number, share: number): Tensor {
  const part = typeof b === "number" ? b * (1 - share) : mul(b, 1 - share);
  return clamp(add(mul(a, share), part), 0, 1);
}

function grey(x: Tensor): Tensor {
  if (x.size(-3) === 1) return x;
  const [red, green, blue] = [0, 1, 2].map((channel) => narrow(x, -3, channel, 1)) as [Tensor, Tensor, Tensor];
  return add(add(mul(red, 0.2989), mul(green, 0.587)), mul(blue, 0.114));
}

function adjustBrightness(x: Tensor, share: number): Tensor {
  return blend(x, 0, share);
}

function adjustContrast(x: Tensor, share: number): Tensor {
  return blend(x, mean(grey(x), [-3, -2, -1], { keepdim: true }), share);
}

function adjustSaturation(x: Tensor, share: number): Tensor {
  return x.size(-3) === 1 ? x : blend(x, grey(x), share);
}

function adjustHue(x: Tensor, turn: number): Tensor {
  if (x.size(-3) === 1) return x;
  const values = x.dataSync();
  const out = values.slice();
  const area = x.size(-1) * x.size(-2);
  for (let image = 0; image < values.length; image += 3 * area) {
    for (let pixel = image; pixel < image + area; pixel++) {
      const [r = 0, g = 0, b = 0] = [values[pixel], values[pixel + area], values[pixel + 2 * area]];
      const turned = turnHue(r, g, b, turn);
      turned.forEach((value, channel) => {
        out[pixel + channel * area] = value;
      });
    }
  }
  return tensor(out as Float32Array, { shape: x.shape, dtype: x.dtype, device: x.device });
}

/** A colour with its hue turned by a share of the circle, by way of hue, saturation and value. */
function turnHue(r: number, g: number, b: number, turn: number): readonly [number, number, number] {
  const most = Math.max(r, g, b);
  const chroma = most - Math.min(r, g, b);
  const saturation = chroma === 0 ? 0 : chroma / most;
  const [rc, gc, bc] = [r, g, b].map((value) => (most - value) / (chroma === 0 ? 1 : chroma)) as [
    number,
    number,
    number,
  ];
  const sixth = most === r ? bc - gc : most === g ? 2 + rc - bc : 4 + gc - rc;
  const hue = (((sixth / 6 + 1) % 1) + turn + 1) % 1;
  const sector = Math.floor(hue * 6);
  const rest = hue * 6 - sector;
  const held = (value: number): number => Math.min(Math.max(value, 0), 1);
  const p = held(most * (1 - saturation));
  const q = held(most * (1 - saturation * rest));
  const t = held(most * (1 - saturation * (1 - rest)));
  const corners = [
    [most, t, p],
    [q, most, p],
    [p, most, t],
    [p, q, most],
    [t, p, most],
    [most, p, q],
  ] as const;
  return corners[(sector % 6) as 0] ?? corners[0];
}
