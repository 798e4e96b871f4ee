import { ShapeError } from "../../errors.js";
import { composite } from "../scopes.js";
import { at, formatShape } from "../shape.js";
import { commonKernels, type Tensor } from "../tensor.js";
import { countOf } from "../window.js";
import { reshape, transpose } from "./layout.js";

/**
 * Mixes the channels of groups: channel g·(C / groups) + i becomes channel i·groups + g, so that each group of the next
 * convolution gets some from every group. [N, C, …] → [N, C, …].
 *
 * @throws ShapeError where there are fewer than three axes, or the number of groups does not divide the channels.
 * @throws ArgumentError where the number of groups is no whole number of 1 or more.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
 * @see X. Zhang et al.: ShuffleNet, https://arxiv.org/abs/1707.01083
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  commonKernels("channelShuffle", x);
  countOf("channelShuffle", "groups", groups, 1);
  if (x.ndim < 3) {
    throw new ShapeError(
      `channelShuffle: got an input of shape ${formatShape(x.shape)}; expected [batch, channels, …] with one axis more at least. ` +
        `Unsqueeze it.`,
    );
  }
  const channels = at(x.shape, 1);
  if (channels % groups !== 0) {
    throw new ShapeError(
      `channelShuffle: got ${channels} channels in shape ${formatShape(x.shape)}; expected a multiple of groups = ${groups}. ` +
        `Correct groups or the channels.`,
    );
  }
  const [batch, rest] = [at(x.shape, 0), x.shape.slice(2)];
  return composite(() =>
    reshape(transpose(reshape(x, [batch, groups, channels / groups, ...rest]), 1, 2), [batch, channels, ...rest]),
  );
}
