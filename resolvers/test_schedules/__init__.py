"""Test schedules `[001]`: the window in which a candidate may sit a test at a centre."""
