/**
 * Columns of length 1 at right angles that span the same as those of a matrix [rows, columns], rows ≥ columns: the Q of its
 * QR decomposition with a positive diagonal in R. Gram and Schmidt's way, twice, which leaves nothing of rounding's angles.
 *
 * @see Giraud et al.: Rounding error analysis of the classical Gram-Schmidt orthogonalization process, 2005
 */
export function orthonormalColumns(
  rows: number,
  columns: number,
  entry: (row: number, column: number) => number,
): Float64Array[] {
  const found: Float64Array[] = [];
  for (let column = 0; column < columns; column++) {
    const vector = Float64Array.from({ length: rows }, (_, row) => entry(row, column));
    for (let round = 0; round < 2; round++) {
      for (const before of found) {
        const share = dot(before, vector);
        for (let row = 0; row < rows; row++) vector[row] = (vector[row] ?? 0) - share * (before[row] ?? 0);
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    found.push(vector.map((value) => value / length));
  }
  return found;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
