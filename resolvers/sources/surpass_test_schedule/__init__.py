"""Surpass TestSchedule `[001]`: the bodies with which tests are scheduled, in JSON and in XML."""
