// Compiles the sources for the demo, benchmarks and tests that start Ringline as a process of its own. Types are not
// checked here ("npm run typecheck" does). Prints the folder when run by itself.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { projectRoot } from './project.mjs';

/** Of the tests: the list of CRM adapters with their simulators, which proofs run too. */
const FOLDERS = ['src', 'migrations', 'lab', 'bench', 'test/contract/crm-adapters'];
/** Old ones are removed. Inside node_modules the compiled files find every dependency, and no tool takes them for sources. */
export const BUILDS = join(projectRoot, 'node_modules/.cache/ringline');
const OLD_MS = 24 * 3_600_000;

/**
 * The folder with the compiled sources as they are now, for example <folder>/src/main.js. Its name is a hash of them: it
 * never changes once it is there, so what runs from it is not disturbed by later edits.
 * @returns {Promise<string>}
 */
export async function compile() {
  const files = FOLDERS.flatMap((folder) => filesIn(join(projectRoot, folder)));
  const sources = files.map((file) => ({ file, content: readFileSync(file) }));
  const configuration = readFileSync(join(projectRoot, 'tsconfig.json'), 'utf8');
  const hash = createHash('sha256')
    .update(configuration)
    .update(readFileSync(join(projectRoot, 'package-lock.json')));
  for (const { file, content } of sources) hash.update(file).update('\0').update(content);
  const folder = join(BUILDS, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;

  const { transformWithOxc } = await import('vite');
  const building = `${folder}.${process.pid}`;
  for (const { file, content } of sources) {
    const target = join(building, file.slice(projectRoot.length + 1));
    mkdirSync(dirname(target), { recursive: true });
    if (!file.endsWith('.ts')) {
      cpSync(file, target);
      continue;
    }
    // The same compiler as the tests' (it reads tsconfig.json); twenty times as fast as TypeScript's own.
    const { code, map } = await transformWithOxc(content.toString(), file, { sourcemap: true });
    const script = target.replace(/\.ts$/, '.js');
    writeFileSync(script, `${withTslib(code)}\n//# sourceMappingURL=${basename(script)}.map\n`);
    writeFileSync(`${script}.map`, JSON.stringify(map));
  }
  removeOld();
  try {
    renameSync(building, folder);
  } catch (error) {
    // Another process made the same one meanwhile.
    rmSync(building, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

// The compiler imports its decorator helpers from a package that is not installed; tslib has the same ones.
const HELPERS = { decorate: '__decorate', decorateMetadata: '__metadata', decorateParam: '__param' };

function withTslib(code) {
  return code.replace(/^import (\w+) from "@oxc-project\/runtime\/helpers\/(\w+)";$/gm, (_, local, helper) => {
    if (!(helper in HELPERS)) throw new Error(`scripts/compile.mjs knows no helper "${helper}": add it to HELPERS`);
    return `import { ${HELPERS[helper]} as ${local} } from 'tslib';`;
  });
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function removeOld() {
  for (const name of readdirSync(BUILDS)) {
    const path = join(BUILDS, name);
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await compile());
}
