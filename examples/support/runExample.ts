/** `npm run example NAME` runs examples/NAME.ts; without a name it lists them. Options come after `--`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = join(import.meta.dirname, "..");
const [name, ...options] = process.argv.slice(2);
const file = join(folder, `${name}.ts`);

if (name !== undefined && isExample(`${name}.ts`) && existsSync(file)) {
  process.argv = [process.argv[0] ?? "", file, ...options];
  await import(pathToFileURL(file).href);
} else {
  const names = readdirSync(folder).filter(isExample).sort();
  console.log("usage: npm run example NAME [-- OPTIONS]\n");
  for (const each of names) console.log(`  ${each.replace(/\.ts$/, "").padEnd(24)} ${summaryOf(each)}`);
  if (name !== undefined) {
    console.error(`\nerror: got ${name}; expected one of the names above.`);
    process.exitCode = 1;
  }
}

/** Whether a file is an example of its own. */
function isExample(each: string): boolean {
  return each.endsWith(".ts") && /\bstartExample\b/.test(readIfThere(each));
}

function readIfThere(each: string): string {
  const path = join(folder, each);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The first sentence of its doc comment. */
function summaryOf(each: string): string {
  return /\/\*\*\s*(?:\* )?([\s\S]*?[.!?])(?=\s)/.exec(readIfThere(each))?.[1]?.replaceAll(/\s*\n \* /g, " ") ?? "";
}
