/** The module: one entry for every kernel, and the loop that worker threads run. */
import { activationGrad, binary, compare, unary, where } from "./elementwise";
import { addParts, columnsForward, columnsInputGrad, columnsWeightGrad } from "./columns";
import { direct, packFilters } from "./direct";
import { addBiasParts, directWeightGrad } from "./directWeight";
import { setThread, threadIndex } from "./environment";
import * as id from "./kernelIds";
import { lanes } from "./lanes";
import { lanesWeightGrad } from "./lanesWeight";
import { batchNorm, batchNormGrad, batchNormSums, batchNormWholeGrad, channelStats } from "./batchNorm";
import { groupNorm, groupNormFinish, groupNormGrad } from "./groupNorm";
import { multiplyBatch, multiplyBlocks, packRows } from "./matmul";
import { countBools, mapBools } from "./bools";
import { argSort } from "./order";
import { cumsum } from "./runningSums";
import { adamStep, sgdStep } from "./optimizers";
import { argReduce, reduceBlocks, reduceFinish, reduceRows, reduceRuns } from "./reduce";
import { softmax, softmaxGrad } from "./softmax";
import { gather, scatter, scatterAdd } from "./indexing";
import { maxPool, maxPoolGrad } from "./pool";
import { avgPool, avgPoolGrad } from "./poolAverage";
import { winogradFilterGrad, winogradFilterGradSum, winogradFilters, winogradForward } from "./winograd";
import { fold, unfold } from "./windows";
import { cast } from "./casts";
import { transpose } from "./transpose";
import { bernoulli } from "./twister";

/** Runs units [begin, end) of a kernel on the arguments that lie in memory. */
export function run(kernel: i32, begin: i32, end: i32): void {
  switch (kernel) {
    case id.UNARY:
      return unary(begin, end);
    case id.BINARY:
      return binary(begin, end);
    case id.ACTIVATION_GRAD:
      return activationGrad(begin, end);
    case id.COMPARE:
      return compare(begin, end);
    case id.WHERE:
      return where(begin, end);
    case id.REDUCE_RUNS:
      return reduceRuns(begin, end);
    case id.REDUCE_ROWS:
      return reduceRows(begin, end);
    case id.REDUCE_BLOCKS:
      return reduceBlocks(begin, end);
    case id.REDUCE_FINISH:
      return reduceFinish(begin, end);
    case id.ARG_REDUCE:
      return argReduce(begin, end);
    case id.SGD_STEP:
      return sgdStep(begin, end);
    case id.ADAM_STEP:
      return adamStep(begin, end);
    case id.SOFTMAX:
      return softmax(begin, end);
    case id.SOFTMAX_GRAD:
      return softmaxGrad(begin, end);
    case id.CHANNEL_STATS:
      return channelStats(begin, end);
    case id.BATCH_NORM:
      return batchNorm(begin, end);
    case id.BATCH_NORM_SUMS:
      return batchNormSums(begin, end);
    case id.BATCH_NORM_GRAD:
      return batchNormGrad(begin, end);
    case id.BATCH_NORM_WHOLE_GRAD:
      return batchNormWholeGrad(begin, end);
    case id.GROUP_NORM:
      return groupNorm(begin, end);
    case id.GROUP_NORM_GRAD:
      return groupNormGrad(begin, end);
    case id.GROUP_NORM_FINISH:
      return groupNormFinish(begin, end);
    case id.COUNT_BOOLS:
      return countBools(begin, end);
    case id.MAP_BOOLS:
      return mapBools(begin, end);
    case id.CUMSUM:
      return cumsum(begin, end);
    case id.ARG_SORT:
      return argSort(begin, end);
    case id.PACK_ROWS:
      return packRows(begin, end);
    case id.MULTIPLY_BLOCKS:
      return multiplyBlocks(begin, end);
    case id.MULTIPLY_BATCH:
      return multiplyBatch(begin, end);
    case id.COLUMNS_FORWARD:
      return columnsForward(begin, end);
    case id.COLUMNS_INPUT_GRAD:
      return columnsInputGrad(begin, end);
    case id.COLUMNS_WEIGHT_GRAD:
      return columnsWeightGrad(begin, end);
    case id.ADD_PARTS:
      return addParts(begin, end);
    case id.PACK_FILTERS:
      return packFilters(begin, end);
    case id.DIRECT:
      return direct(begin, end);
    case id.DIRECT_WEIGHT_GRAD:
      return directWeightGrad(begin, end);
    case id.LANES:
      return lanes(begin, end);
    case id.LANES_WEIGHT_GRAD:
      return lanesWeightGrad(begin, end);
    case id.ADD_BIAS_PARTS:
      return addBiasParts(begin, end);
    case id.MAX_POOL:
      return maxPool(begin, end);
    case id.MAX_POOL_GRAD:
      return maxPoolGrad(begin, end);
    case id.AVG_POOL:
      return avgPool(begin, end);
    case id.AVG_POOL_GRAD:
      return avgPoolGrad(begin, end);
    case id.UNFOLD:
      return unfold(begin, end);
    case id.FOLD:
      return fold(begin, end);
    case id.GATHER:
      return gather(begin, end);
    case id.SCATTER:
      return scatter(begin, end);
    case id.SCATTER_ADD:
      return scatterAdd(begin, end);
    case id.CAST:
      return cast(begin, end);
    case id.TRANSPOSE:
      return transpose(begin, end);
    case id.WINOGRAD_FILTERS:
      return winogradFilters(begin, end);
    case id.WINOGRAD_FORWARD:
      return winogradForward(begin, end);
    case id.WINOGRAD_FILTER_GRAD:
      return winogradFilterGrad(begin, end);
    case id.WINOGRAD_FILTER_GRAD_SUM:
      return winogradFilterGradSum(begin, end);
    case id.BERNOULLI:
      return bernoulli();
    default:
      unreachable();
  }
}

