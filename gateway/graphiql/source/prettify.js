// What GraphiQL takes for Prettier: GraphQL goes to Prettier, JSON to the parser that is in the bundle anyway.
import { applyEdits, format as edits } from 'jsonc-parser';

export async function format(text, { parser }) {
  if (parser !== 'graphql') {
    return applyEdits(text, edits(text, undefined, { tabSize: 2, insertSpaces: true, keepLines: false }));
  }
  const [prettier, graphql] = await Promise.all([
    import('./node_modules/prettier/standalone.mjs'),
    import('./node_modules/prettier/plugins/graphql.mjs'),
  ]);
  return prettier.format(text, { parser, plugins: [graphql] });
}
