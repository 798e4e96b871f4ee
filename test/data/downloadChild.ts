// Run as its own process by download.test.ts: argv is the JSON of a RemoteFile and the path.
import { download } from "../../src/data/download.js";

const [file, path] = process.argv.slice(2);
void download(JSON.parse(file ?? ""), path ?? "").then(() => console.log("done"));
