/** Run as a process of its own by largeFiles.test.ts: loads or saves a file, and prints how much memory that took at most. */
import { load, memoryStats, save, zeros } from "../../src/index.js";

const [what = "", path = "", bytes = "0"] = process.argv.slice(2);

// Whatever comes with the library and its first tensor is there before.
await load(await (await import("../../src/index.js")).saveToBlob({ a: zeros([1]) }));
const before = process.memoryUsage.rss();
if (what === "load") {
  const state = await load(path);
  console.log(
    JSON.stringify({ tensors: Object.keys(state).length, bytes: memoryStats().bytes, grown: peak() - before }),
  );
} else {
  const large = zeros([Number(bytes) / 4]);
  await save(path, { large });
  console.log(JSON.stringify({ tensors: 1, bytes: memoryStats().bytes, grown: peak() - before }));
}

/** The most memory that the process had at a time, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
