// How GraphiQL talks to the gateway: queries and mutations over HTTP, subscriptions over WebSocket.
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';

/**
 * The fetcher for one address.
 *
 * GraphiQL asks for the schema before its headers editor is there: that request gets `introspectionHeaders`.
 */
export function createFetcher({ endpoint, introspectionHeaders }) {
  const address = new URL(endpoint, window.location.origin);
  return async (params, { headers } = {}) => {
    if (isSubscription(params)) return subscribe(address, params, headers ?? {});
    const introspection = params.operationName === 'IntrospectionQuery';
    return post(address, params, headers ?? (introspection ? introspectionHeaders : {}));
  };
}

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // a document that cannot be read: the gateway says why
  }
}

async function post(address, params, headers) {
  const response = await fetch(address, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw plain(`${response.status} ${response.statusText}: ${text.slice(0, 1000)}`);
  }
}

/**
 * One connection for each subscription, opened with the headers of that moment.
 *
 * It is not resumed behind the user's back: after a break the user sees that there was one.
 */
function subscribe(address, params, headers) {
  const url = new URL(address);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const authorization = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return {
    subscribe(observer) {
      const client = createClient({
        url: url.href,
        connectionParams: authorization ? { Authorization: authorization } : undefined,
        retryAttempts: 0,
      });
      const stop = client.subscribe(params, {
        next: result => observer.next(result),
        error: error => observer.error(readable(error)),
        complete: () => observer.complete(),
      });
      return {
        unsubscribe() {
          stop();
          client.dispose();
        },
      };
    },
  };
}

function readable(error) {
  if (Array.isArray(error)) return error;
  if (error instanceof CloseEvent) return plain(`The connection was closed: ${error.code} ${error.reason}`.trim());
  return plain(error?.message || 'The connection could not be made.');
}

function plain(message) {
  const error = new Error(message);
  delete error.stack;
  return error;
}
