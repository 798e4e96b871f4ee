/**
 * Reductions over any axes: out = finish(combine of term(operands) over the axes where `out` has extent 1). Few terms are
 * combined by one invocation, more by a workgroup, many in two stages.
 *
 * @module
 */
import type { Strided } from "../kernelSet.js";
import { at, denseStrides, elementCount } from "../strides.js";
import { inParts, MOST_AXES, relaid, type Walk, walkNumbers, walkOver, walkText, walkUniforms } from "./axes.js";
import { functions } from "./elementwiseText.js";
import { isArray, isNumber, type Operand } from "./map.js";
import type { Runtime } from "./runtime.js";
import { type WgslType, wgslType } from "./types.js";

/** How terms are combined. */
export interface Combination {
  readonly name: string;
  /** What no terms give. */
  readonly initial: string;
  /** Of `a` and `b`. */
  readonly expression: string;
}

export interface Reduction {
  /** Names the expressions in the key of the kernel, and the kernel in messages. */
  readonly name: string;
  readonly combination: Combination;
  /** Of the operands, in out's type. */
  readonly term: string;
  /** Arrays of one shape (stride 0 where broadcast), and numbers. */
  readonly operands: readonly Operand[];
  readonly shape: readonly number[];
  /** Row-major; extent 1 on the axes to reduce. */
  readonly out: Strided;
  /** Factor of the result, for means. Default 1. */
  readonly scale?: number;
}

/** Terms that one invocation combines without help. */
const ALONE = 64;
/** Results from which on there are enough invocations without helpers. */
const MANY_RESULTS = 8192;
/** Invocations of a workgroup that combines together. */
const TEAM = 64;
/** Terms for which a workgroup of its own pays. */
const TEAM_TERMS = 4096;
/** Workgroups that keep a GPU busy. */
const BUSY = 1024;
/** Terms that are added up before their sum is added to the rest: rounding errors grow with the longest chain. */
const CHAIN = 128;

export function runReduction(runtime: Runtime, reduction: Reduction): void {
  const { shape, out } = reduction;
  const results = elementCount(out.shape);
  if (results === 0) return;
  const terms = elementCount(shape.filter((_, axis) => isReduced(reduction, axis)));
  const teams = Math.min(Math.ceil(terms / TEAM_TERMS), Math.floor(BUSY / results));
  if (terms <= ALONE || results >= MANY_RESULTS) launchStage(runtime, reduction, 1, false);
  else if (teams <= 1) launchStage(runtime, reduction, 1, true);
  else inTwoStages(runtime, reduction, results, teams);
}

function inTwoStages(runtime: Runtime, reduction: Reduction, results: number, teams: number): void {
  runtime.scratch(results * teams * 4, (memory) => {
    const shape = [results, teams];
    const partial: Strided = relaid(reduction.out, { buffer: memory, shape, strides: denseStrides(shape), offset: 0 });
    launchStage(
      runtime,
      { ...reduction, scale: 1, out: relaid(reduction.out, { buffer: memory, offset: 0 }) },
      teams,
      true,
    );
    const type = wgslType(reduction.out.dtype);
    runReduction(runtime, {
      name: reduction.combination.name,
      combination: reduction.combination,
      term: "x",
      operands: [{ name: "x", type, value: partial }],
      shape,
      out: relaid(reduction.out, { shape: [results, 1], strides: [1, 1] }),
      scale: reduction.scale ?? 1,
    });
  });
}

function isReduced({ shape, out }: Reduction, axis: number): boolean {
  return at(out.shape, axis) === 1 && at(shape, axis) !== 1;
}

/** Drops the axes for which `keep` says no. */
function withAxes(x: Strided, keep: (axis: number) => boolean): Strided {
  return relaid(x, { strides: x.strides.filter((_, axis) => keep(axis)) });
}

