/** What the workers of examples/workers.ts run: images are decoded, turned, cropped, mirrored and coloured at random. */
import { data } from "tapegrad";

const { colorJitter, compose, randomAffine, randomCrop, randomHorizontalFlip, toTensor } = data.transforms;
const augment = compose([
  randomAffine(15, { scale: [0.8, 1.2], interpolation: "bilinear" }),
  randomCrop(224),
  randomHorizontalFlip(),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
]);

export default data.serveDataset(
  ({ root }: { root: string }) => new data.ImageFolder(root, { transform: (image) => augment(toTensor()(image)) }),
);
