/**
 * Lets plain Node import the web's `*.svelte.ts`, whose state is written in runes, so that a page's model is tried
 * without a browser. Import this, then import the model by `await import(…)`.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileModule } from 'svelte/compiler';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith('.svelte.ts')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    const script = stripTypeScriptTypes(readFileSync(filename, 'utf8'));
    const { js } = compileModule(script, { filename, generate: 'client', dev: false });
    return { format: 'module', source: js.code, shortCircuit: true };
  },
});
