// Stands for the plugins that GraphiQL hands to prettify.js, which brings its own.
export const printers = {};
export const parsers = {};