@inline
function ticketOf(thread: i32): usize {
  return id.TICKETS + <usize>thread * id.TICKET_BYTES;
}

/**
 * Lays out a job whose arguments are written, and wakes who sleeps. Each thread is meant to do chunks that lie side by side,
 * the same part of every job, because what it wrote in one job it finds in its own cache in the next.
 */
export function post(kernel: i32, units: i32, size: i32, chunks: i32, threads: i32, crew: i32): void {
  store<i32>(id.JOB_KERNEL, kernel);
  store<i32>(id.JOB_UNITS, units);
  store<i32>(id.JOB_CHUNK, size);
  store<i32>(id.JOB_THREADS, threads);
  atomic.store<i32>(id.FINISHED, 0);
  for (let thread = 0; thread < threads; thread++) {
    const first = chunks * thread / threads;
    const end = chunks * (thread + 1) / threads;
    atomic.store<u64>(ticketOf(thread), (<u64>crew << 48) | (<u64>end << 24) | <u64>first);
  }
  atomic.add<i32>(id.GENERATION, 1);
  if (atomic.load<i32>(id.SLEEPERS) > 0) atomic.notify(id.GENERATION, -1);
}

/**
 * Claims chunks of the present job until none is left: first its own, then from the end of what is left of the others'. The
 * tickets say of which crew the job is: a thread that was dismissed, but has not noticed yet, claims nothing.
 */
export function help(crew: i32): void {
  const own = threadIndex();
  // As many in all jobs of a crew, so that it does no harm where this is the next job's already.
  const threads = load<i32>(id.JOB_THREADS);
  for (let i = 0; i < threads; i++) {
    const at = ticketOf((own + i) % threads);
    while (true) {
      const ticket = atomic.load<u64>(at);
      const first = <i32>(ticket & 0xffffff);
      const end = <i32>((ticket >> 24) & 0xffffff);
      // Where no chunk is left nothing may be looked at: the main thread may be writing the next job already.
      if (first >= end || <i32>(ticket >> 48) != crew) break;
      const rest = i == 0 ? ticket + 1 : ticket - (1 << 24);
      if (atomic.cmpxchg<u64>(at, ticket, rest) == ticket) runChunk(i == 0 ? first : end - 1, crew);
    }
  }
}

function runChunk(chunk: i32, crew: i32): void {
  const size = load<i32>(id.JOB_CHUNK);
  const begin = chunk * size;
  run(load<i32>(id.JOB_KERNEL), begin, min(begin + size, load<i32>(id.JOB_UNITS)));
  if (atomic.load<i32>(id.CREW) == crew) atomic.add<i32>(id.FINISHED, 1);
}

/**
 * How often a worker looks for a new job before it goes to sleep: some tenths of a millisecond, more than what lies between
 * the kernels of a training step. To wake it takes tens of microseconds.
 */
const SPINS = 200000;

/** The life of a worker thread, until its crew is dismissed. */
export function work(index: i32, crew: i32): void {
  setThread(index);
  let seen = 0;
  while (atomic.load<i32>(id.CREW) == crew) {
    help(crew);
    let spins = 0;
    while (atomic.load<i32>(id.GENERATION) == seen) {
      if (++spins <= SPINS) continue;
      // Counted first: whoever counts up the generation after this sees that there is somebody to wake.
      atomic.add<i32>(id.SLEEPERS, 1);
      atomic.wait<i32>(id.GENERATION, seen, -1);
      atomic.sub<i32>(id.SLEEPERS, 1);
    }
    seen = atomic.load<i32>(id.GENERATION);
  }
}
