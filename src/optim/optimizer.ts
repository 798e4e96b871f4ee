import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../errors.js";
import { zeroGrad } from "../tensor/backward.js";
import { isFloating } from "../tensor/dtype.js";
import { clone, zerosFor } from "../tensor/ops/layout.js";
import type { L1Mode } from "../tensor/optimizerSteps.js";
import { noGrad } from "../tensor/scopes.js";
import { formatShape, sameShape } from "../tensor/shape.js";
import { Tensor } from "../tensor/tensor.js";

export type { L1Mode } from "../tensor/optimizerSteps.js";

/** Settings that every optimizer here has. */
export interface PenaltyOptions {
  /** Learning rate, 0 or more. */
  lr?: number;
  /** Factor of the L2 penalty, 0 or more. */
  weightDecay?: number;
  /** Factor λ of the L1 penalty λ·Σ|w|, 0 or more. Default 0. */
  l1?: number;
  /**
   * How the L1 penalty acts. Default `"proximal"`.
   *
   * `"proximal"`: after the step each weight moves lr·λ towards 0 and stops there (soft threshold), so that weights become
   * exactly 0 and no λ is too large. The threshold is not amplified by momentum or by Adam's scaling, as gradients are: with
   * momentum μ the same λ weighs (1 − μ) times as much as it would in the loss. `"subgradient"`: λ·sign(w) is added to the gradient, as when the penalty is part of the
   * loss; weights then jump back and forth across 0, by lr·λ each step, and a λ that makes those jumps larger than the
   * weights makes the weights explode with momentum.
   *
   * @see Parikh and Boyd, Proximal Algorithms (2014), section 6.5.2
   */
  l1Mode?: L1Mode;
  /** Whether to climb instead of descend. Default false. */
  maximize?: boolean;
}

/** Parameters with settings of their own; what is left out is the optimizer's. */
export type ParamGroupInit<Options> = Partial<Options> & { readonly params: Iterable<Tensor> };

/** Parameters and the settings that hold for them. Settings may be changed between steps. */
export type ParamGroup<Options> = Required<Options> & { params: Tensor[] };

/** What an optimizer remembers of one parameter. */
export type ParamState = Record<string, Tensor | number>;

/** An optimizer's state as plain data and tensors. Parameters are numbered in the order of the groups. */
export interface OptimizerState<Options> {
  readonly state: Record<number, ParamState>;
  readonly paramGroups: readonly (Required<Options> & { readonly params: readonly number[] })[];
}

/**
 * The base of all optimizers: parameter groups, gradients to zero, state to save.
 *
 * @see https://pytorch.org/docs/stable/optim.html
 */
