// urql receives server-sent events. It ends a subscription that was cut off.

import { Client, fetchExchange } from "@urql/core";
import { address, headers, query, received, soon, variables } from "./watching.mjs";

const client = new Client({
  url: address,
  exchanges: [fetchExchange],
  fetchSubscriptions: true,
  fetchOptions: { headers },
  preferGetMethod: false,
});

function watch() {
  const { unsubscribe } = client
    .subscription(query, { ...variables })
    .subscribe((result) => {
      if (result.error || !result.hasNext) {
        // the last result repeats the data of the one before
        soon(() => {
          unsubscribe();
          watch();
        });
      } else {
        received(result);
      }
    });
}

watch();
