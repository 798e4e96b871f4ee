// Fails unless the package that `npm pack` would make carries what a user needs and nothing else.
import { execFileSync } from "node:child_process";

const needed = [
  "LICENSE",
  "README.md",
  "package.json",
  "dist/index.js",
  "dist/node/index.js",
  "dist/index.d.ts",
  "src/index.ts",
];
const allowed = /^(LICENSE|README\.md|package\.json|dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts)$/;

// The build has just been made: --ignore-scripts keeps `prepack` from making it again.
const report = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" });
const [{ files, size }] = JSON.parse(report);
const paths = files.map((file) => file.path);
const missing = needed.filter((path) => !paths.includes(path));
const surplus = paths.filter((path) => !allowed.test(path));
if (missing.length > 0 || surplus.length > 0) {
  console.error(
    `npm pack: missing ${missing.join(", ") || "nothing"}; not for users: ${surplus.join(", ") || "nothing"}`,
  );
  process.exit(1);
}
console.log(`npm pack: ${paths.length} files, ${Math.ceil(size / 1024)} KiB`);
