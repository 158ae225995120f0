// Builds the snippet: `node build.mjs SOURCES INTO`. Set-up runs it in a folder of its own, beside what npm installed;
// what only tests use stays there.

import { build } from "esbuild";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { minify } from "terser";

const [sources, into] = process.argv.slice(2);
mkdirSync(into, { recursive: true });
const scripts = { np: "np", inline: "np-inline", forms: "np-forms", numbers: "numbers", page: "page" };
for (const [source, target] of Object.entries(scripts)) {
  const isForTests = source == target && source != "np";
  const bundle = await build({
    entryPoints: [join(sources, `${source}.ts`)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: isForTests ? target : undefined,
    target: "es2021",
    tsconfigRaw: {},
  });
  const { code } = await minify(bundle.outputFiles[0].text, {
    ecma: 2021,
    compress: { passes: 4, toplevel: !isForTests },
    mangle: { toplevel: !isForTests },
  });
  writeFileSync(join(isForTests ? "." : into, `${target}.js`), code);
}
copyFileSync(join(sources, "api.d.ts"), join(into, "np.d.ts"));
