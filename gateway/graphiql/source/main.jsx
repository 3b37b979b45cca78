// The page of the booking gateway: GraphiQL with the examples, the page's token and one address.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './fonts.css';
import './page.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { createFetcher } from './fetcher.js';
import { editor } from './monaco.js';
import { createStorage, prepareTabs } from './tabs.js';

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const name = label === 'json' || label === 'graphql' ? label : 'editor';
    return new Worker(new URL(`./${name}.worker.js`, import.meta.url), { type: 'module', name });
  },
};

// The examples' comments are sentences: wrap them, whatever the width of the pane.
editor.onDidCreateEditor(created => created.updateOptions({ wordWrap: 'on', wrappingIndent: 'indent' }));

const { endpoint, token, examples } = JSON.parse(document.getElementById('graphiql-config').textContent);
const storage = createStorage('booking-gateway:');
const { headers, defaultHeaders } = prepareTabs({ storage, token, examples });

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={createFetcher({ endpoint, introspectionHeaders: headers })}
    storage={storage}
    defaultHeaders={defaultHeaders}
    shouldPersistHeaders
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <span className="booking-gateway-logo">Booking gateway</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
