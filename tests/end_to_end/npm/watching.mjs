// What the scripts of this folder have in common. Each prints the cursor of every change that it
// receives, and continues after the last one whenever it is cut off. It ends with its input.

const [url, token, after] = process.argv.slice(2);

export const address = url;
export const headers = { authorization: `Bearer ${token}` };
export const query =
  "subscription ($after: String) { bookingChanged(after: $after) { cursor } }";
export const variables = { after };

export function received(result) {
  if (result.errors) {
    failed(result.errors);
  }
  variables.after = result.data.bookingChanged.cursor;
  console.log(variables.after);
}

export function failed(error) {
  console.error(error);
  process.exit(1);
}

export function soon(action) {
  setTimeout(action, 100);
}

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
