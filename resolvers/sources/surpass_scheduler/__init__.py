"""Documents of Surpass Scheduler's booking management `[000]`."""
