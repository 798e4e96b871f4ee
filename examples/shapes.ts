/**
 * Where does 16·6·6 come from? A summary prints the shape that every layer gives; a linear layer that gets another width
 * says so; and nn.LazyLinear works the width out by itself.
 */
import { drawGraph, nn, randn, ShapeError } from "tapegrad";
import { section, startExample } from "./support/example.js";

const { save } = startExample("shapes", "Prints the shapes in a network, and what happens where they do not fit.");

/** Two convolutions with pools, then three linear layers; the first of these is up to the caller. */
function network(firstLinear: nn.Layer): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 6, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 16, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    firstLinear,
    new nn.ReLU(),
    new nn.Linear(120, 84),
    new nn.ReLU(),
    new nn.Linear(84, 10),
  );
}

const image = randn([1, 1, 32, 32]);

section("an image of 1×32×32 through the network");
console.log(String(nn.summary(network(new nn.Linear(16 * 6 * 6, 120)), [1, 1, 32, 32])));
console.log("32 → 30 (a window of 3) → 15 (pool) → 13 → 6 (pool, rounded down): 16 channels of 6·6 are 576.");

section("with 16·5·5 = 400 in place of 576");
try {
  network(new nn.Linear(16 * 5 * 5, 120)).forward(image);
} catch (error) {
  if (!(error instanceof ShapeError)) throw error;
  console.log(`${error.name}: ${error.message}`);
}

section("with nn.LazyLinear, which learns its width from the first input");
const lazy = network(new nn.LazyLinear(120));
console.log(`output [${lazy.forward(image).shape.join(", ")}]`);
console.log(String(lazy.children()[7]));

section("the tape behind the output, with the shapes that pass on");
const model = network(new nn.Linear(16 * 6 * 6, 120));
save("network.svg", await drawGraph(model.forward(image), { model }).svg());
