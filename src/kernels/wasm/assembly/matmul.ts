/** The matrix product as a kernel. */
import { argument, pointer, threadIndex } from "./environment";
import { gemmFrom, ZEROS } from "./gemm";
import { GEMM_SCRATCH_BYTES } from "./gemmSizes";

export function matmul(begin: i32, end: i32): void {
  const scratch = pointer(14) + <usize>threadIndex() * GEMM_SCRATCH_BYTES;
  const rows = end - begin;
  const init = pointer(6);
  const aRow = <usize>argument(1) << 2;
  const cRow = <usize>argument(10) << 2;
  const initRow = init == 0 ? 0 : <usize>argument(7) << 2;
  gemmFrom(
    pointer(0) + <usize>begin * aRow, aRow, <usize>argument(2) << 2,
    pointer(3), <usize>argument(4) << 2, <usize>argument(5) << 2,
    init == 0 ? ZEROS : init + <usize>begin * initRow, initRow, init == 0 ? 0 : <usize>argument(8) << 2,
    pointer(9) + <usize>begin * cRow, cRow, rows, argument(11), argument(12), scratch,
  );
}
