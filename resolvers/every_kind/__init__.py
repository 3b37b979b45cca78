"""What reaches bookings of every kind: cancelling, accommodations, cancelled events, expiry."""
