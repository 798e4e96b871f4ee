/** What a page does with workers whose module lies beside it as a file of its own. */
import { report } from "./report.js";

const beside = (file: string): URL => new URL(file, import.meta.url);
Object.assign(globalThis, { report: () => report(beside("dataset.js"), beside("nothing.js")) });