export abstract class Optimizer<Options extends PenaltyOptions> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  protected readonly state = new Map<Tensor, ParamState>();
  private readonly defaults: Required<Options>;

  /**
   * @param params parameters, or groups of them with settings of their own
   * @throws ArgumentError where there are no parameters, one comes twice, or a setting is out of its range.
   * @throws AutogradError where a parameter is no leaf.
   */
  protected constructor(
    private readonly name: string,
    params: Iterable<Tensor> | Iterable<ParamGroupInit<Options>>,
    standard: Required<Options>,
    options: Options,
  ) {
    this.defaults = this.complete(standard, options);
    const list = [...(params as Iterable<Tensor | ParamGroupInit<Options>>)];
    const tensors = list.filter((entry) => entry instanceof Tensor);
    if (list.length === 0) {
      throw new ArgumentError(
        `${name}: got no parameters; expected at least one. Pass model.parameters(), after the layers were made.`,
      );
    }
    if (tensors.length > 0) this.addParamGroup({ params: tensors } as unknown as ParamGroupInit<Options>);
    for (const entry of list) if (!(entry instanceof Tensor)) this.addParamGroup(entry);
  }

  /** Checks a group's settings before they are used. */
  protected abstract checkOptions(options: Required<Options>): void;

  /** Changes one parameter by its gradient. */
  protected abstract update(parameter: Tensor, grad: Tensor, options: Required<Options>): void;

  /**
   * Adds parameters with settings of their own, for instance for a layer that is trained from now on.
   *
   * @throws ArgumentError, AutogradError as the constructor.
   */
  addParamGroup(group: ParamGroupInit<Options>): void {
    const { params, ...options } = group;
    const list = [...params];
    const present = new Set(this.paramGroups.flatMap((other) => other.params));
    for (const parameter of list) {
      this.checkParameter(parameter);
      if (present.has(parameter)) {
        throw new ArgumentError(
          `${this.name}: got a parameter of shape ${formatShape(parameter.shape)} twice; expected each once. Leave it in one group.`,
        );
      }
      present.add(parameter);
    }
    this.paramGroups.push({ ...this.complete(this.defaults, options), params: list });
  }

  /** Forgets all gradients, and gives back what the last backward pass left behind. */
  zeroGrad(): void {
    zeroGrad(this.paramGroups.flatMap((group) => group.params));
  }

  /**
   * Changes every parameter that has a gradient.
   *
   * @throws ArgumentError where a setting was changed to something out of its range; no parameter is touched then.
   */
  step(): void {
    for (const group of this.paramGroups) this.check(group);
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const parameter of group.params) {
          if (parameter.grad !== null) this.update(parameter, parameter.grad, group);
        }
      }
    });
  }

  /** The settings, and what is remembered of each parameter. Tensors in it are the optimizer's own, not copies. */
  stateDict(): OptimizerState<Options> {
    const all = this.paramGroups.flatMap((group) => group.params);
    const state: Record<number, ParamState> = {};
    all.forEach((parameter, index) => {
      const remembered = this.state.get(parameter);
      if (remembered !== undefined) state[index] = { ...remembered };
    });
    let next = 0;
    const paramGroups = this.paramGroups.map(({ params, ...options }) => ({
      ...(options as unknown as Required<Options>),
      params: params.map(() => next++),
    }));
    return { state, paramGroups };
  }

  /**
   * Takes over a state that {@link stateDict} gave. Tensors are copied.
   *
   * @throws ArgumentError, ShapeError where it is not the state of an optimizer with the same groups; nothing is changed then.
   */
  loadStateDict(saved: OptimizerState<Options>): void {
    this.checkForm(saved);
    const sizes = (groups: readonly { readonly params: readonly unknown[] }[]): string =>
      `[${groups.map((group) => group.params.length).join(", ")}]`;
    if (sizes(saved.paramGroups) !== sizes(this.paramGroups)) {
      throw new ArgumentError(
        `${this.name}.loadStateDict: got parameter groups of sizes ${sizes(saved.paramGroups)}; expected ${sizes(this.paramGroups)}. ` +
          `Make the optimizer over the same parameters first.`,
      );
    }
    const parameters = this.paramGroups.flatMap((group) => group.params);
    const entries = parameters.map((parameter, index) => [parameter, saved.state[index]] as const);
    for (const [parameter, remembered] of entries) this.checkState(parameter, remembered ?? {});
    for (const group of saved.paramGroups) this.check(group);

    saved.paramGroups.forEach(({ params: _, ...options }, index) => {
      Object.assign(this.paramGroups[index] ?? {}, options);
    });
    this.state.clear();
    for (const [parameter, remembered] of entries) {
      if (remembered === undefined) continue;
      const copied = Object.entries(remembered).map(([key, value]) => [
        key,
        value instanceof Tensor ? noGrad(() => clone(value)).keep() : value,
      ]);
      this.state.set(parameter, Object.fromEntries(copied) as ParamState);
    }
  }

  /** What is remembered of a parameter, begun anew where nothing is. */
  protected stateOf<S extends ParamState>(parameter: Tensor, begin: () => S): S {
    const present = this.state.get(parameter);
    if (present !== undefined) return present as S;
    const state = begin();
    this.state.set(parameter, state);
    return state;
  }

  /** Zeros like the parameter, which no scope gives back. */
  protected zerosLike(parameter: Tensor): Tensor {
    return zerosFor(parameter, parameter.shape, this.name).keep();
  }

  /** @throws ArgumentError where a setting is not a number of `least` or more (and below `limit`). */
  protected checkNumber(
    what: string,
    value: number | undefined,
    least: number,
    limit = Number.POSITIVE_INFINITY,
  ): void {
    if (typeof value === "number" && value >= least && value < limit) return;
    const upper = limit === Number.POSITIVE_INFINITY ? "finite" : `below ${limit}`;
    throw new ArgumentError(
      `${this.name}: got ${what} = ${String(value)}; expected a number of ${least} or more, and ${upper}. Correct it.`,
    );
  }

  private check(options: Required<Options>): void {
    const { lr, weightDecay, l1, l1Mode } = options as PenaltyOptions;
    this.checkNumber("lr", lr, 0);
    this.checkNumber("weightDecay", weightDecay, 0);
    this.checkNumber("l1", l1, 0);
    if (l1Mode !== "proximal" && l1Mode !== "subgradient") {
      throw new ArgumentError(
        `${this.name}: got l1Mode = ${JSON.stringify(l1Mode)}; expected "proximal" or "subgradient". Choose one.`,
      );
    }
    this.checkOptions(options);
  }

  /** Settings with the defaults filled in, checked. */
  private complete(defaults: Required<Options>, given: object): Required<Options> {
    const entries = Object.entries(given).filter(([, value]) => value !== undefined);
    for (const [key] of entries) {
      if (key in defaults) continue;
      throw new ArgumentError(
        `${this.name}: got the setting ${key}; expected one of ${Object.keys(defaults).join(", ")}. Correct the name.`,
      );
    }
    const options = { ...defaults, ...Object.fromEntries(entries) };
    this.check(options);
    return options;
  }

  private checkParameter(parameter: Tensor): void {
    if (!(parameter instanceof Tensor)) {
      throw new ArgumentError(
        `${this.name}: got ${String(parameter)} as a parameter; expected a tensor. Pass model.parameters().`,
      );
    }
    if (!parameter.isLeaf) {
      throw new AutogradError(
        `${this.name}: got a parameter made by ${parameter.madeBy}; expected a leaf. Optimize what it was made from, or .detach() it.`,
      );
    }
    if (!isFloating(parameter.dtype) || !parameter.isContiguous()) {
      throw new DTypeError(
        `${this.name}: got a parameter of ${parameter.dtype} with strides ${formatShape(parameter.strides)}; expected a dense float32 or float64. ` +
          `Make it with .float() and .contiguous().`,
      );
    }
  }

  /** What comes from a file may be anything. */
  private checkForm(saved: OptimizerState<Options>): void {
    const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
    const known = Object.keys(this.defaults);
    const isGroup = (group: unknown): boolean =>
      isObject(group) &&
      "params" in group &&
      Array.isArray(group.params) &&
      Object.entries(group).every(
        ([key, value]) =>
          key === "params" || (known.includes(key) && typeof value === typeof this.defaults[key as keyof Options]),
      );
    const isState = isObject(saved) && isObject(saved.state) && Object.values(saved.state).every(isObject);
    if (isState && Array.isArray(saved.paramGroups) && saved.paramGroups.every(isGroup)) return;
    throw new ArgumentError(
      `${this.name}.loadStateDict: got what is no state of ${this.name}; expected { state, paramGroups } with its settings. Pass what stateDict() gave.`,
    );
  }

  private checkState(parameter: Tensor, remembered: ParamState): void {
    for (const [key, value] of Object.entries(remembered)) {
      if (!(value instanceof Tensor) && typeof value !== "number") {
        throw new ArgumentError(
          `${this.name}.loadStateDict: got ${String(value)} as ${key}; expected a tensor or a number. Pass what stateDict() gave.`,
        );
      }
      if (value instanceof Tensor && !sameShape(value.shape, parameter.shape)) {
        throw new ShapeError(
          `${this.name}.loadStateDict: got ${key} of shape ${formatShape(value.shape)} for a parameter of shape ${formatShape(parameter.shape)}; ` +
            `expected equal shapes. Load the state of an optimizer over the same parameters.`,
        );
      }
    }
  }
}
