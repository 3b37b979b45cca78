// Bundles GraphiQL, Monaco and its workers into ../assets. See README.md.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const assets = fileURLToPath(new URL('../assets/', import.meta.url));

/** Leaves out what the page has no use for: most of the weight of GraphiQL's own bundle. */
const diet = {
  name: 'diet',
  setup({ onResolve }) {
    const local = name => () => ({ path: join(here, name) });
    // Monaco with the features of a small editor, instead of everything it has.
    onResolve({ filter: /^(monaco-graphql\/esm|\.)\/monaco-editor(\.js)?$/ }, local('monaco.js'));
    // Prettier is for GraphQL only: JSON is formatted by jsonc-parser, so Babel stays out.
    onResolve({ filter: /^prettier\/standalone$/ }, local('prettify.js'));
    onResolve({ filter: /^prettier\/(plugins\/(estree|graphql)|parser-(babel|graphql))$/ }, local('no-plugin.js'));
  },
};

await rm(assets, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: {
    main: 'main.jsx',
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  outdir: assets,
  bundle: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file', '.woff2': 'file' },
  assetNames: '[name]',
  legalComments: 'external',
  banner: { js: '/* Licences: LICENCES.txt */', css: '/* Licences: LICENCES.txt */' },
  plugins: [diet],
  logLevel: 'warning',
});

// LICENCES.txt: the packages whose files are in the bundle, each with its licence in full, then the legal
// comments of the files.
const folders = new Set(
  Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.keys(inputs))
    .map(path => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0])
    .filter(Boolean),
);
const notices = new Map();
for (const folder of folders) {
  const { name, version, license } = JSON.parse(await readFile(join(here, folder, 'package.json')));
  const files = (await readdir(join(here, folder))).filter(file =>
    /^(licen[cs]e|copying|notice|thirdpartynotices)(\.(md|txt))?$/i.test(file),
  );
  const texts = await Promise.all(files.sort().map(file => readFile(join(here, folder, file), 'utf8')));
  const text = texts.map(each => each.replaceAll('\r\n', '\n').trim()).join('\n\n');
  notices.set(text, [...(notices.get(text) ?? []), `${name} ${version} (${license})`]);
}
const chapters = [...notices].map(([text, names]) => [names.sort().join('\n'), text].filter(Boolean).join('\n\n'));
chapters.sort();
for (const file of (await readdir(assets)).filter(name => name.endsWith('.LEGAL.txt')).sort()) {
  const comments = await readFile(join(assets, file), 'utf8');
  chapters.push(`${file.replace('.LEGAL.txt', '')}\n\n${comments.trim()}`);
  await rm(join(assets, file));
}
await writeFile(join(assets, 'LICENCES.txt'), chapters.join(`\n\n${'-'.repeat(80)}\n\n`) + '\n');
