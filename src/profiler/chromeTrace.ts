/** Spans in the trace event format, which chrome://tracing and Perfetto show. */
import type { DeviceSpan, Recorder } from "./recorder.js";

/** One event of a trace; times in microseconds. */
interface TraceEvent {
  readonly ph: "C" | "M" | "X";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, number | string>>;
}

const PROCESS = 1;
const THREAD = 1;
const DEVICE = 2;

/**
 * The trace as JSON text: complete events, which nest by their times, and counters of memory.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export function chromeTrace(recorder: Recorder): string {
  const place = { pid: PROCESS, tid: THREAD };
  const events: TraceEvent[] = [
    { ph: "M", name: "process_name", ...place, args: { name: "tapegrad" } },
    { ph: "M", name: "thread_name", ...place, args: { name: "JavaScript" } },
  ];
  for (const { kind, name, begin, end, allocated, moved } of recorder.spans) {
    const args = { ...(allocated > 0 ? { allocated } : {}), ...(moved > 0 ? { moved } : {}) };
    events.push({ ph: "X", name, cat: kind, ...place, ...times(begin, end), args });
  }
  for (const { time, bytes } of recorder.memory) {
    events.push({ ph: "C", name: "memory", ...place, ts: micro(time), args: { bytes } });
  }
  events.push(...deviceEvents(recorder.deviceSpans));
  return JSON.stringify({ traceEvents: events, displayTimeUnit: "ms" });
}

/**
 * On a track of their own. The device's clock starts somewhere: its first kernel is drawn where it was launched. Kernels that run at
 * the same time are drawn one behind the other: viewers leave out what overlaps on a track.
 */
function deviceEvents(spans: readonly DeviceSpan[]): TraceEvent[] {
  if (spans.length === 0) return [];
  const place = { pid: PROCESS, tid: DEVICE };
  const sorted = [...spans].sort((a, b) => Number(a.begin - b.begin));
  const [first] = sorted;
  const drawn = (time: bigint): number => (first?.launched ?? 0) + Number(time - (first?.begin ?? 0n)) / 1e6;
  let last = 0;
  const events = sorted.map(({ name, op, begin, end }): TraceEvent => {
    const start = Math.max(drawn(begin), last);
    last = Math.max(drawn(end), start);
    return { ph: "X", name, cat: "device", ...place, ...times(start, last), args: op === null ? {} : { op: op.name } };
  });
  return [{ ph: "M", name: "thread_name", ...place, args: { name: "device" } }, ...events];
}

/** Begin and duration of an event. Begin and end are rounded, and not the duration: what is inside must not end later. */
function times(begin: number, end: number): { ts: number; dur: number } {
  return { ts: micro(begin), dur: micro(end) - micro(begin) };
}

/** Milliseconds in microseconds, to an eighth: sums of such are exact for every reader, in three decimals and in binary. */
function micro(milliseconds: number): number {
  return Math.round(milliseconds * 8000) / 8;
}
