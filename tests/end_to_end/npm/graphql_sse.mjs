// graphql-sse sends the request again when it has reconnected, with what its variables are by then.

import { createClient } from "graphql-sse";
import { address, failed, headers, query, received, variables } from "./watching.mjs";

const client = createClient({ url: address, headers, retryAttempts: 100 });
client.subscribe({ query, variables }, { next: received, error: failed, complete: failed });
