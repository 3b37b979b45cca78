// What GraphiQL finds in the browser's storage when it starts: the user's own tabs, or else the examples.

/** GraphiQL's keys under a prefix, apart from those of any other GraphiQL that had this address before. */
export function createStorage(prefix) {
  const keys = () => Object.keys(localStorage).filter(key => key.startsWith(prefix));
  return {
    getItem: key => localStorage.getItem(prefix + key),
    setItem: (key, value) => localStorage.setItem(prefix + key, value),
    removeItem: key => localStorage.removeItem(prefix + key),
    clear: () => keys().forEach(key => localStorage.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}

/**
 * Write the state that GraphiQL reads next, and return the headers of the tab that will be open.
 *
 * A token that the page has not given before replaces the one in every tab; until then, a token that the user
 * has put into a tab stays there.
 */
export function prepareTabs({ storage, token, examples }) {
  const state = storedTabs(storage) ?? { activeTabIndex: 0, tabs: examples.map(exampleTab) };
  const keepsHeaders = storage.getItem('graphiql:shouldPersistHeaders') !== 'false'; // a choice in the settings
  if (!keepsHeaders) for (const tab of state.tabs) tab.headers = null;
  else if (token && storage.getItem('token') !== fingerprint(token)) {
    for (const tab of state.tabs) tab.headers = withToken(tab.headers, token);
    storage.setItem('token', fingerprint(token));
  }
  const defaultHeaders = token ? withToken(null, token) : undefined;

  // GraphiQL compares these with the tabs, and opens one more tab where they fit none.
  const { query, variables, headers } = state.tabs[state.activeTabIndex];
  for (const [key, value] of Object.entries({ query, variables, headers, tabState: JSON.stringify(state) })) {
    if (value) storage.setItem(`graphiql:${key}`, value);
    else storage.removeItem(`graphiql:${key}`);
  }
  return { headers: parsed(headers || defaultHeaders), defaultHeaders };
}

function storedTabs(storage) {
  const state = parsed(storage.getItem('graphiql:tabState'));
  if (!Array.isArray(state.tabs) || !state.tabs.length) return null;
  return { ...state, activeTabIndex: state.tabs[state.activeTabIndex] ? state.activeTabIndex : 0 };
}

function exampleTab({ title, query, variables }, index) {
  return {
    id: `example-${index + 1}`,
    title,
    query,
    variables,
    headers: null,
    operationName: title,
    response: null,
  };
}

function withToken(headers, token) {
  const others = Object.entries(parsed(headers)).filter(([name]) => name.toLowerCase() !== 'authorization');
  return JSON.stringify({ Authorization: `Bearer ${token}`, ...Object.fromEntries(others) }, null, 2);
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** Enough to tell a new token from the last one, without keeping a second copy of it (FNV-1a). */
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return (hash >>> 0).toString(16);
}
