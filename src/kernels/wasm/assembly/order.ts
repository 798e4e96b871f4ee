/**
 * The order of rows: places sorted by the bits of their keys, eight at a time from the lowest on, which keeps equals in their
 * order.
 */
import { argument, pointer, threadIndex } from "./environment";
import { SORT_COUNTS } from "./kernelIds";

/** A float as a word that is greater where the float is; −0 is 0, NaN is greater than everything. Descending, the other way round. */
@inline
function keyOf(x: f32, descending: bool): u32 {
  const bits = reinterpret<u32>(x + 0);
  let key = bits & 0x80000000 ? ~bits : bits | 0x80000000;
  if (x != x) key = 0xffffffff;
  return descending ? ~key : key;
}

/**
 * Arguments: 0 x, 1 places, 2 elements of a row, 3 descending, 4 scratch: for each thread, two times keys and places for a row, and
 * counts. Unit: a row.
 */
export function argSort(begin: i32, end: i32): void {
  const n = argument(2);
  const bytes = <usize>n << 2;
  const descending = argument(3) != 0;
  const own = pointer(4) + <usize>threadIndex() * (4 * bytes + SORT_COUNTS);
  const counts = own + 4 * bytes;
  for (let row = begin; row < end; row++) {
    let keys = own;
    let places = own + bytes;
    let nextKeys = own + 2 * bytes;
    let nextPlaces = own + 3 * bytes;
    memory.fill(counts, 0, SORT_COUNTS);
    const x = pointer(0) + <usize>row * bytes;
    for (let i = 0; i < n; i++) {
      const at = <usize>i << 2;
      const key = keyOf(load<f32>(x + at), descending);
      store<u32>(keys + at, key);
      store<i32>(places + at, i);
      count(counts, key & 255);
      count(counts + 1024, (key >> 8) & 255);
      count(counts + 2048, (key >> 16) & 255);
      count(counts + 3072, key >> 24);
    }
    for (let digit = 0; digit < 4; digit++) {
      const starts = counts + (<usize>digit << 10);
      // Where all have the same digit, nothing moves.
      if (n > 0 && load<i32>(starts + (<usize>((load<u32>(keys) >> (digit << 3)) & 255) << 2)) == n) continue;
      let before = 0;
      for (let bucket: usize = 0; bucket < 1024; bucket += 4) {
        const here = load<i32>(starts + bucket);
        store<i32>(starts + bucket, before);
        before += here;
      }
      for (let at: usize = 0; at < bytes; at += 4) {
        const key = load<u32>(keys + at);
        const bucket = starts + (<usize>((key >> (digit << 3)) & 255) << 2);
        const to = <usize>load<i32>(bucket);
        store<i32>(bucket, <i32>to + 1);
        store<u32>(nextKeys + (to << 2), key);
        store<i32>(nextPlaces + (to << 2), load<i32>(places + at));
      }
      const spareKeys = keys;
      const sparePlaces = places;
      keys = nextKeys;
      places = nextPlaces;
      nextKeys = spareKeys;
      nextPlaces = sparePlaces;
    }
    memory.copy(pointer(1) + <usize>row * bytes, places, bytes);
  }
}

@inline
function count(counts: usize, bucket: u32): void {
  const at = counts + (<usize>bucket << 2);
  store<i32>(at, load<i32>(at) + 1);
}
