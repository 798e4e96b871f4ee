/**
 * Elementwise kernels: rows of `argument(1)` elements, as many as the outer extents multiply to. With outer axes a unit is
 * a row; without, it is an element. Steps along a row are counted in elements; 0 repeats one.
 *
 * @module
 */
import { binaryRow, gradRow } from "./binary";
import { compareRow, whereRow } from "./compare";
import { argument, pointer } from "./environment";
import * as id from "./kernelIds";
import { rowOffset } from "./strided";
import { unaryRow } from "./unary";

/** Units of one row, or rows, of an elementwise job; `kind` says of which family the op is. */
@inline
function rows(kind: i32, begin: i32, end: i32): void {
  const op = argument(0);
  const outStep = argument(4);
  const aStep = argument(6);
  const bStep = argument(8);
  const conditionStep = argument(10);
  // Results of comparisons are bytes.
  const outShift = kind == id.COMPARE ? 0 : 2;
  const flat = argument(2) == 0;
  const first = flat ? 0 : begin;
  const last = flat ? 1 : end;
  const length = flat ? end - begin : argument(1);
  for (let row = first; row < last; row++) {
    let outAt = flat ? <isize>begin * outStep : rowOffset(0, row);
    let aAt = flat ? <isize>begin * aStep : rowOffset(1, row);
    const out = pointer(3) + (outAt << outShift);
    const a = pointer(5) + (aAt << 2);
    if (kind == id.UNARY) {
      unaryRow(op, out, outStep, a, aStep, length);
      continue;
    }
    let bAt = flat ? <isize>begin * bStep : rowOffset(2, row);
    const b = pointer(7) + (bAt << 2);
    if (kind == id.BINARY) binaryRow(op, out, outStep, a, aStep, b, bStep, length);
    else if (kind == id.ACTIVATION_GRAD) gradRow(op, out, outStep, a, aStep, b, bStep, length);
    else if (kind == id.COMPARE) compareRow(op, out, outStep, a, aStep, b, bStep, length);
    else {
      let conditionAt = flat ? <isize>begin * conditionStep : rowOffset(3, row);
      whereRow(out, outStep, a, aStep, b, bStep, pointer(9) + conditionAt, conditionStep, length);
    }
  }
}

export function unary(begin: i32, end: i32): void {
  rows(id.UNARY, begin, end);
}

export function binary(begin: i32, end: i32): void {
  rows(id.BINARY, begin, end);
}

export function activationGrad(begin: i32, end: i32): void {
  rows(id.ACTIVATION_GRAD, begin, end);
}

export function compare(begin: i32, end: i32): void {
  rows(id.COMPARE, begin, end);
}

export function where(begin: i32, end: i32): void {
  rows(id.WHERE, begin, end);
}
