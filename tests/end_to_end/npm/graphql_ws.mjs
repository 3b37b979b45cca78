// graphql-ws sends the payload again when it has reconnected, with what its variables are by then.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { address, failed, headers, query, received, variables } from "./watching.mjs";

const client = createClient({
  url: address.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: headers,
  retryAttempts: 100,
});
client.subscribe({ query, variables }, { next: received, error: failed, complete: failed });
