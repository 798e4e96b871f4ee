/** What a profile tells of one name, and the table of all. */
import { ArgumentError } from "../errors.js";
import { formatSetting } from "../tensor/window.js";
import type { Span } from "./recorder.js";

/** All that happened under one name. Times are in milliseconds. */
export interface ProfileRow {
  /** The op; of the walk back with `Backward` behind it. Or where a module lies, or the step of an optimizer. */
  readonly name: string;
  /**
   * `"op"`: an operation on tensors, forward or called by the walk back. `"backward"`: a recorded op's gradient, which calls ops.
   * `"module"`: calls of a module's `forward`. `"step"`: steps of an optimizer.
   */
  readonly kind: "backward" | "module" | "op" | "step";
  readonly count: number;
  /** Time without that of the rows inside: the self times of all rows add up to no more than the wall time. */
  readonly selfTime: number;
  readonly totalTime: number;
  /** Time of its kernels, without the rows inside, on the GPU's own clock; null where nothing measured it. */
  readonly deviceTime: number | null;
  /** Bytes of memory that it asked for, without the rows inside. */
  readonly bytesAllocated: number;
  /** Bytes that its kernels read and write, without the rows inside. */
  readonly bytesMoved: number;
}

/** Settings of {@link Profile.table}. */
export interface TableOptions {
  /** The column to sort by, the largest first; names in their order. Default `"selfTime"`; `"deviceTime"` where it was measured. */
  readonly sortBy?: Exclude<keyof ProfileRow, "kind">;
  /** Rows at most. Default 100. */
  readonly rowLimit?: number;
}

/** The rows of all names, the longest self time first. */
export function rowsOf(spans: readonly Span[], hasDeviceTimes: boolean): ProfileRow[] {
  const rows = new Map<string, { -readonly [K in keyof ProfileRow]: ProfileRow[K] }>();
  for (const span of spans) {
    const { kind, name } = span;
    if (kind === "kernel") continue;
    const key = `${kind} ${name}`;
    let row = rows.get(key);
    if (row === undefined) {
      const deviceTime = hasDeviceTimes ? 0 : null;
      row = { name, kind, count: 0, selfTime: 0, totalTime: 0, deviceTime, bytesAllocated: 0, bytesMoved: 0 };
      rows.set(key, row);
    }
    const time = span.end - span.begin;
    if (span.counted) row.count++;
    row.totalTime += time;
    row.selfTime += Math.max(0, time - span.inner);
    if (row.deviceTime !== null) row.deviceTime += span.device;
    row.bytesAllocated += span.allocated;
    row.bytesMoved += span.moved;
  }
  return sorted([...rows.values()], "selfTime");
}

type Column = NonNullable<TableOptions["sortBy"]>;

const columns: readonly Column[] = [
  "name",
  "count",
  "selfTime",
  "totalTime",
  "deviceTime",
  "bytesAllocated",
  "bytesMoved",
];

/** Characters of a line. */
const WIDTH = 98;
/** Characters of each column but the name's, the blank before it included. */
const cellWidths = {
  count: 7,
  selfTime: 11,
  share: 8,
  totalTime: 11,
  deviceTime: 11,
  bytesAllocated: 11,
  bytesMoved: 11,
};

/**
 * The rows as text of less than 100 characters a line.
 *
 * @throws ArgumentError where there is no such column, or the limit is no whole number from 1 on.
 */
export function tableOf(rows: readonly ProfileRow[], sortBy: Column, rowLimit: number): string {
  if (!columns.includes(sortBy)) {
    throw new ArgumentError(
      `table: got sortBy ${formatSetting(sortBy)}; expected one of ${columns.join(", ")}. Correct its name, or leave it out.`,
    );
  }
  if (!Number.isInteger(rowLimit) || rowLimit < 1) {
    throw new ArgumentError(
      `table: got rowLimit ${formatSetting(rowLimit)}; expected a whole number from 1 on. Leave it out for 100.`,
    );
  }
  const self = rows.reduce((sum, row) => sum + row.selfTime, 0);
  const hasDevice = rows.some((row) => row.deviceTime !== null);
  const { deviceTime: _, ...others } = cellWidths;
  const widths = hasDevice ? cellWidths : others;
  const nameWidth = WIDTH - Object.values(widths).reduce((sum, width) => sum + width, 0);
  const line = (name: string, cells: Readonly<Record<keyof typeof cellWidths, string>>): string => {
    const texts = (Object.keys(widths) as (keyof typeof cellWidths)[]).map((key) =>
      cells[key].padStart(cellWidths[key]),
    );
    return shortened(name, nameWidth).padEnd(nameWidth) + texts.join("");
  };
  const head = line("Name", {
    count: "Calls",
    selfTime: "Self",
    share: "Self %",
    totalTime: "Total",
    deviceTime: "GPU",
    bytesAllocated: "Allocated",
    bytesMoved: "Moved",
  });
  const body = sorted(rows, sortBy)
    .slice(0, rowLimit)
    .map((row) =>
      line(row.name, {
        count: String(row.count),
        selfTime: formatTime(row.selfTime),
        share: self > 0 ? ((100 * row.selfTime) / self).toFixed(1) : "",
        totalTime: formatTime(row.totalTime),
        deviceTime: row.deviceTime ? formatTime(row.deviceTime) : "",
        bytesAllocated: row.bytesAllocated > 0 ? formatBytes(row.bytesAllocated) : "",
        bytesMoved: row.bytesMoved > 0 ? formatBytes(row.bytesMoved) : "",
      }).trimEnd(),
    );
  const rest = rows.length - body.length;
  return [head, "-".repeat(head.length), ...body, ...(rest > 0 ? [`… and ${rest} more`] : [])].join("\n");
}

/** Milliseconds with a unit that suits. */
export function formatTime(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(3)} s`;
  if (milliseconds >= 1) return `${milliseconds.toFixed(3)} ms`;
  return `${(milliseconds * 1000).toFixed(1)} µs`;
}

/** Bytes with a unit that suits. */
export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
  if (bytes >= 2 ** 10) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return `${bytes} B`;
}

function sorted<Row extends ProfileRow>(rows: readonly Row[], column: Column): Row[] {
  if (column === "name") return rows.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return rows.toSorted((a, b) => (b[column] ?? 0) - (a[column] ?? 0));
}

/** The end of a path tells more than its beginning. */
function shortened(name: string, width: number): string {
  return name.length <= width ? name : `…${name.slice(1 - width)}`;
}
