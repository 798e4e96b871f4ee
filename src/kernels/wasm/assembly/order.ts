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
 * counts; 5 how many places of each row are wanted, 6 whether they are few. Unit: a row.
 */
export function argSort(begin: i32, end: i32): void {
  const n = argument(2);
  const wanted = <usize>argument(5) << 2;
  const bytes = <usize>n << 2;
  const descending = argument(3) != 0;
  const own = pointer(4) + <usize>threadIndex() * (4 * bytes + SORT_COUNTS);
  const counts = own + 4 * bytes;
  for (let row = begin; row < end; row++) {
    let keys = own;
    let places = own + bytes;
    let nextKeys = own + 2 * bytes;
    let nextPlaces = own + 3 * bytes;
    const x = pointer(0) + <usize>row * bytes;
    const out = pointer(1) + <usize>row * wanted;
    if (argument(6) != 0) {
      keepBest(x, n, descending, own, out, argument(5));
      continue;
    }
    memory.fill(counts, 0, SORT_COUNTS);
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
    memory.copy(out, places, wanted);
  }
}

/**
 * The places of the first `k` in the order: a list of the best so far, in order, which few elements of a row get into. Four at a time
 * are compared with the last of it.
 */
function keepBest(x: usize, n: i32, descending: bool, keys: usize, places: usize, k: i32): void {
  let held = 0;
  let i = 0;
  for (; i < k; i++) held = insert(keys, places, held, k, keyOf(load<f32>(x + (<usize>i << 2)), descending), i);
  while (i < n) {
    const last = load<u32>(keys + (<usize>(k - 1) << 2));
    const lasts = i32x4.splat(last);
    while (i + 4 <= n && !v128.any_true(i32x4.lt_u(keys4(x + (<usize>i << 2), descending), lasts))) i += 4;
    const stop = min(n, i + 4);
    for (; i < stop; i++) {
      const key = keyOf(load<f32>(x + (<usize>i << 2)), descending);
      if (key < load<u32>(keys + (<usize>(k - 1) << 2))) held = insert(keys, places, held, k, key, i);
    }
  }
}

/** Four of {@link keyOf}. */
@inline
function keys4(at: usize, descending: bool): v128 {
  const x = v128.load(at);
  const bits = f32x4.add(x, f32x4.splat(0));
  const negative = i32x4.shr_s(bits, 31);
  let key = v128.xor(bits, v128.or(negative, i32x4.splat(0x80000000)));
  key = v128.or(key, f32x4.ne(x, x));
  return descending ? v128.not(key) : key;
}

/** Puts a key behind those that are not greater, and drops the last where there are `k`. Returns how many there are. */
@inline
function insert(keys: usize, places: usize, held: i32, k: i32, key: u32, place: i32): i32 {
  let to = min(held, k - 1);
  while (to > 0 && load<u32>(keys + (<usize>(to - 1) << 2)) > key) {
    store<u32>(keys + (<usize>to << 2), load<u32>(keys + (<usize>(to - 1) << 2)));
    store<i32>(places + (<usize>to << 2), load<i32>(places + (<usize>(to - 1) << 2)));
    to--;
  }
  store<u32>(keys + (<usize>to << 2), key);
  store<i32>(places + (<usize>to << 2), place);
  return min(held + 1, k);
}

@inline
function count(counts: usize, bucket: u32): void {
  const at = counts + (<usize>bucket << 2);
  store<i32>(at, load<i32>(at) + 1);
}
