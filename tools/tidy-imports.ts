/** Imports: between workspaces, between the server's modules, by face only, without cycles. */
import { posix } from 'node:path';
import { LAYERS, MEDIA_USERS, MODULES, ROOTS, SHARED_ROOT_TYPES, WORKSPACES } from './modules.ts';
import type { Finding, Import, Source } from './tidy-source.ts';

export function checkImports(sources: Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources) {
    for (const entry of source.imports) {
      const text = wrongWorkspace(source, entry) ?? wrongModule(source, entry);
      if (text) findings.push({ path: source.path, line: entry.line, text });
    }
    const module = moduleOf(source.path);
    if (module !== null && !known(module)) {
      findings.push({ path: source.path, line: 0, text: `${module} is not in the module map (tools/modules.ts)` });
    }
  }
  return [...findings, ...cycles(sources)];
}

function known(module: string): boolean {
  return module in MODULES || module in LAYERS || isRoot(module);
}

function isRoot(module: string): boolean {
  return (ROOTS as readonly string[]).includes(module);
}

/** The first name under server/src; null outside. */
function moduleOf(path: string): string | null {
  return /^server\/src\/([^/]+)/.exec(path)?.[1]?.replace(/\.test\.ts$/, '.ts') ?? null;
}

/** The path an import leads to, when it lies in the repository. */
function targetOf(source: Source, specifier: string): string | null {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(source.path), specifier);
  const [, workspace, path] = /^@nacre\/(contract|media|server|web)\/(.+)$/.exec(specifier) ?? [];
  if (workspace && path) return `${workspace}/src/${path}.ts`;
  if (specifier.startsWith('#lib/')) return `web/src/lib/${specifier.slice('#lib/'.length)}`;
  return null;
}

function wrongWorkspace(source: Source, entry: Import): string | null {
  const from = source.path.split('/')[0] ?? '';
  const allowed = WORKSPACES[from];
  const target = targetOf(source, entry.specifier);
  if (!allowed || target === null) return null;
  const to = target.split('/')[0] ?? '';
  if (to === from || (source.isTest && ['tests', 'tools'].includes(to))) return null;
  if (!allowed.includes(to)) return `${from} may not use ${to}`;
  if (entry.specifier.startsWith('.')) return `other workspaces are imported by name: @nacre/${to}/…`;
  const module = moduleOf(source.path);
  if (to === 'media' && module !== null && !source.isTest && !(MEDIA_USERS as readonly string[]).includes(module)) {
    return `${module} may not use media; only ${MEDIA_USERS.join(', ')} may`;
  }
  return null;
}

function wrongModule(source: Source, entry: Import): string | null {
  const from = moduleOf(source.path);
  const target = targetOf(source, entry.specifier);
  const to = target === null ? null : moduleOf(target);
  if (from === null || to === null || target === null || from === to || source.isTest || isRoot(from)) return null;
  if (isRoot(to)) {
    const isShared = entry.isType && (SHARED_ROOT_TYPES as readonly string[]).includes(to);
    return isShared ? null : `${from} may not use ${to}: it is what wires everything`;
  }
  if (to in LAYERS) return from in LAYERS && !LAYERS[from]?.includes(to) ? `${from} may not use ${to}` : null;
  if (from in LAYERS) return `${from} knows no business and may not use ${to}`;
  if (target === `server/src/${to}/events.ts`) return null;
  if (!MODULES[from]?.includes(to)) return `${from} may not use ${to} (tools/modules.ts)`;
  if (target !== `server/src/${to}/${to}.ts`) return `only the face ${to}/${to}.ts and ${to}/events.ts are visible`;
  return entry.isType ? null : `${to} arrives as a dep; import its types only`;
}

/** Files that need each other at run time, each cycle once. */
function cycles(sources: Source[]): Finding[] {
  const graph = new Map(sources.map((source) => [source.path, source.imports
    .filter((entry) => !entry.isType)
    .map((entry) => targetOf(source, entry.specifier))
    .filter((target) => target !== null)]));
  const done = new Set<string>();
  const found = new Map<string, string[]>();
  const visit = (path: string, trail: string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = trail.slice(start);
      found.set(cycle.toSorted().join(' '), cycle);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found.values()].map((cycle) => ({
    path: cycle[0] ?? '', line: 0, text: `imports go in a circle: ${[...cycle, cycle[0]].join(' → ')}`,
  }));
}
