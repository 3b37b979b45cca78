// Apollo Client receives multipart responses. It ends a subscription that was cut off.

import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { address, headers, query, received, soon, variables } from "./watching.mjs";

const client = new ApolloClient({
  link: new HttpLink({ uri: address, headers }),
  cache: new InMemoryCache(),
});
const document = gql(query);

function watch() {
  client
    .subscribe({ query: document, variables: { ...variables }, fetchPolicy: "no-cache" })
    .subscribe({
      next: (result) => (result.error ? console.error(result.error.message) : received(result)),
      error: () => soon(watch),
      complete: () => soon(watch),
    });
}

watch();
