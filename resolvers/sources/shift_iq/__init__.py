"""Documents of Shift iQ's booking: version 1 `[002]` and version 2 `[003]`."""
