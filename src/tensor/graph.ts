/** Ways over the tape: what lies behind a tensor, and what lies between it and others. */
import { consumedError, type Edge, GradNode } from "./autograd.js";
import { Tensor } from "./tensor.js";

/** A recorded op, or a leaf. */
export type Place = GradNode | Tensor;

/** What stands for a tensor on the tape: the op that made it, or itself. */
export function placeOf(tensor: Tensor): Place {
  return tensor.node ?? tensor;
}

/** All nodes behind the given places, newest first: an order in which every node comes after all that used its output. */
export function nodesBehind(places: readonly Place[], isEnd: (node: GradNode) => boolean = () => false): GradNode[] {
  const seen = new Set<GradNode>();
  const stack: Edge[] = [...places];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    if (!(place instanceof GradNode) || seen.has(place)) continue;
    seen.add(place);
    if (isEnd(place)) continue;
    for (const edge of place.edges) stack.push(edge);
  }
  return [...seen].sort((a, b) => b.id - a.id);
}

/** The nodes on the ways from the given places to the goals, newest first. */
export function nodesBetween(places: readonly Place[], goals: ReadonlySet<Place>): GradNode[] {
  // Behind a single goal nothing matters any more.
  const nodes = nodesBehind(places, (node) => goals.size === 1 && goals.has(node));
  const reached = new Set<Edge>(places);
  for (const node of nodes) for (const edge of node.edges) reached.add(edge);
  const isComplete = [...goals].every((goal) => reached.has(goal));
  const onTheWay = new Set<Edge>(goals);
  for (const node of nodes.toReversed()) {
    // What lay behind a consumed node is not known any more: a goal, perhaps.
    if (node.isConsumed && !(goals.has(node) && isComplete)) throw consumedError(node);
    if (node.edges.some((edge) => onTheWay.has(edge))) onTheWay.add(node);
  }
  return nodes.filter((node) => node.edges.some((edge) => onTheWay.has(edge)));
}

/** The leaves that gradients flow to from these nodes. */
export function leavesOf(nodes: readonly GradNode[]): Set<Tensor> {
  const leaves = new Set<Tensor>();
  for (const node of nodes) {
    for (const edge of node.edges) if (edge instanceof Tensor) leaves.add(edge);
  }
  return leaves;
}