/** Each result by `teams` workgroups, or by one invocation. The result of team t of result i is written to i·teams + t. */
function launchStage(runtime: Runtime, reduction: Reduction, teams: number, together: boolean): void {
  const { name, combination, term, operands, shape, out, scale = 1 } = reduction;
  const arrays = operands.filter(isArray);
  const numbers = operands.filter(isNumber);
  const keep = (axis: number): boolean => !isReduced(reduction, axis);
  const drop = (axis: number): boolean => !keep(axis);
  const outer = walkOver(
    shape.filter((_, axis) => keep(axis)),
    [withAxes(out, keep), ...arrays.map(({ value }) => withAxes(value, keep))],
  );
  const inner = walkOver(
    shape.filter((_, axis) => drop(axis)),
    arrays.map(({ value }) => ({ ...withAxes(value, drop), offset: 0 })),
  );
  const rank = Math.min(outer.shape.length, MOST_AXES);
  if (inner.shape.length > MOST_AXES || rank + inner.shape.length > 2 * MOST_AXES - 4) {
    splitAxes(runtime, reduction);
    return;
  }
  const type = wgslType(out.dtype);
  const key = `reduce/${name}/${rank}/${inner.shape.length}/${type}/${together ? "together" : "alone"}/${operands.map((operand) => `${isNumber(operand) ? "=" : ""}${operand.name}${operand.type}`).join("/")}`;
  const kernel = runtime.kernel(key, () => {
    const names = arrays.map((operand) => operand.name);
    const declarations = `${functions}
fn combine(a: ${type}, b: ${type}) -> ${type} { return ${combination.expression}; }
fn term(place: u32${names.map((name) => `, ${name}Base: i32`).join("")}) -> ${type} {
  ${innerText(inner, names)}
  ${arrays.map(({ name }) => `let ${name} = ${name}Array[${name}Base + ${name}InAt];`).join("\n  ")}
  ${numbers.map(({ name }) => `let ${name} = u.${name};`).join("\n  ")}
  return ${term};
}
fn chain(first: u32, end: u32, step: u32${names.map((name) => `, ${name}Base: i32`).join("")}) -> ${type} {
  var total = ${combination.initial};
  for (var start = first; start < end; start += step * ${CHAIN}u) {
    var part = ${combination.initial};
    let stop = min(end, start + step * ${CHAIN}u);
    for (var place = start; place < stop; place += step) {
      part = combine(part, term(place${names.map((name) => `, ${name}Base`).join("")}));
    }
    total = combine(total, part);
  }
  return total;
}
${together ? `var<workgroup> parts: array<${type}, ${TEAM}>;` : ""}`;
    const finished = (value: string): string => (type === "f32" ? `${value} * u.scale` : value);
    const bases = names.map((name) => `, ${name}At`).join("");
    const body = together
      ? `
  let flat = group.y * groups.x + group.x;
  let result = min(flat / u.teams, u.count - 1u);
  let team = flat % u.teams;
  ${walkText(rank, ["out", ...names], "result")}
  let end = min(u.terms, (team + 1u) * u.share);
  parts[lane] = chain(team * u.share + lane, end, ${TEAM}u${bases});
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (lane < half) { parts[lane] = combine(parts[lane], parts[lane + half]); }
  }
  if (lane == 0u && flat < u.count * u.teams) { outArray[outAt * i32(u.teams) + i32(team)] = ${finished("parts[0]")}; }`
      : `
  if (index >= u.count) { return; }
  ${walkText(rank, ["out", ...names], "index")}
  outArray[outAt] = ${finished(`chain(0u, u.terms, 1u${bases})`)};`;
    return {
      name,
      outputs: { outArray: type },
      inputs: Object.fromEntries(arrays.map((operand) => [`${operand.name}Array`, operand.type])),
      uniforms: {
        count: "u32",
        terms: "u32",
        teams: "u32",
        share: "u32",
        scale: "f32",
        ...Object.fromEntries(numbers.map(({ name, type }) => [name, type])),
        ...walkUniforms(rank, ["out", ...names]),
        ...innerUniforms(inner, names),
      },
      workgroup: together ? [TEAM, 1, 1] : [256, 1, 1],
      declarations,
      body,
    };
  });

  const terms = elementCount(inner.shape);
  const buffers = [out.buffer, ...arrays.map(({ value }) => value.buffer)];
  inParts(outer, (part) => {
    const count = elementCount(part.shape);
    const share = Math.ceil(terms / teams);
    const uniforms = [count, terms, teams, share, scale, ...numbers.map(({ value }) => value)];
    walkNumbers(part, uniforms);
    uniforms.push(...inner.shape, ...inner.strides.flat());
    if (together) runtime.launchFlat(kernel, buffers, uniforms, count * teams);
    else runtime.launchEach(kernel, buffers, uniforms, count);
  });
}

function innerUniforms(inner: Walk, names: readonly string[]): Record<string, WgslType> {
  const axes = inner.shape.map((_, axis) => axis);
  return Object.fromEntries([
    ...axes.map((axis) => [`r${axis}`, "u32"] as const),
    ...names.flatMap((name) => axes.map((axis) => [`${name}In${axis}`, "i32"] as const)),
  ]);
}

/** Sets `<name>InAt` for the term that `place` counts out. */
function innerText(inner: Walk, names: readonly string[]): string {
  const lines = [...names.map((name) => `var ${name}InAt = 0;`), "var rest = place;"];
  for (let axis = inner.shape.length - 1; axis >= 0; axis--) {
    lines.push(`{ let i = i32(${axis === 0 ? "rest" : `rest % u.r${axis}`});`);
    for (const name of names) lines.push(`${name}InAt += i * u.${name}In${axis};`);
    lines.push(axis === 0 ? "}" : `rest /= u.r${axis}; }`);
  }
  return lines.join("\n  ");
}

/** Of very many axes, the first half is reduced first. */
function splitAxes(runtime: Runtime, reduction: Reduction): void {
  const { shape, out } = reduction;
  const reduced = shape.flatMap((_, axis) => (isReduced(reduction, axis) ? [axis] : []));
  const now = new Set(reduced.slice(0, Math.max(1, reduced.length >> 1)));
  const between = shape.map((extent, axis) => (now.has(axis) ? 1 : extent));
  runtime.scratch(elementCount(between) * 4, (memory) => {
    const partial: Strided = relaid(out, { buffer: memory, shape: between, strides: denseStrides(between), offset: 0 });
    runReduction(runtime, { ...reduction, out: partial, scale: 1 });
    const operands = [{ name: "x", type: wgslType(out.dtype), value: partial }];
    runReduction(runtime, { ...reduction, name: reduction.combination.name, term: "x", operands, shape: between });
  });
}
