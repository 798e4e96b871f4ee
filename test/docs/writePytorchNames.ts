/** npm run docs:names */
import { writeFileSync } from "node:fs";
import { page, pagePath } from "./pytorchNames.js";

writeFileSync(pagePath, page());
