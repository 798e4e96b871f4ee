/**
 * Geometry records: what a window kernel must know, in plain numbers. All are filled in and checked by the tensor
 * layer; a kernel set takes them as they are. Arrays are NCHW.
 *
 * @module
 */

/**
 * A window that slides over a padded plane. Output (y, x) and tap (ky, kx) read input
 * (y·strideHeight + ky·dilationHeight − padTop, x·strideWidth + kx·dilationWidth − padLeft); what falls outside the
 * input is padding. Padding below and to the right follows from the output size.
 */
export interface WindowGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

/**
 * A convolution: the window over `channels` input channels, and `outChannels` filters in `groups` groups.
 * Input [batch, channels, inHeight, inWidth], weight [outChannels, channels / groups, kernelHeight, kernelWidth],
 * output [batch, outChannels, outHeight, outWidth].
 */
export interface ConvGeometry extends WindowGeometry {
  readonly outChannels: number;
  readonly groups: number;
}

/** All fields of a {@link WindowGeometry}. */
export const WINDOW_FIELDS = [
  "batch",
  "channels",
  "inHeight",
  "inWidth",
  "outHeight",
  "outWidth",
  "kernelHeight",
  "kernelWidth",
  "strideHeight",
  "strideWidth",
  "padTop",
  "padLeft",
  "dilationHeight",
  "dilationWidth",
] as const satisfies readonly (keyof WindowGeometry)[];

/** All fields of a {@link ConvGeometry}: two convolutions that agree in them are alike. */
export const CONV_FIELDS = [
  ...WINDOW_FIELDS,
  "outChannels",
  "groups",
] as const satisfies readonly (keyof ConvGeometry)[];

/**
 * Average pooling: the window sum divided by `divisorOverride`, or by the number of taps inside the input, or, with
 * `countIncludePad`, by the number of taps inside the input padded by padTop, padLeft and `padBottom`, `padRight`
 * (a window of ceil mode may hang over even that).
 */
export interface AvgPoolGeometry extends WindowGeometry {
  readonly padBottom: number;
  readonly padRight: number;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;
}
