/** Pictures of the tape. */
import { instance } from "@viz-js/viz";
import { ArgumentError, AutogradError, drawGraph, grad, nn, noGrad, type Tensor, tensor, zeros } from "tapegrad";
import { describe, expect, test } from "vitest";

/** The nodes and edges that Graphviz finds in the text, by their labels. */
async function read(dot: string): Promise<{ nodes: string[]; edges: string[] }> {
  const viz = await instance();
  const { objects = [], edges = [] } = viz.renderJSON(dot) as {
    objects?: { label: string }[];
    edges?: { tail: number; head: number; label: string }[];
  };
  const labels = objects.map(({ label }) => label.replaceAll("\\n", " "));
  return {
    nodes: labels,
    edges: edges.map(({ tail, head, label }) => `${labels[tail]} → ${labels[head]}: ${label.trim()}`),
  };
}

class Net extends nn.Module {
  fc = new nn.Linear(3, 2);
  forward(x: Tensor): Tensor {
    return this.fc.forward(x).relu();
  }
}

describe("a graph", () => {
  test("has ops, leaves with their names and the shapes on the edges", async () => {
    const net = new Net();
    const x = tensor([[1, 2, 3]], { requiresGrad: true });
    const loss = net.forward(x).sum();
    const { nodes, edges } = await read(drawGraph(loss, { model: net, names: { x, loss } }).dot);
    expect(nodes.sort()).toEqual(
      ["x [1, 3]", "fc.weight [2, 3]", "fc.bias [2]", "linear", "relu", "sum", "loss view", "output"].sort(),
    );
    expect(edges.sort()).toEqual(
      [
        "x [1, 3] → linear: [1, 3]",
        "fc.weight [2, 3] → linear: [2, 3]",
        "fc.bias [2] → linear: [2]",
        "linear → relu: [1, 2]",
        "relu → sum: [1, 2]",
        "sum → loss view: [1, 1]",
        "loss view → output: []",
      ].sort(),
    );
  });

  test("has a tensor that is used twice once, with two edges", async () => {
    const x = tensor([2], { requiresGrad: true });
    const { nodes, edges } = await read(drawGraph(x.mul(x), { names: { x } }).dot);
    expect(nodes).toEqual(["x [1]", "mul", "output"]);
    expect(edges).toEqual(["x [1] → mul: [1]", "x [1] → mul: [1]", "mul → output: [1]"]);
  });

  test("of a gradient is the graph of the backward pass", async () => {
    const x = tensor([3], { requiresGrad: true });
    const [slope] = grad(x.pow(3).sum(), x, { createGraph: true });
    const { nodes } = await read(drawGraph(slope as Tensor, { names: { x } }).dot);
    expect(nodes).toContain("x [1]");
    expect(nodes).toContain("mul");
  });

  test("of several outputs has them all", async () => {
    const x = tensor([3], { requiresGrad: true });
    const { nodes } = await read(drawGraph([x.exp(), x.tanh(), x]).dot);
    expect(nodes.filter((name) => name.startsWith("output"))).toEqual(["output 0", "output 1", "output 2"]);
  });

  test("of 5,000 ops is drawn without recursion, and backward still works", async () => {
    let y = tensor([1], { requiresGrad: true });
    const x = y;
    for (let k = 0; k < 5_000; k++) y = y.neg();
    expect(drawGraph(y).dot.split("\n").length).toBeGreaterThan(10_000);
    y.backward();
    expect(await x.grad?.item()).toBe(1);
  });

  test("names with quotes and backslashes come through", async () => {
    const x = tensor([1], { requiresGrad: true });
    const drawing = drawGraph(x.neg(), { names: { 'a "b" <c>': x } });
    expect((await read(drawing.dot)).nodes[0]).toBe('a "b" <c> [1]');
    expect(await drawing.svg()).toContain("a &quot;b&quot; &lt;c&gt;");
  });

  test("as SVG has all texts", async () => {
    const net = new Net();
    const svg = await drawGraph(net.forward(zeros([4, 3])), { model: net }).svg();
    for (const text of ["fc.weight", "[2, 3]", "linear", "relu", "[4, 2]", "output"]) expect(svg).toContain(`${text}<`);
    expect(svg).toContain("#ffe2b3");
  });
});

describe("refuses", () => {
  const x = tensor([1], { requiresGrad: true });

  test.each<[string, () => unknown, Error]>([
    [
      "what has no history",
      () => drawGraph(noGrad(() => x.neg())),
      new AutogradError(
        "drawGraph: got a tensor of shape [1] made by neg that has no history; expected one made from a tensor with requiresGrad. " +
          "Compute it outside noGrad(…), from parameters or with { requiresGrad: true }.",
      ),
    ],
    [
      "a graph that was consumed",
      () => {
        const y = x.neg();
        y.backward();
        drawGraph(y);
      },
      new AutogradError(
        "backward: got a graph that a backward pass has already gone through (at neg); expected one that is still whole. " +
          "Pass { retainGraph: true } to the first pass, or .detach() what you carry over.",
      ),
    ],
    [
      "nothing",
      () => drawGraph([]),
      new ArgumentError("drawGraph: got no tensors; expected at least one. Pass what was computed."),
    ],
    [
      "a model that is none",
      () => drawGraph(x, { model: {} as nn.Module }),
      new ArgumentError(
        "drawGraph: got something else as the model; expected a Module. Pass { model }, or { names } for single tensors.",
      ),
    ],
    [
      "a name of no tensor",
      () => drawGraph(x, { names: { y: 1 as unknown as Tensor } }),
      new ArgumentError('drawGraph: got no tensor by the name "y"; expected tensors by name. Correct names.'),
    ],
  ])("%s", (_, call, error) => {
    expect(call).toThrow(error);
  });
});
