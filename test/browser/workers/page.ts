/** What a page does with workers, bundled by Vite: it finds the module that a Worker is started with. */
import { report } from "./report.js";

const start = () => new Worker(new URL("../../data/workers/dataset.ts", import.meta.url), { type: "module" });
const nothing = () => new Worker("nothing.js", { type: "module" });
Object.assign(globalThis, { report: () => report(start, nothing) });
