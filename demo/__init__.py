"""The demo data: an organization with a month of bookings around today.

Only the command line imports this package.
"""
