/** A row times a matrix whose columns lie side by side: the rows of the matrix are read from end to end, eight at a time. */
import { fma } from "./environment";

/** c = init + a · b for one row; steps are in bytes, init and c are dense or init is repeated. `init` may be c. */
export function rowTimesMatrix(
  a: usize, aStep: usize, b: usize, bStep: usize, init: usize, initColumn: usize, c: usize, n: i32, k: i32,
): void {
  if (init != c) {
    for (let j = 0; j < n; j++) store<f32>(c + (j << 2), load<f32>(init + <usize>j * initColumn));
  }
  for (; k >= 8; k -= 8) {
    addEight(a, aStep, b, bStep, c, n);
    a += 8 * aStep;
    b += 8 * bStep;
  }
  for (; k > 0; k--) {
    addOne(a, b, c, n);
    a += aStep;
    b += bStep;
  }
}

function addEight(a: usize, aStep: usize, b: usize, bStep: usize, c: usize, n: i32): void {
  const x0 = v128.load32_splat(a);
  const x1 = v128.load32_splat(a + aStep);
  const x2 = v128.load32_splat(a + 2 * aStep);
  const x3 = v128.load32_splat(a + 3 * aStep);
  const x4 = v128.load32_splat(a + 4 * aStep);
  const x5 = v128.load32_splat(a + 5 * aStep);
  const x6 = v128.load32_splat(a + 6 * aStep);
  const x7 = v128.load32_splat(a + 7 * aStep);
  let b1 = b + bStep, b2 = b1 + bStep, b3 = b2 + bStep, b4 = b3 + bStep, b5 = b4 + bStep, b6 = b5 + bStep, b7 = b6 + bStep;
  for (; n >= 4; n -= 4) {
    // Two chains, added up at the end, wait for one another less than one.
    let s = fma(x0, v128.load(b), v128.load(c));
    let t = f32x4.mul(x1, v128.load(b1));
    s = fma(x2, v128.load(b2), s);
    t = fma(x3, v128.load(b3), t);
    s = fma(x4, v128.load(b4), s);
    t = fma(x5, v128.load(b5), t);
    s = fma(x6, v128.load(b6), s);
    t = fma(x7, v128.load(b7), t);
    v128.store(c, f32x4.add(s, t));
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    b4 += 16;
    b5 += 16;
    b6 += 16;
    b7 += 16;
    c += 16;
  }
  for (; n > 0; n--) {
    let s = load<f32>(c) + load<f32>(a) * load<f32>(b);
    s += load<f32>(a + aStep) * load<f32>(b1);
    s += load<f32>(a + 2 * aStep) * load<f32>(b2);
    s += load<f32>(a + 3 * aStep) * load<f32>(b3);
    s += load<f32>(a + 4 * aStep) * load<f32>(b4);
    s += load<f32>(a + 5 * aStep) * load<f32>(b5);
    s += load<f32>(a + 6 * aStep) * load<f32>(b6);
    s += load<f32>(a + 7 * aStep) * load<f32>(b7);
    store<f32>(c, s);
    b += 4;
    b1 += 4;
    b2 += 4;
    b3 += 4;
    b4 += 4;
    b5 += 4;
    b6 += 4;
    b7 += 4;
    c += 4;
  }
}

function addOne(a: usize, b: usize, c: usize, n: i32): void {
  const x = v128.load32_splat(a);
  for (; n >= 4; n -= 4) {
    v128.store(c, fma(x, v128.load(b), v128.load(c)));
    b += 16;
    c += 16;
  }
  for (; n > 0; n--) {
    store<f32>(c, load<f32>(c) + load<f32>(a) * load<f32>(b));
    b += 4;
    c += 4;
  }
}
