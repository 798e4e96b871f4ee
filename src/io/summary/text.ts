/** Logs as text: comma-separated values and lines of JSON. */
import type { Content, Entry } from "./entry.js";

/** The first line of a CSV file. */
export const csvHead = "step,wall_time,tag,value\n";

/** A scalar as a line of comma-separated values; null for what is no single number. */
export function csvLine(entry: Entry): string | null {
  if (entry.content.kind !== "scalar") return null;
  return `${entry.step},${entry.wallTime},${quoted(nameOf(entry))},${entry.content.value}\n`;
}

/** An entry as an object in one line. */
export function jsonLine(entry: Entry): string {
  const { step, wallTime, content } = entry;
  return `${JSON.stringify({ step, wallTime, tag: nameOf(entry), ...fieldsOf(content) }, writable)}\n`;
}

function fieldsOf(content: Content): object {
  switch (content.kind) {
    case "histogram":
      return { kind: content.kind, ...content.histogram };
    case "image": {
      const { width, height, png } = content.image;
      return { kind: content.kind, width, height, png: base64(png) };
    }
    default:
      return content;
  }
}

function nameOf({ tag, series }: Entry): string {
  return series === undefined ? tag : `${tag}/${series}`;
}

/** A field in quotation marks where it needs them. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** JSON has no numbers that are not finite: they become texts. */
function writable(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
